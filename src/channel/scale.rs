//! What one step of a number is worth, and where it begins to count.

use crate::message::Value;

/// A scale and an offset.
///
/// Decimal ones are kept as a fraction: 24079 thousandths are then 24.079 and nothing beside it, as
/// they would not be after a multiplication by the nearest double to 0.001.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// `numerator` a step and `added`, both below 2⁵³, over a power of ten.
    Decimal {
        numerator: i64,
        added: i64,
        divisor: u64,
    },
    /// Any other.
    Factor { factor: f64, offset: f64 },
}

impl Scale {
    /// Of numbers that begin at 0; none for 0 and what is no number.
    pub(crate) fn new(factor: f64) -> Option<Self> {
        Self::with_offset(factor, 0.0)
    }

    /// A number is `factor` a step, and `offset` more. None as with [`Scale::new`].
    pub(crate) fn with_offset(factor: f64, offset: f64) -> Option<Self> {
        if !factor.is_finite() || factor == 0.0 || !offset.is_finite() {
            return None;
        }
        let decimal = (0..=15).find_map(|digits| {
            let divisor = 10u64.pow(digits);
            Some(Self::Decimal {
                numerator: whole_times(factor, divisor)?,
                added: whole_times(offset, divisor)?,
                divisor,
            })
        });
        Some(decimal.unwrap_or(Self::Factor { factor, offset }))
    }

    /// A fraction that is known, `numerator` a step over `divisor`.
    pub(crate) const fn fraction(numerator: i64, divisor: u64) -> Self {
        Self::Decimal {
            numerator,
            added: 0,
            divisor,
        }
    }

    /// Numbers of 64 bits stay whole where scale and offset are.
    #[expect(clippy::cast_precision_loss, reason = "a scaled number is a double")]
    pub(crate) fn apply(self, number: i128) -> Value {
        match self {
            Self::Decimal {
                numerator,
                added,
                divisor,
            } => {
                let product = number.saturating_mul(numerator.into());
                let sum = product.saturating_add(added.into());
                match whole(sum) {
                    Some(whole) if divisor == 1 => whole,
                    _ => Value::from(sum as f64 / divisor as f64),
                }
            }
            Self::Factor { .. } => self.apply_float(number as f64),
        }
    }

    /// The same for a number with a fraction.
    #[expect(clippy::cast_precision_loss, reason = "both are below 2^53")]
    pub(crate) fn apply_float(self, number: f64) -> Value {
        Value::from(match self {
            Self::Decimal {
                numerator,
                added,
                divisor,
            } => (number * numerator as f64 + added as f64) / divisor as f64,
            Self::Factor { factor, offset } => number * factor + offset,
        })
    }
}

/// `number` times `divisor`, where that is whole and no other number gives it.
#[expect(
    clippy::cast_precision_loss,
    reason = "powers of ten up to 10^15 are exact"
)]
#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn whole_times(number: f64, divisor: u64) -> Option<i64> {
    let numerator = (number * divisor as f64).round();
    let is_exact = numerator.abs() < EXACT && numerator / divisor as f64 == number;
    is_exact.then_some(numerator as i64)
}

fn whole(number: i128) -> Option<Value> {
    let unsigned = u64::try_from(number).map(Value::U64);
    unsigned
        .or_else(|_| i64::try_from(number).map(Value::I64))
        .ok()
}

pub(crate) const ONE: Scale = Scale::fraction(1, 1);
pub(crate) const TENTH: Scale = Scale::fraction(1, 10);
pub(crate) const THOUSANDTH: Scale = Scale::fraction(1, 1000);

/// Whole numbers below are exact as doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_numbers_print_as_short_as_they_were_meant() {
        let cases = [
            (24079, 0.001, 0.0, "24.079"),
            (-119, 0.1, 0.0, "-11.9"),
            (3, 0.3, 0.0, "0.9"),
            (7, 0.025, 0.0, "0.175"),
            (123_456_789, 1e-7, 0.0, "12.3456789"),
            (8144, 1.0 / 32.0, -273.0, "-18.5"),
            (1, 0.1, 0.2, "0.3"),
        ];
        for (number, scale, offset, printed) in cases {
            let scale = Scale::with_offset(scale, offset).unwrap();
            let Value::F64(value) = scale.apply(number) else {
                panic!()
            };
            assert_eq!(value.to_string(), printed);
        }
    }

    #[test]
    fn a_whole_scale_keeps_integers() {
        let whole = |scale| Scale::new(scale).unwrap();
        assert_eq!(whole(1.0).apply(u64::MAX.into()), Value::U64(u64::MAX));
        assert_eq!(whole(20.0).apply(-5), Value::I64(-100));
        assert_eq!(whole(2.0).apply(u64::MAX.into()), Value::F64(2f64.powi(65)));
        let below = Scale::with_offset(1.0, -40.0).unwrap();
        assert_eq!(below.apply(7), Value::I64(-33));
        assert_eq!(below.apply(47), Value::U64(7));
    }

    #[test]
    fn a_scale_that_is_no_short_decimal_is_a_factor() {
        let third = 1.0 / 3.0;
        let (factor, offset) = (third, 2.0);
        assert_eq!(
            Scale::with_offset(third, 2.0),
            Some(Scale::Factor { factor, offset })
        );
        assert_eq!(Scale::new(third).unwrap().apply(3), Value::F64(1.0));
        assert_eq!(Scale::new(0.0), None);
        assert_eq!(Scale::new(f64::NAN), None);
        assert_eq!(Scale::with_offset(1.0, f64::INFINITY), None);
    }
}
