//! What is said to be wrong: only what is, and only for as long.

use crate::IMPATIENT;
use crate::asking::Server;
use crate::asking::count;
use crate::asking::run;
use crate::asking::stream;
use crate::config;
use crate::file;
use crate::http;
use crate::send;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::io::Read;
use std::io::Write;

#[test]
fn a_switch_is_kept_while_it_says_something_new_and_one_of_a_stream_that_is_gone_is_a_warning() {
    let port = free_port();
    let text = config(port, &(file("archive") + &file("other")));
    let mut weir = Weir::start("switched", &text);
    let kept = weir.folder.join("weir.d/zz-switched.toml");
    for (word, is_kept) in [("disable", true), ("enable", false), ("disable", true)] {
        assert_eq!(run(&weir, &["stream", word, "archive"]).0, 0);
        assert_eq!(kept.exists(), is_kept, "{word}");
    }
    let place = weir.folder.join("").display().to_string();
    let without = config(port, &file("other")).replace("@/", &place);
    weir.folder.write("weir.toml", &without);
    let (code, said) = run(&weir, &["reload"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("zz-switched.toml:4:8: warning: `archive`"),
        "{said}"
    );
    assert_eq!(weir.stop(), Some(0));
    weir.restart();
    assert!(weir.log().contains("warning: `archive`"), "{}", weir.log());
}

#[test]
fn the_last_error_is_what_still_holds_and_none_when_all_is_well() {
    let (port, cloud) = (free_port(), free_port());
    let more = format!("timeout = \"1s\"\n{IMPATIENT}");
    let weir = Weir::start("last-error", &config(port, &http("cloud", cloud, &more)));
    let error = || stream(&weir, "cloud")["last_error"].clone();
    let names = |text: &str| error().as_str().is_some_and(|error| error.contains(text));
    send(port, 0..3);
    eventually("nobody is there", || names("refused"));
    let listener = std::net::TcpListener::bind(("127.0.0.1", cloud)).unwrap();
    // says nothing at all, for as long as it is held
    let silent: Vec<_> = (0..2).map(|_| listener.accept().unwrap()).collect();
    eventually("no answer comes", || names("no answer"));
    drop(silent);
    let mut says_503 = 0;
    while says_503 < 3 {
        let (mut socket, _) = listener.accept().unwrap();
        let refused = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n";
        let mut request = [0; 65536];
        let read = socket.read(&mut request).unwrap_or(0);
        says_503 += usize::from(read > 0 && socket.write_all(refused).is_ok());
    }
    eventually("the status is known, not the end behind it", || {
        names("503")
    });
    drop(listener);
    let _server = Server::listen(cloud);
    eventually("all is well", || count(&weir, "cloud", "backlog") == 0);
    assert!(error().is_null(), "{}", error());
}

#[test]
fn a_configuration_that_is_not_there_is_said_to_be_missing() {
    let weir = Weir::start("none", &config(free_port(), ""));
    std::fs::remove_file(weir.folder.join("weir.toml")).unwrap();
    for words in [
        &["status"][..],
        &["logs"],
        &["wake"],
        &["reload"],
        &["stream", "list"],
    ] {
        let (code, said) = run(&weir, words);
        assert_eq!(code, 2, "{words:?}: {said}");
        assert!(
            said.contains("weir.toml: error: cannot be read"),
            "{words:?}: {said}"
        );
        assert!(!said.contains("running"), "{words:?}: {said}");
    }
}
