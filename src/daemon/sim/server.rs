//! A server that takes POSTs of JSON arrays.

use super::destination::Act;
use super::destination::Acts;
use super::destination::Course;
use super::destination::Destination;
use super::destination::Said;
use super::destination::Session;
use super::oracle::Oracle;
use std::time::Duration;

/// Takes the requests that are whole, one at a time.
pub(super) fn receive(
    of: &mut Destination,
    session: &mut Session,
    oracle: &mut Oracle,
    t: Duration,
) -> Acts {
    let mut acts = Acts::new();
    if session.open > 0 {
        oracle.violation("a request before the answer to the last one");
    }
    while let Some((request, len)) = whole(&session.buffer) {
        let numbers = numbers(request);
        if !request.starts_with(b"[") || !request.ends_with(b"]") || numbers.is_empty() {
            oracle.violation("not an array of messages");
        }
        oracle.dated(request);
        session.buffer.drain(..len);
        session.open += 1;
        oracle.attempt(of.index, t);
        oracle.goes_together(of.index, &numbers);
        for number in &numbers {
            oracle.arrived(of.index, *number, session.order, false, t);
        }
        answer(of, session, oracle, &numbers, &mut acts);
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
    numbers: &[u32],
    acts: &mut Acts,
) {
    let timeout = oracle.streams[of.index].promised.timeout;
    let course = of.course(numbers, timeout);
    let takes = course.takes();
    for number in numbers.iter().filter(|_| takes) {
        oracle.took(of.index, *number);
    }
    let moment = of.moment();
    match course {
        Course::Take => say(moment, accepted(of.random.below(6)), Said::default(), acts),
        Course::TakeTwice => {
            let said = Said {
                twice: true,
                ..Said::default()
            };
            say(moment, accepted(0).repeat(2), said, acts);
        }
        Course::TakeLate(delay) => say(delay, accepted(1), Said::default(), acts),
        Course::TakeAndLose | Course::TakeAndEnd | Course::Lose => {
            if of.random.once_in(2) {
                // a whole status line would say that it was taken
                let half = match takes {
                    true => "HTTP/1.1 200 OK\r\nContent-",
                    false => "HTTP/1.1 200 O",
                };
                say(moment, half.to_owned(), Said::default(), acts);
            }
            let end = of.end(session);
            acts.push(end);
        }
        Course::Ignore => {}
        Course::Refuse => {
            if let [number] = numbers {
                oracle.refused(of.index, *number);
            }
            let status = [400, 409, 413, 415, 422][of.random.below(5)];
            let said = Said {
                failure: numbers.len() == 1,
                ..Said::default()
            };
            say(moment, short(status, ""), said, acts);
        }
        Course::Busy => busy(of, moment, acts),
        Course::Misconfigured => {
            let status = [401, 403, 404, 301, 405][of.random.below(5)];
            say(moment, short(status, ""), failure(None), acts);
        }
    }
}

fn busy(of: &mut Destination, moment: Duration, acts: &mut Acts) {
    let status = [429, 503, 500, 502, 408, 425][of.random.below(6)];
    let after = of.random.once_in(2).then(|| of.random.next() % 7200);
    let header = after.map_or(String::new(), |after| format!("Retry-After: {after}\r\n"));
    let said = failure(after.map(|after| Duration::from_secs(after.min(RETRY_AFTER_MAX))));
    say(moment, short(status, &header), said, acts);
}

fn failure(after: Option<Duration>) -> Said {
    Said {
        failure: true,
        after,
        answers: 0,
        ..Said::default()
    }
}

fn say(delay: Duration, text: String, said: Said, acts: &mut Acts) {
    let said = Said { answers: 1, ..said };
    acts.push((delay, Act::Say(text.into_bytes(), true, said)));
}

/// No server is obeyed that asks for a longer pause, in seconds.
const RETRY_AFTER_MAX: u64 = 3600;

/// One of the ways to say that all was taken.
fn accepted(way: usize) -> String {
    match way {
        0 | 1 => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK".to_owned(),
        2 => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        3 => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n".to_owned(),
        4 => "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
        _ => "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned(),
    }
}

fn short(status: u16, header: &str) -> String {
    format!("HTTP/1.1 {status} No\r\n{header}Content-Length: 2\r\n\r\nno")
}

/// The body of the request at the head of `input`, and the length of the request.
fn whole(input: &[u8]) -> Option<(&[u8], usize)> {
    let head = input.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = str::from_utf8(input.get(..head)?).ok()?.to_lowercase();
    let len = text.split("content-length:").nth(1)?;
    let len: usize = len.split("\r\n").next()?.trim().parse().ok()?;
    Some((input.get(head..head + len)?, head + len))
}

/// The numbers of all messages in a text.
pub(super) fn numbers(mut text: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    while let Some(at) = text.windows(4).position(|mark| mark == b"\"n\":") {
        text = text.get(at + 4..).unwrap_or_default();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
        found.push(digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')));
    }
    found
}
