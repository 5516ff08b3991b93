//! One signal: where it is, what its number means, and which numbers mean nothing.

use super::j1939::is_available;
use crate::channel::scale::Scale;
use crate::message::Value;
use crate::wire::can::bits::Bits;
use crate::wire::can::bits::Form;
use crate::wire::sign::twos_complement;

/// A signal of somebody's own, or of a DBC file.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    bits: Bits,
    form: Form,
    scale: Scale,
    nothing: Nothing,
    switch: bool,
}

/// What is said of a signal, beside its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// How its bits are a number, before scale and offset.
    pub form: Form,
    /// What one step is worth, in the parameter's unit; not 0. With a whole scale and offset
    /// integers stay integers.
    pub scale: f64,
    /// What is added to the scaled number, in the parameter's unit.
    pub offset: f64,
    /// Numbers of it that say that nothing was measured.
    pub nothing: Nothing,
    /// Whether it is on or off: not 0 is true; scale and offset mean nothing.
    pub switch: bool,
}

/// The numbers of a signal, before scale and offset, that mean nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Nothing {
    /// These, with sign or without.
    Listed(Vec<i64>),
    /// Those that J1939 keeps for "not available" and "error", by the length.
    J1939,
}

impl Default for Meaning {
    fn default() -> Self {
        Self {
            form: Form::Unsigned,
            scale: 1.0,
            offset: 0.0,
            nothing: Nothing::Listed(Vec::new()),
            switch: false,
        }
    }
}

/// Why there is no such signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalError {
    /// A scale of 0, or scale or offset that is no number.
    Scale,
    /// A float that has neither 32 nor 64 bits.
    Float,
}

impl Signal {
    /// A signal at a place.
    ///
    /// # Errors
    /// A scale or a float that cannot be: see [`SignalError`].
    pub fn new(bits: Bits, meaning: Meaning) -> Result<Self, SignalError> {
        let scale = Scale::with_offset(meaning.scale, meaning.offset);
        if !meaning.form.fits(bits.length()) {
            return Err(SignalError::Float);
        }
        Ok(Self {
            bits,
            form: meaning.form,
            scale: scale.ok_or(SignalError::Scale)?,
            nothing: meaning.nothing,
            switch: meaning.switch,
        })
    }

    /// What it says in these data; none where it lies beyond them, or says that it is nothing.
    #[must_use]
    pub fn value(&self, data: &[u8]) -> Option<Value> {
        let bits = self.bits.of(data)?;
        let negative = twos_complement(bits, self.bits.length());
        let is_code = |code: &i64| *code == negative || u64::try_from(*code) == Ok(bits);
        let is_nothing = match &self.nothing {
            Nothing::Listed(codes) => codes.iter().any(is_code),
            Nothing::J1939 => !is_available(bits, self.bits.length()),
        };
        if is_nothing {
            return None;
        }
        Some(match self.form {
            _ if self.switch => Value::Bool(bits != 0),
            Form::Unsigned => self.scale.apply(bits.into()),
            Form::Signed => self.scale.apply(negative.into()),
            Form::Float => self.scale.apply_float(self.float(bits)?),
        })
    }

    fn float(&self, bits: u64) -> Option<f64> {
        let number = match self.bits.length() {
            32 => f32::from_bits(u32::try_from(bits).ok()?).into(),
            _ => f64::from_bits(bits),
        };
        number.is_finite().then_some(number)
    }

    /// Where it is in the data of its frames.
    #[must_use]
    pub fn bits(&self) -> Bits {
        self.bits
    }
}

impl SignalError {
    /// What is wrong, in words, for who wrote it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Scale => "a scale of 0, or a scale or an offset that is no number",
            Self::Float => "a float has 32 or 64 bits",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::can::bits::Order;

    fn signal(start: u16, length: u8, meaning: Meaning) -> Signal {
        let bits = Bits::new(start, length, Order::LowFirst).unwrap();
        Signal::new(bits, meaning).unwrap()
    }

    fn of_form(form: Form) -> Meaning {
        Meaning {
            form,
            ..Meaning::default()
        }
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let all = signal(0, 64, Meaning::default());
        assert_eq!(all.value(&[0xFF; 8]), Some(Value::U64(u64::MAX)));
        let all = signal(0, 64, of_form(Form::Signed));
        assert_eq!(all.value(&[0xFF; 8]), Some(Value::I64(-1)));
        assert_eq!(all.value(&[0xFF; 7]), None);
    }

    #[test]
    fn floats_of_both_widths_are_read_and_none_else() {
        let single = signal(0, 32, of_form(Form::Float));
        assert_eq!(single.value(&1.5f32.to_le_bytes()), Some(Value::F64(1.5)));
        assert_eq!(single.value(&f32::NAN.to_le_bytes()), None);
        let double = signal(0, 64, of_form(Form::Float));
        assert_eq!(
            double.value(&(-2.25f64).to_le_bytes()),
            Some(Value::F64(-2.25))
        );
        let bits = Bits::new(0, 16, Order::LowFirst).unwrap();
        let error = Signal::new(bits, of_form(Form::Float));
        assert_eq!(error, Err(SignalError::Float));
    }

    #[test]
    fn what_is_not_available_is_said_with_sign_or_without() {
        for code in [-1, 0xFFF] {
            let not = signal(
                0,
                12,
                Meaning {
                    nothing: Nothing::Listed(vec![code]),
                    ..of_form(Form::Signed)
                },
            );
            assert_eq!(not.value(&[0xFF, 0x0F]), None, "{code}");
            assert_eq!(not.value(&[0xFE, 0x0F]), Some(Value::I64(-2)));
        }
    }

    #[test]
    fn a_switch_is_on_or_off() {
        let switch = Meaning {
            switch: true,
            ..Meaning::default()
        };
        assert_eq!(
            signal(1, 1, switch.clone()).value(&[2]),
            Some(Value::Bool(true))
        );
        assert_eq!(signal(0, 1, switch).value(&[2]), Some(Value::Bool(false)));
    }

    #[test]
    fn j1939_has_a_rule_for_each_length() {
        let rule = Meaning {
            nothing: Nothing::J1939,
            ..Meaning::default()
        };
        let wide = signal(0, 16, rule.clone());
        assert_eq!(wide.value(&[0xFF, 0xFA]), Some(Value::U64(0xFAFF)));
        assert_eq!(wide.value(&[0, 0xFB]), None);
        assert_eq!(signal(0, 2, rule.clone()).value(&[2]), None);
        assert_eq!(signal(0, 1, rule).value(&[1]), Some(Value::U64(1)));
    }

    #[test]
    fn a_scale_of_nothing_is_refused() {
        let bits = Bits::new(0, 16, Order::LowFirst).unwrap();
        let meaning = Meaning {
            scale: 0.0,
            ..Meaning::default()
        };
        assert_eq!(Signal::new(bits, meaning), Err(SignalError::Scale));
    }
}
