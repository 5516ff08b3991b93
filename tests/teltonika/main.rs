//! Teltonika devices against the channel: answers, values, and what broken packets get.
//!
//! The packets written out here are the examples of the specification (wiki.teltonika-gps.com,
//! "Teltonika Data Sending Protocols"); all others are made by [`generator`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod broken;
mod generated;
mod generator;
mod vectors;

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::rc::Rc;
use support::channel::Connection;
use support::channel::SILENCE;
use support::channel::value;
use support::hex::hex;
use support::hex::unhex;
use weir::channel::Refusal;
use weir::channel::io::Io;
use weir::channel::io::IoTable;
use weir::channel::teltonika::Keys;
use weir::channel::teltonika::Tcp;
use weir::channel::teltonika::Udp;
use weir::message::Value;
use weir::wire::teltonika::Codec;
use weir::wire::teltonika::Element;
use weir::wire::teltonika::ElementValue;
use weir::wire::teltonika::Packet;
use weir::wire::teltonika::Record;
use weir::wire::teltonika::encode_packet;

const LOGIN: &str = "000f333536333037303432343431303133";
const ONE_RECORD: &str = "000000000000003608010000016b40d8ea30010000000000000000000000000000000\
    105021503010101425e0f01f10000601a014e0000000000000000010000c7cf";
const TWO_RECORDS: &str = "000000000000004308020000016b40d57b48010000000000000000000000000000000\
    1010101000000000000016b40d5c198010000000000000000000000000000000101010101000000020000252c";
const DATAGRAM: &str = "003dcafe0105000f33353230393330383634303336353508010000016b4f815b3001000000\
    0000000000000000000000000103021503010101425dbc000001";
const WITH_FIX: &str = "000000000000005f8e010000015fba40b620000f0dcde420959d30008a000006000000000\
    006000100ef0000010011001e000100100000cbdf0002000b000000003544c875000e0000000029bfe4d100010100\
    00110000000000000000000000000000000000010000d153";
const COMMAND_RESPONSE: &str = "00000000000000370c01060000002f4449313a31204449323a30204449333a302\
    041494e313a302041494e323a313639323420444f313a3020444f323a3101000066e3";

/// A device that has logged in.
fn tcp() -> Connection<Tcp> {
    let mut device = Connection::new(Tcp::new(Rc::default()));
    assert_eq!(device.send(&unhex(LOGIN)), [1]);
    device
}

fn udp() -> Connection<Udp> {
    Connection::new(Udp::new(Rc::default()))
}

#[test]
fn nothing_is_answered_before_it_is_safe() {
    let mut device = tcp();
    assert_eq!(device.send(&unhex(TWO_RECORDS)), SILENCE);
    assert_eq!(device.intake.batches, [2]);
    assert_eq!(device.make_safe(), [0, 0, 0, 2]);

    let mut device = udp();
    assert_eq!(device.send_datagram(&unhex(DATAGRAM)), SILENCE);
    assert_eq!(hex(&device.make_safe()), "0005cafe010501");
}

#[test]
fn what_is_refused_is_counted_zero_at_once() {
    let mut device = tcp();
    device.intake.refusal = Some(Refusal::Full);
    assert_eq!(device.send(&unhex(ONE_RECORD)), [0; 4]);
    assert_eq!((device.make_safe(), device.closed), (vec![], None));

    let mut device = udp();
    device.intake.refusal = Some(Refusal::Ident);
    assert_eq!(
        hex(&device.send_datagram(&unhex(DATAGRAM))),
        "0005cafe010500"
    );
    assert_eq!(device.make_safe(), SILENCE);
}

/// A device that is told 0 sends its packet again, for ever.
#[test]
fn a_record_that_never_fits_into_the_ring_is_counted_and_gone() {
    for (packet, count) in [(ONE_RECORD, 1), (TWO_RECORDS, 2)] {
        let mut device = tcp();
        device.intake.room = Some(10);
        assert_eq!(device.send(&unhex(packet)), SILENCE);
        assert_eq!(device.intake.taken, []);
        assert_eq!(device.intake.too_long, count);
        assert_eq!(device.make_safe(), [0, 0, 0, count as u8]);
    }
}

/// A device that takes the zero of the second packet for the answer to the first would next take
/// the late count of the first for that of the second.
#[test]
fn a_refusal_waits_for_the_answers_before_it() {
    let mut device = tcp();
    assert_eq!(device.send(&unhex(TWO_RECORDS)), SILENCE);
    device.intake.refusal = Some(Refusal::Full);
    assert_eq!(device.send(&unhex(ONE_RECORD)), SILENCE);
    assert_eq!(device.make_safe(), [0, 0, 0, 2, 0, 0, 0, 0]);
}

