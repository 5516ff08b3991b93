//! Streams that wait are woken, and those that come and go fill no log.

use crate::PATIENT;
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
use serde_json::json;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

/// A server that answers each request so and closes the connection; how many it answered.
fn closing_server(answer: impl Fn(usize) -> String + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answered = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&answered);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, mut request) = (socket.unwrap(), String::new());
            while !request.ends_with("}]") {
                let mut chunk = [0; 4096];
                match socket.read(&mut chunk) {
                    Ok(count) if count > 0 => {
                        request.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
                    }
                    _ => break,
                }
            }
            if request.ends_with("}]") {
                let text = answer(counted.load(SeqCst));
                socket.write_all(text.as_bytes()).unwrap();
                counted.fetch_add(1, SeqCst);
            }
        }
    });
    (port, answered)
}

#[test]
fn who_was_asked_to_wait_is_named_and_goes_only_now() {
    let (far, answered) = closing_server(|number| match number {
        0 => "HTTP/1.1 503 X\r\nRetry-After: 999999999\r\nContent-Length: 0\r\n\r\n".to_owned(),
        _ => "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n".to_owned(),
    });
    let (port, away) = (free_port(), free_port());
    let streams = http("cloud", far, PATIENT) + &http("away", away, PATIENT);
    let weir = Weir::start("asked", &config(port, &streams));
    send(port, 0..3);
    let waits = |name: &str| stream(&weir, name)["next_try"].as_f64();
    eventually("both wait", || {
        waits("cloud") > Some(3000.0) && waits("away") > Some(3000.0)
    });
    assert!(waits("cloud") <= Some(3600.0), "an hour at most");
    let (code, said) = run(&weir, &["wake"]);
    assert_eq!(code, 0);
    let (first, second) = said.split_once('\n').unwrap();
    assert_eq!(first, "1 stream goes on", "{said}");
    assert!(second.starts_with("`cloud` waits on for 3"), "{said}");
    assert!(second.contains("`weir wake --now`"), "{said}");
    let (_, answer) = ask(&weir, "POST", "/wake", "{\"now\":false}");
    let waiting = &answer["result"][0]["waiting"];
    assert_eq!(waiting.as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(waiting[0]["name"], "cloud");
    assert!(waiting[0]["next_try"].as_f64() > Some(3000.0), "{answer}");
    assert_eq!(answered.load(SeqCst), 1, "it was left alone");
    let server = Server::listen(away);
    let (code, said) = run(&weir, &["wake", "--now"]);
    assert_eq!((code, said.as_str()), (0, "2 streams go on\n"));
    eventually("all arrive", || {
        count(&weir, "cloud", "accepted") == 3 && server.messages().len() == 3
    });
    let (code, answer) = ask(&weir, "POST", "/wake", "{\"now\":true}");
    assert_eq!(code, 200);
    assert_eq!(answer["result"][0], json!({ "streams": 0, "waiting": [] }));
}

#[test]
fn a_server_that_closes_after_each_answer_is_said_once() {
    let answer = "HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let (far, _) = closing_server(move |_| answer.to_owned());
    let port = free_port();
    let weir = Weir::start("closes", &config(port, &http("cloud", far, "")));
    for number in 0..20 {
        send(port, number..number + 1);
        eventually("it is taken", || {
            count(&weir, "cloud", "accepted") == number + 1
        });
    }
    eventually("each is counted", || {
        stream(&weir, "cloud")["connects"].as_u64() >= Some(20)
    });
    let log = weir.log();
    // the summary of each second counts them
    let said = log.lines().filter(|line| line.contains("`cloud`"));
    let said: Vec<_> = said.filter(|line| !line.contains(" stored, ")).collect();
    let connected = said.iter().filter(|line| line.ends_with(": connected"));
    assert_eq!(connected.count(), 1, "{said:#?}");
    assert!(said.len() <= 3, "{said:#?}");
    let (_, answer) = ask(&weir, "GET", "/streams/cloud/logs", "");
    let events = answer["result"].as_array().unwrap();
    let connections = events.iter().filter(|event| event["event_code"] != 404);
    assert_eq!(connections.count(), 1, "{events:?}");
    assert_eq!(stream(&weir, "cloud")["last_error"], json!(null));
    weir.await_log(" connects; backlog 0");
}
