//! What protocols make of values alike: switches, numbers, drivers' codes. The two of Wialon share
//! all of it.

use crate::message::ValueRef;

/// Keeps what can be a driver's code, text or an integer, in the place of what was kept; whether it
/// can be one. Where it cannot, nothing is kept any more.
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

/// A number as a float, all else as it is.
pub(super) fn float(value: ValueRef<'_>) -> ValueRef<'_> {
    value.number().map_or(value, ValueRef::F64)
}

/// The nearest whole number from 0 to `most`; 0 of what is no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
pub(super) fn whole(number: f64, most: u16) -> u16 {
    number.round().clamp(0.0, f64::from(most)) as u16
}

/// On or off: a truth value, 0 or 1; none of all else.
pub(crate) fn switch(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Bool(on) => Some(on),
        ValueRef::U64(0) => Some(false),
        ValueRef::U64(1) => Some(true),
        _ => None,
    }
}
