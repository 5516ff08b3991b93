//! What cannot be listened on yet: tried again for ever, and shown.

use crate::asking::ask;
use crate::asking::one;
use crate::asking::run;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::ask_unix;
use crate::weir::eventually;
use std::fs;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;

/// One channel with these addresses, a JSON list.
fn config(kind: &str, addresses: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"in\"\ntype = \"{kind}\"\nlisten = {addresses}\n\
         unwanted = \"accept\"\n"
    )
}

fn listens(weir: &Weir) -> bool {
    one(weir, "/channels/in")["listening"] == true
}

fn codes(weir: &Weir) -> Vec<u64> {
    let (_, answer) = ask(weir, "GET", "/channels/in/logs", "");
    let events = answer["result"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["event_code"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_busy_port_is_shown_and_bound_once_it_is_free() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let weir = Weir::start(
        "busy",
        &config("json", &format!("[\"{address}\", \"unix:@/in\"]")),
    );
    let channel = one(&weir, "/channels/in");
    assert_eq!(channel["listening"], false, "{channel}");
    let error = channel["listen_error"].as_str().unwrap();
    assert!(
        error.starts_with(&address) && error.contains("in use"),
        "{error}"
    );
    assert!(
        weir.log()
            .contains(&format!("[WARN] channel `in`: not listening: {address}"))
    );
    let page = run(&weir, &["status"]).1;
    assert!(
        page.contains("NOT LISTENING") && page.contains(error),
        "{page}"
    );
    let (_, metrics) = ask(&weir, "GET", "/metrics", "");
    assert!(
        metrics
            .to_string()
            .contains("weir_channel_listening{channel=\\\"in\\\"} 0"),
        "{metrics}"
    );
    // its other address is not harmed
    let line = "{\"ident\":\"a\"}";
    assert_eq!(ask_unix(&weir.folder.join("in"), line), "{\"acked\":1}");
    drop(busy);
    eventually("it listens", || listens(&weir));
    let mut lines =
        crate::weir::Lines::connect(address.rsplit(':').next().unwrap().parse().unwrap());
    lines.send(line);
    lines.await_acked(1);
    let codes = codes(&weir);
    assert!(codes.contains(&901) && codes.contains(&902), "{codes:?}");
}

#[test]
fn a_busy_port_for_datagrams_is_bound_once_it_is_free() {
    let busy = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = format!("[\"udp:{}\"]", busy.local_addr().unwrap());
    let weir = Weir::start(
        "busy-udp",
        &config("nmea", &address).replace("unwanted", "ident = \"a\"\nunwanted"),
    );
    assert!(!listens(&weir));
    drop(busy);
    eventually("it listens", || listens(&weir));
}

#[test]
fn a_socket_whose_folder_comes_later_is_bound_in_it() {
    let weir = Weir::start(
        "later",
        &config("json", "[\"unix:@/late/in\", \"unix:@/later/in\"]"),
    );
    let error = one(&weir, "/channels/in")["listen_error"].clone();
    let error = error.as_str().unwrap();
    assert!(
        error.contains("late/in") && error.contains("later/in"),
        "{error}"
    );
    fs::create_dir(weir.folder.join("late")).unwrap();
    let path = weir.folder.join("late/in");
    eventually("it is bound", || path.exists());
    assert_eq!(ask_unix(&path, "{\"ident\":\"a\"}"), "{\"acked\":1}");
    let left = one(&weir, "/channels/in")["listen_error"].clone();
    assert!(!left.as_str().unwrap().contains("late/in"), "{left}");
}

#[test]
fn a_serial_line_that_is_not_there_is_shown() {
    let text = config("nmea", "[\"serial:/dev/weir-nothing\"]");
    let weir = Weir::start("line", &text.replace("unwanted", "ident = \"a\"\nunwanted"));
    let channel = one(&weir, "/channels/in");
    let error = channel["listen_error"].as_str().unwrap();
    assert!(
        error.contains("weir-nothing") && error.contains("there is no such device"),
        "{error}"
    );
    assert_eq!(codes(&weir), [901]);
}

#[test]
fn the_folder_of_the_api_is_there_before_channels_are_bound() {
    let text = config("json", "[\"unix:@/run/in\"]").replace("unix:@/api", "unix:@/run/api");
    let weir = Weir::start("run-folder", &text);
    assert_eq!(
        ask_unix(&weir.folder.join("run/in"), "{\"ident\":\"a\"}"),
        "{\"acked\":1}"
    );
    assert!(!weir.log().contains("not listening"), "{}", weir.log());
}

#[test]
fn a_socket_of_another_program_is_left_alone_and_a_stale_one_replaced() {
    let folder = Folder::new("sockets");
    let path = folder.join("in");
    let other = UnixListener::bind(&path).unwrap();
    let weir = Weir::start(
        "in-use",
        &config("json", &format!("[\"unix:{}\"]", path.display())),
    );
    assert!(!listens(&weir));
    other.set_nonblocking(true).unwrap();
    while other.accept().is_ok() {}
    drop(other);
    assert!(path.exists(), "stale");
    eventually("it is replaced", || listens(&weir));
    assert_eq!(ask_unix(&path, "{\"ident\":\"a\"}"), "{\"acked\":1}");
}

#[test]
fn an_api_that_cannot_listen_yet_is_tried_again() {
    let text = config("json", "[\"unix:@/in\"]").replace("unix:@/api", "unix:@/no/api");
    let weir = Weir::start_with("api-later", &text, |_, folder| drop(folder.write("no", "")));
    assert!(
        weir.log().contains("[WARN] api: not listening"),
        "{}",
        weir.log()
    );
    fs::remove_file(weir.folder.join("no")).unwrap();
    eventually("the API is there", || weir.folder.join("no/api").exists());
}
