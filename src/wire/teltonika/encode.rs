//! Writes what a device sends: for the vehicles of `weir demo` and for tests.
//!
//! Nothing here is used to answer a device.

use super::CRC;
use super::Codec;
use super::DATA_MAX;
use super::DatagramKey;
use super::ELEMENTS_MAX;
use super::Element;
use super::ElementValue;
use super::IDENT_MAX;
use super::PACKET_TYPE;
use super::Packet;
use super::Record;
use std::fmt;

/// Why something cannot be said in this codec. What was written before is left in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// No ident, or one of more than [`IDENT_MAX`] bytes.
    Ident(usize),
    /// More records or elements than their count can say.
    Count(usize),
    /// An id over 255 in codec 8.
    Id(u16),
    /// An element of free length outside of codec 8 extended, or one of more than 65,535 bytes.
    Bytes(u16),
    /// A generation type outside of codec 16, or none in it.
    Generation,
    /// This many bytes of data, more than [`DATA_MAX`].
    Length(usize),
}

/// Appends a login.
///
/// # Errors
/// [`EncodeError::Ident`].
pub fn encode_login(ident: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = ident.len();
    if len == 0 || len > IDENT_MAX {
        return Err(EncodeError::Ident(len));
    }
    let short = u16::try_from(len).map_err(|_| EncodeError::Ident(len))?;
    out.extend_from_slice(&short.to_be_bytes());
    out.extend_from_slice(ident.as_bytes());
    Ok(())
}

/// Appends a packet as TCP carries it.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode_packet(packet: &Packet<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let data = encode_data(packet)?;
    let len = u32::try_from(data.len()).map_err(|_| EncodeError::Length(data.len()))?;
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&data);
    out.extend_from_slice(&u32::from(CRC.checksum(&data)).to_be_bytes());
    Ok(())
}

/// Appends a packet as UDP carries it.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode_datagram(
    key: DatagramKey,
    ident: &str,
    packet: &Packet<'_>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let data = encode_data(packet)?;
    let mut login = Vec::new();
    encode_login(ident, &mut login)?;
    let len = login
        .len()
        .saturating_add(data.len())
        .saturating_add(DatagramKey::LEN);
    let short = u16::try_from(len).map_err(|_| EncodeError::Length(len))?;
    out.extend_from_slice(&short.to_be_bytes());
    out.extend_from_slice(&key.packet_id.to_be_bytes());
    out.extend_from_slice(&[PACKET_TYPE, key.avl_packet_id]);
    out.extend_from_slice(&login);
    out.extend_from_slice(&data);
    Ok(())
}

impl DatagramKey {
    /// With the packet type between its parts, in bytes.
    const LEN: usize = 4;
}

fn encode_data(packet: &Packet<'_>) -> Result<Vec<u8>, EncodeError> {
    let codec = packet.codec;
    let count = packet.records.len();
    let count = u8::try_from(count).map_err(|_| EncodeError::Count(count))?;
    let mut data = vec![codec.byte(), count];
    for record in &packet.records {
        encode_record(codec, record, &mut data)?;
    }
    data.push(count);
    if data.len() > DATA_MAX {
        return Err(EncodeError::Length(data.len()));
    }
    Ok(data)
}

fn encode_record(codec: Codec, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.extend_from_slice(&record.time_ms.to_be_bytes());
    out.push(record.priority);
    out.extend_from_slice(&record.longitude_e7.to_be_bytes());
    out.extend_from_slice(&record.latitude_e7.to_be_bytes());
    out.extend_from_slice(&record.altitude_m.to_be_bytes());
    out.extend_from_slice(&record.direction_deg.to_be_bytes());
    out.push(record.satellites);
    out.extend_from_slice(&record.speed_km_h.to_be_bytes());
    encode_id(codec, record.event, out)?;
    match (codec, record.generation) {
        (Codec::Sixteen, Some(generation)) => out.push(generation),
        (Codec::Eight | Codec::EightExtended, None) => (),
        _ => return Err(EncodeError::Generation),
    }
    encode_elements(codec, &record.elements, out)
}

/// The total, then group by group, each in the order given.
fn encode_elements(
    codec: Codec,
    elements: &[Element<'_>],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if elements.len() > ELEMENTS_MAX {
        return Err(EncodeError::Count(elements.len()));
    }
    encode_count(codec, elements.len(), out)?;
    let groups = if codec == Codec::EightExtended { 5 } else { 4 };
    for group in 0..groups {
        let of_group = || {
            elements
                .iter()
                .filter(|element| group_of(element.value) == group)
        };
        encode_count(codec, of_group().count(), out)?;
        for element in of_group() {
            encode_id(codec, element.id, out)?;
            encode_value(element, out)?;
        }
    }
    match elements
        .iter()
        .find(|element| group_of(element.value) >= groups)
    {
        Some(left) => Err(EncodeError::Bytes(left.id)),
        None => Ok(()),
    }
}

fn group_of(value: ElementValue<'_>) -> u8 {
    match value {
        ElementValue::U8(_) => 0,
        ElementValue::U16(_) => 1,
        ElementValue::U32(_) => 2,
        ElementValue::U64(_) => 3,
        ElementValue::Bytes(_) => 4,
    }
}

fn encode_value(element: &Element<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match element.value {
        ElementValue::U8(number) => out.push(number),
        ElementValue::U16(number) => out.extend_from_slice(&number.to_be_bytes()),
        ElementValue::U32(number) => out.extend_from_slice(&number.to_be_bytes()),
        ElementValue::U64(number) => out.extend_from_slice(&number.to_be_bytes()),
        ElementValue::Bytes(bytes) => {
            let len = u16::try_from(bytes.len()).map_err(|_| EncodeError::Bytes(element.id))?;
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
    Ok(())
}

fn encode_id(codec: Codec, id: u16, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match codec {
        Codec::Eight => out.push(u8::try_from(id).map_err(|_| EncodeError::Id(id))?),
        Codec::EightExtended | Codec::Sixteen => out.extend_from_slice(&id.to_be_bytes()),
    }
    Ok(())
}

fn encode_count(codec: Codec, count: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match codec {
        Codec::Eight | Codec::Sixteen => {
            out.push(u8::try_from(count).map_err(|_| EncodeError::Count(count))?);
        }
        Codec::EightExtended => {
            let count = u16::try_from(count).map_err(|_| EncodeError::Count(count))?;
            out.extend_from_slice(&count.to_be_bytes());
        }
    }
    Ok(())
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ident(len) => write!(f, "ident of {len} bytes, 1 to {IDENT_MAX} can be sent"),
            Self::Count(count) => write!(f, "{count} are more than can be counted"),
            Self::Id(id) => write!(f, "element `{id}` has no id in codec 8"),
            Self::Bytes(id) => write!(f, "element `{id}` has a length that cannot be said"),
            Self::Generation => write!(f, "codec 16, and no other, has a generation type"),
            Self::Length(len) => write!(f, "data of {len} bytes, at most {DATA_MAX} can be sent"),
        }
    }
}

impl std::error::Error for EncodeError {}
