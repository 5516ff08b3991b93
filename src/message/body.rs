//! The form of a message that the ring keeps: a version byte and a list of (name, value).
//!
//! ```text
//! body  = version u8 = 1 · field*                       each field as postcard encodes it:
//! field = name · value
//! name  = 0 · index varint | 1 · length varint · UTF-8   index into a table that only grows
//! value = 0 null | 1 false | 2 true | 3 · varint u64 | 4 · zigzag i64 | 5 · f64 LE
//!       | 6 · length · text | 7 · length · JSON text
//! ```
//! Numbers are varints of 7 bits a byte, the lowest first. Reading walks the bytes with borrowed
//! names and values and allocates nothing. When a message
//! was received stands in the ring's record header, not here; a body without `timestamp` was
//! measured when it was received.

use super::Message;
use super::ValueRef;
use super::names::CHANNEL_NAME;
use super::names::IDENT;
use super::names::Name;
use super::names::TIMESTAMP;
use super::timestamp::SECONDS_MAX;
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
    out.extend_from_slice(message.as_bytes());
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
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields { rest: self.fields }
    }

    /// The body of a message, which is of this version.
    pub(super) fn of_message(bytes: &'a [u8]) -> Self {
        let fields = bytes.get(1..).unwrap_or_default();
        Self { fields }
    }

    /// The value of a parameter.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ValueRef<'a>> {
        self.find_name(Name::of(name))
    }

    pub(super) fn find_name(&self, name: Name<'_>) -> Option<ValueRef<'a>> {
        let mut fields = self.fields();
        loop {
            let stored = fields.next_stored()?;
            if stored.name == name {
                return stored.value();
            }
        }
    }

    /// Where a parameter stands.
    pub(super) fn span(&self, name: Name<'_>) -> Option<Span> {
        let mut fields = self.fields();
        loop {
            let start = self.place(fields.rest);
            let stored = fields.next_stored()?;
            if stored.name == name {
                return Some(Span {
                    start,
                    value: self.place(stored.from_value),
                    end: self.place(fields.rest),
                });
            }
        }
    }

    /// The name of the parameter that begins at `place`, and the place behind the parameter.
    pub(super) fn field_at(&self, place: usize) -> Option<(Name<'a>, usize)> {
        let rest = self.fields.get(place.checked_sub(1)?..)?;
        let mut fields = Fields { rest };
        let stored = fields.next_stored()?;
        Some((stored.name, self.place(fields.rest)))
    }

    /// Where `rest` begins, counted from the version on.
    fn place(&self, rest: &[u8]) -> usize {
        1 + self.fields.len() - rest.len()
    }

    /// Who it is of; empty where damaged bytes do not say so.
    #[must_use]
    pub fn ident(&self) -> &'a str {
        self.known_text(IDENT)
    }

    /// The channel that took it, empty where it does not say so.
    #[must_use]
    pub fn channel_name(&self) -> &'a str {
        self.known_text(CHANNEL_NAME)
    }

    fn known_text(&self, name: u16) -> &'a str {
        match self.find_name(Name::Known(name)) {
            Some(ValueRef::Text(text)) => text,
            _ => "",
        }
    }

    /// When it was measured, since 1970, where its sender said so.
    #[must_use]
    pub fn measured(&self) -> Option<Duration> {
        measured(self.find_name(Name::Known(TIMESTAMP))?)
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

/// The parameters of a [`Body`], from [`Body::fields`].
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// Where a parameter stands in the bytes of a body.
pub(super) struct Span {
    /// Its name begins here.
    pub(super) start: usize,
    /// Its value begins here.
    pub(super) value: usize,
    /// The next one begins here.
    pub(super) end: usize,
}

/// A parameter as its bytes say it: what is text is not looked at yet.
struct Stored<'a> {
    name: Name<'a>,
    kind: u8,
    /// The bits of a number.
    number: u64,
    text: &'a [u8],
    /// The bytes from the value on.
    from_value: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut ahead = *self;
        let stored = ahead.next_stored()?;
        let field = (stored.name.text()?, stored.value()?);
        *self = ahead;
        Some(field)
    }
}

impl<'a> Fields<'a> {
    /// The next one, its name not yet looked up.
    pub(crate) fn next_field(&mut self) -> Option<(Name<'a>, ValueRef<'a>)> {
        let stored = self.next_stored()?;
        Some((stored.name, stored.value()?))
    }

