//! Reads what a device sends: logins, packets, datagrams.
//!
//! It does not answer, and it does not look for the next packet behind a broken one.

use super::CRC;
use super::Codec;
use super::DATA_MAX;
use super::Datagram;
use super::DatagramKey;
use super::ELEMENTS_MAX;
use super::Element;
use super::ElementValue;
use super::IDENT_MAX;
use super::Packet;
use super::Record;
use std::fmt;

/// One TCP packet, cut out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What stands from the codec to the second count, which the checksum is of: 1 to [`DATA_MAX`]
    /// bytes.
    pub data: &'a [u8],
    /// Its checksum as sent.
    pub crc: u32,
    /// Bytes of the stream that it took, preamble and checksum among them.
    pub len: usize,
}

/// Why no packet or login can start here: where the next would start is unknown too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Not the four zeros that a packet starts with.
    Preamble(u32),
    /// No data, or more than [`DATA_MAX`].
    Length(u32),
    /// No ident, or one of more than [`IDENT_MAX`] bytes.
    Ident(u16),
}

/// Why data are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketError {
    /// They end before what they announce, or a datagram has not the length that it names.
    Length,
    /// This many bytes follow the second count.
    Trailing(usize),
    /// The two counts of records differ.
    Counts(u8, u8),
    /// A record has this many elements, more than [`ELEMENTS_MAX`].
    Elements(usize),
    /// Commands and other known kinds without reports: codec 7 and 12 to 15.
    OtherCodec(u8),
    /// A codec that is not known.
    UnknownCodec(u8),
}

/// Takes the login at the head of `input`: the ident and how many bytes it took. None: more of it
/// is to come.
///
/// # Errors
/// [`FrameError::Ident`], as soon as two bytes of it are there.
pub fn login(input: &[u8]) -> Result<Option<(&[u8], usize)>, FrameError> {
    let Some((len, rest)) = input.split_first_chunk::<2>() else {
        return Ok(None);
    };
    let len = u16::from_be_bytes(*len);
    let wanted = usize::from(len);
    if wanted == 0 || wanted > IDENT_MAX {
        return Err(FrameError::Ident(len));
    }
    Ok(rest
        .get(..wanted)
        .map(|ident| (ident, wanted.saturating_add(2))))
}

/// Takes the packet at the head of `input`. None: more of it is to come.
///
/// # Errors
/// As soon as the bytes that are wrong are there.
pub fn frame(input: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let preamble = input
        .iter()
        .take(4)
        .fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
    if preamble != 0 {
        return Err(FrameError::Preamble(preamble));
    }
    let Some((head, rest)) = input.split_first_chunk::<8>() else {
        return Ok(None);
    };
    let [_, _, _, _, length @ ..] = *head;
    let length = u32::from_be_bytes(length);
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    if wanted == 0 || wanted > DATA_MAX {
        return Err(FrameError::Length(length));
    }
    let Some((data, rest)) = rest.split_at_checked(wanted) else {
        return Ok(None);
    };
    let Some(crc) = rest.first_chunk::<4>() else {
        return Ok(None);
    };
    let crc = u32::from_be_bytes(*crc);
    Ok(Some(Frame {
        data,
        crc,
        len: wanted.saturating_add(12),
    }))
}

impl Frame<'_> {
    /// Whether its checksum fits. Nothing of one that is not intact can be relied on.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        u32::from(CRC.checksum(self.data)) == self.crc
    }
}

impl<'a> Datagram<'a> {
    /// Reads one whole datagram up to its data.
    ///
    /// # Errors
    /// [`PacketError::Length`] when one of its lengths is not true.
    pub fn decode(input: &'a [u8]) -> Result<Self, PacketError> {
        let mut input = Reader(input);
        let length = usize::from(input.u16()?);
        if length != input.0.len() {
            return Err(PacketError::Length);
        }
        let packet_id = input.u16()?;
        let _packet_type = input.u8()?;
        let avl_packet_id = input.u8()?;
        let ident_len = usize::from(input.u16()?);
        let ident = input.bytes(ident_len)?;
        Ok(Self {
            key: DatagramKey {
                packet_id,
                avl_packet_id,
            },
            ident,
            data: input.0,
        })
    }
}

impl<'a> Packet<'a> {
    /// Reads data whole: every record, and nothing behind the second count.
    ///
    /// # Errors
    /// See [`PacketError`].
    pub fn decode(data: &'a [u8]) -> Result<Self, PacketError> {
        let mut data = Reader(data);
        let codec = Codec::decode(data.u8()?)?;
        let count = data.u8()?;
        let mut records = Vec::with_capacity(count.into());
        for _ in 0..count {
            records.push(data.record(codec)?);
        }
        let repeated = data.u8()?;
        if repeated != count {
            return Err(PacketError::Counts(count, repeated));
        }
        if !data.0.is_empty() {
            return Err(PacketError::Trailing(data.0.len()));
        }
        Ok(Self { codec, records })
    }
}

