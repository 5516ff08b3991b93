//! Channels of trackers beside Teltonika's: as in `session`, with the seeds of their formats.

use crate::session::one_datagram;
use crate::session::stream;
use weir::channel::gt06::Gt06;
use weir::channel::gt06::Keys;
use weir::channel::gt06::Units;
use weir::wire::gt06 as wire;

/// The first byte says whether it is a datagram. Checksums are made right, or nothing would get
/// past them.
pub(crate) fn gt06(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let session = |units| Gt06::new(Keys::default(), units);
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
    let mut all = vec![40];
    let login = b"\x09\x90\x00\x01\x23\x45\x67\x84\x22\x27\x32\x01";
    wire::answer(0x01, login, 1, &mut all);
    wire::answer(0x12, &location, 2, &mut all);
    wire::answer(0x27, &alarm, 3, &mut all);
    wire::answer(0x13, &[0x46, 4, 3, 0, 2], 4, &mut all);
    wire::answer(0x8A, &[], 5, &mut all);
    wire::answer(0x21, b"\0\0\0\0\x02\0O\0k", 6, &mut all);
    wire::answer(0x94, b"\0\x04\xd2", 7, &mut all);
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
                wire::answer(packet.kind, packet.content, packet.serial, &mut out);
            }
            _ => out.extend_from_slice(bytes),
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out
}
