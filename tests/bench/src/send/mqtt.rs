//! MQTT 3.1.1 as a tracker says it: a login, PUBLISH with QoS 1, PUBACK.

use crate::message::Maker;
use std::io::Read;
use std::io::Result;
use std::io::Write;
use std::net::TcpStream;

const TOPIC: &[u8] = b"trackers/";

/// Says CONNECT, and waits for CONNACK.
pub fn login(stream: &mut TcpStream) -> Result<()> {
    let client = b"bench";
    let mut packet = vec![0x10, 12 + client.len() as u8, 0, 4];
    packet.extend_from_slice(b"MQTT\x04\x02\x00\x3c");
    packet.extend_from_slice(&(client.len() as u16).to_be_bytes());
    packet.extend_from_slice(client);
    stream.write_all(&packet)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    if answer != [0x20, 2, 0, 0] {
        return Err(std::io::Error::other(format!("CONNACK {answer:x?}")));
    }
    Ok(())
}

/// Appends the PUBLISH of one message.
pub fn write(maker: &Maker, seq: u64, out: &mut Vec<u8>) -> u64 {
    let start = out.len();
    // the length in two bytes, known in a moment: none has less than 128 nor more than 16,383
    out.extend_from_slice(&[0x32, 0, 0]);
    out.extend_from_slice(&(TOPIC.len() as u16 + 15).to_be_bytes());
    out.extend_from_slice(TOPIC);
    maker.ident(seq, out);
    out.extend_from_slice(&((seq % 65_535 + 1) as u16).to_be_bytes());
    maker.write(seq, out);
    let len = out.len() - start - 3;
    out[start + 1] = (len % 128) as u8 | 0x80;
    out[start + 2] = (len / 128) as u8;
    1
}

/// Takes the whole packets away; how many PUBACKs were among them.
pub fn answers(unread: &mut Vec<u8>) -> u64 {
    let (mut at, mut count) = (0, 0);
    // none that a broker sends to a publisher is longer than 127 bytes
    while let Some(&[head, len]) = unread.get(at..at + 2) {
        let end = at + 2 + usize::from(len);
        if end > unread.len() {
            break;
        }
        count += u64::from(head == 0x40);
        at = end;
    }
    unread.drain(..at);
    count
}