    /// The next one under a known name whose index is a bit of `wanted`, and that index.
    pub(crate) fn next_of(&mut self, wanted: u64) -> Option<(u16, ValueRef<'a>)> {
        loop {
            let stored = self.next_stored()?;
            if let Name::Known(index) = stored.name
                && wanted >> index & 1 != 0
            {
                return Some((index, stored.value()?));
            }
        }
    }

    fn next_stored(&mut self) -> Option<Stored<'a>> {
        let rest = &mut self.rest;
        let name = match take_byte(rest)? {
            0 => Name::known(take_number(rest)?)?,
            1 => Name::Other(str::from_utf8(take_bytes(rest)?).ok()?),
            _ => return None,
        };
        let from_value = *rest;
        let kind = take_byte(rest)?;
        let (mut number, mut text) = (0, [].as_slice());
        match kind {
            NULL | FALSE | TRUE => {}
            U64 | I64 => number = take_number(rest)?,
            F64 => {
                let (bytes, behind) = rest.split_first_chunk()?;
                *rest = behind;
                number = u64::from_le_bytes(*bytes);
            }
            TEXT | JSON => text = take_bytes(rest)?,
            _ => return None,
        }
        Some(Stored {
            name,
            kind,
            number,
            text,
            from_value,
        })
    }
}

impl<'a> Stored<'a> {
    /// `None` where damaged bytes are no text.
    fn value(&self) -> Option<ValueRef<'a>> {
        Some(match self.kind {
            FALSE => ValueRef::Bool(false),
            TRUE => ValueRef::Bool(true),
            U64 => ValueRef::U64(self.number),
            I64 => ValueRef::I64(from_zigzag(self.number)),
            F64 => ValueRef::F64(f64::from_bits(self.number)),
            TEXT => ValueRef::Text(str::from_utf8(self.text).ok()?),
            JSON => ValueRef::Json(str::from_utf8(self.text).ok()?),
            _ => ValueRef::Null,
        })
    }
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (byte, behind) = rest.split_first()?;
    *rest = behind;
    Some(*byte)
}

/// A varint; `None` where it is longer than 64 bits.
#[inline]
fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let (&first, behind) = rest.split_first()?;
    if first >= 0x80 {
        return take_long_number(rest);
    }
    *rest = behind;
    Some(first.into())
}

/// The same, out of the way of those of one byte.
fn take_long_number(rest: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0, 0);
    while shift < u64::BITS {
        let byte = take_byte(rest)?;
        let bits = u64::from(byte & 0x7f);
        number |= bits << shift;
        if byte < 0x80 {
            return (number >> shift == bits).then_some(number);
        }
        shift += 7;
    }
    None
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take_number(rest)?.try_into().ok()?;
    let (bytes, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(bytes)
}

/// Appends a name.
pub(super) fn put_name(name: Name<'_>, out: &mut Vec<u8>) {
    match name {
        Name::Known(index) => {
            out.push(0);
            put_number(index.into(), out);
        }
        Name::Other(name) => put_bytes(1, name.as_bytes(), out),
    }
}

/// Appends a value.
pub(super) fn put_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.push(NULL),
        ValueRef::Bool(state) => out.push(if state { TRUE } else { FALSE }),
        ValueRef::U64(number) => {
            out.push(U64);
            put_number(number, out);
        }
        ValueRef::I64(number) => {
            out.push(I64);
            put_number(zigzag(number), out);
        }
        ValueRef::F64(number) => {
            out.push(F64);
            out.extend_from_slice(&number.to_le_bytes());
        }
        ValueRef::Text(text) => put_bytes(TEXT, text.as_bytes(), out),
        ValueRef::Json(text) => put_bytes(JSON, text.as_bytes(), out),
    }
}

fn put_bytes(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Small numbers of either sign as small ones without.
fn zigzag(number: i64) -> u64 {
    (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned()
}

fn from_zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// The version that this program writes; it reads no other yet.
pub(super) const VERSION: u8 = 1;

/// What stands before a value.
const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const U64: u8 = 3;
const I64: u8 = 4;
const F64: u8 = 5;
const TEXT: u8 = 6;
const JSON: u8 = 7;

#[cfg(test)]
mod tests;
