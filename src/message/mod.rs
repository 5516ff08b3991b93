//! The message: one report of one device, the value that flows through everything.
//!
//! A message is a flat list of named parameters in the order in which its sender gave them;
//! `ident` and `timestamp` are two of them. [`json`] is the form that users see, [`body`] the one
//! that the ring keeps.

pub mod body;
pub mod digest;
pub mod json;
pub(crate) mod json_write;
pub(crate) mod names;
pub mod timestamp;

pub(crate) use names::ENVELOPE;
pub use names::from_underscores;
pub use names::is_reserved;
use std::borrow::Cow;
use std::fmt;

/// One report of one device, on its way from a channel to the ring.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Never empty: holds a valid `ident`; no name twice.
    fields: Vec<(Cow<'static, str>, Value)>,
}

/// What a parameter can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Known to be unknown.
    Null,
    /// A switch or a state.
    Bool(bool),
    /// A number without fraction, not negative.
    U64(u64),
    /// A number without fraction, negative.
    I64(i64),
    /// A finite number with a fraction.
    F64(f64),
    /// Text, any UTF-8.
    Text(Box<str>),
    /// A JSON array or object: valid, at most 32 levels, no white space between its tokens.
    Json(Box<str>),
}

/// A parameter's value, lent by a [`Message`] or by a stored body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// See [`Value::Null`].
    Null,
    /// See [`Value::Bool`].
    Bool(bool),
    /// See [`Value::U64`].
    U64(u64),
    /// See [`Value::I64`].
    I64(i64),
    /// See [`Value::F64`].
    F64(f64),
    /// See [`Value::Text`].
    Text(&'a str),
    /// See [`Value::Json`].
    Json(&'a str),
}

/// Why an ident is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidIdent {
    /// No byte, or more than [`IDENT_MAX`].
    Length(usize),
    /// `#`, `+`, `/` or a control character.
    Character(char),
}

impl Message {
    /// A message of `ident` with no parameter yet.
    ///
    /// # Errors
    /// When `ident` is not one.
    pub fn new(ident: &str) -> Result<Self, InvalidIdent> {
        check_ident(ident)?;
        let fields = vec![(Cow::Borrowed("ident"), Value::from(ident))];
        Ok(Self { fields })
    }

    /// Who sent it.
    #[must_use]
    pub fn ident(&self) -> &str {
        match self.get("ident") {
            Some(Value::Text(ident)) => ident,
            _ => "",
        }
    }

    /// Names another sender.
    ///
    /// # Errors
    /// When `ident` is not one; the message is as before.
    pub fn set_ident(&mut self, ident: &str) -> Result<(), InvalidIdent> {
        check_ident(ident)?;
        self.set("ident", ident);
        Ok(())
    }

    /// Says when it was measured: whole microseconds since 1970-01-01 UTC.
    pub fn set_timestamp(&mut self, micros: u64) {
        self.set("timestamp", timestamp(micros));
    }

    /// Gives a parameter its value; one of that name is replaced in its place.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.fields.push((name, value)),
        }
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(known, _)| known != name);
    }

    /// Gives the parameter `old` the name `new`; one that has it already goes.
    pub fn rename(&mut self, old: &str, new: impl Into<Cow<'static, str>>) {
        let new = new.into();
        if old != new && self.has(old) {
            self.fields.retain(|(name, _)| *name != new);
            if let Some((name, _)) = self.fields.iter_mut().find(|(name, _)| name == old) {
                *name = new;
            }
        }
    }

    /// Leaves out what a sender says under a name that only weir sets.
    pub fn leave_out_reserved(&mut self) {
        self.fields.retain(|(name, _)| !is_reserved(name));
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Whether there is a parameter of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Its parameters in their order, `ident` and `timestamp` among them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
    }
}

impl Value {
    /// The same value, lent.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(state) => ValueRef::Bool(*state),
            Self::U64(number) => ValueRef::U64(*number),
            Self::I64(number) => ValueRef::I64(*number),
            Self::F64(number) => ValueRef::F64(*number),
            Self::Text(text) => ValueRef::Text(text),
            Self::Json(text) => ValueRef::Json(text),
        }
    }
}

impl ValueRef<'_> {
    /// A number as a float: what is beyond 53 bits is rounded.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "who asks for a float takes it as near as it gets"
    )]
    pub fn number(self) -> Option<f64> {
        match self {
            Self::U64(number) => Some(number as f64),
            Self::I64(number) => Some(number as f64),
            Self::F64(number) => Some(number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Json(_) => None,
        }
    }
}

/// Says what is wrong with an ident, if anything.
///
/// # Errors
/// See [`InvalidIdent`].
pub fn check_ident(ident: &str) -> Result<(), InvalidIdent> {
    if ident.is_empty() || ident.len() > IDENT_MAX {
        return Err(InvalidIdent::Length(ident.len()));
    }
    match ident
        .chars()
        .find(|c| c.is_control() || matches!(c, '#' | '+' | '/'))
    {
        Some(bad) => Err(InvalidIdent::Character(bad)),
        None => Ok(()),
    }
}

/// The value of a `timestamp`: whole seconds stay an integer.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of this era are exact in 53 bits"
)]
fn timestamp(micros: u64) -> Value {
    if micros.is_multiple_of(1_000_000) {
        Value::U64(micros / 1_000_000)
    } else {
        Value::F64(micros as f64 / 1e6)
    }
}

/// Text as it is, JSON as it was written, and of null nothing.
impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(state) => state.fmt(f),
            Self::U64(number) => number.fmt(f),
            Self::I64(number) => number.fmt(f),
            Self::F64(number) => number.fmt(f),
            Self::Text(text) | Self::Json(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for InvalidIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(0) => write!(f, "`ident` is empty"),
            Self::Length(len) => {
                write!(f, "`ident` has {len} bytes, at most {IDENT_MAX} are taken")
            }
            Self::Character(bad) => write!(f, "`ident` must not contain {bad:?}"),
        }
    }
}

impl std::error::Error for InvalidIdent {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(state: bool) -> Self {
        Self::Bool(state)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::U64(number)
    }
}

impl From<i64> for Value {
    /// A number that is not negative becomes [`Value::U64`]: equal numbers are equal values.
    fn from(number: i64) -> Self {
        u64::try_from(number).map_or(Self::I64(number), Self::U64)
    }
}

impl From<f64> for Value {
    /// A number that is not finite becomes [`Value::Null`]: JSON has no name for it.
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::F64(number)
        } else {
            Self::Null
        }
    }
}

/// Longest ident, in bytes.
pub const IDENT_MAX: usize = 64;

/// Longest body of a message as the ring keeps it, in bytes.
pub const BODY_MAX: usize = 32 * 1024;
