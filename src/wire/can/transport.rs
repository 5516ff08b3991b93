//! Transport protocol of SAE J1939-21: messages of 9 to 1785 bytes. Read along, never answered.
//!
//! ```text
//! announcement  PGN EC00: 32 (BAM, for all) or 16 (RTS, for one) │ u16 bytes │ u8 packets
//!               │ u8 any │ u24 PGN
//! data          PGN EB00: u8 number, from 1 │ 7 bytes
//! between       PGN EC00 of the receiver: 17 goes on, 19 has all, 255 breaks off (of both)
//! ```
//! Little-endian. It ends with its last packet: whoever asked may be slow to say that he has all.

use super::assembly::Announced;
use super::assembly::Assemblies;
use super::assembly::FRAME_DATA;
use super::j1939::Address;
use super::j1939::TRANSPORT;
use super::j1939::TRANSPORT_DATA;
use std::time::Duration;

/// The messages that are on their way on a bus.
#[derive(Clone, Debug)]
pub struct Transport {
    sessions: Assemblies,
}

/// A message that came in several packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// What it says: the number of its parameter group.
    pub pgn: u32,
    /// All of it, 9 to 1785 bytes.
    pub data: Vec<u8>,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            sessions: Assemblies::new(SESSIONS_MAX),
        }
    }
}

