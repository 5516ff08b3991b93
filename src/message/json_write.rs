//! JSON out: a message as one object, without white space.
//!
//! Every message of every stream passes here, so texts, integers and the usual floats are written
//! by hand; each digit and each escape is the one that serde_json writes, which judges it in tests.

use super::ValueRef;
use super::names::NAMES;

/// Appends one JSON object without white space; floats in their shortest form, with a point or an
/// exponent, so that they stay floats.
pub fn write<'a>(fields: impl Iterator<Item = (&'a str, ValueRef<'a>)>, out: &mut Vec<u8>) {
    let start = out.len();
    for (name, value) in fields {
        field(name, value, out);
    }
    close(start, out);
}

/// Appends a comma and a parameter: [`close`] makes an object of those from a place on.
pub(crate) fn field(name: &str, shown: ValueRef<'_>, out: &mut Vec<u8>) {
    self::name(name, out);
    value(shown, out);
}

/// Appends the comma, the name and the colon of a parameter.
pub(crate) fn name(name: &str, out: &mut Vec<u8>) {
    out.push(b',');
    text(name, out);
    out.push(b':');
}

/// The same, with `dot` for the dots of the name.
pub(crate) fn dotted_name(name: &str, dot: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    for (place, piece) in name.split('.').enumerate() {
        if place > 0 {
            inner(dot, out);
        }
        inner(piece, out);
    }
    out.extend_from_slice(b"\":");
}

/// What [`name`] appends of a known name.
pub(crate) fn quoted(known: u16) -> &'static [u8] {
    let place = PLACES.get(usize::from(known));
    let found = place.and_then(|(start, end)| QUOTED.get(usize::from(*start)..usize::from(*end)));
    found.unwrap_or_default()
}

/// Makes an object of the parameters that were appended since `out` was so long.
pub(crate) fn close(start: usize, out: &mut Vec<u8>) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// Appends a value.
pub(crate) fn value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Bool(true) => out.extend_from_slice(b"true"),
        ValueRef::Bool(false) => out.extend_from_slice(b"false"),
        ValueRef::U64(number) => integer(number, out),
        ValueRef::I64(number) => {
            if number < 0 {
                out.push(b'-');
            }
            integer(number.unsigned_abs(), out);
        }
        ValueRef::F64(number) => float(number, out),
        ValueRef::Text(said) => text(said, out),
        ValueRef::Json(text) => out.extend_from_slice(text.as_bytes()),
    }
}

/// Appends a text with its quotes.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    inner(text, out);
    out.push(b'"');
}

/// Appends a text without its quotes.
fn inner(text: &str, out: &mut Vec<u8>) {
    match is_plain(text.as_bytes()) {
        true => out.extend_from_slice(text.as_bytes()),
        false => escaped(text, out),
    }
}

/// Whether nothing in it needs an escape.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    let plain = |word: &[u8; 8]| is_plain_word(u64::from_le_bytes(*word));
    if !words.iter().all(plain) {
        return false;
    }
    match text.last_chunk() {
        // some are looked at again
        Some(last) => plain(last),
        None => !rest.iter().any(|byte| is_special(*byte)),
    }
}

/// The same of eight bytes at a time.
fn is_plain_word(word: u64) -> bool {
    // the highest bit of a byte is set where the byte, less than 0x80, was less than that of `many`
    let less = |word: u64, many: u64| word.wrapping_sub(many) & !word;
    let (quotes, backslashes) = (word ^ all(b'"'), word ^ all(b'\\'));
    let found = less(word, all(0x20)) | less(quotes, all(1)) | less(backslashes, all(1));
    found & all(0x80) == 0
}

/// Eight times this byte.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..0x20)
}

#[cold]
fn escaped(text: &str, out: &mut Vec<u8>) {
    for run in text.as_bytes().split_inclusive(|byte| is_special(*byte)) {
        match run.split_last() {
            Some((&special, plain)) if is_special(special) => {
                out.extend_from_slice(plain);
                escape(special, out);
            }
            _ => out.extend_from_slice(run),
        }
    }
}

