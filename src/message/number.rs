//! Numbers of JSON: read exactly, and told from what is none.

use super::ValueRef;

/// The number that `text` begins with, and what stands behind it; `None` where there is none, or
/// one too large.
pub(super) fn take(text: &str) -> Option<(ValueRef<'static>, &str)> {
    let mut digits = Digits::of(text);
    let is_negative = digits.skip(b"-");
    let has_zero = digits.rest.first() == Some(&b'0');
    if digits.run()? > 1 && has_zero {
        return None;
    }
    let point = digits.skip(b".");
    let decimals = if point { digits.run()? } else { 0 };
    let exponent = digits.skip(b"eE");
    if exponent {
        digits.skip(b"+-");
        digits.run()?;
    }
    let (token, behind) = text.split_at_checked(text.len() - digits.rest.len())?;
    let quick = match (point, exponent) {
        (false, false) => digits.integer(is_negative),
        (true, false) => digits.float(is_negative, decimals),
        (_, true) => None,
    };
    Some((quick.or_else(|| parse(token))?, behind))
}

/// The value of a whole number; `None` where it is too large. What has neither point nor exponent
/// stays an integer.
pub(super) fn parse(token: &str) -> Option<ValueRef<'static>> {
    if token.contains(['.', 'e', 'E']) {
        let number: f64 = token.parse().ok()?;
        return number.is_finite().then_some(ValueRef::F64(number));
    }
    if token.starts_with('-') {
        return token.parse::<i64>().ok().map(ValueRef::from);
    }
    token.parse().ok().map(ValueRef::U64)
}

/// Digits on their way into a number.
struct Digits<'a> {
    rest: &'a [u8],
    /// All of them as one whole number, while there are at most [`DIGITS_MAX`].
    number: u64,
    count: usize,
}

impl<'a> Digits<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: text.as_bytes(),
            number: 0,
            count: 0,
        }
    }

    /// Skips one of these bytes if it comes next.
    fn skip(&mut self, wanted: &[u8]) -> bool {
        match self.rest.split_first() {
            Some((byte, behind)) if wanted.contains(byte) => {
                self.rest = behind;
                true
            }
            _ => false,
        }
    }

    /// How many digits come next; `None`: none.
    fn run(&mut self) -> Option<usize> {
        let (mut number, mut rest) = (self.number, self.rest);
        while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit & 0xf));
            rest = behind;
        }
        let count = self.rest.len() - rest.len();
        (self.number, self.rest) = (number, rest);
        self.count += count;
        (count > 0).then_some(count)
    }

    fn integer(&self, is_negative: bool) -> Option<ValueRef<'static>> {
        if self.count > DIGITS_MAX {
            None
        } else if is_negative {
            0_i64.checked_sub_unsigned(self.number).map(ValueRef::from)
        } else {
            Some(ValueRef::U64(self.number))
        }
    }

    /// Both the digits and the power of ten are doubles without loss, so their quotient is the
    /// double that is nearest to the number (Clinger, 1990).
    #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
    fn float(&self, is_negative: bool, decimals: usize) -> Option<ValueRef<'static>> {
        if self.count > DIGITS_MAX || self.number > 1 << 53 {
            return None;
        }
        let number = self.number as f64 / POWERS.get(decimals)?;
        Some(ValueRef::F64(if is_negative { -number } else { number }))
    }
}

/// 64 bits hold whatever has so many digits.
const DIGITS_MAX: usize = 19;

/// Powers of ten, as far as the digits go.
const POWERS: [f64; DIGITS_MAX + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_end() {
        for (text, expected, behind) in [
            ("0,", ValueRef::U64(0), ","),
            ("-0}", ValueRef::U64(0), "}"),
            ("12 ", ValueRef::U64(12), " "),
            ("-7x", ValueRef::I64(-7), "x"),
            ("18446744073709551615", ValueRef::U64(u64::MAX), ""),
            ("-9223372036854775808", ValueRef::I64(i64::MIN), ""),
            ("0.5.", ValueRef::F64(0.5), "."),
            ("1e3e", ValueRef::F64(1000.0), "e"),
            ("1E-2", ValueRef::F64(0.01), ""),
            ("54.680000", ValueRef::F64(54.68), ""),
        ] {
            assert_eq!(take(text), Some((expected, behind)), "{text}");
        }
        for text in [
            "",
            "-",
            "-x",
            "01",
            "-00",
            "1.",
            "1.e1",
            ".5",
            "+1",
            "1e",
            "1e+",
            "1e999",
            "18446744073709551616",
            "-9223372036854775809",
        ] {
            assert_eq!(take(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_the_nearest_to_what_is_written() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200_000 {
            let width = random.u32(1..20);
            let digits = random.u64(..10_u64.pow(width));
            let decimals = random.usize(1..25);
            let digits = format!("{digits:0>width$}", width = decimals + 1);
            let (whole, part) = digits.split_at(digits.len() - decimals);
            let sign = random.choice(["", "-"]).unwrap();
            let text = format!("{sign}{}.{part}", whole.trim_start_matches('0'));
            let text = text.replace(&format!("{sign}."), &format!("{sign}0."));
            let expected: f64 = text.parse().unwrap();
            let Some((ValueRef::F64(read), "")) = take(&text) else {
                panic!("{text}")
            };
            assert_eq!(read.to_bits(), expected.to_bits(), "{text}");
        }
    }
}
