//! An MQTT 3.1.1 broker that takes publishes of QoS 1.

use super::destination::Act;
use super::destination::Acts;
use super::destination::Course;
use super::destination::Destination;
use super::destination::Mood;
use super::destination::Packet;
use super::destination::Said;
use super::destination::Session;
use super::oracle::Oracle;
use super::server::numbers;
use std::time::Duration;

pub(super) fn receive(
    of: &mut Destination,
    session: &mut Session,
    oracle: &mut Oracle,
    t: Duration,
) -> Acts {
    let mut acts = Acts::new();
    let silence = t.saturating_sub(session.heard_at);
    if session.logged_in && !session.keep_alive.is_zero() && silence > session.keep_alive * 3 / 2 {
        oracle.violation("no ping in time");
    }
    while let Some((head, body, len)) = packet(&session.buffer) {
        let body = body.to_vec();
        session.buffer.drain(..len);
        match head >> 4 {
            1 => login(of, session, oracle, &body, &mut acts),
            3 => publish(of, session, oracle, head, &body, t, &mut acts),
            12 if of.mood != Mood::Stall => say(of, &[0xd0, 0], Said::default(), &mut acts),
            12 | 14 => {}
            other => oracle.violation(&format!("a packet of type {other}")),
        }
        if session.over {
            break;
        }
    }
    acts
}

fn login(
    of: &mut Destination,
    session: &mut Session,
    oracle: &mut Oracle,
    body: &[u8],
    acts: &mut Acts,
) {
    if session.logged_in || !body.starts_with(b"\0\x04MQTT\x04") {
        oracle.violation("not a login, or the second");
    }
    session.keep_alive = Duration::from_secs(u64::from(body[8]) << 8 | u64::from(body[9]));
    let code = match of.mood {
        Mood::Stall => return,
        Mood::Busy => 3,
        Mood::Misconfigured => 4,
        Mood::RefuseAll => 5,
        _ => 0,
    };
    say(of, &[0x20, 2, 0, code], Said::default(), acts);
    session.logged_in = true;
    if code != 0 {
        let end = of.end(session);
        acts.push(end);
    }
}

fn publish(
    of: &mut Destination,
    session: &mut Session,
    oracle: &mut Oracle,
    head: u8,
    body: &[u8],
    t: Duration,
    acts: &mut Acts,
) {
    let topic = usize::from(body[0]) << 8 | usize::from(body[1]);
    let (identifier, payload) = ([body[2 + topic], body[3 + topic]], &body[4 + topic..]);
    let [number] = numbers(payload)[..] else {
        return oracle.violation("not one message");
    };
    if head & 0x06 != 0x02 || !session.logged_in || identifier == [0, 0] {
        oracle.violation("a publish that must not be");
    }
    session.open += 1;
    let window = oracle.streams[of.index].promised.window;
    if session.open > window {
        oracle.violation("more publishes than the window allows");
    }
    oracle.arrived(of.index, number, session.order, head & 0x08 == 0, t);
    let timeout = oracle.streams[of.index].promised.timeout;
    let ack = [0x40, 2, identifier[0], identifier[1]];
    let course = of.course(&[], timeout);
    if matches!(
        course,
        Course::Take | Course::TakeTwice | Course::TakeLate(_) | Course::TakeAndLose
    ) {
        oracle.took(of.index, number);
    }
    session.packets.push(Packet {
        number,
        proved: session.proved,
    });
    let said = Said {
        answers: 1,
        number: Some(number),
        twice: course == Course::TakeTwice,
        ..Said::default()
    };
    match course {
        Course::Take => say(of, &ack, said, acts),
        Course::TakeTwice => say(of, &[ack, ack].concat(), said, acts),
        Course::TakeLate(delay) => acts.push((delay, Act::Say(ack.to_vec(), true, said))),
        Course::Ignore => {}
        _ => {
            let end = of.end(session);
            acts.push(end);
        }
    }
}

fn say(of: &mut Destination, bytes: &[u8], said: Said, acts: &mut Acts) {
    let ordered = said.answers == 0 || !of.shuffles;
    acts.push((of.moment(), Act::Say(bytes.to_vec(), ordered, said)));
}

/// The first byte, the rest behind its length, and the whole length of the packet at the head.
fn packet(input: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (mut len, mut at) = (0, 1);
    loop {
        let byte = *input.get(at)?;
        len |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((input[0], input.get(at..at + len)?, at + len))
}
