//! The form of a message that the ring keeps: a version byte and a list of (name, value).
//!
//! ```text
//! body  = version u8 = 1 · field*                       each field in postcard's encoding:
//! field = name · value
//! name  = 0 · index varint | 1 · length varint · UTF-8   index into a table that only grows
//! value = 0 null | 1 false | 2 true | 3 · varint u64 | 4 · zigzag i64 | 5 · f64 LE
//!       | 6 · length · text | 7 · length · JSON text
//! ```
//! Reading walks the bytes with borrowed names and values and allocates nothing. When a message
//! was received stands in the ring's record header, not here; a body without `timestamp` was
//! measured when it was received.

use super::Message;
use super::ValueRef;
use super::names;
use super::timestamp::SECONDS_MAX;
use serde::Deserialize;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// A message as the ring keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    fields: &'a [u8],
}

/// A body that cannot be read: of a newer version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownVersion(pub u8);

/// The time that a value of `timestamp` says, since 1970.
#[must_use]
pub fn measured(timestamp: ValueRef<'_>) -> Option<Duration> {
    let time = match timestamp {
        ValueRef::U64(seconds) => Duration::from_secs(seconds),
        ValueRef::F64(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        _ => return None,
    };
    (time <= Duration::from_secs(SECONDS_MAX)).then_some(time)
}

/// Appends the body of `message` to `out`.
pub fn encode(message: &Message, out: &mut Vec<u8>) {
    out.push(VERSION);
    for (name, value) in message.fields() {
        let name = names::index(name).map_or(Name::Text(name), Name::Known);
        let field = (name, Stored::from(value.as_ref()));
        if let Ok(longer) = postcard::to_extend(&field, std::mem::take(out)) {
            *out = longer;
        }
    }
}

impl<'a> Body<'a> {
    /// A body over the bytes that [`encode`] made.
    ///
    /// # Errors
    /// When another version made them.
    pub fn new(bytes: &'a [u8]) -> Result<Self, UnknownVersion> {
        match bytes.split_first() {
            Some((&VERSION, fields)) => Ok(Self { fields }),
            Some((&version, _)) => Err(UnknownVersion(version)),
            None => Err(UnknownVersion(0)),
        }
    }

    /// Its parameters in their order; ends early where the bytes are damaged.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + Clone + use<'a> {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            let (field, after) = postcard::take_from_bytes::<(Name<'a>, Stored<'a>)>(rest).ok()?;
            rest = after;
            Some((field.0.text()?, field.1.into()))
        })
    }

    /// The value of a parameter.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ValueRef<'a>> {
        self.fields()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// When it was measured, since 1970, where its sender said so.
    #[must_use]
    pub fn measured(&self) -> Option<Duration> {
        measured(self.find("timestamp")?)
    }

    /// The text of a parameter, empty where it is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &'a str {
        match self.find(name) {
            Some(ValueRef::Text(text)) => text,
            _ => "",
        }
    }
}

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stored in the unknown form `{}`", self.0)
    }
}

impl std::error::Error for UnknownVersion {}

/// A name as it is stored.
#[derive(Serialize, Deserialize)]
enum Name<'a> {
    Known(u16),
    Text(&'a str),
}

/// A value as it is stored.
#[derive(Serialize, Deserialize)]
enum Stored<'a> {
    Null,
    False,
    True,
    U64(u64),
    I64(i64),
    F64(f64),
    Text(&'a str),
    Json(&'a str),
}

impl<'a> Name<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Self::Known(index) => names::name(index),
            Self::Text(text) => Some(text),
        }
    }
}

impl<'a> From<ValueRef<'a>> for Stored<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(false) => Self::False,
            ValueRef::Bool(true) => Self::True,
            ValueRef::U64(number) => Self::U64(number),
            ValueRef::I64(number) => Self::I64(number),
            ValueRef::F64(number) => Self::F64(number),
            ValueRef::Text(text) => Self::Text(text),
            ValueRef::Json(text) => Self::Json(text),
        }
    }
}

impl<'a> From<Stored<'a>> for ValueRef<'a> {
    fn from(value: Stored<'a>) -> Self {
        match value {
            Stored::Null => Self::Null,
            Stored::False => Self::Bool(false),
            Stored::True => Self::Bool(true),
            Stored::U64(number) => Self::U64(number),
            Stored::I64(number) => Self::I64(number),
            Stored::F64(number) => Self::F64(number),
            Stored::Text(text) => Self::Text(text),
            Stored::Json(text) => Self::Json(text),
        }
    }
}

/// The version that this program writes; it reads no other yet.
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Value;

    fn message() -> Message {
        let mut message = Message::new("352093081452251").unwrap();
        message.set_timestamp(1_554_445_625_950_464);
        message.set("position.latitude", -54.5);
        message.set("engine.ignition.status", true);
        message.set("din", 3u64);
        message.set("sensor.x", -7i64);
        message.set("note", "héllo");
        message.set("nested", Value::Json("[1,{\"a\":null}]".into()));
        message.set("nothing", Value::Null);
        message
    }

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let (message, mut bytes) = (message(), Vec::new());
        encode(&message, &mut bytes);
        let body = Body::new(&bytes).unwrap();
        let expected: Vec<_> = message
            .fields()
            .map(|(name, value)| (name, value.as_ref()))
            .collect();
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
}
