//! What is stored, byte for byte, and what is read of it when it is damaged.

use super::*;

fn message() -> Message {
    let mut message = Message::new("352093081452251").unwrap();
    message.set_timestamp(1_554_445_625_950_464);
    message.set("position.latitude", -54.5);
    message.set("engine.ignition.status", true);
    message.set("din", 3u64);
    message.set("sensor.x", -7i64);
    message.set("note", "héllo");
    message.set("nested", ValueRef::Json("[1,{\"a\":null}]"));
    message.set("nothing", ValueRef::Null);
    message
}

#[test]
fn what_goes_in_comes_out_in_order() {
    let (message, mut bytes) = (message(), Vec::new());
    encode(&message, &mut bytes);
    let body = Body::new(&bytes).unwrap();
    let expected: Vec<_> = message.fields().collect();
    assert_eq!(body.fields().collect::<Vec<_>>(), expected);
    assert_eq!(body.find("din"), Some(ValueRef::U64(3)));
    assert_eq!(body.text("note"), "héllo");
}

#[test]
fn golden_bytes_are_read_for_ever() {
    let mut message = Message::new("gw1").unwrap();
    message.set("timestamp", 1_554_445_625u64);
    message.set("position.latitude", 1.5);
    message.set("din", -2i64);
    message.set("x", false);
    let mut bytes = Vec::new();
    encode(&message, &mut bytes);
    let golden = "0100000603677731000103b9ea9be505000605000000000000f83f00100403010178 01";
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, golden.replace(' ', ""));
}

/// What the format's words say, as postcard and serde understand them.
#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
enum Plain<'a> {
    Null,
    False,
    True,
    U64(u64),
    I64(i64),
    F64(f64),
    Text(&'a str),
    Json(&'a str),
}

#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
enum PlainName<'a> {
    Known(u16),
    Text(&'a str),
}

fn plain(value: ValueRef<'_>) -> Plain<'_> {
    match value {
        ValueRef::Null => Plain::Null,
        ValueRef::Bool(false) => Plain::False,
        ValueRef::Bool(true) => Plain::True,
        ValueRef::U64(number) => Plain::U64(number),
        ValueRef::I64(number) => Plain::I64(number),
        ValueRef::F64(number) => Plain::F64(number),
        ValueRef::Text(text) => Plain::Text(text),
        ValueRef::Json(text) => Plain::Json(text),
    }
}

#[test]
fn each_value_is_stored_as_postcard_stores_it() {
    let long = "x".repeat(300);
    let whole = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
    let values = whole.flat_map(|number| {
        let signed = number.cast_signed();
        let float = f64::from_bits(number);
        [
            ValueRef::U64(number),
            ValueRef::I64(signed),
            ValueRef::I64(-(signed >> 1)),
        ]
        .into_iter()
        .chain(float.is_finite().then_some(ValueRef::F64(float)))
    });
    let few = [
        ValueRef::Null,
        ValueRef::Bool(false),
        ValueRef::Bool(true),
        ValueRef::Text(""),
        ValueRef::Text(&long),
        ValueRef::Json("[]"),
    ];
    for value in values.chain(few) {
        for (name, as_stored) in [("din", PlainName::Known(16)), ("x", PlainName::Text("x"))] {
            let mut bytes = vec![VERSION];
            put_name(Name::of(name), &mut bytes);
            put_value(value, &mut bytes);
            let expected = postcard::to_stdvec(&(as_stored, plain(value))).unwrap();
            assert_eq!(bytes[1..], expected, "{value:?}");
            let read: Vec<_> = Body::new(&bytes).unwrap().fields().collect();
            assert_eq!(read, [(name, value)]);
        }
    }
}

#[test]
fn damaged_bytes_are_read_as_postcard_reads_them() {
    let mut whole = Vec::new();
    encode(&message(), &mut whole);
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(1..bytes.len());
            let any = random.u8(..);
            bytes[at] = random.choice([0, 1, 0x7f, 0x80, 0xff, any]).unwrap();
        }
        let read = Body::new(&bytes).unwrap().fields();
        let read: Vec<_> = read.map(|(name, value)| (name, plain(value))).collect();
        let mut expected = as_postcard_reads(&bytes[1..]);
        // postcard takes a kind that is spelt with more bytes than it needs
        expected.truncate(read.len());
        // as text: what is no number is not equal to itself
        assert_eq!(format!("{read:?}"), format!("{expected:?}"));
    }
}

fn as_postcard_reads(mut rest: &[u8]) -> Vec<(&str, Plain<'_>)> {
    let mut fields = Vec::new();
    while let Ok(((name, value), behind)) =
        postcard::take_from_bytes::<(PlainName<'_>, Plain<'_>)>(rest)
    {
        let name = match name {
            PlainName::Known(index) => Name::known(index.into()).and_then(Name::text),
            PlainName::Text(name) => Some(name),
        };
        let Some(name) = name else { break };
        fields.push((name, value));
        rest = behind;
    }
    fields
}

#[test]
fn damaged_bytes_end_the_fields_and_nothing_else() {
    let mut bytes = Vec::new();
    encode(&message(), &mut bytes);
    for end in 1..bytes.len() {
        let body = Body::new(&bytes[..end]).unwrap();
        assert!(body.fields().count() < message().fields().count() + 1);
    }
    assert_eq!(Body::new(&[9, 1]).unwrap_err(), UnknownVersion(9));
}
