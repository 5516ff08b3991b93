//! The short way in: a JSON object as nearly all senders write it becomes a message in one pass.
//!
//! It takes objects of up to 256 parameters without escapes, nesting, repeated names or a `null`
//! for the time, and gives up at anything else, right or wrong: the long way of [`json`](super)
//! then reads the text from its beginning and says what is wrong. What both take, both take alike.

#![deny(clippy::arithmetic_side_effects)]

use super::Message;
use super::Name;
use super::ValueRef;
use super::check_ident;
use super::number;
use super::timestamp;
use super::timestamp::from_iso8601;
use super::timestamp::from_number;

/// Reads objects of one sender.
pub(super) struct Scanner<'n> {
    ident: Name<'n>,
    timestamp: Name<'n>,
    /// Who sent them is known, whatever they say.
    skips_ident: bool,
}

impl<'n> Scanner<'n> {
    /// For objects that have their ident and timestamp under these names.
    pub(super) fn new(ident: &'n str, timestamp: &'n str, skips_ident: bool) -> Self {
        Self {
            ident: Name::of(ident),
            timestamp: Name::of(timestamp),
            skips_ident,
        }
    }

    /// Appends the parameters of the object that `text` begins with to `message`, and returns what
    /// stands behind it. After `None` the message is good for nothing.
    pub(super) fn object<'t>(&self, text: &'t str, message: &mut Message) -> Option<&'t str> {
        if self.timestamp == IDENT {
            return None;
        }
        let mut rest = Rest(text);
        rest.token(b'{')?;
        let mut guesses = 0..GUESSES_MAX;
        for _ in 0..PARAMETERS_MAX {
            rest.token(b'"')?;
            let name = self.name(rest.text()?)?;
            if message.names.may_have(name) {
                guesses.next()?;
                if message.span(name).is_some() {
                    return None;
                }
            }
            rest.token(b':')?;
            self.parameter(name, &mut rest, message)?;
            match rest.next()? {
                b',' => {}
                b'}' => return Some(rest.0),
                _ => return None,
            }
        }
        None
    }

    /// What a name is called in a message. One that says what another one is to say needs thought.
    fn name<'t>(&self, written: &'t str) -> Option<Name<'t>> {
        let name = Name::of(written);
        if name == self.ident {
            return Some(IDENT);
        }
        if name == self.timestamp {
            return Some(TIMESTAMP);
        }
        let is_name = match name {
            Name::Known(_) => name != IDENT && name != TIMESTAMP,
            Name::Other(_) => !written.is_empty() && !written.chars().any(char::is_control),
        };
        is_name.then_some(name)
    }

    fn parameter(&self, name: Name<'_>, rest: &mut Rest<'_>, message: &mut Message) -> Option<()> {
        let (value, written) = rest.value()?;
        match name {
            IDENT if self.skips_ident => {}
            IDENT => message.push(IDENT, ValueRef::Text(ident(value, written)?)),
            TIMESTAMP => message.push(TIMESTAMP, timestamp(time(value)?)),
            _ => message.push(name, value),
        }
        Some(())
    }
}

fn ident<'t>(value: ValueRef<'t>, written: &'t str) -> Option<&'t str> {
    let ident = match value {
        ValueRef::Text(text) => text,
        ValueRef::U64(_) | ValueRef::I64(_) => written,
        _ => return None,
    };
    check_ident(ident).ok().map(|()| ident)
}

/// In microseconds.
fn time(value: ValueRef<'_>) -> Option<u64> {
    match value {
        ValueRef::Text(text) => from_iso8601(text),
        number => from_number(number).ok(),
    }
}

