//! Answers that a connection still owes, for trackers that wait for one after each packet.
//!
//! Such a device takes the next answer that comes for that of its oldest packet, deletes what was
//! answered and sends again what was not. So answers keep the order of their packets, none is sent
//! before its messages are safe, and a packet that comes again while its answer is owed brings
//! neither a second message nor a second answer.
//!
//! Others never wait: they send all that they kept while there was no network in one go. Where too
//! much is owed nothing more of it is read, until something was answered.
//!
//! # How to use it
//! ```text
//! let packet = Digest::of(bytes);
//! if self.owed.is_repeated(packet) {
//!     return Ok(());
//! }
//! match intake.submit(&mut batch) {
//!     // asks for `on_durable` itself
//!     Ok(()) => self.owed.when_durable(packet, &taken, intake),
//!     // or nothing, where a protocol has no word for it
//!     Err(_) => self.owed.in_turn(packet, &refused, out),
//! }
//! fn on_durable(&mut self, _: u64, out: &mut Vec<u8>) { self.owed.on_durable(out) }
//! fn is_blocked(&self) -> bool { self.owed.is_full() }
//! ```
//! `receive` takes a packet only while [`OwedAnswers::has_room`]. An answer is any bytes, made when
//! its packet comes. What a protocol answers at once (logins, heartbeats, refusals) goes through
//! [`OwedAnswers::in_turn`]: it is sent at once where nothing is owed, else behind what is. A
//! datagram socket that serves all senders cannot use this; one with a session a sender
//! ([`super::kind::Datagrams::BySender`]) can.

use super::Intake;
use super::kind::Units;
use std::collections::VecDeque;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

/// The answers of one connection that cannot be sent yet.
#[derive(Debug, Default)]
pub(super) struct OwedAnswers {
    /// In the order of their packets; the first one waits. At most [`OWED_MAX`], and those of the
    /// last datagram.
    owed: VecDeque<Owed>,
    /// Their bytes, one behind the other.
    bytes: VecDeque<u8>,
}

/// An answer that cannot be sent yet.
#[derive(Debug)]
struct Owed {
    packet: Digest,
    len: usize,
    /// Whether it waits for nothing but its turn.
    ready: bool,
}

/// Tells a packet that is sent again from a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest(u64);

impl Digest {
    /// Of what is the same when a packet is sent again.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl OwedAnswers {
    /// Whether no answer waits.
    pub(super) fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// Whether the answer to the same packet is still owed. A second answer to it would be taken
    /// for the answer to the packet that follows.
    pub(super) fn is_repeated(&self, packet: Digest) -> bool {
        self.owed.iter().any(|owed| owed.packet == packet)
    }

    /// Whether so much is owed that nothing more is to be read: see [`super::Session::is_blocked`].
    pub(super) fn is_full(&self) -> bool {
        self.owed.len() >= OWED_MAX
    }

    /// Whether one more packet may be taken. What is left of a stream waits; of a datagram nothing
    /// can be left.
    pub(super) fn has_room(&self, units: Units) -> bool {
        units == Units::Datagram || !self.is_full()
    }

    /// Owes `answer` until all that was taken so far is safe, and those before it are sent.
    pub(super) fn when_durable(&mut self, packet: Digest, answer: &[u8], intake: &mut dyn Intake) {
        self.push(packet, answer, false);
        intake.ack_when_durable(0);
    }

    /// Sends `answer`, behind those that are owed.
    pub(super) fn in_turn(&mut self, packet: Digest, answer: &[u8], out: &mut Vec<u8>) {
        if self.is_empty() {
            out.extend_from_slice(answer);
        } else {
            self.push(packet, answer, true);
        }
    }

    /// The oldest answer that waited to be safe may be sent, and those that waited behind it.
    pub(super) fn on_durable(&mut self, out: &mut Vec<u8>) {
        if let Some(first) = self.owed.front_mut() {
            first.ready = true;
        }
        while let Some(owed) = self.owed.pop_front_if(|owed| owed.ready) {
            out.extend(self.bytes.drain(..owed.len));
        }
    }

    fn push(&mut self, packet: Digest, answer: &[u8], ready: bool) {
        self.owed.push_back(Owed {
            packet,
            len: answer.len(),
            ready,
        });
        self.bytes.extend(answer);
    }
}

/// Most answers owed at once on one connection; a device that keeps to its protocol owes one.
const OWED_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::BatchRefusal;
    use crate::channel::InputError;
    use crate::clock::Now;
    use crate::message::Message;

    /// Counts what is asked for.
    struct Asked(usize);

    impl Intake for Asked {
        fn now(&self) -> Now {
            unreachable!()
        }
        fn check_ident(&mut self, _: &str) -> Result<(), BatchRefusal> {
            unreachable!()
        }
        fn submit(&mut self, _: &mut [Message]) -> Result<(), BatchRefusal> {
            unreachable!()
        }
        fn ack_when_durable(&mut self, _: u64) {
            self.0 += 1;
        }
        fn malformed(&mut self, _: InputError, _: &str) {}
    }

    #[test]
    fn what_is_answered_at_once_stands_behind_what_is_owed() {
        let (mut answers, mut asked) = (OwedAnswers::default(), Asked(0));
        let mut out = Vec::new();
        answers.in_turn(Digest::of(b"0"), b"now", &mut out);
        assert_eq!((&*out, answers.is_empty()), (&b"now"[..], true));
        out.clear();
        answers.when_durable(Digest::of(b"1"), b"first", &mut asked);
        answers.in_turn(Digest::of(b"2"), b"", &mut out);
        answers.in_turn(Digest::of(b"3"), b"third", &mut out);
        answers.when_durable(Digest::of(b"4"), b"fourth", &mut asked);
        answers.in_turn(Digest::of(b"5"), b"fifth", &mut out);
        assert_eq!((&*out, asked.0), (&b""[..], 2));
        answers.on_durable(&mut out);
        assert_eq!(out, b"firstthird");
        answers.on_durable(&mut out);
        assert_eq!(out, b"firstthirdfourthfifth");
        assert!(answers.is_empty() && answers.bytes.is_empty());
        answers.on_durable(&mut out);
    }

    #[test]
    fn a_packet_is_the_same_for_as_long_as_its_answer_is_owed() {
        let (mut answers, mut asked) = (OwedAnswers::default(), Asked(0));
        let mut out = Vec::new();
        let [first, second] = [b"1", b"2"].map(|bytes| Digest::of(bytes));
        assert!(!answers.is_repeated(first));
        answers.when_durable(first, b"x", &mut asked);
        answers.in_turn(second, b"y", &mut out);
        assert!(answers.is_repeated(first));
        assert!(answers.is_repeated(second));
        answers.on_durable(&mut out);
        assert!(!answers.is_repeated(first));
        assert!(!answers.is_repeated(second));
    }

    #[test]
    fn a_device_that_never_waits_has_to_wait_when_much_is_owed() {
        let (mut answers, mut asked) = (OwedAnswers::default(), Asked(0));
        let mut out = Vec::new();
        for packet in 0..OWED_MAX {
            assert!(!answers.is_full() && answers.has_room(Units::Bytes));
            answers.when_durable(Digest::of(&packet.to_be_bytes()), b"x", &mut asked);
        }
        assert!(answers.is_full() && !answers.has_room(Units::Bytes));
        assert!(answers.has_room(Units::Datagram));
        answers.on_durable(&mut out);
        assert!(!answers.is_full() && answers.has_room(Units::Bytes));
    }
}