impl Codec {
    fn decode(byte: u8) -> Result<Self, PacketError> {
        match byte {
            0x08 => Ok(Self::Eight),
            0x8E => Ok(Self::EightExtended),
            0x10 => Ok(Self::Sixteen),
            0x07 | 0x0C..=0x0F => Err(PacketError::OtherCodec(byte)),
            _ => Err(PacketError::UnknownCodec(byte)),
        }
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn record(&mut self, codec: Codec) -> Result<Record<'a>, PacketError> {
        Ok(Record {
            time_ms: self.u64()?,
            priority: self.u8()?,
            longitude_e7: self.u32()?.cast_signed(),
            latitude_e7: self.u32()?.cast_signed(),
            altitude_m: self.u16()?.cast_signed(),
            direction_deg: self.u16()?,
            satellites: self.u8()?,
            speed_km_h: self.u16()?,
            event: self.id(codec)?,
            generation: if codec == Codec::Sixteen {
                Some(self.u8()?)
            } else {
                None
            },
            elements: self.elements(codec)?,
        })
    }

    fn elements(&mut self, codec: Codec) -> Result<Vec<Element<'a>>, PacketError> {
        // Devices are known whose total is not the sum; the counts are what decides.
        let total = usize::from(self.count(codec)?);
        let mut elements = Vec::with_capacity(total.min(ELEMENTS_USUAL));
        self.group(codec, &mut elements, |input| {
            Ok(ElementValue::U8(input.u8()?))
        })?;
        self.group(codec, &mut elements, |input| {
            Ok(ElementValue::U16(input.u16()?))
        })?;
        self.group(codec, &mut elements, |input| {
            Ok(ElementValue::U32(input.u32()?))
        })?;
        self.group(codec, &mut elements, |input| {
            Ok(ElementValue::U64(input.u64()?))
        })?;
        if codec == Codec::EightExtended {
            self.group(codec, &mut elements, |input| {
                let len = usize::from(input.u16()?);
                Ok(ElementValue::Bytes(input.bytes(len)?))
            })?;
        }
        Ok(elements)
    }

    /// The elements of one width.
    fn group(
        &mut self,
        codec: Codec,
        elements: &mut Vec<Element<'a>>,
        value: impl Fn(&mut Self) -> Result<ElementValue<'a>, PacketError>,
    ) -> Result<(), PacketError> {
        let count = usize::from(self.count(codec)?);
        let sum = elements.len().saturating_add(count);
        if sum > ELEMENTS_MAX {
            return Err(PacketError::Elements(sum));
        }
        for _ in 0..count {
            elements.push(Element {
                id: self.id(codec)?,
                value: value(self)?,
            });
        }
        Ok(())
    }

    fn id(&mut self, codec: Codec) -> Result<u16, PacketError> {
        match codec {
            Codec::Eight => self.u8().map(u16::from),
            Codec::EightExtended | Codec::Sixteen => self.u16(),
        }
    }

    fn count(&mut self, codec: Codec) -> Result<u16, PacketError> {
        match codec {
            Codec::Eight | Codec::Sixteen => self.u8().map(u16::from),
            Codec::EightExtended => self.u16(),
        }
    }

    fn u8(&mut self) -> Result<u8, PacketError> {
        self.chunk().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, PacketError> {
        self.chunk().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, PacketError> {
        self.chunk().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, PacketError> {
        self.chunk().map(u64::from_be_bytes)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], PacketError> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(PacketError::Length)?;
        self.0 = rest;
        Ok(*chunk)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], PacketError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(PacketError::Length)?;
        self.0 = rest;
        Ok(bytes)
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preamble(found) => write!(f, "a packet starts with `{found:08x}`, not zeros"),
            Self::Length(found) => write!(f, "data of {found} bytes, 1 to {DATA_MAX} are taken"),
            Self::Ident(found) => write!(f, "ident of {found} bytes, 1 to {IDENT_MAX} are taken"),
        }
    }
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => write!(f, "a length in it is not true"),
            Self::Trailing(found) => write!(f, "{found} bytes behind its end"),
            Self::Counts(first, second) => {
                write!(f, "{first} records at its head, {second} at its end")
            }
            Self::Elements(found) => write!(
                f,
                "{found} elements in a record, at most {ELEMENTS_MAX} are taken"
            ),
            Self::OtherCodec(found) => write!(f, "codec `{found:02x}` carries no records"),
            Self::UnknownCodec(found) => write!(f, "codec `{found:02x}` is not known"),
        }
    }
}

impl std::error::Error for FrameError {}

impl std::error::Error for PacketError {}

/// Elements that most records have at most: room for so many is made at once.
const ELEMENTS_USUAL: usize = 32;
