//! A receiver of Wialon Retranslator packets.

use super::destination::Act;
use super::destination::Acts;
use super::destination::Course;
use super::destination::Destination;
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
    match of.course(&[number], timeout) {
        // an answer that comes twice is that to the next packet: nobody can tell them apart
        Course::Take | Course::TakeTwice => {
            oracle.took(of.index, number);
            let moment = of.moment();
            acts.push((moment, ack()));
        }
        Course::TakeLate(delay) => {
            oracle.took(of.index, number);
            acts.push((delay, ack()));
        }
        Course::TakeAndLose => {
            oracle.took(of.index, number);
            let end = of.end(session);
            acts.push(end);
        }
        Course::Refuse | Course::Ignore if !of.random.once_in(4) => {
            oracle.refused(of.index, number);
        }
        _ => {
            oracle.refused(of.index, number);
            let end = of.end(session);
            acts.push(end);
        }
    }
}

fn ack() -> Act {
    let said = Said {
        answers: 1,
        ..Said::default()
    };
    Act::Say(vec![0x11], true, said)
}

fn whole(input: &[u8]) -> Option<&[u8]> {
    let size = u32::from_le_bytes(*input.first_chunk()?);
    input.get(..4 + usize::try_from(size).ok()?)
}

/// The integer of 32 bits that is called `n`.
fn number(packet: &[u8]) -> Option<u32> {
    let mark = b"\x03n\0";
    let at = packet.windows(mark.len()).position(|found| found == mark)?;
    Some(u32::from_be_bytes(
        *packet.get(at + mark.len()..)?.first_chunk()?,
    ))
}