/// Two counts for one packet: the device takes the second for the answer to its next packet and
/// deletes what may not be safe.
#[test]
fn a_packet_that_is_sent_again_before_its_answer_is_answered_once() {
    let mut device = tcp();
    device.send(&unhex(TWO_RECORDS));
    device.send(&unhex(TWO_RECORDS));
    assert_eq!(device.intake.batches, [2]);
    assert_eq!(device.make_safe(), [0, 0, 0, 2]);
    device.send(&unhex(TWO_RECORDS));
    assert_eq!(device.make_safe(), [0, 0, 0, 2]);
}

#[test]
fn a_refused_login_is_told_and_the_connection_ends() {
    let mut device = Connection::new(Tcp::new(Rc::default()));
    device.intake.refusal = Some(Refusal::Ident);
    assert_eq!(device.send(&unhex(LOGIN)), [0]);
    assert!(device.closed.is_some());
}

#[test]
fn a_device_may_log_in_again_when_no_answer_is_owed() {
    let mut device = tcp();
    assert_eq!(device.send(&unhex("0003303132")), [1]);
    device.send(&unhex(ONE_RECORD));
    assert_eq!(device.intake.taken[0].ident(), "012");
    assert_eq!(device.send(&unhex(LOGIN)), SILENCE);
    assert!(device.closed.is_some());
}

#[test]
fn keep_alives_are_passed_over_and_serial_data_is_not_answered() {
    let mut device = Connection::new(Tcp::new(Rc::default()));
    let stream = [
        "ff",
        LOGIN,
        "ffff",
        COMMAND_RESPONSE,
        "ff",
        ONE_RECORD,
        "ff",
    ]
    .concat();
    assert_eq!(device.send(&unhex(&stream)), [1]);
    assert_eq!(device.make_safe(), [0, 0, 0, 1]);
    assert!(device.intake.malformed.is_empty());
    let answer = "DI1:1 DI2:0 DI3:0 AIN1:0 AIN2:16924 DO1:0 DO2:1";
    assert_eq!(value(&device.intake.taken[0], "text"), answer.into());
    assert_eq!(udp().send_datagram(&[0xFF]), SILENCE);
}

