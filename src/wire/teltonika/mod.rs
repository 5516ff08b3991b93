//! Teltonika's AVL protocol: codec 8, 8 extended and 16, over TCP and UDP, read and written.
//!
//! It knows nothing of what an IO element means; `channel::teltonika` does. What comes through a
//! serial port (codec 12, 13 and 15) is read, too; codec 7 and 14 are told apart, not read.
//!
//! # Format
//! All integers are big-endian. Source: wiki.teltonika-gps.com, "Teltonika Data Sending Protocols".
//! ```text
//! login     u16 length │ ident, ASCII                              answer: 01 or 00
//! TCP       u32 0 │ u32 length of data │ data │ u32 CRC-16/ARC of data   answer: u32 records taken
//! UDP       u16 length of the rest │ u16 packet id │ 01 │ u8 AVL packet id │ login │ data
//! answer    u16 5 │ u16 packet id │ 01 │ u8 AVL packet id │ u8 records taken, from the first on
//!
//! data      u8 codec │ u8 count │ records │ u8 count
//! record    u64 ms since 1970 │ u8 priority │ i32 longitude │ i32 latitude │ i16 altitude m
//!           │ u16 direction │ u8 satellites │ u16 speed km/h │ elements
//! elements  event │ generation │ total │ for widths 1, 2, 4 and 8: count │ count × (id │ value)
//!           │ count │ count × (id │ u16 length │ bytes)
//!
//!                      event   generation  total and counts  id    last line
//! codec 8    (0x08)    u8      -           u8                u8    -
//! codec 8E   (0x8E)    u16     -           u16               u16   yes
//! codec 16   (0x10)    u16     u8          u8                u16   -
//!
//! serial    u8 codec │ u8 count │ u8 kind │ u32 length of the next three
//!           │ u32 seconds since 1970 │ 8 bytes IMEI │ bytes │ u8 count
//!           codec 12 (0x0C) has neither time nor IMEI, 13 (0x0D) no IMEI, 15 (0x0F) both
//! ```
//! Between TCP packets a byte of 0xFF may stand: the device keeps the connection alive.

mod decode;
mod encode;
mod serial;

pub use super::element::Element;
pub use super::element::ElementValue;
pub use decode::Frame;
pub use decode::FrameError;
pub use decode::PacketError;
pub use decode::frame;
pub use decode::login;
pub use encode::EncodeError;
pub use encode::encode_datagram;
pub use encode::encode_login;
pub use encode::encode_packet;
pub use serial::SerialData;

/// How the elements of a packet are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Codec 8: ids up to 255.
    Eight,
    /// Codec 8 extended: ids up to 65,535 and elements of any length.
    EightExtended,
    /// Codec 16: ids up to 65,535 and a generation type.
    Sixteen,
}

/// The data of one packet, borrowed from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// How it was written.
    pub codec: Codec,
    /// Its reports, oldest first as a rule; at most [`RECORDS_MAX`].
    pub records: Vec<Record<'a>>,
}

/// One report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was measured, milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// How urgent it is: 0 low, 1 high, 2 panic.
    pub priority: u8,
    /// Degrees times ten million, positive to the east.
    pub longitude_e7: i32,
    /// Degrees times ten million, positive to the north.
    pub latitude_e7: i32,
    /// Metres above the sea.
    pub altitude_m: i16,
    /// Degrees from north, clockwise; 0 to 359 as a rule.
    pub direction_deg: u16,
    /// How many satellites the receiver uses; 0: there is no fix, and the place is an old one.
    pub satellites: u8,
    /// Kilometres an hour.
    pub speed_km_h: u16,
    /// The id of the element that caused the report; 0: none did.
    pub event: u16,
    /// Codec 16 only: what about that element caused it.
    pub generation: Option<u8>,
    /// Its readings in the order of the packet: by width. At most [`ELEMENTS_MAX`].
    pub elements: Vec<Element<'a>>,
}

/// One UDP packet, its data not yet looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// What its answer repeats.
    pub key: DatagramKey,
    /// Who sent it, an IMEI as a rule; what it is was not looked at.
    pub ident: &'a [u8],
    /// What stands from the codec to the second count.
    pub data: &'a [u8],
}

/// By what a device knows which of its datagrams is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramKey {
    /// The number that the device gave the datagram.
    pub packet_id: u16,
    /// The number that it gave the packet in the datagram.
    pub avl_packet_id: u8,
}

/// The answer to a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which one is answered.
    pub key: DatagramKey,
    /// How many of its records were taken, from the first on.
    pub count: u8,
}

impl Codec {
    /// The byte that names it.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Eight => 0x08,
            Self::EightExtended => 0x8E,
            Self::Sixteen => 0x10,
        }
    }
}

impl Receipt {
    /// As it is sent.
    #[must_use]
    pub const fn encode(self) -> [u8; RECEIPT_LEN] {
        let [high, low] = self.key.packet_id.to_be_bytes();
        [
            0,
            5,
            high,
            low,
            PACKET_TYPE,
            self.key.avl_packet_id,
            self.count,
        ]
    }

    /// As a device reads it; none when the bytes are something else.
    #[must_use]
    pub const fn decode(bytes: &[u8]) -> Option<Self> {
        let [0, 5, high, low, PACKET_TYPE, avl_packet_id, count] = *bytes else {
            return None;
        };
        let packet_id = u16::from_be_bytes([high, low]);
        Some(Self {
            key: DatagramKey {
                packet_id,
                avl_packet_id,
            },
            count,
        })
    }
}

/// The answer to a login that is taken.
pub const ACCEPT: u8 = 0x01;

/// The answer to a login that is not.
pub const REJECT: u8 = 0x00;

/// What a device sends now and then to keep its connection; wants no answer.
pub const KEEP_ALIVE: u8 = 0xFF;

/// Longest data of one packet, in bytes; devices send at most 1,280 and nothing says so ahead.
pub const DATA_MAX: usize = 8 * 1024;

/// Longest ident at login, in bytes: an IMEI has 15.
pub const IDENT_MAX: usize = 64;

/// Most records of one packet: their count is one byte.
pub const RECORDS_MAX: usize = 255;

/// Most elements of one record: more than a packet of 1,280 bytes can have.
pub const ELEMENTS_MAX: usize = 512;

/// Length of a [`Receipt`], in bytes.
pub const RECEIPT_LEN: usize = 7;

/// The byte of UDP packets that is always this.
const PACKET_TYPE: u8 = 0x01;

/// Of the data of TCP packets.
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_ARC);