fn escape(special: u8, out: &mut Vec<u8>) {
    let letter = match special {
        b'"' | b'\\' => special,
        b'\x08' => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        b'\x0c' => b'f',
        b'\r' => b'r',
        _ => {
            let digit = |four: u8| b"0123456789abcdef".get(usize::from(four)).copied();
            out.extend_from_slice(b"\\u00");
            return out.extend([special >> 4, special & 15].into_iter().filter_map(digit));
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Appends an integer.
pub(crate) fn integer(number: u64, out: &mut Vec<u8>) {
    match u8::try_from(number) {
        Ok(digit @ ..10) => out.push(digit | b'0'),
        _ => {
            let mut text = Number::default();
            text.integer(number);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Appends a float.
fn float(number: f64, out: &mut Vec<u8>) {
    let mut text = Number::default();
    if text.short(number) {
        return out.extend_from_slice(text.as_bytes());
    }
    let written = serde_json::to_writer(out, &number);
    debug_assert!(written.is_ok(), "a plain value written to memory");
}

/// The text of a number.
#[derive(Default)]
pub(crate) struct Number {
    bytes: [u8; 32],
    len: usize,
}

impl Number {
    /// Appends a float, if it has few digits; whether it has.
    #[inline]
    pub(crate) fn short(&mut self, number: f64) -> bool {
        let Some((whole, parts)) = decimal(number.abs()) else {
            return false;
        };
        if number < 0.0 {
            self.eight(u64::from(b'-'), 1);
        }
        self.integer(whole.into());
        self.eight(u64::from(b'.'), 1);
        self.fraction(parts);
        true
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Appends an integer.
    pub(crate) fn integer(&mut self, number: u64) {
        let eight = match u32::try_from(number) {
            Ok(number @ ..EIGHT) => digits(number),
            _ => {
                self.integer(number / u64::from(EIGHT));
                let low = u32::try_from(number % u64::from(EIGHT)).unwrap_or(0);
                return self.eight(digits(low) | all(b'0'), 8);
            }
        };
        // of zero itself one stays
        let zeros = (eight | 1 << 56).trailing_zeros() / 8;
        self.eight((eight | all(b'0')) >> (zeros * 8), 8 - zeros);
    }

    /// What stands behind the point: this many parts of [`EIGHT`].
    fn fraction(&mut self, parts: u32) {
        let eight = digits(parts);
        let zeros = (eight | 1).leading_zeros() / 8;
        self.eight(eight | all(b'0'), 8 - zeros);
    }

    /// Appends the first bytes of these.
    fn eight(&mut self, bytes: u64, len: u32) {
        let rest = self.bytes.get_mut(self.len..);
        if let Some(place) = rest.and_then(<[u8]>::first_chunk_mut) {
            *place = bytes.to_le_bytes();
            self.len += len as usize;
        }
    }
}

/// A float that has at most seven digits behind its point, six if it is large, as what stands
/// before the point and parts of [`EIGHT`] behind it. No decimal is shorter: two with so few digits
/// are further apart than two floats of that size.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and less than 2^32"
)]
fn decimal(size: f64) -> Option<(u32, u32)> {
    let (scale, to_eight) = match size {
        // what is smaller may have an exponent
        0.001..4e8 => (1e7, 10),
        4e8..4e9 => (1e6, 100),
        _ => return None,
    };
    let whole = size as u32;
    let parts = ((size - f64::from(whole)) * scale + 0.5) as u32;
    let is_it = (f64::from(whole) * scale + f64::from(parts)) / scale == size;
    let parts = parts.wrapping_mul(to_eight);
    (is_it && parts < EIGHT).then_some((whole, parts))
}

/// The digits of a number below [`EIGHT`], one a byte, the first in the lowest. Divides all of them
/// at a time: by 10,000, both halves by 100, the four quarters by 10.
fn digits(number: u32) -> u64 {
    let (high, low) = (number / 10_000, number % 10_000);
    let halves = u64::from(high) | u64::from(low) << 32;
    let hundreds = (halves.wrapping_mul(10_486) >> 20) & 0x0000_007f_0000_007f;
    let quarters = hundreds | halves.wrapping_sub(hundreds.wrapping_mul(100)) << 16;
    let tens = (quarters.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    tens | quarters.wrapping_sub(tens.wrapping_mul(10)) << 8
}

/// All known names, one behind the other: none of them needs an escape.
static QUOTED: [u8; QUOTED_LEN] = quoted_names();

#[expect(clippy::indexing_slicing, reason = "done when weir is compiled")]
const fn quoted_names() -> [u8; QUOTED_LEN] {
    let mut quoted = [0; _];
    let mut known = 0;
    while known < NAMES.len() {
        let (start, end) = (PLACES[known].0 as usize, PLACES[known].1 as usize);
        (quoted[start], quoted[start + 1]) = (b',', b'"');
        let name = NAMES[known].as_bytes();
        let mut at = 0;
        while at < name.len() {
            quoted[start + 2 + at] = name[at];
            at += 1;
        }
        (quoted[end - 2], quoted[end - 1]) = (b'"', b':');
        known += 1;
    }
    quoted
}

const QUOTED_LEN: usize = end(NAMES.len()) as usize;

/// Where each of [`QUOTED`] begins and ends.
const PLACES: [(u16, u16); NAMES.len()] = places();

#[expect(clippy::indexing_slicing, reason = "done when weir is compiled")]
const fn places() -> [(u16, u16); NAMES.len()] {
    let mut places = [(0, 0); _];
    let mut known = 0;
    while known < NAMES.len() {
        places[known] = (end(known), end(known + 1));
        known += 1;
    }
    places
}

/// Where so many of [`QUOTED`] end.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "done when weir is compiled, of few names"
)]
const fn end(count: usize) -> u16 {
    let (mut known, mut end) = (0, 0);
    while known < count {
        // two quotes, a comma and a colon
        end += NAMES[known].len() + 4;
        known += 1;
    }
    end as u16
}

/// What has more than eight digits.
const EIGHT: u32 = 100_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// What serde_json makes of it.
    fn judged(value: impl serde::Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    fn written(shown: ValueRef<'_>) -> String {
        let mut out = Vec::new();
        value(shown, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Numbers that are always the same.
    fn random() -> impl FnMut() -> u64 {
        let mut state = 7_u64;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        }
    }

    fn check_float(number: f64) {
        let (said, judge) = (written(ValueRef::F64(number)), judged(number));
        assert_eq!(said, judge, "{:#018x}", number.to_bits());
    }

    #[test]
    fn objects_have_commas_between_and_nothing_around() {
        let mut out = b"[".to_vec();
        write([].into_iter(), &mut out);
        let both = [("a\"", ValueRef::Null), ("b", ValueRef::Json("[1]"))];
        write(both[..1].iter().copied(), &mut out);
        write(both.into_iter(), &mut out);
        assert_eq!(
            str::from_utf8(&out).unwrap(),
            r#"[{}{"a\"":null}{"a\"":null,"b":[1]}"#
        );
    }

    #[test]
    fn known_names_are_written_as_all_names_are() {
        for (known, name) in (0..).zip(NAMES) {
            let mut out = Vec::new();
            field(name, ValueRef::Null, &mut out);
            assert_eq!([quoted(known), b"null"].concat(), out);
        }
        assert_eq!(quoted(u16::MAX), b"");
    }

    #[test]
    fn every_integer_has_its_digits() {
        let mut next = random();
        for power in 0..20 {
            for near in [-1_i64, 0, 1] {
                let number = 10_u64.pow(power).wrapping_add_signed(near);
                assert_eq!(written(ValueRef::U64(number)), judged(number));
            }
        }
        for round in 0..20_000 {
            let number = next() >> (round % 64);
            assert_eq!(written(ValueRef::U64(number)), judged(number));
            let signed = number.cast_signed() | i64::MIN;
            assert_eq!(written(ValueRef::I64(signed)), judged(signed));
        }
        let ends = [i64::MIN, -1, i64::MIN + 1];
        for end in ends {
            assert_eq!(written(ValueRef::I64(end)), judged(end));
        }
    }

    #[test]
    fn every_float_has_its_digits() {
        for number in [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            0.1,
            0.3,
            1e-3,
            9.99e-4,
            1e-5,
            1e-6,
            1e15,
            1e16,
            1e17,
            4e8,
            4e9,
            399_999_999.999_999_9,
            3_999_999_999.999_999,
            0.999_999_95,
            0.999_999_99,
            1_700_000_000.25,
            1_700_000_000.000_001,
            4_294_967_295.0,
            4_294_967_296.5,
            0.1 + 0.2,
            1.0 / 3.0,
            2.5e-7,
            54.687_157_3,
            123_456.7,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            f64::EPSILON,
        ] {
            check_float(number);
            check_float(-number);
            // the next ones differ in their last digit
            check_float(f64::from_bits(number.to_bits() + 1));
            check_float(f64::from_bits(number.to_bits().saturating_sub(1)));
        }
        let mut next = random();
        for round in 0..100_000_u32 {
            check_float(f64::from_bits(next()));
            // with so many digits before the point and behind it
            let digits = (next() >> (11 + round % 53)) as f64;
            check_float(digits / 10_f64.powi((round % 13) as i32));
            let micros = 1_000_000_000_000_000 + next() % 2_500_000_000_000_000;
            check_float(micros as f64 / 1e6);
        }
        assert_eq!(written(ValueRef::F64(f64::NAN)), "null");
    }

    #[test]
    fn every_escape_is_found_wherever_it_stands() {
        for special in (0..0x80).map(char::from).chain(['\u{80}', 'é', '€', '😀']) {
            for before in 0..18 {
                for behind in [0, 1, 7, 8, 9] {
                    let text = format!("{}{special}{}", "~".repeat(before), "!".repeat(behind));
                    assert_eq!(written(ValueRef::Text(&text)), judged(&text));
                }
            }
        }
        let hostile = "\"\\\u{0}\u{1f} \u{7f}\"é\n\n";
        assert_eq!(written(ValueRef::Text(hostile)), judged(hostile));
    }
}
