//! A broker of MQTT 3.1.1 or 5 that takes publishes of QoS 1.

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
use super::trace;
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
    if !of.is_five && body.get(6) == Some(&5) {
        // as RabbitMQ before 3.13 does
        let end = of.end(session);
        return acts.push(end);
    }
    let version = if of.is_five { 5 } else { 4 };
    if session.logged_in || !body.starts_with(&[b"\0\x04MQTT", &[version][..]].concat()) {
        oracle.violation("not a login, or the second");
    }
    session.keep_alive = Duration::from_secs(u64::from(body[8]) << 8 | u64::from(body[9]));
    let code = match (of.mood, of.is_five) {
        (Mood::Stall, _) => return,
        (Mood::Busy, false) => 3,
        (Mood::Busy, true) => 0x89,
        (Mood::Misconfigured, false) => 4,
        (Mood::Misconfigured, true) => 0x87,
        (Mood::RefuseAll, false) => 5,
        _ => 0,
    };
    match of.is_five {
        true => greet(of, session, code, acts),
        false => say(of, &[0x20, 2, 0, code], Said::default(), acts),
    }
    session.logged_in = true;
    if code != 0 {
        let end = of.end(session);
        acts.push(end);
    } else if of.random.once_in(4) {
        // of a session that is long over
        let low = u8::try_from(of.random.below(256)).unwrap_or(0);
        say(of, &[0x40, 2, 0xa0, low], Said::default(), acts);
    }
}

/// Answers a login of MQTT 5. May allow fewer or only short publishes, and set a keep-alive of its
/// own.
fn greet(of: &mut Destination, session: &mut Session, code: u8, acts: &mut Acts) {
    let mut properties = Vec::new();
    of.receive_max = usize::MAX;
    if of.random.once_in(4) {
        let max = u8::try_from(1 + of.random.below(8)).unwrap_or(1);
        of.receive_max = max.into();
        properties.extend([0x21, 0, max]);
    }
    if of.random.once_in(4) {
        let hours = u16::try_from(1 + of.random.below(12)).unwrap_or(1);
        session.keep_alive = Duration::from_secs(3600 * u64::from(hours));
        properties.push(0x13);
        properties.extend((3600 * hours).to_be_bytes());
    }
    of.packet_max = match (of.mood, of.random.once_in(4)) {
        (Mood::Small, _) => 60,
        (_, true) => 10_000,
        _ => usize::MAX,
    };
    if let Ok(max) = u32::try_from(of.packet_max) {
        properties.push(0x27);
        properties.extend(max.to_be_bytes());
    }
    let len = u8::try_from(properties.len()).unwrap_or(0);
    let head = [0x20, 3 + len, 0, code, len];
    say(
        of,
        &[&head[..], &properties].concat(),
        Said::default(),
        acts,
    );
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
    let head_len = 4 + topic + usize::from(of.is_five);
    let (identifier, payload) = ([body[2 + topic], body[3 + topic]], &body[head_len..]);
    let [number] = numbers(payload)[..] else {
        return oracle.violation("not one message");
    };
    if head & 0x06 != 0x02 || !session.logged_in || identifier == [0, 0] {
        oracle.violation("a publish that must not be");
    }
    session.open += 1;
    let window = oracle.streams[of.index].promised.window;
    let window = window.min(of.receive_max);
    if session.open > window {
        oracle.violation("more publishes than the window allows");
    }
    oracle.dated(payload);
    if 2 + body.len() > of.packet_max {
        oracle.violation("a longer publish than the broker takes");
    }
    let dup = head & 0x08 != 0;
    trace::tell(
        t,
        of.index,
        format_args!("publishes {number} as {identifier:02x?}, repeated: {dup}"),
    );
    oracle.arrived(of.index, number, session.order, !dup, t);
    let timeout = oracle.streams[of.index].promised.timeout;
    let ack = [0x40, 2, identifier[0], identifier[1]];
    let course = of.course(&[number], timeout);
    if course.takes() {
        oracle.took(of.index, number);
    }
    session.meets(number, course.takes(), oracle);
    if of.is_five && refuses(of, course, (number, identifier), oracle, acts) {
        return;
    }
    if course == Course::Refuse && of.mood != Mood::RefuseAll && of.is_poison(number) {
        oracle.refused(of.index, number);
    }
    session.packets.push(Packet {
        number,
        proved: session.proved,
    });
    answer(of, session, course, (number, ack), acts);
}

/// Answers a publish with its acknowledgement, or not.
fn answer(
    of: &mut Destination,
    session: &mut Session,
    course: Course,
    (number, ack): (u32, [u8; 4]),
    acts: &mut Acts,
) {
    let said = Said {
        answers: 1,
        number: Some(number),
        twice: course == Course::TakeTwice,
        ..Said::default()
    };
    match course {
        Course::Take => say(of, &ack, said, acts),
        Course::TakeTwice if of.random.once_in(2) => {
            let moment = of.moment();
            let again = Some(of.moment() * 30);
            let (ordered, said) = (!of.shuffles, Said { again, ..said });
            acts.push((moment, Act::Say(ack.to_vec(), ordered, said)));
        }
        Course::TakeTwice => say(of, &[ack, ack].concat(), said, acts),
        Course::TakeAndEnd => {
            say(of, &ack, said, acts);
            let end = of.end(session);
            acts.push(end);
        }
        Course::TakeLate(delay) => acts.push((delay, Act::Say(ack.to_vec(), true, said))),
        Course::Ignore => {}
        _ => {
            let end = of.end(session);
            acts.push(end);
        }
    }
}

/// Says no to a message, in MQTT 5; whether it did.
fn refuses(
    of: &mut Destination,
    course: Course,
    (number, [high, low]): (u32, [u8; 2]),
    oracle: &mut Oracle,
    acts: &mut Acts,
) -> bool {
    let code = match course {
        Course::Refuse if of.mood != Mood::RefuseAll && of.is_forbidden(number) => {
            oracle.refused(of.index, number);
            [0x87, 0x90][of.random.below(2)]
        }
        // of a code that speaks of more than the message nobody may conclude that it is its own
        Course::Refuse if of.mood == Mood::RefuseAll && !of.is_poison(number) => {
            let code = [0x80, 0x83, 0x95, 0x99][of.random.below(4)];
            if code == 0x99 {
                oracle.refused(of.index, number);
            }
            code
        }
        Course::Refuse => {
            oracle.refused(of.index, number);
            [0x80, 0x83, 0x95, 0x99][of.random.below(4)]
        }
        Course::Busy => 0x97,
        Course::Misconfigured => [0x87, 0x90][of.random.below(2)],
        _ => return false,
    };
    let said = Said {
        answers: 1,
        failure: true,
        ..Said::default()
    };
    match of.random.once_in(2) {
        true => say(of, &[0x40, 3, high, low, code], said, acts),
        false => say(of, &[0x40, 4, high, low, code, 0], said, acts),
    }
    true
}

fn say(of: &mut Destination, bytes: &[u8], said: Said, acts: &mut Acts) {
    let ordered = said.answers == 0 || !of.shuffles;
    acts.push((of.moment(), Act::Say(bytes.to_vec(), ordered, said)));
}

/// What comes after the end: the gateway does not know that it was not even read.
pub(super) fn overlook(session: &mut Session) {
    while let Some((head, body, len)) = packet(&session.buffer) {
        let found = match head >> 4 {
            3 => numbers(body),
            _ => Vec::new(),
        };
        let proved = session.proved;
        let packets = found.into_iter().map(|number| Packet { number, proved });
        session.packets.extend(packets);
        session.buffer.drain(..len);
    }
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
