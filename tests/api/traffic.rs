//! Raw traffic, as the API shows it while somebody looks.

use crate::asking::Server;
use crate::asking::ask;
use crate::config;
use crate::file;
use crate::http;
use crate::passing::Tail;
use crate::send;
use crate::weir::Lines;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::ask_unix;
use crate::weir::eventually;
use crate::weir::free_port;
use base64::prelude::BASE64_STANDARD as BASE64;
use base64::prelude::Engine as _;
use serde_json::Value;
use std::io::Write;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::time::Instant;

const IMPATIENT: &str = "retry = { min = \"50ms\", max = \"100ms\" }";

/// What a path shows: the packets of it.
pub(crate) fn packets(weir: &Weir, path: &str) -> Vec<Value> {
    let (code, answer) = ask(weir, "GET", path, "");
    assert_eq!(code, 200, "{path}: {answer}");
    answer["result"].as_array().unwrap().clone()
}

/// All bytes of one way.
pub(crate) fn bytes(packets: &[Value], way: &str) -> String {
    let of_way = packets.iter().filter(|packet| packet["type"] == way);
    let data = of_way.flat_map(|packet| BASE64.decode(packet["data"].as_str().unwrap()).unwrap());
    String::from_utf8_lossy(&data.collect::<Vec<u8>>()).into_owned()
}

#[test]
fn traffic_is_shown_from_when_somebody_looks_on() {
    let port = free_port();
    let weir = Weir::start("traffic", &config(port, &file("archive")));
    send(port, 0..3);
    assert_eq!(packets(&weir, "/channels/programs/packets").len(), 0);
    assert_eq!(packets(&weir, "/streams/archive/packets").len(), 0);
    send(port, 3..4);
    eventually("written", || {
        bytes(&packets(&weir, "/streams/archive/packets"), "out").contains("\"n\":3")
    });
    let found = packets(&weir, "/channels/programs/packets");
    assert_eq!(bytes(&found, "in"), "{\"ident\":\"gw-1\",\"n\":3}\n");
    assert_eq!(bytes(&found, "out"), "{\"acked\":1}\n");
    assert!(found[0]["timestamp"].as_f64().unwrap() > 1.7e9, "{found:?}");
    assert_eq!(found[0]["ident"], "gw-1");
    let peer = found[0]["peer"].as_str().unwrap();
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    // one connection, one ident, what came after
    let mut other = Lines::connect(port);
    other.send("{\"ident\":\"gw-2\",\"n\":0}");
    other.await_acked(1);
    let of = |query: &str| packets(&weir, &format!("/channels/programs/packets?{query}"));
    let conn = format!("conn={}", found[0]["conn"]);
    assert_eq!(of(&conn), found);
    assert_eq!(
        bytes(&of("ident=gw-2"), "in"),
        "{\"ident\":\"gw-2\",\"n\":0}\n"
    );
    let last = found.last().unwrap()["id"].as_u64().unwrap();
    assert!(
        of(&format!("after={last}"))
            .iter()
            .all(|it| it["ident"] == "gw-2")
    );
    assert_eq!(of("count=1").len(), 1);
    for (path, wanted) in [
        ("/channels/archive/packets", 404),
        ("/streams/programs/packets", 404),
        ("/streams/archive/packets?conn=x", 400),
    ] {
        assert_eq!(ask(&weir, "GET", path, "").0, wanted, "{path}");
    }
}

#[test]
fn datagrams_are_shown_by_their_sender() {
    let udp = free_port();
    let more = format!(
        "[[channel]]\nname = \"boats\"\ntype = \"nmea\"\nident = \"b\"\n\
         listen = \"udp:127.0.0.1:{udp}\"\n"
    );
    let weir = Weir::start(
        "datagrams",
        &config(free_port(), &(file("archive") + &more)),
    );
    assert_eq!(packets(&weir, "/channels/boats/packets").len(), 0);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let line = "$GPRMC,120523,A,4748.0000,N,03530.0000,E,0,0,170126,,*33\r\n";
    let own = socket.local_addr().unwrap().to_string();
    eventually("a datagram", || {
        socket.send_to(line.as_bytes(), ("127.0.0.1", udp)).unwrap();
        let found = packets(&weir, "/channels/boats/packets");
        found.iter().any(|it| it["peer"] == *own) && bytes(&found, "in").starts_with(line)
    });
    let found = packets(&weir, "/channels/boats/packets");
    assert!(
        found.iter().all(|it| it["conn"] == found[0]["conn"]),
        "{found:?}"
    );
}

