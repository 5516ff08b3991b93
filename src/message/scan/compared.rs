//! The short way beside the long one, over texts by chance: right ones of many shapes, and the same
//! with some bytes changed.

use super::*;
use crate::message::json::Names;
use crate::message::json::Sender;
use crate::message::json::parse_many_of;
use crate::message::json::parse_many_thoroughly;
use fastrand::Rng;

#[test]
fn both_ways_read_the_same_and_say_the_same() {
    let mut random = Rng::with_seed(0x5CA9);
    let mut short = 0;
    for _ in 0..40_000 {
        let mut text = document(&mut random);
        if random.u8(..4) == 0 {
            damage(&mut random, &mut text);
        }
        let names = names(&mut random);
        let sender = *pick(
            &mut random,
            &[
                Sender::InText,
                Sender::InText,
                Sender::Is("given"),
                Sender::Else("given"),
                Sender::Is("gi/ven"),
                Sender::Else(""),
            ],
        );
        let read = parse_many_of(&text, &names, sender);
        let expected = parse_many_thoroughly(&text, &names, sender);
        let shown = String::from_utf8_lossy(&text);
        assert_eq!(read, expected, "{names:?} {sender:?} {shown}");
        let mut message = Message::empty(0);
        let scanner = Scanner::new(&names.ident, &names.timestamp, false);
        let scanned = scanner.object(&shown, &mut message);
        short += u32::from(scanned.is_some());
    }
    assert!(short > 4_000, "only {short} went the short way");
}

#[test]
fn what_is_common_goes_the_short_way() {
    let text = r#" { "ident" : "a\u007f" , "timestamp":1763900000.250,"n":-5 ,"x":true,"y":null}"#;
    let text = text.replace(r"a\u007f", "352093081234567");
    let mut message = Message::empty(0);
    let scanner = Scanner::new("ident", "timestamp", false);
    assert_eq!(scanner.object(&text, &mut message), Some(""));
    assert_eq!(
        message.get("timestamp"),
        Some(ValueRef::F64(1_763_900_000.25))
    );
    assert_eq!(message.fields().count(), 5);
}

fn names(random: &mut Rng) -> Names {
    let (ident, timestamp) = *pick(
        random,
        &[
            ("ident", "timestamp"),
            ("ident", "timestamp"),
            ("ident", "timestamp"),
            ("imei", "ts"),
            ("x", "timestamp"),
            ("timestamp", "ts"),
            ("imei", "ident"),
            ("timestamp", "ident"),
        ],
    );
    let (ident, timestamp) = (ident.into(), timestamp.into());
    Names { ident, timestamp }
}

fn document(random: &mut Rng) -> Vec<u8> {
    if random.u8(..4) > 0 {
        return object(random).into_bytes();
    }
    let count = random.usize(..4);
    let objects: Vec<_> = (0..count).map(|_| object(random)).collect();
    let (before, behind) = (blank(random), blank(random));
    format!("{before}[{behind}{}]{before}", objects.join(",")).into_bytes()
}

fn object(random: &mut Rng) -> String {
    let mut fields = Vec::new();
    if random.u8(..10) > 0 {
        let name = pick(random, &["ident", "ident", "ident", "imei", "timestamp"]);
        let ident = ident(random);
        fields.push(field(random, name, &ident));
    }
    if random.bool() {
        let name = pick(random, &["timestamp", "timestamp", "ts", "ident"]);
        let time = time(random);
        fields.push(field(random, name, &time));
    }
    for _ in 0..random.usize(..8) {
        let (name, value) = (name(random), value(random));
        let place = random.usize(..=fields.len());
        fields.insert(place, field(random, &name, &value));
    }
    let (before, behind) = (blank(random), blank(random));
    format!("{before}{{{}}}{behind}", fields.join(","))
}

fn field(random: &mut Rng, name: &str, value: &str) -> String {
    let [a, b, c, d] = [0; 4].map(|_| blank(random));
    format!("{a}\"{name}\"{b}:{c}{value}{d}")
}

