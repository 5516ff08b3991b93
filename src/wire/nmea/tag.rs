//! TAG blocks of NMEA 4.10 and IEC 61162-450: what a receiver or a router says of the sentence
//! behind them.
//!
//! ```text
//! \g:1-2-17,s:r000000017,c:1773480413*3A\!AIVDM,…
//!  fields                            checksum
//! ```
//! The checksum is that of sentences, of what stands between `\` and `*`. `c:` is when the sentence
//! was received, in seconds since 1970; some send milliseconds. `s:` is who received it, `g:` which
//! of how many sentences of one message it is, and the number that these share. The other fields
//! are not read.

use super::SentenceError;
use crate::hex;
use crate::wire::checksum::xor;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

/// What a TAG block says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// When the sentence was received: microseconds since 1970 UTC.
    pub time: Option<u64>,
    /// The number that the sentences of one message share.
    pub group: Option<u64>,
    /// Who received it; only good to be compared.
    pub source: Option<u64>,
}

/// The TAG block that the text begins with, and how long it is; none where it has not the shape of
/// one: then it is what lost bytes have left, or a name.
pub(super) fn tag(text: &[u8]) -> Option<(Result<Tag, SentenceError>, usize)> {
    let body = text.strip_prefix(b"\\")?;
    let len = body.iter().take(TAG_MAX).position(|byte| *byte == b'\\')?;
    let (body, _) = body.split_at_checked(len)?;
    let (fields, behind) = body.split_at_checked(len.checked_sub(3)?)?;
    let digits = behind.strip_prefix(b"*")?;
    // a sentence that stands between two halves is none of this
    if fields.iter().any(|byte| matches!(byte, b'$' | b'!' | b'*')) {
        return None;
    }
    let read = match hex::byte(digits.try_into().ok()?)? == xor(fields) {
        true => Ok(read(fields)),
        false => Err(SentenceError::Checksum),
    };
    Some((read, len.saturating_add(2)))
}

fn read(fields: &[u8]) -> Tag {
    let field = |name: &[u8]| {
        let mut fields = fields.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        fields.find_map(|field| field.strip_prefix(name))
    };
    Tag {
        time: field(b"c:").and_then(time),
        group: field(b"g:").and_then(group),
        source: field(b"s:").map(|name| {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            hasher.finish()
        }),
    }
}

/// The last number of `1-2-17`.
fn group(text: &[u8]) -> Option<u64> {
    let mut numbers = text.split(|byte| *byte == b'-');
    let group = numbers.nth(2).filter(|_| numbers.next().is_none())?;
    number(group)
}

fn number(text: &[u8]) -> Option<u64> {
    super::digits_only(str::from_utf8(text).ok()?)
}

/// What is no time is none.
fn time(text: &[u8]) -> Option<u64> {
    let number = number(text)?;
    let unit = if number > SECONDS_MAX {
        1000
    } else {
        1_000_000
    };
    number.checked_mul(unit)
}

/// Bytes between the two `\`; the standard has 80 with them.
const TAG_MAX: usize = 160;

/// From here on a number counts milliseconds.
const SECONDS_MAX: u64 = 100_000_000_000;
