//! Frames of a CAN bus: as the kernel and `candump` give them, and what is carried in several of
//! them. What a signal means is said in `channel::can`.
//!
//! # Sources
//! linux/can.h and can-utils' log format for frames, SAE J1939-21 for its ids and transport, the
//! canboat project for fast packets, ISO 15765-2 for ISO-TP.

mod assembly;
pub mod bits;
pub mod candump;
pub mod dbc;
pub mod fast_packet;
pub mod isotp;
pub mod j1939;
pub mod socket;
pub mod transport;

/// One frame, with a copy of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it says, as a rule; of J1939 and OBD-II also who says it to whom.
    pub id: Id,
    /// Whether it brings data.
    pub kind: Kind,
    /// Whether it is of CAN FD: up to 64 bytes, and [`flags`](Frame::flags).
    pub fd: bool,
    /// Bits of CAN FD: 1 the data had the faster bit rate, 2 the sender is error passive; 0 else.
    pub flags: u8,
    len: u8,
    data: [u8; DATA_MAX],
}

/// The identifier of a frame; the same number of another width is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// 11 bits.
    Standard(u16),
    /// 29 bits.
    Extended(u32),
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It brings data.
    Data,
    /// It asks for the data of its id, and has none.
    Remote,
    /// The kernel tells of the bus; its id has the classes of what happened, see [`BUS_OFF`].
    Error,
}

impl Frame {
    /// A frame with data, of CAN FD where there is more than 8 bytes; none beyond [`DATA_MAX`].
    #[must_use]
    pub fn new(id: Id, data: &[u8]) -> Option<Self> {
        let mut kept = [0; DATA_MAX];
        kept.get_mut(..data.len())?.copy_from_slice(data);
        Some(Self {
            id,
            kind: Kind::Data,
            fd: data.len() > CLASSIC_MAX,
            flags: 0,
            len: u8::try_from(data.len()).ok()?,
            data: kept,
        })
    }

    /// Its data: up to 8 bytes, of CAN FD up to 64; none of a remote frame.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.data.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl Id {
    /// An id of 11 bits; none where there are more.
    #[must_use]
    pub fn standard(id: u32) -> Option<Self> {
        let fits = id <= STANDARD_MAX;
        u16::try_from(id).ok().filter(|_| fits).map(Self::Standard)
    }

    /// An id of 29 bits; none where there are more.
    #[must_use]
    pub fn extended(id: u32) -> Option<Self> {
        (id <= EXTENDED_MAX).then_some(Self::Extended(id))
    }
}

/// Most data of a frame, in bytes.
pub const DATA_MAX: usize = 64;

/// Most data of a frame that is not of CAN FD.
pub const CLASSIC_MAX: usize = 8;

/// Class of an error: the controller has left the bus.
pub const BUS_OFF: u32 = 0x40;

const STANDARD_MAX: u32 = 0x7FF;
const EXTENDED_MAX: u32 = 0x1FFF_FFFF;
