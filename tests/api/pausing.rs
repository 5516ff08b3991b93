//! A stream that is paused keeps what comes and sends nothing, also after a restart.

use crate::IMPATIENT;
use crate::asking::Server;
use crate::asking::ask;
use crate::asking::count;
use crate::asking::run;
use crate::asking::stream;
use crate::config;
use crate::http;
use crate::send;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;

#[test]
fn a_paused_stream_keeps_what_comes_and_stays_so_until_it_is_resumed() {
    let (port, away) = (free_port(), free_port());
    let server = Server::listen(away);
    let config = config(port, &http("cloud", away, IMPATIENT));
    // what waits for a destination that is connected is not written for a minute
    let mut weir = Weir::start("pause", &config.replace("\"0s\"", "\"60s\""));
    send(port, 0..2);
    eventually("it flows", || count(&weir, "cloud", "accepted") == 2);
    let (code, said) = run(&weir, &["stream", "pause", "cloud"]);
    let paused = "PAUSED until `weir stream resume`";
    assert_eq!((code, said), (0, format!("{paused}, 0 waiting\n")));
    // answered once they are on disk
    send(port, 2..5);
    weir.kill();
    weir.restart();
    send(port, 5..7);
    let cloud = stream(&weir, "cloud");
    assert_eq!(cloud["backlog"], 5);
    assert_eq!(
        (&cloud["paused"], &cloud["paused_for"]),
        (&true.into(), &().into())
    );
    assert_eq!(
        (&cloud["enabled"], &cloud["connected"]),
        (&true.into(), &false.into())
    );
    assert!(cloud["oldest_age"].is_number(), "{cloud}");
    let (_, page) = run(&weir, &["status"]);
    assert!(page.contains(paused), "{page}");
    run(&weir, &["wake", "--now"]);
    assert_eq!(ask(&weir, "POST", "/reload", "").0, 200);
    assert_eq!(stream(&weir, "cloud")["paused"], true);
    assert_eq!(server.messages().len(), 2);
    let (code, answer) = ask(&weir, "POST", "/streams/cloud/resume", "");
    assert_eq!((code, &answer["result"][0]["paused"]), (200, &false.into()));
    eventually("all arrives", || server.messages().len() == 7);
    let numbers: Vec<_> = server.messages().iter().map(|m| m["n"].as_u64()).collect();
    assert_eq!(numbers, (0..7).map(Some).collect::<Vec<_>>());
    weir.kill();
    weir.restart();
    assert_eq!(stream(&weir, "cloud")["paused"], false);
}

#[test]
fn a_pause_with_an_end_ends_by_itself() {
    let (port, away) = (free_port(), free_port());
    let server = Server::listen(away);
    let mut weir = Weir::start("pauses", &config(port, &http("cloud", away, IMPATIENT)));
    let pause = |weir: &Weir, body: &str| ask(weir, "POST", "/streams/cloud/pause", body);
    let (code, answer) = pause(&weir, "{\"for\":\"2h\"}");
    assert_eq!(code, 200, "{answer}");
    let left = |weir: &Weir| stream(weir, "cloud")["paused_for"].as_f64();
    assert!(left(&weir) > Some(7000.0) && left(&weir) <= Some(7200.0));
    let (_, page) = run(&weir, &["stream", "list"]);
    assert!(page.contains("PAUSED, goes on in 120 min"), "{page}");
    send(port, 0..3);
    weir.kill();
    let kept = weir.folder.join("weir.d/paused");
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(text.contains("seconds = 7200.0\nuntil = 1"), "{text}");
    weir.restart();
    assert!(left(&weir) > Some(6000.0) && left(&weir) <= Some(7200.0));
    pause(&weir, "{\"for\":\"1s\"}");
    eventually("all arrives", || count(&weir, "cloud", "accepted") == 3);
    assert_eq!(server.messages().len(), 3);
    eventually("it is forgotten", || !kept.exists());
    weir.await_log("stream `cloud`: its pause is over");
    for (path, body, wanted) in [
        ("/streams/nobody/pause", "", 404),
        ("/streams/nobody/resume", "", 404),
        ("/streams/cloud/pause", "{\"for\":\"soon\"}", 400),
        ("/streams/cloud/pause", "{\"for\":7}", 400),
    ] {
        assert_eq!(ask(&weir, "POST", path, body).0, wanted, "{path} {body}");
    }
    let (code, said) = run(&weir, &["stream", "pause", "cloud", "soon"]);
    assert!(code == 2 && said.contains("`10m`"), "{said}");
}

#[test]
fn a_pause_that_was_over_while_the_daemon_was_away_is_over() {
    let (port, away) = (free_port(), free_port());
    let server = Server::listen(away);
    let mut weir = Weir::start("late", &config(port, &http("cloud", away, IMPATIENT)));
    ask(&weir, "POST", "/streams/cloud/pause", "{\"for\":\"1h\"}");
    send(port, 0..3);
    weir.kill();
    let kept = weir.folder.join("weir.d/paused");
    let text = std::fs::read_to_string(&kept).unwrap();
    let (rest, _) = text.split_once("until").unwrap();
    std::fs::write(&kept, format!("{rest}until = 1700000000.0\n")).unwrap();
    weir.restart();
    eventually("all arrives", || server.messages().len() == 3);
}