impl Transport {
    /// Takes a frame of any PGN; gives the message that ends with it. Only messages of PGNs that
    /// `wants` takes are put together. `now` never goes back; after 750 ms of silence a message is
    /// given up.
    pub fn take(
        &mut self,
        now: Duration,
        address: Address,
        data: &[u8],
        wants: &dyn Fn(u32) -> bool,
    ) -> Option<Whole> {
        let there = key(address.source, address.receiver);
        match (address.pgn, data) {
            (TRANSPORT_DATA, [number, data @ ..]) => {
                let (pgn, data) = self.sessions.push(now, there, *number, data)?;
                return Some(Whole { pgn, data });
            }
            (TRANSPORT, [kind, rest @ ..]) => {
                let back = key(address.receiver, address.source);
                match *kind {
                    BAM | RTS => self.announced(now, there, rest, wants),
                    CTS => self.sessions.hear(now, back),
                    ABORT => {
                        self.sessions.end(there);
                        self.sessions.end(back);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        None
    }

    fn announced(&mut self, now: Duration, key: u64, data: &[u8], wants: &dyn Fn(u32) -> bool) {
        self.sessions.end(key);
        let &[low, high, packets, _, pgn_low, pgn_middle, pgn_high] = data else {
            return;
        };
        let len = usize::from(u16::from_le_bytes([low, high]));
        let tag = u32::from_le_bytes([pgn_low, pgn_middle, pgn_high, 0]);
        let fits = LENGTHS.contains(&len) && len.div_ceil(FRAME_DATA) == usize::from(packets);
        if fits && wants(tag) {
            let announced = Announced {
                key,
                tag,
                len,
                data: &[],
            };
            self.sessions.begin(now, announced);
        }
    }
}

/// The PGN that data of [`TRANSPORT`] announces, and how many packets follow; none where it
/// announces nothing.
#[must_use]
pub fn announced(data: &[u8]) -> Option<(u32, u8)> {
    let &[BAM | RTS, _, _, packets, _, low, middle, high] = data else {
        return None;
    };
    Some((u32::from_le_bytes([low, middle, high, 0]), packets))
}

fn key(source: u8, receiver: u8) -> u64 {
    u16::from_be_bytes([source, receiver]).into()
}

const BAM: u8 = 32;
const RTS: u8 = 16;
const CTS: u8 = 17;
const ABORT: u8 = 255;

/// What does not fit into one frame, up to 255 packets.
const LENGTHS: std::ops::RangeInclusive<usize> = 9..=1785;

/// Those that may be on their way at once: 29 KiB.
const SESSIONS_MAX: usize = 16;

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;

    const VIN: u32 = 0xFEEC;

    fn manage(source: u8, receiver: u8) -> Address {
        Address {
            pgn: TRANSPORT,
            source,
            receiver,
        }
    }

    fn data(source: u8, receiver: u8) -> Address {
        Address {
            pgn: TRANSPORT_DATA,
            source,
            receiver,
        }
    }

    fn announcement(kind: u8, len: u16, packets: u8) -> Vec<u8> {
        let [low, high] = len.to_le_bytes();
        vec![kind, low, high, packets, 0xFF, 0xEC, 0xFE, 0]
    }

    #[test]
    fn what_is_announced_has_a_pgn_and_packets() {
        for (kind, packets) in [(BAM, Some((VIN, 3))), (RTS, Some((VIN, 3))), (CTS, None)] {
            assert_eq!(announced(&announcement(kind, 18, 3)), packets);
        }
        assert_eq!(announced(&announcement(BAM, 18, 3)[..7]), None);
    }

    struct Bus(Transport, Duration);

    impl Bus {
        fn new() -> Self {
            Self(Transport::default(), Duration::from_secs(1))
        }

        fn send(&mut self, address: Address, data: &[u8]) -> Option<Vec<u8>> {
            self.1 += Duration::from_millis(10);
            let wants = |pgn: u32| pgn == VIN;
            let whole = self.0.take(self.1, address, data, &wants)?;
            assert_eq!(whole.pgn, VIN);
            Some(whole.data)
        }
    }

    #[test]
    fn packets_in_their_order_are_a_message() {
        let mut bus = Bus::new();
        bus.send(manage(0, 255), &announcement(BAM, 10, 2));
        assert_eq!(bus.send(data(0, 255), b"\x01abcdefg"), None);
        // of others, in between
        assert_eq!(bus.send(data(1, 255), b"\x02abcdefg"), None);
        assert_eq!(bus.send(data(0, 7), b"\x02abcdefg"), None);
        let whole = bus.send(data(0, 255), b"\x02hij\xff\xff\xff\xff");
        assert_eq!(whole.as_deref(), Some(&b"abcdefghij"[..]));
        assert_eq!(bus.send(data(0, 255), b"\x02hij\xff\xff\xff\xff"), None);
    }

    #[test]
    fn the_longest_message_is_read() {
        let mut bus = Bus::new();
        bus.send(manage(0, 255), &announcement(BAM, 1785, 255));
        let mut whole = None;
        for number in 1..=255 {
            assert_eq!(whole, None);
            whole = bus.send(data(0, 255), &[number; 8]);
        }
        assert_eq!(whole.unwrap().len(), 1785);
    }

    #[test]
    fn a_transfer_between_two_others_is_read_along() {
        let mut bus = Bus::new();
        bus.send(manage(7, 9), &announcement(RTS, 9, 2));
        bus.1 += Duration::from_millis(700);
        bus.send(manage(9, 7), &[CTS, 2, 1, 255, 255, 0xEC, 0xFE, 0]);
        bus.1 += Duration::from_millis(700);
        assert_eq!(bus.send(data(7, 9), b"\x01abcdefg"), None);
        assert_eq!(bus.send(data(7, 9), b"\x02hi"), Some(b"abcdefghi".to_vec()));
    }

    #[test]
    fn what_does_not_follow_ends_it() {
        type Sent<'a> = &'a [(Address, &'a [u8])];
        let cases: [(&str, Sent<'_>); 5] = [
            ("a number is left out", &[(data(0, 255), b"\x03abcdefg")]),
            (
                "too little",
                &[(data(0, 255), b"\x01abc"), (data(0, 255), b"\x01abcdefg")],
            ),
            (
                "broken off",
                &[
                    (manage(0, 255), &[ABORT; 8]),
                    (data(0, 255), b"\x01abcdefg"),
                ],
            ),
            (
                "broken off by the other",
                &[
                    (manage(255, 0), &[ABORT; 8]),
                    (data(0, 255), b"\x01abcdefg"),
                ],
            ),
            (
                "announced anew, and wrong",
                &[
                    (manage(0, 255), &[BAM, 255, 255, 2, 255, 0xEC, 0xFE, 0]),
                    (data(0, 255), b"\x01abcdefg"),
                ],
            ),
        ];
        for (name, sent) in cases {
            let mut bus = Bus::new();
            bus.send(manage(0, 255), &announcement(BAM, 10, 2));
            for (address, data) in sent {
                assert_eq!(bus.send(*address, data), None, "{name}");
            }
            assert_eq!(bus.send(data(0, 255), b"\x02hijklmn"), None, "{name}");
        }
    }

    #[test]
    fn a_silence_ends_it() {
        for (silence, read) in [(740, true), (741, false)] {
            let mut bus = Bus::new();
            bus.send(manage(0, 255), &announcement(BAM, 10, 2));
            bus.send(data(0, 255), b"\x01abcdefg");
            bus.1 += Duration::from_millis(silence);
            let whole = bus.send(data(0, 255), b"\x02hijklmn");
            assert_eq!(whole.is_some(), read, "{silence}");
        }
    }

    #[test]
    fn lengths_that_lie_and_what_nobody_wants_are_passed_over() {
        let mut unwanted = announcement(BAM, 10, 2);
        unwanted[5] = 0;
        for announcement in [
            announcement(BAM, 8, 2),
            announcement(BAM, 1786, 255),
            announcement(BAM, 10, 3),
            announcement(BAM, 15, 2),
            announcement(BAM, 10, 2)[..7].to_vec(),
            unwanted,
        ] {
            let mut bus = Bus::new();
            bus.send(manage(0, 255), &announcement);
            assert!(bus.0.sessions.is_empty());
        }
    }

    #[test]
    fn only_so_many_are_kept_and_the_silent_ones_go_first() {
        let mut bus = Bus::new();
        for source in 0..=u8::try_from(SESSIONS_MAX).unwrap() {
            bus.send(manage(source, 255), &announcement(BAM, 10, 2));
        }
        for (source, kept) in [(0, false), (1, true), (16, true)] {
            bus.send(data(source, 255), b"\x01abcdefg");
            let whole = bus.send(data(source, 255), b"\x02hijklmn");
            assert_eq!(whole.is_some(), kept, "{source}");
        }
    }
}
