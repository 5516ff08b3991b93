//! Wialon Retranslator packets: the specification's own example byte for byte, random packets
//! written and read by a second codec that knows only the specification, and damaged ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::Value as Json;
use support::hex::hex;
use support::hex::unhex;
use support::naive_retranslator::Naive;
use support::naive_retranslator::naive_read;
use support::naive_retranslator::naive_write;
use support::random::Random;
use weir::message::Message;
use weir::message::ValueRef;
use weir::wire::retranslator::BlockValue;
use weir::wire::retranslator::DecodeError;
use weir::wire::retranslator::EncodeError;
use weir::wire::retranslator::decode;
use weir::wire::retranslator::encode;

/// The example of the specification: a packet of 2009 from near Kazan.
const OFFICIAL: &str = "74000000333533393736303133343435343835004b0bfb70000000030bbb000000270102\
    706f73696e666f00a027afdf5d9848403ac7253383dd4b400000000000805a40003601460b0bbb00000012000470\
    77725f657874002b8716d9ce973b400bbb00000011010361766c5f696e707574730000000001";

#[test]
fn the_official_example_is_made_from_its_values() {
    let message = message(
        r#"{"ident":"353976013445485","timestamp":1259076464,"position.latitude":55.7305664,
            "position.longitude":49.1903648,"position.altitude":106,"position.speed":54,
            "position.direction":326,"position.satellites":11,"position.valid":true,
            "din":1,"external.powersource.voltage":27.593,"channel.name":"trackers"}"#,
    );
    assert_eq!(hex(&encoded(&message)), OFFICIAL);
}

