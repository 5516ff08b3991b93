//! ISO-TP, ISO 15765-2: what is longer than one frame, as OBD-II has it.
//!
//! ```text
//! single       0n │ n bytes
//! first        1n nn │ 6 bytes            of nnn bytes
//! consecutive  2n │ 7 bytes               n from 1, after 15 comes 0
//! flow         30 │ 00 all │ 00 at once   of the one that receives
//! ```

use super::CLASSIC_MAX;
use super::assembly::Growing;

/// What several senders are saying.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// At most [`SENDERS_MAX`].
    sessions: Vec<Session>,
}

#[derive(Clone, Debug)]
struct Session {
    sender: u8,
    growing: Growing,
}

/// What a frame brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A whole message.
    Whole(Vec<u8>),
    /// The first 6 bytes of a message of up to 255: the rest comes after [`FLOW`].
    Head(Vec<u8>),
    /// One more part of a message, which is not its last.
    Part,
    /// Nothing that can be read, or that follows what was there.
    Nothing,
}

impl Incoming {
    /// Takes the data of a frame of a sender. A part that does not follow ends what it has begun.
    pub fn take(&mut self, sender: u8, data: &[u8]) -> Step {
        let Some((head, rest)) = data.split_first() else {
            return Step::Nothing;
        };
        let number = head & 0xF;
        let step = match head >> 4 {
            0 => {
                self.end(sender);
                let len = usize::from(number);
                let data = rest.get(..len).filter(|data| !data.is_empty());
                data.map(|data| Step::Whole(data.to_vec()))
            }
            1 => self.first(sender, number, rest),
            2 => self.consecutive(sender, number, rest),
            _ => None,
        };
        step.unwrap_or(Step::Nothing)
    }

    /// Nothing more of what was begun is awaited.
    pub fn clear(&mut self) {
        self.sessions.clear();
    }

    fn first(&mut self, sender: u8, high: u8, rest: &[u8]) -> Option<Step> {
        self.end(sender);
        let (low, data) = rest.split_first()?;
        let len = usize::from(u16::from_be_bytes([high, *low]));
        let fits = (CLASSIC_MAX..=LEN_MAX).contains(&len) && data.len() == FIRST_DATA;
        if !fits || self.sessions.len() >= SENDERS_MAX {
            return None;
        }
        self.sessions.push(Session {
            sender,
            growing: Growing::new(0xF, len, data),
        });
        Some(Step::Head(data.to_vec()))
    }

    fn consecutive(&mut self, sender: u8, number: u8, rest: &[u8]) -> Option<Step> {
        let at = self.sessions.iter().position(|it| it.sender == sender)?;
        let whole = self.sessions.get_mut(at)?.growing.push(number, rest);
        if whole == Some(false) {
            return Some(Step::Part);
        }
        let session = self.sessions.swap_remove(at);
        whole.map(|_| Step::Whole(session.growing.data))
    }

    fn end(&mut self, sender: u8) {
        self.sessions.retain(|session| session.sender != sender);
    }
}

/// The data of a frame that says these bytes, filled up to 8; none of more than 7.
#[must_use]
pub fn single(bytes: &[u8]) -> Option<[u8; CLASSIC_MAX]> {
    let mut data = [FILL; CLASSIC_MAX];
    let (head, rest) = data.split_first_mut()?;
    *head = u8::try_from(bytes.len()).ok()?;
    rest.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(data)
}

/// The data of the frame that asks for all the rest at once.
pub const FLOW: [u8; CLASSIC_MAX] = [0x30, 0, 0, FILL, FILL, FILL, FILL, FILL];

/// What is left of a frame is filled with.
const FILL: u8 = 0x55;

const FIRST_DATA: usize = 6;

/// Longest message that is read: what OBD-II says is short.
const LEN_MAX: usize = 255;

/// Units that answer one question.
const SENDERS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_messages_are_one_frame() {
        let mut incoming = Incoming::default();
        assert_eq!(
            incoming.take(0, b"\x03abcdefg"),
            Step::Whole(b"abc".to_vec())
        );
        assert_eq!(
            incoming.take(0, b"\x07abcdefg"),
            Step::Whole(b"abcdefg".to_vec())
        );
        for none in [
            &b""[..],
            b"\0abcdefg",
            b"\x08abcdefg",
            b"\x03ab",
            b"\x30\0\0",
            b"\xf1a",
        ] {
            assert_eq!(incoming.take(0, none), Step::Nothing, "{none:?}");
        }
        assert_eq!(single(b"ab"), Some(*b"\x02abUUUUU"));
        assert_eq!(single(b"abcdefgh"), None);
    }

    #[test]
    fn long_messages_come_in_their_order() {
        let mut incoming = Incoming::default();
        let bytes: Vec<u8> = (0..=254).collect();
        let step = incoming.take(3, &[&[0x10, 255], &bytes[..6]].concat());
        assert_eq!(step, Step::Head(bytes[..6].to_vec()));
        let mut last = Step::Nothing;
        for (number, part) in (1_u8..).zip(bytes[6..].chunks(7)) {
            last = incoming.take(3, &[&[0x20 | number & 0xF], part, &[0x55; 7]].concat()[..8]);
            assert_eq!(incoming.take(4, &[0x20 | number & 0xF; 8]), Step::Nothing);
        }
        assert_eq!(last, Step::Whole(bytes));
        assert!(incoming.sessions.is_empty());
    }

    #[test]
    fn what_does_not_follow_ends_it() {
        for wrong in [&b"\x22ghijklm"[..], b"\x21gh", b"\x03abcdefg"] {
            let mut incoming = Incoming::default();
            incoming.take(0, b"\x10\x0dabcdef");
            incoming.take(0, wrong);
            assert_eq!(incoming.take(0, b"\x21ghijklm"), Step::Nothing, "{wrong:?}");
        }
        let mut incoming = Incoming::default();
        for none in [
            &b"\x10\x07abcdef"[..],
            b"\x11\x00abcdef",
            b"\x10\x0dabcde",
            b"\x10",
        ] {
            assert_eq!(incoming.take(0, none), Step::Nothing, "{none:?}");
        }
        for sender in 0..20 {
            incoming.take(sender, b"\x10\x0dabcdef");
        }
        assert_eq!(incoming.sessions.len(), SENDERS_MAX);
    }
}