#[test]
fn readings_come_under_their_names_and_units() {
    let mut device = tcp();
    device.send(&unhex(ONE_RECORD));
    let message = &device.intake.taken[0];
    let expected = [
        ("ident", Value::from("356307042441013")),
        ("timestamp", Value::U64(1_560_161_086)),
        ("position.speed", Value::U64(0)),
        ("position.direction", Value::U64(0)),
        ("position.satellites", Value::U64(0)),
        ("position.valid", Value::Bool(false)),
        ("event.priority.enum", Value::U64(1)),
        ("event.enum", Value::U64(1)),
        ("gsm.signal.level", Value::U64(60)),
        ("din.1", Value::Bool(true)),
        ("external.powersource.voltage", Value::F64(24.079)),
        ("gsm.operator.code", Value::from("24602")),
        ("custom.param.78", Value::U64(0)),
    ];
    let found: Vec<_> = message
        .fields()
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_fix_gives_coordinates() {
    let mut device = tcp();
    device.send(&unhex(WITH_FIX));
    let message = &device.intake.taken[0];
    assert_eq!(
        value(message, "position.latitude"),
        Value::F64(54.667_601_6)
    );
    assert_eq!(
        value(message, "position.longitude"),
        Value::F64(25.256_291_6)
    );
    assert_eq!(value(message, "position.altitude"), Value::U64(138));
    assert_eq!(value(message, "position.valid"), Value::Bool(true));
    assert_eq!(value(message, "vehicle.mileage"), Value::F64(52.191));
    assert_eq!(
        value(message, "custom.param.256"),
        Value::from("0".repeat(34).as_str())
    );
}

#[test]
fn the_channel_can_name_scale_and_sign_elements() {
    let io = |name: &str, scale, signed| Io {
        name: name.into(),
        scale,
        signed,
        text: false,
        not: Vec::new(),
    };
    let table = BTreeMap::from([
        (66, io("sensor.temperature.1", 0.1, true)),
        (241, io("network", 1.0, false)),
        (21, io("bars", -2.0, true)),
    ]);
    let mut device = Connection::new(Tcp::new(Rc::new(Keys {
        io: IoTable::new(table).unwrap(),
    })));
    device.send(&unhex(LOGIN));
    let packet = generator::tcp(&unhex(&ONE_RECORD[16..124].replace("425e0f", "42fb5d")));
    device.send(&packet);
    let message = &device.intake.taken[0];
    assert_eq!(value(message, "sensor.temperature.1"), Value::F64(-118.7));
    assert_eq!(value(message, "network"), Value::U64(24602));
    assert_eq!(value(message, "bars"), Value::I64(-6));
}

#[test]
fn a_vin_and_what_is_printable_is_text_and_other_bytes_are_hex() {
    let mut data = unhex(&WITH_FIX[16..206]);
    let vin = data.len() - 18;
    data[vin..vin + 17].copy_from_slice(b"WVWZZZ1JZXW000001");
    let mut device = tcp();
    device.send(&generator::tcp(&data));
    data[vin - 4..vin - 2].copy_from_slice(&500_u16.to_be_bytes());
    device.send(&generator::tcp(&data));
    data[vin + 16] = 0x80;
    device.send(&generator::tcp(&data));
    let [named, printable, unnamed] = &device.intake.taken[..] else {
        panic!()
    };
    assert_eq!(
        value(named, "vehicle.vin"),
        Value::from("WVWZZZ1JZXW000001")
    );
    assert_eq!(
        value(printable, "custom.param.500"),
        Value::from("WVWZZZ1JZXW000001")
    );
    let hex = hex(b"WVWZZZ1JZXW00000\x80");
    assert_eq!(
        value(unnamed, "custom.param.500"),
        Value::from(hex.as_str())
    );
}

/// A driver's card came as a number over 2^53, and a scale's words not at all.
#[test]
fn what_comes_through_a_serial_port_is_a_message() {
    let cases: [(&[u8], &str, &str); 4] = [
        (b"\x0c\x01\x06\0\0\0\x07W 12.5\r\x01", "text", "W 12.5"),
        (b"\x0c\x01\x06\0\0\0\x03\x01\x02\xff\x01", "data", "0102ff"),
        (
            b"\x0d\x01\x06\0\0\0\x06\x5c\xff\x3b\x92OK\x01",
            "text",
            "OK",
        ),
        (b"\x0c\x01\x06\0\0\0\x02\r\n\x01", "data", "0d0a"),
    ];
    for (data, name, expected) in cases {
        let mut device = tcp();
        assert_eq!(device.send(&generator::tcp(data)), SILENCE);
        assert_eq!(device.make_safe(), SILENCE);
        let message = &device.intake.taken[0];
        assert_eq!(value(message, name), expected.into());
        let time = (data[0] == 0x0d).then_some(Value::U64(0x5cff_3b92));
        assert_eq!(message.get("timestamp").map(Value::from), time);

        let mut socket = udp();
        let datagram = generator::udp(1, 2, "352093086403655", data);
        assert_eq!(socket.send_datagram(&datagram), SILENCE);
        assert_eq!(value(&socket.intake.taken[0], name), expected.into());
    }
}

/// 3000 is what a Bluetooth thermometer says that is not there: it became 30 degrees.
#[test]
fn codes_for_no_sensor_are_left_out_and_text_stays_text() {
    let io = |name: &str, text: bool, not: &[i64]| Io {
        name: name.into(),
        scale: 1.0,
        signed: !text,
        text,
        not: not.to_vec(),
    };
    let table = BTreeMap::from([
        (1, io("a", false, &[850, 2000])),
        (2, io("b", false, &[-1])),
        (3, io("c", true, &[])),
        (4, io("d", true, &[])),
        (5, io("e", false, &[7])),
    ]);
    assert!(IoTable::new(BTreeMap::from([(6, io("f", true, &[1]))])).is_err());
    let elements = [
        (1, ElementValue::U16(2000)),
        (2, ElementValue::U16(0xFFFF)),
        (3, ElementValue::U32(0x4142_0000)),
        (4, ElementValue::U8(7)),
        (5, ElementValue::U16(8)),
    ];
    let elements = elements.map(|(id, value)| Element { id, value });
    let record = Record {
        elements: elements.into(),
        ..Record::default()
    };
    let packet = Packet {
        codec: Codec::Eight,
        records: vec![record],
    };
    let mut bytes = Vec::new();
    encode_packet(&packet, &mut bytes).unwrap();
    let mut device = Connection::new(Tcp::new(Rc::new(Keys {
        io: IoTable::new(table).unwrap(),
    })));
    device.send(&unhex(LOGIN));
    device.send(&bytes);
    let message = &device.intake.taken[0];
    assert!(!message.has("a") && !message.has("b"));
    assert_eq!(value(message, "c"), Value::from("AB"));
    assert_eq!(value(message, "d"), Value::U64(7));
    assert_eq!(value(message, "e"), Value::U64(8));
}

/// What was kept while there was no network comes in one go, by devices that await no answer.
#[test]
fn a_thousand_packets_in_one_go_are_all_taken_and_answered() {
    let mut device = tcp();
    let packet = |time_ms| Packet {
        codec: Codec::Eight,
        records: vec![Record {
            time_ms,
            ..Record::default()
        }],
    };
    let mut sent = Vec::new();
    for time in 0..1000 {
        encode_packet(&packet(time), &mut sent).unwrap();
    }
    let answers = [0, 0, 0, 1].repeat(1000);
    assert_eq!(device.send_without_waiting(&sent), answers);
    assert_eq!((device.intake.taken.len(), &device.closed), (1000, &None));
}