/// What is not read yet.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    /// The first byte behind white space, which is ASCII.
    fn next(&mut self) -> Option<u8> {
        let first = *self.0.as_bytes().first()?;
        if !matches!(first, b' ' | b'\t' | b'\r' | b'\n') {
            return self.take(first);
        }
        self.0 = behind_blanks(self.0);
        self.take(*self.0.as_bytes().first()?)
    }

    fn take(&mut self, first: u8) -> Option<u8> {
        self.0 = self.0.get(1..)?;
        Some(first)
    }

    /// Skips white space and `wanted`, which has to come.
    fn token(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// Text without escapes, its first quote being read.
    fn text(&mut self) -> Option<&'t str> {
        let (text, behind) = self.0.split_at_checked(plain(self.0.as_bytes()))?;
        self.0 = behind.strip_prefix('"')?;
        Some(text)
    }

    /// A value, and its bytes where they are a number's.
    fn value(&mut self) -> Option<(ValueRef<'t>, &'t str)> {
        let mut ahead = Rest(self.0);
        let first = ahead.next()?;
        if matches!(first, b'-' | b'0'..=b'9') {
            let blanks = self.0.len().checked_sub(ahead.0.len())?.checked_sub(1)?;
            let from = self.0.get(blanks..)?;
            let (value, behind) = number::take(from)?;
            self.0 = behind;
            let len = from.len().checked_sub(behind.len())?;
            return Some((value, from.get(..len)?));
        }
        *self = ahead;
        let value = match first {
            b'"' => ValueRef::Text(self.text()?),
            b't' => self.word("rue", ValueRef::Bool(true))?,
            b'f' => self.word("alse", ValueRef::Bool(false))?,
            b'n' => self.word("ull", ValueRef::Null)?,
            _ => return None,
        };
        Some((value, ""))
    }

    fn word(&mut self, rest: &str, means: ValueRef<'t>) -> Option<ValueRef<'t>> {
        self.0 = self.0.strip_prefix(rest)?;
        Some(means)
    }
}

/// What stands behind the white space of JSON.
pub(super) fn behind_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
}

/// How many bytes of text stand before the first quote, backslash or control character.
fn plain(text: &[u8]) -> usize {
    let (chunks, tail) = text.as_chunks();
    let mut len = 0_usize;
    for chunk in chunks {
        let special = special(u64::from_le_bytes(*chunk));
        if special != 0 {
            return len.saturating_add(special.trailing_zeros() as usize / 8);
        }
        len = len.saturating_add(8);
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    len.saturating_add(tail.iter().position(special).unwrap_or(tail.len()))
}

/// The upper bit of each of 8 bytes that is a quote, a backslash or a control character; above the
/// first there may be bits too many.
fn special(bytes: u64) -> u64 {
    // a quote becomes a blank, a blank a quote, control characters stay below both
    let low = bytes ^ (ONES * 0x02);
    let backslash = bytes ^ (ONES * 0x5c);
    let below = low.wrapping_sub(ONES * 0x21) & !low;
    let zero = backslash.wrapping_sub(ONES) & !backslash;
    (below | zero) & (ONES * 0x80)
}

const ONES: u64 = 0x0101_0101_0101_0101;

const IDENT: Name<'static> = Name::Known(0);
const TIMESTAMP: Name<'static> = Name::Known(1);

/// An object of more is not common.
const PARAMETERS_MAX: usize = 256;

/// So often it is looked whether a name that is not known was there: a sender chooses names, and
/// each look is a walk.
const GUESSES_MAX: usize = 32;

#[cfg(test)]
mod compared;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_table() {
        assert_eq!(
            (IDENT, TIMESTAMP),
            (Name::of("ident"), Name::of("timestamp"))
        );
    }

    #[test]
    fn what_is_special_is_found_at_any_place() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut text = [b'~'; 20];
                text[place] = byte;
                // what follows a special byte does not matter
                text[19] = b'"';
                let special = matches!(byte, b'"' | b'\\' | 0..0x20);
                let expected = if special || place == 19 { place } else { 19 };
                let expected = if place == 19 { 19 } else { expected };
                assert_eq!(plain(&text), expected, "{byte} at {place}");
            }
        }
        assert_eq!(plain(b""), 0);
        assert_eq!(plain(&[0xff; 9]), 9);
    }
}
