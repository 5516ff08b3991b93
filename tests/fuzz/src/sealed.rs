//! Binary trackers: their bytes as they come, and with their checksum made right, so that what is
//! behind it is reached.

use crate::session::one_datagram;
use crate::session::stream;
use std::rc::Rc;
use weir::channel::galileosky::Galileosky;
use weir::channel::ruptela::Ruptela;
use weir::channel::ruptela::Units;

/// The first byte says whether it is a datagram, a stream, or one packet without its head.
pub(crate) fn ruptela(data: &[u8]) {
    let session = |units| Ruptela::new(Rc::default(), units);
    match data.split_first() {
        Some((0, datagram)) => one_datagram(datagram, session(Units::Datagram)),
        Some((1, content)) => stream(&ruptela_packet(content), session(Units::Bytes)),
        Some((_, rest)) => stream(rest, session(Units::Bytes)),
        None => {}
    }
}

pub(crate) fn ruptela_seeds() -> Vec<Vec<u8>> {
    let mut record = vec![0x01, 68, 0, 1, 0x65, 0x53, 0xF1, 0, 0, 0, 1];
    record.extend([0; 15]);
    record.extend([0, 7, 1, 0, 5, 1, 0, 0, 0]);
    let codes = [&[0x01, 9, 1, 1][..], &[0; 13], b"P0420"].concat();
    let mut packet = ruptela_packet(&record);
    packet.insert(0, 0);
    vec![record, codes, packet, vec![0x01, 15], vec![0x01, 16]]
}

/// A packet of one device with this command and payload, and with a byte before it that says how
/// large the pieces are.
fn ruptela_packet(content: &[u8]) -> Vec<u8> {
    let mut checked = 352_093_081_452_251_u64.to_be_bytes().to_vec();
    checked.extend_from_slice(content);
    checked.truncate(4096);
    let crc = crc(&checked, 0, 0x8408);
    let mut packet = vec![0xFF];
    packet.extend((checked.len() as u16).to_be_bytes());
    packet.extend_from_slice(&checked);
    packet.extend(crc.to_be_bytes());
    packet
}

/// The first byte says whether it is a stream, or the tags of one packet.
pub(crate) fn galileosky(data: &[u8]) {
    let session = Galileosky::new(Rc::default());
    match data.split_first() {
        Some((0, tags)) => stream(&galileosky_packet(tags), session),
        Some((_, rest)) => stream(rest, session),
        None => {}
    }
}

pub(crate) fn galileosky_seeds() -> Vec<Vec<u8>> {
    let head = b"\0\x03990000123456784\x20\xdd\x29\xb5\x69";
    let place = b"\x30\x0b\xb1\x9e\x43\xff\x38\x9b\xa2\x04\x33\x3d\x02\x4c\x08\x34\xf9\xff\x35\x08";
    let several = b"\x63\x01\x02\x03\x70\x01\x10\x80\x02\xec\x7f\xc1\xfa\x72\x50\x25\xe1\x02ok";
    let phone = b"\xfe\x08\0\x81\0\x09\x03\x85\0\x2f\x20\xdd\x29\xb5\x69";
    let tags = [&head[..], place, several, phone].concat();
    let mut packet = galileosky_packet(tags.get(1..).unwrap_or_default());
    packet.insert(0, 1);
    vec![tags, packet]
}

/// A packet of these tags, and a byte before it that says how large the pieces are.
fn galileosky_packet(tags: &[u8]) -> Vec<u8> {
    let tags = tags.get(..tags.len().min(4096)).unwrap_or_default();
    let mut checked = vec![0x01];
    checked.extend((tags.len() as u16).to_le_bytes());
    checked.extend_from_slice(tags);
    let crc = crc(&checked, 0xFFFF, 0xA001);
    [&[0xFF], &checked[..], &crc.to_le_bytes()].concat()
}

/// A reflected checksum of 16 bits.
fn crc(data: &[u8], init: u16, polynomial: u16) -> u16 {
    data.iter().fold(init, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            let mask = if sum & 1 == 1 { polynomial } else { 0 };
            sum >> 1 ^ mask
        })
    })
}
