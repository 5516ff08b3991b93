//! Wialon IPS devices against the channel: answers, values, and what broken packets get.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "tests"
)]

mod broken;
mod generated;
mod generator;
mod vectors;

#[path = "../support/mod.rs"]
mod support;

use generator::sealed;
use support::channel::Connection;
use support::channel::SILENCE;
use support::channel::value;
use weir::channel::InputError;
use weir::channel::Refusal;
use weir::channel::wialon_ips::Tcp;
use weir::channel::wialon_ips::Udp;
use weir::message::Value;

/// The short packet of the specification's annex.
const SHORT: &str = "270413;205601;5544.6025;N;03739.6834;E;1;2;3;4";

/// A device that has logged in with this version.
fn tcp(version: &str) -> Connection<Tcp> {
    let mut device = Connection::new(Tcp::new(None));
    assert_eq!(say(&mut device, &login(version)), "#AL#1\r\n");
    device
}

fn login(version: &str) -> String {
    match version {
        "1.1" => "#L#862462031400566;NA".into(),
        version => sealed("L", &format!("{version};862462031400566;NA"), ';'),
    }
}

fn udp() -> Connection<Udp> {
    Connection::new(Udp::new(None))
}

/// Sends a line; what is answered at once.
fn say(device: &mut Connection<Tcp>, line: &str) -> String {
    text(device.send(format!("{line}\r\n").as_bytes()))
}

fn text(answer: Vec<u8>) -> String {
    String::from_utf8(answer).unwrap()
}

#[test]
fn nothing_is_answered_before_it_is_safe() {
    let lines = [
        (format!("#SD#{SHORT}"), "#ASD#1\r\n"),
        (format!("#D#{SHORT};1;0;0;;NA;a:1:1"), "#AD#1\r\n"),
        (format!("#B#{SHORT}|{SHORT}"), "#AB#2\r\n"),
        ("#M#all is well".into(), "#AM#1\r\n"),
    ];
    for (line, answer) in lines {
        let mut device = tcp("1.1");
        assert_eq!(say(&mut device, &line), "", "{line}");
        assert_eq!(text(device.make_safe()), answer, "{line}");
        let mut socket = udp();
        let sent = socket.send_datagram(format!("86246{line}\r\n").as_bytes());
        assert_eq!(sent, SILENCE, "{line}");
        assert_eq!(socket.intake.taken[0].ident(), "86246");
        assert_eq!(text(socket.make_safe()), answer, "{line}");
    }
}

#[test]
fn answers_keep_the_order_of_their_packets() {
    let mut device = tcp("1.1");
    let lines = format!("#SD#{SHORT}\r\n#P#\r\n#SD#x\r\n#D#{SHORT};1;0;0;;NA;\r\n#P#\r\n");
    assert_eq!(device.send(lines.as_bytes()), SILENCE);
    let answers = text(device.make_safe());
    assert_eq!(answers, "#ASD#1\r\n#AP#\r\n#ASD#-1\r\n#AD#1\r\n#AP#\r\n");
}

#[test]
fn a_second_login_is_another_device_and_waits_its_turn() {
    let mut device = tcp("1.1");
    let lines = format!("#SD#{SHORT}\r\n#L#second;NA\r\n#SD#{SHORT}\r\n");
    assert_eq!(device.send(lines.as_bytes()), SILENCE);
    let idents: Vec<_> = device.intake.taken.iter().map(|m| m.ident()).collect();
    assert_eq!(idents, ["862462031400566", "second"]);
    assert_eq!(text(device.make_safe()), "#ASD#1\r\n#AL#1\r\n#ASD#1\r\n");
    device.intake.refusal = Some(Refusal::Ident);
    device.intake.ack_tokens.clear();
    assert_eq!(say(&mut device, "#L#third;NA"), "#AL#0\r\n");
    assert!(device.closed.is_some());
}

/// The device would take the refusal for the answer to the packet before.
#[test]
fn a_refused_login_behind_an_owed_answer_only_ends_the_connection() {
    let mut device = tcp("1.1");
    let lines = format!("#SD#{SHORT}\r\n#L#a/b;NA\r\n");
    assert_eq!(device.send(lines.as_bytes()), SILENCE);
    assert!(device.closed.is_some());
}

