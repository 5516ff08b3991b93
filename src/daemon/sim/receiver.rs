//! A receiver of Wialon Retranslator packets.

use super::destination::Act;
use super::destination::Acts;
use super::destination::Course;
use super::destination::Destination;
use super::destination::Packet;
use super::destination::Said;
use super::destination::Session;
use super::oracle::Oracle;
use std::time::Duration;

pub(super) fn receive(
    of: &mut Destination,
    session: &mut Session,
    oracle: &mut Oracle,
    t: Duration,
) -> Acts {
    let mut acts = Acts::new();
    while let Some(packet) = whole(&session.buffer) {
        let len = packet.len();
        let number = number(packet);
        session.buffer.drain(..len);
        let Some(number) = number else {
            oracle.violation("not a packet");
            continue;
        };
        session.open += 1;
        if session.open > oracle.streams[of.index].promised.window {
            oracle.violation("more packets than the window allows");
        }
        oracle.arrived(of.index, number, session.order, false, t);
        answer(of, session, oracle, number, &mut acts);
        if session.over {
            break;
        }
    }
    acts
}

fn answer(
    of: &mut Destination,
    session: &mut Session,
    oracle: &mut Oracle,
    number: u32,
    acts: &mut Acts,
) {
    let timeout = oracle.streams[of.index].promised.timeout;
    let course = of.course(&[number], timeout);
    let takes = match course {
        // an answer that comes twice is that to the next packet: nobody can tell them apart
        Course::Take | Course::TakeTwice => Some(of.moment()),
        Course::TakeLate(delay) => Some(delay),
        _ => None,
    };
    session.packets.push(Packet {
        number,
        proved: session.proved,
    });
    session.meets(number, takes.is_some(), oracle);
    if let Some(delay) = takes {
        oracle.took(of.index, number);
        acts.push((delay, ack(number)));
        return;
    }
    if course == Course::TakeAndLose {
        oracle.took(of.index, number);
    }
    let is_silent = matches!(course, Course::Refuse | Course::Ignore);
    if !is_silent || of.random.once_in(4) {
        acts.push(of.end(session));
    }
}

fn ack(number: u32) -> Act {
    let said = Said {
        answers: 1,
        number: Some(number),
        ..Said::default()
    };
    Act::Say(vec![0x11], true, said)
}

fn whole(input: &[u8]) -> Option<&[u8]> {
    let size = u32::from_le_bytes(*input.first_chunk()?);
    input.get(..4 + usize::try_from(size).ok()?)
}

/// The integer of 32 bits that is called `n`. Looked for where a block begins: a time may have the
/// same bytes as its name.
fn number(packet: &[u8]) -> Option<u32> {
    let uid_len = packet.get(4..)?.iter().position(|byte| *byte == 0)?;
    let mut rest = packet.get(4 + uid_len + 1 + TIME_AND_FLAGS_LEN..)?;
    loop {
        let size = u32::from_be_bytes(*rest.get(2..)?.first_chunk()?);
        let block = rest.get(BLOCK_HEAD_LEN..)?;
        let block = block.get(..usize::try_from(size).ok()?)?;
        if let Some(value) = block.strip_prefix(b"\0\x03n\0") {
            return Some(u32::from_be_bytes(value.try_into().ok()?));
        }
        rest = rest.get(BLOCK_HEAD_LEN + block.len()..)?;
    }
}

/// What comes between the name of the unit and the first block.
const TIME_AND_FLAGS_LEN: usize = 4 + 4;

/// The mark of a block and its size.
const BLOCK_HEAD_LEN: usize = 2 + 4;

#[test]
fn a_time_is_not_taken_for_a_number() {
    let mut packet = Vec::from(*b"\x19\0\0\0id\0");
    // seconds that end as the mark of the number begins, and no flags
    packet.extend([0x6b, 0x40, 0x03, b'n', 0, 0, 0, 0]);
    packet.extend(b"\x0b\xbb\0\0\0\x08\0\x03n\0\0\0\x04\x9f");
    assert_eq!(number(whole(&packet).unwrap()), Some(1183));
}
