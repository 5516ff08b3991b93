//! Filters from outside: every operator and function, every mistake, and what evaluation costs.
//! Precedence is checked against [`oracle`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod mistakes;
mod oracle;
mod table;

use weir::filter::Error;
use weir::filter::Filter;
use weir::filter::Value;
use weir::message::ValueRef;

/// What the message of all tests says.
const MESSAGE: [(&str, ValueRef<'static>); 14] = [
    ("ident", ValueRef::Text("352093081452251")),
    ("device.name", ValueRef::Text("12 and 45")),
    ("star", ValueRef::Text("*")),
    ("note", ValueRef::Text("héllo")),
    ("position.latitude", ValueRef::F64(54.6872)),
    ("position.longitude", ValueRef::F64(25.2797)),
    ("position.speed", ValueRef::F64(60.0)),
    ("position.valid", ValueRef::Bool(true)),
    ("din", ValueRef::U64(9)),
    ("most", ValueRef::U64(u64::MAX)),
    ("least", ValueRef::I64(i64::MIN)),
    ("nothing", ValueRef::Null),
    ("nested", ValueRef::Json("[1]")),
    ("zero", ValueRef::U64(0)),
];

fn find(name: &str) -> Option<ValueRef<'static>> {
    let mut fields = MESSAGE.iter();
    fields
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

/// A value as a reader would write it.
fn shown(result: Result<Value<'_>, Error<'_>>) -> String {
    match result {
        Ok(Value::Null) => "null".into(),
        Ok(Value::Bool(state)) => state.to_string(),
        Ok(Value::Integer(number)) => number.to_string(),
        Ok(Value::Float(number)) => format!("{number:?}"),
        Ok(Value::Text(text)) => format!("'{}'", text.as_str()),
        Ok(Value::Nested) => "nested".into(),
        Err(error) => format!("error: {error}"),
    }
}

/// What an expression that has no mistake gives.
fn value_of(text: &str) -> String {
    let filter = Filter::parse(text).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:#?}"));
    shown(filter.evaluate(find))
}

#[test]
fn evaluation_allocates_nothing() {
    let texts = [
        "position.speed > 50 && (din & 0x1) == 1 || $missing == null",
        "tostring(position.speed * 1.1) ~ '66*' ? substr(tostring(din + 1000), 1, 2) : note",
        "substr(note, -4) == 'é*' && min(din, 3, -1.5) < 0 && geofence(54, 25, 100)",
        "device.name == '12*45' && tonumber(ident) > 1 && exists('din') && missing > 1",
    ];
    let filters: Vec<_> = texts
        .iter()
        .map(|text| Filter::parse(text).unwrap())
        .collect();
    let counted = allocation_counter::measure(|| {
        for filter in &filters {
            std::hint::black_box(filter.evaluate(find)).ok();
        }
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn a_list_of_a_thousand_idents_is_read_and_run() {
    let idents: Vec<_> = (0..1_000)
        .map(|n| format!("ident=='35209308145{n:04}'"))
        .collect();
    let filter = Filter::parse(&idents.join("||")).unwrap();
    assert!(!filter.passes(find));
    let filter = Filter::parse(&format!("{} || din", idents[..900].join(" || "))).unwrap();
    assert!(filter.passes(find));
    assert_eq!(filter.parameters().collect::<Vec<_>>(), ["ident", "din"]);
}

#[test]
fn what_a_filter_names_is_known() {
    let filter = Filter::parse("$a.b + a.b > c_1 && exists('d e') && geofence(0, 0, 1)").unwrap();
    let names = [
        "a.b",
        "c_1",
        "d e",
        "position.latitude",
        "position.longitude",
    ];
    assert_eq!(filter.parameters().collect::<Vec<_>>(), names);
}

#[test]
fn a_filter_reads_stored_messages() {
    let mut message = weir::message::Message::new("352").unwrap();
    message.set("position.speed", 61u64);
    let mut bytes = Vec::new();
    weir::message::body::encode(&message, &mut bytes);
    let body = weir::message::body::Body::new(&bytes).unwrap();
    let filter = Filter::parse("position.speed > 60 && !exists('position.latitude')").unwrap();
    assert!(filter.passes(|name| body.find(name)));
}
