//! TAG blocks of NMEA 4.10 and IEC 61162-450: what a receiver or a router says of the sentence
//! behind them.
//!
//! ```text
//! \g:1-2-17,s:r000000017,c:1773480413*3A\!AIVDM,…
//!  fields                            checksum
//! ```
//! The checksum is that of sentences, of what stands between `\` and `*`. `c:` is when the sentence
//! was received, in seconds since 1970; some send milliseconds. The other fields are not read.

use super::SentenceError;
use crate::wire::checksum::xor;

/// What a TAG block says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Microseconds since 1970.
    pub time: Option<u64>,
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
    let read = match super::given_sum(digits)? == xor(fields) {
        true => Ok(Tag { time: time(fields) }),
        false => Err(SentenceError::Checksum),
    };
    Some((read, len.saturating_add(2)))
}

/// What `c:` says; what is no time is none.
fn time(fields: &[u8]) -> Option<u64> {
    let mut fields = fields.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let text = fields.find_map(|field| field.strip_prefix(b"c:"))?;
    let number = super::digits_only(str::from_utf8(text).ok()?)?;
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
