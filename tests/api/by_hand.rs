//! What waits for a stream is shown, dropped and added to by hand.

use crate::IMPATIENT;
use crate::asking::Server;
use crate::asking::ask;
use crate::asking::count;
use crate::asking::one;
use crate::asking::run;
use crate::asking::stream;
use crate::config;
use crate::file;
use crate::http;
use crate::send;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::web::ask_port;
use serde_json::Value;

const MESSAGES: &str = "/streams/cloud/messages";

const PAD: &str = "a message of some two hundred bytes, so that a small ring is soon full of them, \
                   while a request of two thousand is still shorter than a channel takes at once, \
                   and no more";

fn waiting(weir: &Weir, path: &str) -> Vec<Value> {
    let (code, answer) = ask(weir, "GET", path, "");
    assert_eq!(code, 200, "{answer}");
    answer["result"].as_array().unwrap().clone()
}

fn numbers(messages: &[Value]) -> Vec<u64> {
    let numbers = messages
        .iter()
        .map(|message| message["n"].as_u64().unwrap());
    numbers.collect()
}

#[test]
fn what_waits_is_shown_oldest_first_and_nothing_is_moved_by_that() {
    let (port, away) = (free_port(), free_port());
    let mut weir = Weir::start("waiting", &config(port, &http("cloud", away, IMPATIENT)));
    assert!(waiting(&weir, MESSAGES).is_empty());
    send(port, 0..150);
    let shown = waiting(&weir, MESSAGES);
    assert_eq!(numbers(&shown), (0..10).collect::<Vec<_>>());
    assert_eq!(shown[0]["ident"], "gw-1");
    assert_eq!(shown[0]["channel.name"], "programs");
    assert!(shown[0]["timestamp"].is_number() && shown[0]["record.seq"].is_number());
    weir.kill();
    weir.restart();
    let shown = waiting(&weir, &format!("{MESSAGES}?count=100"));
    assert_eq!(numbers(&shown), (0..100).collect::<Vec<_>>());
    assert_eq!(count(&weir, "cloud", "backlog"), 150);
    let server = Server::listen(away);
    eventually("all is delivered", || {
        count(&weir, "cloud", "accepted") == 150
    });
    assert_eq!(numbers(&server.messages()), (0..150).collect::<Vec<_>>());
    assert!(waiting(&weir, MESSAGES).is_empty());
    assert_eq!(ask(&weir, "GET", "/streams/nobody/messages", "").0, 404);
}

#[test]
fn a_full_ring_is_named_and_what_it_took_before_is_counted() {
    let (port, web) = (free_port(), free_port());
    let streams = format!(
        "[[channel]]\nname = \"web\"\ntype = \"http\"\nlisten = \"127.0.0.1:{web}\"\n{}",
        http("cloud", free_port(), IMPATIENT)
    );
    let text = config(port, &streams).replace("\"1 MiB\"", "\"256 KiB\"\nfull = \"refuse\"");
    let weir = Weir::start("refusing", &text);
    let message = |number: u64| format!("{{\"ident\":\"gw-1\",\"n\":{number},\"p\":\"{PAD}\"}}");
    let messages: Vec<String> = (0..2000).map(message).collect();
    let body = format!("[{}]", messages.join(","));
    let headers = [("Content-Type", "application/json")];
    let (code, answer) = ask_port(web, "POST", "/", &headers, &body);
    assert_eq!(code, 503, "{answer}");
    let channel = one(&weir, "/channels/web");
    let stored = count(&weir, "cloud", "stored");
    assert!(stored > 0, "part of them was taken");
    assert_eq!(channel["received"], stored, "{channel}");
    let (code, answer) = ask(&weir, "POST", MESSAGES, &message(0));
    assert_eq!(code, 503, "{answer}");
    assert!(answer.to_string().contains("the ring is full"), "{answer}");
}

#[test]
fn looking_all_the_time_disturbs_no_delivery() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("looking", &config(port, &http("cloud", away, IMPATIENT)));
    send(port, 0..400);
    let server = Server::listen(away);
    eventually("all is delivered", || {
        let shown = numbers(&waiting(&weir, &format!("{MESSAGES}?count=100")));
        let rises = shown.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(rises, "{shown:?}");
        count(&weir, "cloud", "accepted") == 400
    });
    assert_eq!(numbers(&server.messages()), (0..400).collect::<Vec<_>>());
}