fn blank(random: &mut Rng) -> &'static str {
    let rare = random.u8(..200);
    match rare {
        0 => "\u{c}",
        1 => "\u{a0}",
        2..20 => pick::<&str>(random, &[" ", "\t", "\n", "\r\n  "]),
        _ => "",
    }
}

fn name(random: &mut Rng) -> String {
    let common = [
        "din",
        "position.speed",
        "x",
        "seq",
        "a.much.longer.name",
        "é",
        "1",
    ];
    let odd = [
        "",
        "\\u0061",
        "\u{7f}",
        "\u{85}",
        "a\\n",
        "\u{1}",
        "server.timestamp",
        "peer",
    ];
    match random.u8(..20) {
        0 if random.bool() => (*pick(random, &odd)).to_owned(),
        0..16 => format!("p{}", random.u16(..999)),
        _ => (*pick(random, &common)).to_owned(),
    }
}

fn ident(random: &mut Rng) -> String {
    let odd = [
        "null",
        "1.5",
        "\"\"",
        "\"a/b\"",
        "-7",
        "-0",
        "007",
        "\"é\"",
        "\"\u{7f}\"",
        "1e3",
    ];
    match random.u8(..10) {
        0 => (*pick(random, &odd)).to_owned(),
        1..4 => random.u64(..).to_string(),
        _ => format!("\"{}\"", random.u64(..)),
    }
}

fn time(random: &mut Rng) -> String {
    let odd = [
        "null",
        "-1",
        "-0.5",
        "\"now\"",
        "\"2009-11-24T15:27:44.5Z\"",
        "253402300799",
        "253402300800",
        "1e9",
        "1700000000.9999999",
        "0",
        "-0",
        "-0.0",
        "true",
        "{}",
    ];
    match random.u8(..3) {
        0 => (*pick(random, &odd)).to_owned(),
        1 => random.u32(..).to_string(),
        _ => format!("{}.{}", random.u32(..), random.u32(..)),
    }
}

fn value(random: &mut Rng) -> String {
    let text = [
        "",
        "a",
        "longer than eight",
        "é😀\u{2028}",
        "\\\\",
        "\\ud800",
        "a\\/b",
        "\u{7f}",
    ];
    let odd = [
        "[]",
        "{\"a\":[1, 2]}",
        "nul",
        "truex",
        "01",
        "1.",
        "-",
        "1e999",
        "1e-999",
        "\"\t\"",
    ];
    match random.u8(..16) {
        0 if random.u8(..4) == 0 => (*pick(random, &odd)).to_owned(),
        0..4 => (*pick(random, &["null", "true", "false"])).to_owned(),
        4 => format!("\"{}\"", pick(random, &text)),
        5..7 => format!("\"{}\"", random.u64(..)),
        7..10 => number(random),
        10 => (random.u64(..) >> random.u8(..64)).to_string(),
        11 => format!("-{}", random.u64(..) >> random.u8(..64)),
        _ => format!("{}.{:06}", random.u8(..), random.u32(..1_000_000)),
    }
}

fn number(random: &mut Rng) -> String {
    let sign = pick(random, &["", "-"]);
    let whole = random.u128(..) >> random.u8(..128);
    let exponent = pick(random, &["", "", "e5", "E-3", "e+30", "e-400"]);
    match random.bool() {
        true => format!("{sign}{whole}{exponent}"),
        false => format!(
            "{sign}{whole}.{}{exponent}",
            random.u64(..) >> random.u8(..64)
        ),
    }
}

fn damage(random: &mut Rng, text: &mut Vec<u8>) {
    for _ in 0..random.usize(1..4) {
        let any = random.u8(..);
        let byte = *pick(
            random,
            &[
                any, b'"', b'\\', b',', b':', b'}', b'{', b' ', b'0', b'-', 0xc3,
            ],
        );
        let at = random.usize(..=text.len());
        match random.u8(..3) {
            0 => text.insert(at, byte),
            1 => drop(text.drain(at..at.saturating_add(1).min(text.len()))),
            _ => text.truncate(at.max(text.len() / 2)),
        }
    }
}

fn pick<'a, T>(random: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[random.usize(..choices.len())]
}
