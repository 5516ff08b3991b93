//! What a parameter can be: owned where a configuration or a decoder holds it, lent where it stands
//! in a message.

use std::fmt;

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

/// A parameter's value, lent by a [`Message`](super::Message) or by a stored body.
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

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(state) => Self::Bool(state),
            ValueRef::U64(number) => Self::U64(number),
            ValueRef::I64(number) => Self::I64(number),
            ValueRef::F64(number) => Self::F64(number),
            ValueRef::Text(text) => Self::Text(text.into()),
            ValueRef::Json(text) => Self::Json(text.into()),
        }
    }
}

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

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        value.as_ref()
    }
}

impl<'a> From<&'a str> for ValueRef<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for ValueRef<'_> {
    fn from(state: bool) -> Self {
        Self::Bool(state)
    }
}

impl From<u64> for ValueRef<'_> {
    fn from(number: u64) -> Self {
        Self::U64(number)
    }
}

impl From<i64> for ValueRef<'_> {
    /// As for [`Value`].
    fn from(number: i64) -> Self {
        u64::try_from(number).map_or(Self::I64(number), Self::U64)
    }
}

impl From<f64> for ValueRef<'_> {
    /// As for [`Value`].
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::F64(number)
        } else {
            Self::Null
        }
    }
}