#[test]
fn the_backlog_is_dropped_by_hand_and_stays_so() {
    let (port, away) = (free_port(), free_port());
    let streams = file("archive") + &http("cloud", away, IMPATIENT);
    let mut weir = Weir::start("drop", &config(port, &streams));
    send(port, 0..300);
    let (code, answer) = ask(&weir, "DELETE", MESSAGES, "");
    assert_eq!((code, &answer["result"][0]["skipped"]), (200, &300.into()));
    // the power may go at once
    weir.kill();
    weir.restart();
    let cloud = stream(&weir, "cloud");
    assert_eq!(
        (&cloud["skipped_hand"], &cloud["backlog"], &cloud["stored"]),
        (&300.into(), &0.into(), &300.into())
    );
    send(port, 300..303);
    let server = Server::listen(away);
    eventually("new ones arrive", || count(&weir, "cloud", "accepted") == 3);
    assert_eq!(numbers(&server.messages()), [300, 301, 302]);
    eventually("others have all", || {
        count(&weir, "archive", "stored") == 303
    });
    assert_eq!(count(&weir, "archive", "skipped"), 0);
    let (_, answer) = ask(&weir, "DELETE", MESSAGES, "");
    assert_eq!(answer["result"][0]["skipped"], 0);
    assert_eq!(ask(&weir, "DELETE", "/streams/nobody/messages", "").0, 404);
}

#[test]
fn what_is_put_in_is_for_one_stream_and_safe_when_it_is_answered() {
    let (port, away) = (free_port(), free_port());
    let streams = file("archive") + &http("cloud", away, IMPATIENT);
    // nothing is written by itself for as long
    let config = config(port, &streams).replace("\"1ms\"", "\"10s\"");
    let mut weir = Weir::start("put-in", &config);
    let put = |weir: &Weir, body: &str| ask(weir, "POST", MESSAGES, body);
    let one = "{\"ident\":\"gw-9\",\"n\":1,\"peer\":\"me\",\"record.seq\":7}";
    let (code, answer) = put(&weir, one);
    assert_eq!((code, &answer["result"][0]["accepted"]), (200, &1.into()));
    let two = "[{\"ident\":\"gw-9\",\"n\":2},{\"ident\":\"gw-8\",\"n\":3}]";
    let (_, answer) = put(&weir, two);
    assert_eq!(answer["result"][0]["accepted"], 2);
    weir.kill();
    weir.restart();
    let shown = waiting(&weir, MESSAGES);
    assert_eq!(numbers(&shown), [1, 2, 3]);
    assert_eq!(
        (&shown[0]["peer"], &shown[0]["channel.name"]),
        (&"api".into(), &"api".into())
    );
    assert_ne!(shown[0]["record.seq"], 7);
    for (body, wanted, why) in [
        ("", 400, "EOF"),
        ("{\"n\":1}", 400, "`ident` is missing"),
        ("{\"ident\":\"a/b\"}", 400, "must not contain"),
        ("[{\"ident\":\"a\"},7]", 400, "element 1"),
        ("[]", 200, ""),
    ] {
        let (code, answer) = put(&weir, body);
        assert_eq!(code, wanted, "{body}: {answer}");
        let reason = answer["errors"][0]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(why), "{body}: {answer}");
    }
    run(&weir, &["stream", "disable", "cloud"]);
    assert_eq!(put(&weir, one).0, 409);
    run(&weir, &["stream", "enable", "cloud"]);
    assert_eq!(count(&weir, "archive", "stored"), 0);
    let server = Server::listen(away);
    eventually("they arrive", || count(&weir, "cloud", "accepted") == 3);
    assert_eq!(server.messages().len(), 3);
}

#[test]
fn a_full_ring_that_drops_nothing_refuses_what_is_put_in() {
    let (port, away) = (free_port(), free_port());
    let config = config(port, &http("cloud", away, IMPATIENT));
    let config = config.replace("\"1 MiB\"", "\"256 KiB\"\nfull = \"refuse\"");
    let weir = Weir::start("put-full", &config);
    let body = format!(
        "{{\"ident\":\"a\",\"n\":1,\"pad\":\"{}\"}}",
        "x".repeat(6000)
    );
    let mut taken = 0;
    let refused = loop {
        let (code, answer) = ask(&weir, "POST", MESSAGES, &body);
        match code {
            200 => taken += 1,
            _ => break (code, answer),
        }
        assert!(taken < 100, "it is full some time");
    };
    assert_eq!(refused.0, 503, "{}", refused.1);
    let reason = refused.1["errors"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("takes nothing") || reason.contains("memory"),
        "{reason}"
    );
    assert!(count(&weir, "cloud", "stored") >= taken);
}
