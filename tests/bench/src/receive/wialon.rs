//! Wialon Retranslator: 0x11 for each packet.

use crate::message::SEQ_BASE;

/// The name of the number: an element of Teltonika's without a name of its own, or the JSON name.
const NAMES: [&[u8]; 2] = [b"custom_param_60000\0", b"seq\0"];

/// Takes the whole packets, and appends their answers; how many bytes they had.
pub fn take(unread: &[u8], found: &mut Vec<u64>, answer: &mut Vec<u8>) -> usize {
    let mut used = 0;
    while let Some(size) = unread[used..].first_chunk::<4>() {
        let len = u32::from_le_bytes(*size) as usize;
        let Some(packet) = unread.get(used + 4..used + 4 + len) else {
            break;
        };
        found.extend(number(packet));
        answer.push(0x11);
        used += 4 + len;
    }
    used
}

/// Its type is 3: four bytes, big-endian. It is the last block, or nearly so.
fn number(packet: &[u8]) -> Option<u64> {
    for name in NAMES {
        let at = packet.windows(name.len()).rposition(|part| part == name);
        if let Some(value) = at.and_then(|at| packet[at + name.len()..].first_chunk::<4>()) {
            return u64::from(u32::from_be_bytes(*value)).checked_sub(SEQ_BASE);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::take;

    #[test]
    fn half_a_packet_waits_for_the_rest() {
        let mut packet = 23_u32.to_le_bytes().to_vec();
        packet.extend_from_slice(b"custom_param_60000\0");
        packet.extend_from_slice(&1_000_000_009_u32.to_be_bytes());
        let (mut found, mut answer) = (vec![], vec![]);
        assert_eq!(take(&packet[..20], &mut found, &mut answer), 0);
        assert_eq!(take(&packet, &mut found, &mut answer), 27);
        assert_eq!((found, answer), (vec![9], vec![0x11]));
    }
}
