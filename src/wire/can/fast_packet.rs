//! Fast packets of NMEA 2000: messages of up to 223 bytes.
//!
//! ```text
//! first   order, 3 bits │ number 0, 5 bits │ u8 bytes │ 6 bytes
//! others  order, 3 bits │ number, 5 bits   │ 7 bytes
//! ```
//! All frames of one message have the same order. Which PGNs come so, no frame says.

use super::assembly::Announced;
use super::assembly::Assemblies;
use super::j1939::Address;
use std::time::Duration;

/// The messages that are on their way on a bus.
#[derive(Clone, Debug)]
pub struct FastPackets {
    sessions: Assemblies,
}

impl Default for FastPackets {
    fn default() -> Self {
        Self {
            sessions: Assemblies::new(SESSIONS_MAX),
        }
    }
}

impl FastPackets {
    /// Takes a frame of a PGN that comes so; gives the message that ends with it, without what
    /// fills it up. `now` never goes back; after 750 ms of silence a message is given up.
    pub fn take(&mut self, now: Duration, address: Address, data: &[u8]) -> Option<Vec<u8>> {
        let (head, data) = data.split_first()?;
        let (order, number) = (head >> 5, head & 0x1F);
        let key = u64::from(address.pgn) << 16 | u64::from(address.source) << 8;
        let key = key | u64::from(order);
        if number > 0 {
            let (_, data) = self.sessions.push(now, key, number, data)?;
            return Some(data);
        }
        self.sessions.end(key);
        let (len, data) = data.split_first()?;
        let len = usize::from(*len);
        let data = data.get(..len.min(FIRST_DATA))?;
        if len > LEN_MAX || len <= FIRST_DATA {
            return (len <= FIRST_DATA).then(|| data.to_vec());
        }
        let announced = Announced {
            key,
            tag: address.pgn,
            len,
            data,
        };
        self.sessions.begin(now, announced);
        None
    }
}

/// Bytes of a message in its first frame.
const FIRST_DATA: usize = 6;

/// Bytes of the longest: 32 frames.
const LEN_MAX: usize = 223;

/// Those that may be on their way at once: 7 KiB.
const SESSIONS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const GNSS: Address = Address {
        pgn: 129_029,
        source: 3,
        receiver: 255,
    };
    const OTHER: Address = Address { source: 4, ..GNSS };

    fn take(bus: &mut FastPackets, millis: u64, address: Address, data: &[u8]) -> Option<Vec<u8>> {
        bus.take(Duration::from_millis(millis), address, data)
    }

    #[test]
    fn frames_in_their_order_are_a_message() {
        let mut bus = FastPackets::default();
        assert_eq!(take(&mut bus, 0, GNSS, b"\x40\x0fabcdef"), None);
        assert_eq!(take(&mut bus, 0, OTHER, b"\x40\x0fABCDEF"), None);
        assert_eq!(take(&mut bus, 0, GNSS, b"\x41ghijklm"), None);
        assert_eq!(
            take(&mut bus, 1, GNSS, b"\x60\x06123456"),
            Some(b"123456".to_vec())
        );
        let whole = take(&mut bus, 2, GNSS, b"\x42no\xff\xff\xff\xff\xff");
        assert_eq!(whole, Some(b"abcdefghijklmno".to_vec()));
        assert_eq!(
            take(&mut bus, 2, OTHER, b"\x42no\xff\xff\xff\xff\xff"),
            None
        );
    }

    #[test]
    fn the_longest_message_is_read() {
        let mut bus = FastPackets::default();
        let mut whole = take(&mut bus, 0, GNSS, &[0, 223, 0, 0, 0, 0, 0, 0]);
        for number in 1..=31 {
            assert_eq!(whole, None);
            whole = take(&mut bus, 0, GNSS, &[number; 8]);
        }
        assert_eq!(whole.unwrap().len(), 223);
        assert_eq!(take(&mut bus, 0, GNSS, &[0, 224, 0, 0, 0, 0, 0, 0]), None);
        assert!(bus.sessions.is_empty());
    }

    #[test]
    fn what_does_not_follow_ends_it() {
        for (millis, second) in [
            (0, &b"\x42ghijklm"[..]),
            (751, b"\x41ghijklm"),
            (0, b"\x41ghi"),
            (0, b"\x61ghijklm"),
            (0, b""),
        ] {
            let mut bus = FastPackets::default();
            take(&mut bus, 0, GNSS, b"\x40\x0fabcdef");
            assert_eq!(take(&mut bus, millis, GNSS, second), None);
            assert_eq!(take(&mut bus, millis, GNSS, b"\x42nopqrst"), None);
        }
    }
}
