//! A broker without subscribers, MQTT 3.1.1 and 5.

use super::numbers;

/// What it remembers of a connection.
#[derive(Default)]
pub struct Session {
    is_five: bool,
}

impl Session {
    /// Takes the whole packets, and appends what they are answered; how many bytes they had.
    pub fn take(&mut self, unread: &[u8], found: &mut Vec<u64>, answer: &mut Vec<u8>) -> usize {
        let mut used = 0;
        while let Some((head, body)) = packet(&unread[used..]) {
            self.packet(head, body, found, answer);
            used = body.as_ptr() as usize - unread.as_ptr() as usize + body.len();
        }
        used
    }

    fn packet(&mut self, head: u8, body: &[u8], found: &mut Vec<u64>, answer: &mut Vec<u8>) {
        match head >> 4 {
            1 => {
                self.is_five = body.get(6) == Some(&5);
                let five: &[u8] = &[0x20, 3, 0, 0, 0];
                answer.extend_from_slice(if self.is_five { five } else { &[0x20, 2, 0, 0] });
            }
            3 => {
                let topic = usize::from(body[0]) << 8 | usize::from(body[1]);
                if head & 6 != 0 {
                    answer.extend_from_slice(&[0x40, 2, body[2 + topic], body[3 + topic]]);
                }
                numbers(&body[2 + topic..], found);
            }
            8 if self.is_five => answer.extend_from_slice(&[0x90, 4, body[0], body[1], 0, 1]),
            8 => answer.extend_from_slice(&[0x90, 3, body[0], body[1], 1]),
            12 => answer.extend_from_slice(&[0xD0, 0]),
            _ => {}
        }
    }
}

/// The first byte and the body of the packet at the head.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (mut len, mut at) = (0, 1);
    loop {
        let byte = *bytes.get(at)?;
        len |= usize::from(byte & 127) << (7 * (at - 1));
        at += 1;
        if byte & 128 == 0 || at > 4 {
            break;
        }
    }
    Some((bytes[0], bytes.get(at..at + len)?))
}