#[test]
fn each_parameter_becomes_its_block() {
    for (parameters, flags, blocks) in MAPPED {
        let packet = encoded(&message(&format!(r#"{{"ident":"a",{parameters}}}"#)));
        let (uid, time, found, found_blocks) = naive_read(&packet);
        assert_eq!(
            (uid.as_str(), time, found),
            ("a", 0, *flags),
            "{parameters}"
        );
        let found: Vec<_> = found_blocks.iter().map(Naive::to_string).collect();
        assert_eq!(found.join(" "), *blocks, "{parameters}");
    }
}

#[test]
fn what_cannot_be_a_packet_is_said() {
    let empty = || std::iter::empty();
    let mut out = vec![1, 2, 3];
    assert_eq!(encode("", 0, empty(), &mut out), Err(EncodeError::Uid));
    assert_eq!(encode("a\0b", 0, empty(), &mut out), Err(EncodeError::Uid));
    let late = encode("a", 1 << 32, empty(), &mut out).unwrap_err();
    assert_eq!(
        late.to_string(),
        "`timestamp` does not fit 32 bits: `4294967296`"
    );
    let mut long = message(r#"{"ident":"a"}"#);
    long.set("text", "x".repeat(65_536).as_str());
    let fields = long.fields();
    let long = encode("a", 0, fields, &mut out).unwrap_err();
    assert_eq!(
        long.to_string(),
        "a packet of 65560 bytes, at most 65536 are sent"
    );
    assert_eq!(out, [1, 2, 3]);
}

#[test]
fn packets_written_from_the_specification_are_read() {
    let mut random = Random(0x11);
    for _ in 0..5_000 {
        let (uid, time, flags, blocks) = random_packet(&mut random);
        let bytes = naive_write(&uid, time, flags, &blocks);
        let mut input = bytes.clone();
        input.extend_from_slice(&[0x74, 0, 0]);
        let (packet, used) = decode(&input).unwrap().unwrap();
        assert_eq!(
            (packet.uid, packet.time_s, packet.flags),
            (&*uid, time, flags)
        );
        assert_eq!(used, bytes.len());
        let found: Vec<_> = packet.blocks().map(|block| Naive::from(&block)).collect();
        assert_eq!(found, blocks, "{}", hex(&bytes));
        for cut in [0, 3, 4, bytes.len() / 2, bytes.len() - 1] {
            assert_eq!(decode(&bytes[..cut]), Ok(None), "{cut} of {}", hex(&bytes));
        }
    }
}

#[test]
fn random_messages_arrive_with_their_values() {
    let mut random = Random(0x3E);
    for _ in 0..5_000 {
        let message = random.message();
        let packet = encoded(&message);
        let (uid, time, flags, blocks) = naive_read(&packet);
        assert_eq!(
            (uid.as_str(), time, flags),
            (message.ident(), whole_seconds(&message), 0)
        );
        let expected: Vec<_> = message.fields().filter_map(expected_block).collect();
        assert_eq!(blocks, expected, "{}", hex(&packet));
        let (read, _) = decode(&packet).unwrap().unwrap();
        let found: Vec<_> = read.blocks().map(|block| Naive::from(&block)).collect();
        assert_eq!(found, blocks);
    }
}

#[test]
fn every_vector_is_read() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/vectors/wialon_retranslator.json"
    );
    let Ok(text) = std::fs::read(path) else {
        return println!("skipped: there is no {path}");
    };
    let file: Json = serde_json::from_slice(&text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    for vector in vectors {
        check_vector(vector);
    }
    assert!(vectors.len() >= 9, "only {} vectors", vectors.len());
}

fn check_vector(vector: &Json) {
    let id = &vector["id"];
    let bytes = unhex(vector["hex"].as_str().unwrap());
    if vector["valid"] == Json::Bool(false) {
        // not acknowledged: damaged, or waiting for more
        return assert!(!matches!(decode(&bytes), Ok(Some(_))), "{id}");
    }
    let (packet, used) = decode(&bytes).unwrap().unwrap();
    let decoded = &vector["decoded"];
    assert_eq!(used, bytes.len(), "{id}");
    assert_eq!(decoded["uid"], packet.uid, "{id}");
    assert_eq!(decoded["time"], packet.time_s, "{id}");
    assert_eq!(decoded["flags"], packet.flags, "{id}");
    let found: Vec<_> = packet.blocks().collect();
    let expected = decoded["blocks"].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{id}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(expected["name"], *found.name, "{id}");
        assert_eq!(expected["hidden"], found.hidden, "{id}");
        let value = match &found.value {
            BlockValue::Text(text) => Json::from(text.as_ref()),
            BlockValue::I32(number) => Json::from(*number),
            BlockValue::I64(number) => Json::from(*number),
            BlockValue::F64(number) => Json::from(*number),
            BlockValue::Position(p) => serde_json::json!({
                "lon": p.longitude, "lat": p.latitude, "alt_m": p.altitude,
                "speed_kmh": p.speed, "course": p.direction, "sats": p.satellites,
            }),
            BlockValue::Other { kind, bytes } => {
                assert_eq!(expected["data_type"], *kind, "{id}");
                assert_eq!(expected["value_hex"], hex(bytes), "{id}");
                continue;
            }
        };
        assert_eq!(expected["value"], value, "{id}");
    }
}

#[test]
fn broken_packets_are_refused() {
    let block = |index| DecodeError::Block(index);
    for (given, error) in [
        ("00000000", DecodeError::Size(0)),
        ("09000000", DecodeError::Size(9)),
        ("01000100", DecodeError::Size(65_537)),
        ("ffffffff", DecodeError::Size(u32::MAX)),
        ("0a0000000000000000000000000000", DecodeError::Uid),
        ("0a00000061616161616161616161", DecodeError::Uid),
        ("0a000000ff000000000000000000", DecodeError::Uid),
        ("0a00000061616100000000000000", DecodeError::Head),
        ("0b00000061000000000000000000 0b", block(0)),
        ("12000000610000000000000000000bbb000000020003", block(0)),
        // a mark that is none
        (
            "1800000061000000000000000000 0bbc0000000800037800 00000001",
            block(0),
        ),
        // an integer of three bytes
        (
            "1700000061000000000000000000 0bbb0000000700037800000000",
            block(0),
        ),
        // a name that does not end
        (
            "1400000061000000000000000000 0bbb000000040001 7878",
            block(0),
        ),
        // a block longer than its packet, then one of nearly 4 GiB
        (
            "1800000061000000000000000000 0bbb0000000900037800 00000001",
            block(0),
        ),
        (
            "1800000061000000000000000000 0bbbffffffff00037800 00000001",
            block(0),
        ),
        // a sound block, then half of one
        (
            "1b00000061000000000000000000 0bbb0000000800037800 00000001 0bbb00",
            block(1),
        ),
        // a position one byte short
        (
            "3600000061000000000000000000 0bbb000000260102706f73696e666f00 \
             00000000000000000000000000000000000000000000000000000000",
            block(0),
        ),
    ] {
        assert_eq!(decode(&unhex(given)), Err(error), "{given}");
    }
}

#[test]
fn sloppy_packets_are_taken() {
    // text without its NUL, flags 0, hidden the wrong way round
    let text = unhex("1600000061000000000000000000 0bbb0000000601017800 6869");
    let (packet, _) = decode(&text).unwrap().unwrap();
    let block = packet.blocks().next().unwrap();
    assert_eq!(
        (block.hidden, block.value),
        (1, BlockValue::Text("hi".into()))
    );
}

#[test]
fn damaged_packets_never_panic() {
    let mut random = Random(0xD0);
    for _ in 0..20_000 {
        let (uid, time, flags, blocks) = random_packet(&mut random);
        let mut bytes = naive_write(&uid, time, flags, &blocks);
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.next().to_le_bytes()[0];
        }
        bytes.truncate(random.below(bytes.len() * 4));
        if let Ok(Some((packet, used))) = decode(&bytes) {
            assert!(used <= bytes.len());
            assert!(packet.blocks().count() * 9 <= used);
        }
    }
}

fn message(text: &str) -> Message {
    weir::message::json::parse(text.as_bytes(), &Default::default()).unwrap()
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    let fields = message.fields();
    encode(
        message.ident(),
        whole_seconds(message).into(),
        fields,
        &mut out,
    )
    .unwrap();
    out
}

fn whole_seconds(message: &Message) -> u32 {
    match message.get("timestamp") {
        Some(ValueRef::U64(seconds)) => u32::try_from(seconds).unwrap(),
        Some(ValueRef::F64(seconds)) => format!("{}", seconds.floor()).parse().unwrap(),
        _ => 0,
    }
}

/// What a parameter without a block of its own becomes.
fn expected_block((name, value): (&str, ValueRef<'_>)) -> Option<Naive> {
    if matches!(name, "ident" | "timestamp") {
        return None;
    }
    let name = name.replace(|c: char| !c.is_ascii(), "_");
    let text = |text: &str| (1, [text.replace('\0', "").as_bytes(), &[0]].concat());
    let integer = |number: i128| match (i32::try_from(number), i64::try_from(number)) {
        (Ok(small), _) => (3, small.to_be_bytes().to_vec()),
        (_, Ok(large)) => (5, large.to_be_bytes().to_vec()),
        _ => text(&number.to_string()),
    };
    let (kind, bytes) = match value {
        ValueRef::Null => return None,
        ValueRef::Bool(state) => integer(state.into()),
        ValueRef::U64(number) => integer(number.into()),
        ValueRef::I64(number) => integer(number.into()),
        ValueRef::F64(number) => (4, number.to_le_bytes().to_vec()),
        ValueRef::Text(value) | ValueRef::Json(value) => text(value),
    };
    Some(Naive(0, kind, name, bytes))
}

fn random_packet(random: &mut Random) -> (String, u32, u32, Vec<Naive>) {
    let uid = format!("unit {}", random.next());
    let (time, flags) = (random.word(), random.word());
    let blocks = (0..random.below(12))
        .map(|_| random_block(random))
        .collect();
    (uid, time, flags, blocks)
}

fn random_block(random: &mut Random) -> Naive {
    let name = format!(
        "p{}",
        &"_name_that_is_as_long_as_they_can_be_"[random.below(37)..]
    );
    let hidden = random.next().to_le_bytes()[0];
    let mut byte = || random.next().to_le_bytes()[0];
    let mut bytes = |count: usize| (0..count).map(|_| byte()).collect::<Vec<_>>();
    match bytes(1)[0] % 7 {
        0 => Naive(hidden, 1, name, b"0\x0B text\x0B\0".to_vec()),
        1 => Naive(hidden, 2, "posinfo".into(), bytes(29)),
        2 => Naive(hidden, 3, name, bytes(4)),
        // floats of all exponents, but no NaN: that equals nothing
        3 => Naive(hidden, 4, name, [bytes(6), vec![0x00, 0x40]].concat()),
        4 => Naive(hidden, 5, name, bytes(8)),
        5 => Naive(hidden, 6, "image".into(), bytes(25)),
        _ => Naive(hidden, 3, name, vec![0x0B, 0xBB, 0x0B, 0xBB]),
    }
}

/// Parameters, flags, blocks: `type:name=value`.
#[rustfmt::skip]
const MAPPED: &[(&str, u32, &str)] = &[
    (r#""n":null"#, 0, ""),
    (r#""a":1,"b":-2147483648,"c":2147483648"#, 0, "3:a=1 3:b=-2147483648 5:c=2147483648"),
    (r#""a":9223372036854775807,"b":9223372036854775808"#, 0,
        r#"5:a=9223372036854775807 1:b="9223372036854775808""#),
    (r#""a":-2147483649,"b":1.0,"c":true,"d":false"#, 0, "5:a=-2147483649 4:b=1.0 3:c=1 3:d=0"),
    (r#""t":"x\u0000y","j":[1, {"a":null}]"#, 0, r#"1:t="xy" 1:j="[1,{\"a\":null}]""#),
    (r#""vehicle.mileage":1.5,"Größe":2"#, 0, "4:vehicle_mileage=1.5 3:Gr__e=2"),
    (r#""posinfo":1,"image":"x","avl_inputs":2"#, 0,
        r#"3:posinfo_=1 1:image_="x" 3:avl_inputs_=2"#),
    (r#""a.name.of.forty.characters.is.too.long.x":1"#, 0,
        "3:a_name_of_forty_characters_is_too_long=1"),
    (r#""external.powersource.voltage":12,"battery.voltage":4.1"#, 0,
        "4:pwr_ext=12.0 4:pwr_int=4.1"),
    (r#""gsm.signal.level":61.5,"engine.ignition.status":true"#, 0, "3:gsm=62 3:ign=1"),
    (r#""gsm.signal.level":60,"engine.ignition.status":0"#, 0, "3:gsm=60 3:ign=0"),
    (r#""ain.1":1,"ain.12":0.5,"ain.x":2,"ain.3":"off""#, 0,
        r#"4:adc1=1.0 4:adc12=0.5 3:ain_x=2 1:adc3="off""#),
    (r#""din":5,"a":1"#, 2, "3:a=1 hidden 3:avl_inputs=5"),
    (r#""din":4294967295"#, 2, "hidden 3:avl_inputs=-1"),
    (r#""din":-1,"dout":0"#, 6, "hidden 3:avl_inputs=-1 hidden 3:avl_outputs=0"),
    (r#""din.1":true,"din.2":false,"din.32":1"#, 2, "hidden 3:avl_inputs=-2147483647"),
    (r#""din.1":false,"din":3"#, 2, "hidden 3:avl_inputs=2"),
    (r#""dout.3":1"#, 4, "hidden 3:avl_outputs=4"),
    (r#""din":"open","din.0":1,"din.33":1,"din.2":7"#, 0,
        r#"1:din="open" 3:din_0=1 3:din_33=1 3:din_2=7"#),
    (r#""driver.code":"AB 12""#, 0x20, r#"hidden 1:avl_driver="AB 12""#),
    (r#""driver.code":18446744073709551615"#, 0x20,
        r#"hidden 1:avl_driver="18446744073709551615""#),
    (r#""ibutton.code":"01","a":1"#, 0x20, r#"3:a=1 hidden 1:avl_driver="01""#),
    (r#""ibutton.code":"01","driver.code":"2""#, 0x20,
        r#"1:ibutton_code="01" hidden 1:avl_driver="2""#),
    (r#""alarm.status":true,"a":1"#, 0x10, "3:a=1"),
    (r#""alarm.status":false"#, 0, ""),
    (r#""alarm.status":"sos""#, 0, r#"1:alarm_status="sos""#),
    (r#""a":1,"position.longitude":25.5,"position.latitude":-54"#, 1,
        "hidden 2:posinfo=25.5,-54,0,0,0,0 3:a=1"),
    (r#""position.longitude":-180,"position.latitude":90,"position.altitude":-3.5,
        "position.speed":54.6,"position.direction":359.6,"position.satellites":300"#, 1,
        "hidden 2:posinfo=-180,90,-3.5,55,0,255"),
    (r#""position.longitude":1,"position.latitude":2,"position.speed":-1,
        "position.direction":-90"#, 1,
        "hidden 2:posinfo=1,2,0,0,270,0"),
    (r#""position.longitude":1,"position.latitude":2,"position.altitude":"low",
        "position.valid":false"#, 1,
        r#"hidden 2:posinfo=1,2,0,0,0,0 3:position_valid=0 1:position_altitude="low""#),
    (r#""position.latitude":54,"position.satellites":3"#, 0,
        "3:position_latitude=54 3:position_satellites=3"),
    (r#""position.longitude":25,"position.latitude":91"#, 0,
        "3:position_latitude=91 3:position_longitude=25"),
    (r#""position.hdop":0.9,"position.valid":true"#, 0, "4:position_hdop=0.9"),
    (r#""server.timestamp":1,"channel.name":"a","protocol.name":"b",
        "device.name":"c","peer":"d""#, 0,
        ""),
];
