//! The elements of trackers that number their readings: the names that a protocol has built in,
//! and the `io` table, by which a channel names more.
//!
//! `keys::read` reads the table; `IoTable::tell` gives a message what an element means.

pub(super) mod keys;
pub(super) mod meaning;

use crate::channel::scale::ONE;
use crate::channel::scale::Scale;
use crate::message::Message;
use crate::message::Value;
use crate::message::json_write::Number;
use crate::wire::element::Element;
use crate::wire::element::ElementValue;
use meaning::Meaning;
use std::collections::BTreeMap;
use std::fmt;

/// What a channel knows of its devices' elements beyond the built-in names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IoTable(BTreeMap<u16, Named>);

/// What the `io` table says of an element.
#[derive(Clone, Debug, PartialEq)]
struct Named {
    name: String,
    meaning: Meaning,
    /// Numbers, with or without their sign, that say that nothing was measured.
    not: Box<[i64]>,
}

/// One entry of the `io` table: what an element means.
#[derive(Clone, Debug, PartialEq)]
pub struct Io {
    /// The name of its parameter; not empty, `ident` or `timestamp`.
    pub name: String,
    /// What one step of the number is worth, in the parameter's unit; not 0. With a whole scale
    /// integers stay integers.
    pub scale: f64,
    /// Whether the number is in two's complement of its width.
    pub signed: bool,
    /// Whether it is text, and no number: ASCII, filled up with zeros.
    pub text: bool,
    /// Numbers as they were sent that mean that nothing was measured: the parameter is left out.
    pub not: Vec<i64>,
}

/// Why an entry of the `io` table cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementError {
    /// The name is empty, or one that every message has.
    Name(u16),
    /// The scale is zero or not a number.
    Scale(u16),
    /// What is text has neither a scale, nor a sign, nor numbers that mean nothing.
    Text(u16),
}

/// What a protocol knows of elements by itself.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// Name and meaning of those that have one.
    pub(super) known: fn(u16, ElementValue<'_>) -> Option<(&'static str, Meaning)>,
    /// What the others mean, which come as `custom.param.N`.
    pub(super) unnamed: fn(u16, ElementValue<'_>) -> Meaning,
}

impl IoTable {
    /// Takes the `io` table.
    ///
    /// # Errors
    /// The first id whose entry cannot be.
    pub fn new(io: BTreeMap<u16, Io>) -> Result<Self, ElementError> {
        let entries = io.into_iter().map(|(id, io)| {
            if matches!(io.name.as_str(), "" | "ident" | "timestamp") {
                return Err(ElementError::Name(id));
            }
            let scale = Scale::new(io.scale).ok_or(ElementError::Scale(id))?;
            let meaning = match (io.text, io.signed) {
                (false, false) => Meaning::Unsigned(scale),
                (false, true) => Meaning::Signed(scale),
                (true, false) if scale == ONE && io.not.is_empty() => Meaning::Text,
                (true, _) => return Err(ElementError::Text(id)),
            };
            let (name, not) = (io.name, io.not.into());
            Ok((id, Named { name, meaning, not }))
        });
        Ok(Self(entries.collect::<Result<_, _>>()?))
    }

    /// Whether the channel names this element itself.
    pub(super) fn has(&self, id: u16) -> bool {
        self.0.contains_key(&id)
    }

    /// Gives `message` what the element means: nothing where the table says that nothing was
    /// measured. A name that is built in is given once: what would come second under it keeps its
    /// number.
    pub(super) fn tell(&self, element: &Element<'_>, built_in: &BuiltIn, message: &mut Message) {
        let Element { id, value } = *element;
        if let Some(named) = self.0.get(&id) {
            if !named.is_nothing(value) {
                message.set(&named.name, &named.meaning.or_as_sent(value));
            }
            return;
        }
        let known = (built_in.known)(id, value);
        let known = known.and_then(|(name, meaning)| Some((name, meaning.of(value)?)));
        if !known.is_some_and(|(name, value)| message.set_new(name, &value)) {
            let unnamed = (built_in.unnamed)(id, value).or_as_sent(value);
            tell_numbered(id, &unnamed, message);
        }
    }
}

/// Gives `message` what has no name but a number.
pub(super) fn tell_numbered(id: u16, value: &Value, message: &mut Message) {
    let mut number = Number::default();
    number.integer(id.into());
    let mut name = heapless::String::<{ NUMBERED.len() + 5 }>::new();
    // There is room for every number of 16 bits.
    name.push_str(NUMBERED).ok();
    name.push_str(number.as_str()).ok();
    message.set(name, value);
}

impl Named {
    fn is_nothing(&self, value: ElementValue<'_>) -> bool {
        let unsigned = value
            .unsigned()
            .and_then(|number| i64::try_from(number).ok());
        let sent = [unsigned, value.signed()];
        self.not.iter().any(|code| sent.contains(&Some(*code)))
    }
}

impl fmt::Display for ElementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(id) => write!(f, "the name of element `{id}` is empty or taken"),
            Self::Scale(id) => write!(f, "the scale of element `{id}` is zero or not a number"),
            Self::Text(id) => write!(f, "element `{id}` is text and has no numbers"),
        }
    }
}

impl std::error::Error for ElementError {}

/// Stands before the number.
const NUMBERED: &str = "custom.param.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_must_not_rename_the_device() {
        let io = |name: &str, scale| Io {
            name: name.into(),
            scale,
            signed: false,
            text: false,
            not: Vec::new(),
        };
        let mistake = |io| IoTable::new(BTreeMap::from([(72, io)])).unwrap_err();
        assert_eq!(mistake(io("ident", 1.0)), ElementError::Name(72));
        assert_eq!(
            mistake(io("sensor.temperature.1", 0.0)),
            ElementError::Scale(72)
        );
    }

    #[test]
    fn every_number_fits_into_its_name() {
        let mut message = Message::new("1").unwrap();
        tell_numbered(65_535, &Value::U64(7), &mut message);
        assert!(message.has("custom.param.65535"));
    }
}