/// Two answers for one packet: the device takes the second for the answer to its next packet and
/// deletes what may not be safe.
#[test]
fn a_packet_that_is_sent_again_before_its_answer_is_answered_once() {
    let line = format!("#SD#{SHORT}");
    let mut device = tcp("1.1");
    say(&mut device, &line);
    say(&mut device, &line);
    assert_eq!(device.intake.taken.len(), 1);
    assert_eq!(text(device.make_safe()), "#ASD#1\r\n");
    say(&mut device, &line);
    assert_eq!(text(device.make_safe()), "#ASD#1\r\n");
    let (mut socket, datagram) = (udp(), format!("86246{line}\r\n"));
    socket.send_datagram(datagram.as_bytes());
    socket.send_datagram(datagram.as_bytes());
    socket.send_datagram(datagram.replace("86246", "86247").as_bytes());
    assert_eq!(text(socket.make_safe()), "#ASD#1\r\n#ASD#1\r\n");
}

#[test]
fn a_password_is_asked_for_where_there_is_one() {
    let cases = [
        ("#L#86246;secret", "#AL#1\r\n", None),
        ("#L#86246;Secret", "#AL#01\r\n", Some(InputError::Login)),
        ("#L#86246;secret2", "#AL#01\r\n", Some(InputError::Login)),
        ("#L#86246;NA", "#AL#01\r\n", Some(InputError::Login)),
        ("#L#86246;", "#AL#01\r\n", Some(InputError::Login)),
    ];
    for (line, answer, malformed) in cases {
        let mut device = Connection::new(Tcp::new(Some("secret".into())));
        assert_eq!(say(&mut device, line), answer, "{line}");
        assert_eq!(device.intake.malformed, Vec::from_iter(malformed), "{line}");
        assert_eq!(device.closed.is_some(), malformed.is_some(), "{line}");
    }
    let mut socket = Connection::new(Udp::new(Some("secret")));
    assert_eq!(
        socket.send_datagram(format!("86246#SD#{SHORT}\r\n").as_bytes()),
        SILENCE
    );
    assert_eq!((socket.make_safe(), socket.intake.taken), (vec![], vec![]));
    assert_eq!(socket.intake.malformed, [InputError::Login]);
}

#[test]
fn what_the_ring_does_not_take_is_not_answered_and_ends_the_connection() {
    for refusal in [Refusal::Full, Refusal::Unwanted, Refusal::Ident] {
        let mut device = tcp("1.1");
        device.intake.refusal = Some(refusal);
        assert_eq!(say(&mut device, &format!("#SD#{SHORT}")), "");
        assert!(device.closed.is_some());
    }
    let mut device = tcp("1.1");
    device.intake.refusal = Some(Refusal::TooLong);
    assert_eq!(say(&mut device, &format!("#D#{SHORT};;;;;;")), "#AD#15\r\n");
    assert_eq!(say(&mut device, "#M#x"), "#AM#0\r\n");
    assert_eq!(say(&mut device, &format!("#B#{SHORT}")), "#AB#0\r\n");
    assert_eq!(device.closed, None);
}

