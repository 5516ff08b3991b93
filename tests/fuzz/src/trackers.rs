//! Channels of trackers beside Teltonika's: as in `session`, with the seeds of their formats.

use crate::session::one_datagram;
use crate::session::stream;
use weir::channel::gt06;
use weir::channel::gt06::Gt06;
use weir::channel::jt808;
use weir::channel::jt808::Jt808;
use weir::channel::kind::Units;
use weir::wire::gt06 as wire;
use weir::wire::jt808::frame;

/// The first byte says whether it is a datagram. Checksums are made right, or nothing would get
/// past them.
pub(crate) fn gt06(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let session = |units| Gt06::new(gt06::Keys::default(), units);
    match first {
        0 => one_datagram(rest, session(Units::Datagram)),
        1..=127 => stream(rest, session(Units::Bytes)),
        _ => stream(&resealed(rest), session(Units::Bytes)),
    }
}

pub(crate) fn gt06_seeds() -> Vec<Vec<u8>> {
    let place = b"\x1a\x03\x0e\x09\x1a\x35\xc9\x05\xa1\xf4\xa0\x01\x70\x0a\xc0\x36\x14\x7b";
    let cell = b"\x01\x06\x02\x12\x34\x00\xab\xcd";
    let location = [&place[..], cell, &[1, 3, 0, 0, 0, 48, 57]].concat();
    let alarm = [&place[..], &[9], cell, &[0x46, 5, 4, 1, 2, 0xFF]].concat();
    let login = b"\x09\x90\x00\x01\x23\x45\x67\x84\x22\x27\x32\x01";
    let packets: [(u8, &[u8]); 7] = [
        (0x01, login),
        (0x12, &location),
        (0x27, &alarm),
        (0x13, &[0x46, 4, 3, 0, 2]),
        (0x8A, &[]),
        (0x21, b"\0\0\0\0\x02\0O\0k"),
        (0x94, b"\0\x04\xd2"),
    ];
    let mut all = vec![40];
    for ((kind, content), serial) in packets.into_iter().zip(1..) {
        all.extend(wire::write(kind, content, serial));
    }
    all.extend(b"\x78\x78\0\x17\x26\x03\x14\x09\x26\x53\0\x01\x06\x02\r\n");
    let mut resealed = all.clone();
    if let Some(first) = resealed.first_mut() {
        *first = 200;
    }
    vec![all, resealed, vec![0, 0x78, 0x78, 0, 0x17]]
}

/// The same packets with the checksums that their bytes have now; the first byte stays.
fn resealed(data: &[u8]) -> Vec<u8> {
    let (first, mut rest) = data.split_at(data.len().min(1));
    let mut out = first.to_vec();
    while let Some((unit, len)) = wire::unit(rest) {
        let (bytes, behind) = rest.split_at(len);
        match unit {
            wire::Unit::Packet(packet) if packet.content.len() <= 250 => {
                out.extend(packet.answer(packet.content));
            }
            _ => out.extend_from_slice(bytes),
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out
}

/// The first byte says whether it is a datagram, or one message to which marks, escapes and the
/// checksum are added.
pub(crate) fn jt808(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let session = |units| Jt808::new(jt808::Keys::default(), units);
    match first {
        0 => one_datagram(rest, session(Units::Datagram)),
        1..=127 => stream(rest, session(Units::Bytes)),
        _ => one_datagram(&frame(rest), session(Units::Datagram)),
    }
}

pub(crate) fn jt808_seeds() -> Vec<Vec<u8>> {
    let place = b"\0\0\0\x01\0\0\0\x03\x03\x21\x16\xa0\0\xcc\x77\xc0\0\x23\x02\x64\0\xb2\
        \x26\x03\x14\x17\x26\x53";
    let items = b"\x01\x04\0\x12\xd6\x87\x2b\x04\x01\xf4\x04\xb0\x30\x01\x1f\x31\x01\x0b\
        \xe1\x01\x7e";
    let old = b"\x01\x39\0\0\0\x17\0\x7d";
    let new = b"\x01\0\0\0\0\x01\x39\0\0\0\x17\0\x07";
    let location = [&b"\x02\0\0\x31"[..], old, place, items].concat();
    let several = [
        &b"\x07\x04\x40\x3f"[..],
        new,
        b"\0\x02\0\0\x1c",
        place,
        b"\0\x1c",
        place,
    ]
    .concat();
    let part = [&b"\x07\x04\x20\x03"[..], old, b"\0\x02\0\x01\0\x01\0"].concat();
    let login = [&b"\x01\0\0\0"[..], old].concat();
    let all: Vec<u8> = [&login, &location, &several, &part]
        .into_iter()
        .flat_map(|bytes| frame(bytes))
        .collect();
    let marked = |first: u8, bytes: &[u8]| [&[first], bytes].concat();
    vec![
        [&[9, 40], &all[..]].concat(),
        marked(0, &all),
        marked(200, &location),
        marked(200, &several),
    ]
}