#[test]
fn no_secret_is_shown_whoever_sends_it() {
    let (port, web, far) = (free_port(), free_port(), free_port());
    let more = format!(
        "[[channel]]\nname = \"web\"\ntype = \"http\"\nlisten = \"127.0.0.1:{web}\"\n\
         token = \"Own0Secret\"\n"
    );
    let login = "headers = { Authorization = \"Bearer Far0Secret\" }\n";
    let streams = http("cloud", far, &format!("{login}{IMPATIENT}"));
    let weir = Weir::start("secrets", &config(port, &(streams + &more)));
    packets(&weir, "/streams/cloud/packets");
    packets(&weir, "/channels/web/packets");
    let server = Server::listen(far);
    send(port, 0..1);
    eventually("sent", || server.messages().len() == 1);
    let sent = bytes(&packets(&weir, "/streams/cloud/packets"), "out");
    assert!(
        sent.to_lowercase()
            .contains("authorization: bearer **********\r\n"),
        "{sent}"
    );
    assert!(sent.contains("\"ident\":\"gw-1\""), "{sent}");
    // the right one, and what somebody guesses, in two pieces
    let mut socket = TcpStream::connect(("127.0.0.1", web)).unwrap();
    socket
        .write_all(b"POST / HTTP/1.1\r\nHost: h\r\nAuthorization: Bea")
        .unwrap();
    eventually("the first piece", || {
        bytes(&packets(&weir, "/channels/web/packets"), "in").contains("Authorization: ")
    });
    socket
        .write_all(b"rer My0Guess\r\nX: Own0Secret\r\n\r\n")
        .unwrap();
    eventually("the second", || {
        bytes(&packets(&weir, "/channels/web/packets"), "in").ends_with("\r\n\r\n")
    });
    let came = bytes(&packets(&weir, "/channels/web/packets"), "in");
    assert!(came.contains("\r\nX: **********\r\n"), "{came}");
    assert!(
        !came.contains("Guess") && !came.contains("0Secret"),
        "{came}"
    );
}

#[test]
fn tail_shows_bytes_of_a_channel_and_of_one_ident() {
    let port = free_port();
    let text = config(port, &file("archive"));
    let listen = format!("listen = \"127.0.0.1:{port}\"");
    let both = format!("listen = [\"127.0.0.1:{port}\", \"unix:@/in\"]");
    let weir = Weir::start("tail-raw", &text.replace(&listen, &both));
    let text = Tail::start(&weir, "text", &["--raw", "programs"]);
    let json = Tail::start(&weir, "json", &["programs", "gw-*", "--raw", "--json"]);
    let start = Instant::now();
    // both have to look before they see
    while text.lines().is_empty() || json.lines().is_empty() {
        assert!(start.elapsed() < PATIENCE, "nothing is seen");
        send(port, 0..1);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let line = "{\"ident\":\"352\"}";
    assert_eq!(ask_unix(&weir.folder.join("in"), line), "{\"acked\":1}");
    let wanted = [
        "  0000  7b 22 69 64 65 6e 74 22  3a 22 33 35 32 22 7d 0a  {\"ident\":\"352\"}.",
        "  0000  7b 22 61 63 6b 65 64 22  3a 31 7d 0a              {\"acked\":1}.",
    ];
    eventually("both ways are shown", || {
        let shown = text.lines();
        wanted
            .iter()
            .all(|wanted| shown.iter().any(|line| line == wanted))
    });
    let shown = text.lines();
    let at = shown.iter().position(|line| line == wanted[0]).unwrap();
    assert!(
        shown[at - 1].ends_with(" unix 352 \u{2190} in 16"),
        "{}",
        shown[at - 1]
    );
    eventually("one ident is shown", || json.lines().len() > 1);
    for line in json.lines() {
        let packet: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(packet["ident"], "gw-1");
    }
    let (code, said) = crate::run(&weir, &["tail", "--raw", "nobody"]);
    assert_eq!(code, 1);
    assert!(said.contains("no stream and no channel `nobody`"), "{said}");
}