#[test]
fn readings_come_under_their_names() {
    let mut device = tcp("1.1");
    say(
        &mut device,
        &format!(
            "#D#{SHORT};0.8;5;2;14.77,,3;00AA;SOS:1:1,mcc:1:246,cell_id2:1:7,text:3:a:b,\
             fuel:2:45,odo:1:-7,late:1:x,ident:3:me"
        ),
    );
    let message = &device.intake.taken[0];
    let expected = [
        ("ident", Value::from("862462031400566")),
        ("timestamp", Value::U64(1_367_096_161)),
        ("position.latitude", Value::F64(55.743375)),
        ("position.longitude", Value::F64(37.66139)),
        ("position.altitude", Value::U64(3)),
        ("position.speed", Value::U64(1)),
        ("position.direction", Value::U64(2)),
        ("position.satellites", Value::U64(4)),
        ("position.valid", Value::Bool(true)),
        ("position.hdop", Value::F64(0.8)),
        ("din", Value::U64(5)),
        ("dout", Value::U64(2)),
        ("ain.1", Value::F64(14.77)),
        ("ain.3", Value::F64(3.0)),
        ("driver.code", Value::from("00AA")),
        ("alarm.status", Value::Bool(true)),
        ("gsm.mcc", Value::U64(246)),
        ("gsm.cellid.2", Value::U64(7)),
        ("text", Value::from("a:b")),
        ("fuel", Value::F64(45.0)),
        ("odo", Value::I64(-7)),
        ("ident_", Value::from("me")),
    ];
    let found: Vec<_> = message
        .fields()
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_not_known_is_left_out() {
    let mut device = tcp("1.1");
    say(&mut device, "#SD#NA;NA;NA;NA;NA;NA;NA;NA;NA;NA");
    say(&mut device, "#SD#NA;NA;;;;;0.5;;;");
    for message in &device.intake.taken {
        assert!(!message.has("timestamp") && !message.has("position.latitude"));
        assert_eq!(value(message, "position.valid"), Value::Bool(false));
    }
    let speed = value(&device.intake.taken[1], "position.speed");
    assert_eq!(speed, Value::F64(0.5));
    assert_eq!(text(device.make_safe()), "#ASD#1\r\n#ASD#1\r\n");
}

#[test]
fn a_black_box_counts_what_was_taken() {
    let mut device = tcp("1.1");
    let line = format!("#B#{SHORT}|270413;x;;;;;;;;|{SHORT};1;0;0;;NA;a:1:1||");
    assert_eq!(say(&mut device, &line), "");
    assert_eq!(text(device.make_safe()), "#AB#2\r\n");
    assert_eq!(device.intake.malformed, [InputError::Value]);
    assert_eq!(
        device.intake.taken[1].get("a").map(Value::from),
        Some(Value::U64(1))
    );
    let most = [SHORT; 5001].join("|");
    assert_eq!(say(&mut device, &format!("#B#{most}")), "");
    assert_eq!(text(device.make_safe()), "#AB#5000\r\n");
    let bare = format!("#B#{SHORT}|{SHORT}|1");
    let mut device = tcp("2.0");
    assert_eq!(say(&mut device, &bare), "#AB#\r\n");
    assert_eq!(device.intake.malformed, [InputError::Checksum]);
}

#[test]
fn files_are_passed_over_by_their_size_and_not_said_to_be_kept() {
    let mut device = tcp("1.1");
    let photo = b"#I#700000;3;9;070512;124010;sample.jpg\r\n";
    assert_eq!(device.send(photo), SILENCE);
    for part in 1..=70 {
        let answer = text(device.send(&b"#P#\r\n".repeat(2000)));
        assert_eq!(answer, if part < 70 { "" } else { "#AI#3;0\r\n" });
        assert_eq!(device.unused(), 0, "a photo is not kept in memory");
    }
    let lines = format!("#SD#{SHORT}\r\n#IT#270413;205601;D;;3\r\n");
    assert_eq!(device.send(lines.as_bytes()), SILENCE);
    device.send(b"#T#;4;0;AA\r\n\xFF\r\n##UC#3\r\nabc#US#0\r\n#XX#1\r\n#P#\r\n");
    assert_eq!(
        text(device.make_safe()),
        "#ASD#1\r\n#AIT#0\r\n#AT#0;0\r\n#AP#\r\n"
    );
    assert_eq!(device.intake.malformed, [InputError::Unsupported; 6]);
    assert_eq!(device.closed, None);
}

/// Whoever sends without waiting is not read any more before its answers fill the memory.
#[test]
fn a_device_that_never_waits_is_made_to() {
    let mut device = tcp("1.1");
    for number in 0..2000 {
        say(&mut device, &format!("#M#{number}"));
    }
    assert_eq!(
        (device.intake.taken.len(), device.closed.is_some()),
        (1024, false)
    );
    assert_eq!(device.make_safe(), b"#AM#1\r\n".repeat(1024));
    device.send(b"");
    assert_eq!(device.intake.taken.len(), 2000);
}
