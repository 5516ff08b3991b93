//! Thousands of requests after the specification: values and answers come back.

use crate::ACCEPTED;
use crate::answer;
use crate::generator::Made;
use crate::generator::make;
use crate::phone;
use crate::support::channel::SILENCE;
use crate::support::random::Random;
use crate::support::random::each_seed;
use crate::support::random::pick;
use weir::message::Message;
use weir::message::Value;
use weir::message::ValueRef;

fn check(message: &Message, made: &Made) {
    let request = &made.request;
    assert_eq!(message.ident(), made.ident, "{request}");
    for (name, expected) in &made.parameters {
        let found = message.get(name);
        let nearly = match (found, expected) {
            (Some(ValueRef::F64(found)), Value::F64(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == Some(expected.as_ref()),
        };
        assert!(nearly, "{name}: {found:?}, not {expected:?} of {request}");
    }
    let found = message.fields().count();
    assert_eq!(found, 1 + made.parameters.len(), "{message:?} of {request}");
}

#[test]
fn requests_cut_anywhere_come_back_whole() {
    each_seed(|random| {
        let mut phone = phone();
        for _ in 0..1 + random.below(4) {
            let made = make(random);
            let mut rest = made.request.as_bytes();
            while !rest.is_empty() {
                let (part, behind) = rest.split_at(1 + random.below(rest.len()));
                assert_eq!(phone.send(part), SILENCE, "{}", made.request);
                rest = behind;
            }
            assert_eq!(phone.intake.taken.len(), 1, "{}", made.request);
            check(&phone.intake.taken.remove(0), &made);
            assert_eq!(answer(phone.make_safe()), ACCEPTED);
        }
        assert_eq!((phone.unused(), &phone.closed), (0, &None));
        assert_eq!(phone.intake.malformed, []);
    });
}

/// Each answer belongs to one request, and 200 to one whose message was taken.
#[test]
fn damaged_requests_neither_panic_nor_are_answered_as_taken() {
    each_seed(|random| {
        let mut bytes = make(random).request.into_bytes();
        for _ in 0..1 + random.below(4) {
            damage(random, &mut bytes);
        }
        let mut phone = phone();
        let mut said = Vec::new();
        for piece in bytes.chunks(1 + random.below(200)) {
            said.extend(phone.send(piece));
            assert!(!String::from_utf8_lossy(&said).contains(" 200 OK"));
            let taken = phone.intake.taken.len();
            let safe = phone.make_safe();
            assert_eq!(!safe.is_empty(), taken == 1, "{taken} taken");
            phone.intake.taken.clear();
        }
    });
}

fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len());
    match random.below(4) {
        0 => bytes.truncate(at + 1),
        1 => drop(bytes.remove(at)),
        2 => bytes[at] ^= 1 << random.below(8),
        _ => {
            let word = pick(
                random,
                &[
                    "\r\n", "%", "&", "=", "{", "}", "\"", ",", "-", "9e99", "\0",
                ],
            );
            bytes.splice(at..at, word.bytes());
        }
    }
    if bytes.is_empty() {
        bytes.push(b' ');
    }
}
