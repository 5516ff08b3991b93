//! What happens to a message between channel and destination, through the real daemon.

use crate::config;
use crate::mqtt;
use crate::servers::Mosquitto;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpStream;

const KEYS: &str = r#"channels = ["*"]
filter = "position.speed > 0 && exists('position.latitude')"
convert = { drop = ["peer", "server.*", "*.name"], rename = { din = "inputs" }, dots = "_" }
stamp = { name = "message.id", of = "record" }
[[device]]
name = "truck 7"
ident = "35*"
data = { plate = "AB-123" }
"#;

/// The first of each ten stands; `din` tells which it is.
fn message(number: u64) -> String {
    format!(
        "{{\"ident\":\"352\",\"timestamp\":{},\"position.latitude\":54.5,\
         \"position.speed\":{},\"din\":{number}}}",
        1_763_900_000 + number,
        number % 10
    )
}

#[test]
fn messages_are_filtered_converted_and_stamped_on_their_way() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let topic = "weir/{device.data.plate}";
    let stream = mqtt("cloud", broker.port, KEYS).replace("weir/{ident}", topic);
    let mut weir = Weir::start("pipeline", &config(port, &stream));
    let mut lines = Lines::connect(port);
    (0..2_000).for_each(|number| lines.send(&message(number)));
    lines.await_acked(2_000);
    eventually("all but each tenth arrive", || {
        broker.received().len() == 1_800
    });
    let received = broker.received();
    assert!(received.iter().all(|(topic, _)| topic == "weir/AB-123"));
    let first: Value = serde_json::from_str(&received[0].1).unwrap();
    let id = first["message.id"].as_str().unwrap().to_owned();
    let expected = serde_json::json!({
        "ident": "352", "timestamp": 1_763_900_001, "position_latitude": 54.5,
        "position_speed": 1, "inputs": 1, "message.id": id,
    });
    assert_eq!(first, expected);
    let ids: BTreeSet<String> = received
        .iter()
        .map(|(_, text)| serde_json::from_str::<Value>(text).unwrap()["message.id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1_800);
    assert_eq!(weir.stop(), Some(0));
}

#[test]
fn a_channel_thins_and_acknowledges_what_it_leaves_out() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let stream = mqtt("cloud", broker.port, "channels = [\"*\"]");
    let keys = "type = \"json\"\nevery = \"10s\"\nor_change = [\"position.latitude\"]\n";
    let config = config(port, &stream).replace("type = \"json\"\n", keys);
    let _weir = Weir::start("thinning", &config);
    let mut lines = Lines::connect(port);
    (0..100).for_each(|number| lines.send(&message(number)));
    lines.send(&message(99).replace("54.5", "54.6"));
    lines.await_acked(101);
    eventually("one of ten arrives, and the change", || {
        broker.received().len() == 11
    });
}

/// The first one has to wait for the disk, which is when the end is seen; the others have not.
#[test]
fn requests_that_come_in_one_piece_are_all_answered_though_the_far_end_sends_no_more() {
    let port = free_port();
    let config = format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"in\"\ntype = \"http\"\nlisten = \"127.0.0.1:{port}\"\n\
         unwanted = \"accept\"\n[[device]]\nname = \"truck\"\nident = \"1\"\n{}",
        mqtt("away", free_port(), "devices = [\"truck\"]\n")
    );
    let _weir = Weir::start("pipelined", &config);
    let requests = (1..=5).map(|ident| {
        let body = format!("{{\"ident\":\"{ident}\"}}");
        let head = "POST / HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n";
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
    });
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let requests = requests.collect::<String>();
    socket.write_all(requests.as_bytes()).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("200 OK").count(), 5, "{answers}");
}
