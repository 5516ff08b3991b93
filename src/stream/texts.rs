//! What streams of one shape have made of the messages of late: the first that sends a message
//! makes its text, the others take that.
//!
//! The texts lie one behind the other in a ring of bytes; what is overwritten is forgotten.

use super::outgoing::Outgoing;
use crate::clock::Wall;
use crate::ring::Seq;
use std::cell::RefCell;
use std::rc::Rc;

/// The texts of streams that show messages alike. Costs up to 80 KiB once there are some; by
/// default there are none.
#[derive(Clone, Debug, Default)]
pub struct SharedTexts(Option<Rc<RefCell<Texts>>>);

#[derive(Debug, Default)]
struct Texts {
    /// By the last bits of their numbers.
    places: Vec<Option<Place>>,
    bytes: Vec<u8>,
    /// Bytes that were ever written.
    end: u64,
}

/// Where the text of a message is.
#[derive(Clone, Copy, Debug)]
struct Place {
    seq: Seq,
    ring: u32,
    /// The text says it.
    received: Wall,
    /// Counted as [`Texts::end`] is.
    start: u64,
    len: usize,
}

impl SharedTexts {
    /// For more than one stream.
    #[must_use]
    pub fn new() -> Self {
        Self(Some(Rc::default()))
    }

    /// Whether there is another stream.
    #[must_use]
    pub fn are_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Appends the text of a message, if it is there.
    pub(super) fn get(&self, message: &Outgoing<'_>, out: &mut Vec<u8>) -> bool {
        let Some(texts) = &self.0 else {
            return false;
        };
        let texts = texts.borrow();
        let text = texts.find(message);
        out.extend_from_slice(text.unwrap_or_default());
        text.is_some()
    }

    /// Keeps the text of a message for a while.
    pub(super) fn put(&self, message: &Outgoing<'_>, text: &[u8]) {
        let texts = self.0.as_ref().filter(|_| text.len() <= BYTES / 8);
        if let Some(texts) = texts {
            texts.borrow_mut().put(message, text);
        }
    }
}

impl Texts {
    fn find(&self, message: &Outgoing<'_>) -> Option<&[u8]> {
        let place = self.places.get(slot(message.seq)).copied().flatten()?;
        let is_it = place.seq == message.seq
            && place.ring == message.ring
            && place.received == message.received;
        let is_there = self.end - place.start <= BYTES as u64;
        let start = offset(place.start);
        let text = self.bytes.get(start..start + place.len);
        text.filter(|_| is_it && is_there)
    }

    fn put(&mut self, message: &Outgoing<'_>, text: &[u8]) {
        self.bytes.resize(BYTES, 0);
        self.places.resize(PLACES, None);
        let left = BYTES - offset(self.end);
        if left < text.len() {
            self.end += left as u64;
        }
        let start = offset(self.end);
        let room = self.bytes.get_mut(start..start + text.len());
        let place = self.places.get_mut(slot(message.seq));
        if let (Some(room), Some(place)) = (room, place) {
            room.copy_from_slice(text);
            *place = Some(Place {
                seq: message.seq,
                ring: message.ring,
                received: message.received,
                start: self.end,
                len: text.len(),
            });
            self.end += text.len() as u64;
        }
    }
}

/// It is no part of what a stream shows.
impl PartialEq for SharedTexts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[expect(clippy::cast_possible_truncation, reason = "less than that many")]
fn slot(seq: Seq) -> usize {
    (seq.0 % PLACES as u64) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "less than that many")]
fn offset(count: u64) -> usize {
    (count % BYTES as u64) as usize
}

/// Messages that are kept at most, a power of two: what some reads of a channel bring.
const PLACES: usize = 256;

/// Bytes of their texts, a power of two.
const BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::outgoing::bare;
    use std::time::Duration;

    fn message(seq: u32, micros: u64) -> Outgoing<'static> {
        let since_1970 = Duration::from_micros(micros);
        let received = Wall {
            since_1970,
            trusted: true,
        };
        bare(Seq(seq.into()), received)
    }

    fn got(texts: &SharedTexts, message: &Outgoing<'_>) -> Option<String> {
        let mut out = Vec::new();
        let found = texts.get(message, &mut out);
        found.then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_text_is_that_of_its_message_or_none() {
        let texts = SharedTexts::new();
        assert_eq!(got(&texts, &message(0, 5)), None);
        for seq in 0..1_000_u32 {
            let text = |seq: u32| format!("{seq}").repeat(1 + seq as usize % 300);
            texts.put(&message(seq, 5), text(seq).as_bytes());
            let kept = (seq.saturating_sub(300)..=seq).filter(|seq| {
                let found = got(&texts, &message(*seq, 5));
                found.is_some_and(|found| {
                    assert_eq!(found, text(*seq));
                    true
                })
            });
            // the long ones have some 1,200 bytes
            let kept = kept.count();
            assert!(
                kept > 40.min(seq as usize) && kept <= 256,
                "{kept} after {seq}"
            );
        }
        let last = message(999, 5);
        assert!(got(&texts, &last).is_some());
        assert_eq!(got(&texts, &Outgoing { ring: 8, ..last }), None);
        assert_eq!(got(&texts, &message(999, 6)), None);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let texts = SharedTexts::new();
        texts.put(&message(1, 5), &[b'x'; BYTES / 8 + 1]);
        assert_eq!(got(&texts, &message(1, 5)), None);
    }
}
