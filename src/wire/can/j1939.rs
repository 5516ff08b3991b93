//! Ids of SAE J1939, and NMEA 2000, which has the same.
//!
//! ```text
//! bits 26-28     24-25          16-23  8-15   0-7
//! priority 0-7 │ page, 2 bits │ PF   │ PS   │ source
//!
//! PF < 240    PS is the receiver, the PGN ends with 00
//! else        PS is the end of the PGN; it is for all
//! ```

use super::Id;

/// An id taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// What the frame says: the number of its parameter group, up to [`PGN_MAX`].
    pub pgn: u32,
    /// The address of who sent it.
    pub source: u8,
    /// The address of whom it is for; [`ALL`] where it is for all.
    pub receiver: u8,
}

impl Address {
    /// Of the id of a frame; none of one that has 11 bits.
    #[must_use]
    pub fn of(id: Id) -> Option<Self> {
        let Id::Extended(id) = id else { return None };
        let [page, format, specific, source] = id.to_be_bytes();
        let page = u32::from(page & 3) << 16 | u32::from(format) << 8;
        let (pgn, receiver) = match is_for_one(format) {
            true => (page, specific),
            false => (page | u32::from(specific), ALL),
        };
        Some(Self {
            pgn,
            source,
            receiver,
        })
    }
}

/// Value and mask of the ids of a PGN, of any priority, source and receiver: an id is one of them
/// where its bits under the mask are the value.
#[must_use]
pub const fn filter(pgn: u32) -> (u32, u32) {
    let [_, _, format, _] = pgn.to_be_bytes();
    let specific = if is_for_one(format) { 0 } else { 0xFF };
    (pgn << 8, 0x03FF_0000 | specific << 8)
}

/// The id, of 29 bits, and the data of a frame that asks all for a PGN (59904); `source` is the
/// address of who asks.
#[must_use]
pub const fn request(pgn: u32, source: u8) -> (u32, [u8; 3]) {
    let id = u32::from_be_bytes([0x18, 0xEA, ALL, source]);
    let [low, middle, high, _] = pgn.to_le_bytes();
    (id, [low, middle, high])
}

/// Whether there is such a group: of those for one receiver the last byte is 0.
#[must_use]
pub const fn is_pgn(pgn: u32) -> bool {
    let [_, _, format, specific] = pgn.to_be_bytes();
    pgn <= PGN_MAX && (specific == 0 || !is_for_one(format))
}

const fn is_for_one(format: u8) -> bool {
    format < 240
}

/// The last group: 18 bits.
pub const PGN_MAX: u32 = 0x3_FFFF;

/// The receiver that is all.
pub const ALL: u8 = 0xFF;

/// Transport: announcements and their answers.
pub const TRANSPORT: u32 = 0xEC00;

/// Transport: data.
pub const TRANSPORT_DATA: u32 = 0xEB00;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_who_and_for_whom() {
        for (id, pgn, source, receiver) in [
            (0x18FE_F127, 0xFEF1, 0x27, ALL),
            (0x0CF0_0400, 0xF004, 0, ALL),
            (0x18EA_FF21, 0xEA00, 0x21, 0xFF),
            (0x1CEC_00F9, 0xEC00, 0xF9, 0),
            (0x09F8_0117, 0x1F801, 0x17, ALL),
            (0x1FFF_FFFF, 0x3FFFF, 0xFF, ALL),
        ] {
            let address = Address {
                pgn,
                source,
                receiver,
            };
            let id = Id::Extended(id);
            assert_eq!(Address::of(id), Some(address), "{id:?}");
        }
        assert_eq!(Address::of(Id::Standard(0x123)), None);
    }

    #[test]
    fn a_request_is_for_all() {
        assert_eq!(request(65260, 0xF9), (0x18EA_FFF9, [0xEC, 0xFE, 0]));
        let (id, data) = request(0x1_F004, 0x21);
        assert_eq!((id, data), (0x18EA_FF21, [0x04, 0xF0, 1]));
        for (pgn, is_one) in [
            (0xFEEC, true),
            (0xEF00, true),
            (0xEF01, false),
            (0x3_FFFF, true),
            (0x4_FF00, false),
        ] {
            assert_eq!(is_pgn(pgn), is_one, "{pgn:x}");
        }
    }

    #[test]
    fn a_filter_lets_its_pgn_through_and_no_other() {
        let passes = |id: u32, pgn| (id ^ filter(pgn).0) & filter(pgn).1 == 0;
        assert!(passes(0x18FE_F127, 0xFEF1) && passes(0x0CFE_F100, 0xFEF1));
        assert!(!passes(0x18FE_F027, 0xFEF1) && !passes(0x19FE_F127, 0xFEF1));
        assert!(passes(0x1CEC_00F9, TRANSPORT) && passes(0x1CEC_FF00, TRANSPORT));
        assert!(!passes(0x1CEB_FF00, TRANSPORT));
    }
}
