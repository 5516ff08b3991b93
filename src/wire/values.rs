//! What the two protocols of Wialon make of values alike: switches, numbers, drivers' codes.

use crate::message::ValueRef;
use std::fmt;

/// Keeps what can be a driver's code; whether it is one.
pub(super) fn keep_code<'a>(kept: &mut Option<ValueRef<'a>>, code: ValueRef<'a>) -> bool {
    let is_code = matches!(
        code,
        ValueRef::Text(_) | ValueRef::U64(_) | ValueRef::I64(_)
    );
    *kept = is_code.then_some(code);
    is_code
}

/// Inputs or outputs, given as one number, one by one, or both ways; one by one wins.
#[derive(Default)]
pub(super) struct Switches {
    all: Option<u32>,
    given: u32,
    on: u32,
}

impl Switches {
    /// All of them in one number; whether that is one.
    pub(super) fn all(&mut self, value: ValueRef<'_>) -> bool {
        self.all = match value {
            ValueRef::U64(bits) => u32::try_from(bits).ok(),
            ValueRef::I64(bits) => i32::try_from(bits).ok().map(i32::cast_unsigned),
            _ => None,
        };
        self.all.is_some()
    }

    /// One of them; `number` counts from 1. Whether that is one.
    pub(super) fn one(&mut self, number: &str, value: ValueRef<'_>) -> bool {
        let number = number
            .parse()
            .ok()
            .and_then(|number: u32| number.checked_sub(1));
        let bit = number.and_then(|number| 1_u32.checked_shl(number));
        let (Some(bit), Some(on)) = (bit, switch(value)) else {
            return false;
        };
        self.given |= bit;
        self.on = if on { self.on | bit } else { self.on & !bit };
        true
    }

    /// None where nothing was said.
    pub(super) fn bits(&self) -> Option<i32> {
        let known = self.all.is_some() || self.given != 0;
        let bits = self.all.unwrap_or(0) & !self.given | self.on;
        known.then_some(bits.cast_signed())
    }
}

/// A number as a float.
pub(super) fn number(value: ValueRef<'_>) -> Option<f64> {
    match float(value) {
        ValueRef::F64(number) => Some(number),
        _ => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the block holds a float, whatever came"
)]
pub(super) fn float(value: ValueRef<'_>) -> ValueRef<'_> {
    match value {
        ValueRef::U64(number) => ValueRef::F64(number as f64),
        ValueRef::I64(number) => ValueRef::F64(number as f64),
        other => other,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
pub(super) fn whole(number: f64, most: u16) -> u16 {
    number.round().clamp(0.0, f64::from(most)) as u16
}

/// On or off.
pub(super) fn switch(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Bool(on) => Some(on),
        ValueRef::U64(0) => Some(false),
        ValueRef::U64(1) => Some(true),
        _ => None,
    }
}

/// A driver's code as text.
pub(super) struct Printed<'a>(pub(super) ValueRef<'a>);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ValueRef::Text(text) | ValueRef::Json(text) => f.write_str(text),
            ValueRef::U64(number) => number.fmt(f),
            ValueRef::I64(number) => number.fmt(f),
            ValueRef::F64(number) => number.fmt(f),
            ValueRef::Bool(state) => state.fmt(f),
            ValueRef::Null => Ok(()),
        }
    }
}

/// What the packet says elsewhere, or what is of no use beyond the gateway.
pub(super) const NOT_SENT: [&str; 7] = [
    "ident",
    "timestamp",
    "server.timestamp",
    "channel.name",
    "protocol.name",
    "device.name",
    "peer",
];
