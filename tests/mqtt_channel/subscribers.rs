//! Programs on the gateway that subscribe to what passes.

use crate::V4;
use crate::V5;
use crate::reason;
use crate::settings;
use crate::stranger;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::wire::Login;
use crate::wire::filters;
use crate::wire::packet;
use crate::wire::text;
use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use weir::channel::InputError;
use weir::channel::Session;
use weir::channel::mqtt::Broker;
use weir::channel::mqtt::Settings;
use weir::channel::passing::Looked;
use weir::channel::passing::Passing;

/// What passes: messages that are all kept from `oldest` on, and states.
#[derive(Debug, Default)]
struct Fake {
    messages: RefCell<Vec<(String, String)>>,
    oldest: Cell<u64>,
    states: RefCell<Vec<(u64, String, String)>>,
    is_known: Cell<bool>,
    looked: Cell<Looked>,
}

impl Passing for Fake {
    fn want(&self, looked: Looked) -> Looked {
        self.looked.replace(looked)
    }

    fn last(&self) -> u64 {
        self.messages.borrow().len() as u64
    }

    fn messages(&self, after: &mut u64, take: &mut dyn FnMut(&str, &str) -> bool) -> u64 {
        let missed = self.oldest.get().saturating_sub(*after);
        *after += missed;
        let from = usize::try_from(*after).unwrap();
        for (ident, json) in self.messages.borrow().iter().skip(from) {
            if !take(ident, json) {
                break;
            }
            *after += 1;
        }
        missed
    }

    fn last_change(&self) -> Option<u64> {
        let states = self.states.borrow();
        let last = states.iter().map(|(change, ..)| *change).max();
        self.is_known.get().then(|| last.unwrap_or(0))
    }

    fn states(&self, after: &mut u64, take: &mut dyn FnMut(u64, &str, &str) -> bool) {
        let mut states = self.states.borrow().clone();
        states.sort();
        for (change, path, json) in states {
            if change > *after {
                if !take(change, &path, &json) {
                    return;
                }
                *after = change;
            }
        }
    }
}

impl Fake {
    fn pass(&self, ident: &str, json: &str) {
        let message = (ident.to_owned(), json.to_owned());
        self.messages.borrow_mut().push(message);
    }

    /// A state changes.
    fn change(&self, path: &str, json: &str) {
        let mut states = self.states.borrow_mut();
        let last = states.iter().map(|(change, ..)| *change).max();
        states.retain(|(_, known, _)| known != path);
        states.push((last.unwrap_or(0) + 1, path.to_owned(), json.to_owned()));
    }
}

/// A program that has logged in, and what passes meanwhile.
fn program(level: u8) -> (Connection<Broker>, Rc<Fake>) {
    program_of(Login::new(level))
}

fn program_of(login: Login<'_>) -> (Connection<Broker>, Rc<Fake>) {
    let passing = Rc::new(Fake::default());
    passing.is_known.set(true);
    let mut program = stranger(Settings {
        subscribe: true,
        ..settings()
    });
    program.intake.passing = Some(passing.clone());
    let answer = program.send(&login.bytes());
    assert_eq!((answer[0], answer[3]), (0x20, 0), "{answer:x?}");
    (program, passing)
}

/// A subscription of version 5 with options and, if it is not 0, an identifier below 128.
fn subscribe5(identifier: u8, all: &[(&str, u8)]) -> Vec<u8> {
    let mut body = vec![0, 9];
    match identifier {
        0 => body.push(0),
        _ => body.extend([2, 0x0B, identifier]),
    }
    for (filter, options) in all {
        body.extend(text(filter));
        body.push(*options);
    }
    packet(0x82, &body)
}

fn suback(level: u8, id: u8, codes: &[u8]) -> Vec<u8> {
    let none: &[u8] = if level == V5 { &[0] } else { &[] };
    packet(0x90, &[&[0, id], none, codes].concat())
}

/// A message of QoS 0, `mark` 1 if it is retained.
fn told(level: u8, mark: u8, topic: &str, ids: &[u8], payload: &str) -> Vec<u8> {
    let mut body = text(topic);
    if level == V5 {
        body.push(u8::try_from(2 * ids.len()).unwrap());
        ids.iter().for_each(|id| body.extend([0x0B, *id]));
    }
    body.extend(payload.as_bytes());
    packet(0x30 | mark, &body)
}

#[test]
fn what_passes_is_told_to_who_has_subscribed_and_only_then() {
    for level in [V4, V5] {
        let (mut program, passing) = program(level);
        passing.pass("352", "{\"n\":0}");
        assert_eq!(program.send(b""), SILENCE);
        assert!(!program.session.is_looking());
        // granted is QoS 0, whatever is asked for
        let asked = filters(0x82, level, 7, &["weir/messages/+", "weir/messages/99"]);
        assert_eq!(program.send(&asked), suback(level, 7, &[0, 0]));
        assert!(program.session.is_looking());
        let looked = Looked {
            messages: true,
            states: false,
        };
        assert_eq!(passing.looked.get(), looked);
        passing.pass("352", "{\"n\":1}");
        passing.pass("99", "{\"n\":2}");
        // once, though both filters fit
        let both = [
            told(level, 0, "weir/messages/352", &[], "{\"n\":1}"),
            told(level, 0, "weir/messages/99", &[], "{\"n\":2}"),
        ];
        assert_eq!(program.send(b""), both.concat());
        assert_eq!(program.send(b""), SILENCE);
        let given_up = filters(0xA2, level, 8, &["weir/messages/+", "x"]);
        let answer: &[u8] = match level {
            V5 => &[0xB0, 5, 0, 8, 0, 0, 0x11],
            _ => &[0xB0, 2, 0, 8],
        };
        assert_eq!(program.send(&given_up), answer);
        passing.pass("352", "{\"n\":3}");
        assert_eq!(program.send(b""), SILENCE);
        program.send(&filters(0xA2, level, 8, &["weir/messages/99"]));
        assert_eq!(passing.looked.get(), Looked::default());
        assert!(!program.session.is_looking());
    }
}

#[test]
fn what_cannot_be_told_is_refused_filter_by_filter() {
    let asked = [
        "weir/#",
        "trackers/#",
        "weir/messages/#/x",
        "$share/g/weir/#",
        "weir/state",
    ];
    let (mut program, _) = program(V5);
    let codes = [0, 0x87, 0x8F, 0x9E, 0x87];
    let answer = program.send(&filters(0x82, V5, 1, &asked));
    assert_eq!(answer, suback(V5, 1, &codes));
    assert_eq!(program.intake.malformed, [InputError::Unsupported]);
    let (mut program, _) = self::program(V4);
    let codes = [0, 0x80, 0x80, 0x80, 0x80];
    let answer = program.send(&filters(0x82, V4, 1, &asked));
    assert_eq!(answer, suback(V4, 1, &codes));
}

#[test]
fn subscriptions_of_one_connection_are_bounded() {
    let (mut program, _) = program(V5);
    for number in 0..40_u8 {
        let filter = format!("weir/messages/{number}");
        let code = if number < 32 { 0 } else { 0x97 };
        let answer = program.send(&filters(0x82, V5, 1, &[&filter]));
        assert_eq!(answer, suback(V5, 1, &[code]), "{number}");
    }
    // one that is there already is replaced
    let again = filters(0x82, V5, 1, &["weir/messages/3"]);
    assert_eq!(program.send(&again), suback(V5, 1, &[0]));
    let long = format!("weir/messages/{}", "x".repeat(300));
    let answer = program.send(&filters(0x82, V5, 1, &[&long]));
    assert_eq!(answer, suback(V5, 1, &[0x97]));
}

#[test]
fn states_are_retained_and_changes_are_told() {
    for level in [V4, V5] {
        let (mut program, passing) = program(level);
        passing.change("streams/a", "{\"backlog\":0}");
        passing.change("ring", "{\"full\":false}");
        passing.change("gone", "");
        let answer = program.send(&filters(0x82, level, 1, &["weir/state/streams/+"]));
        let retained = told(level, 1, "weir/state/streams/a", &[], "{\"backlog\":0}");
        assert_eq!(answer, [suback(level, 1, &[0]), retained].concat());
        // a second subscription gets its own
        let answer = program.send(&filters(0x82, level, 2, &["weir/state/#"]));
        let retained = [
            told(level, 1, "weir/state/streams/a", &[], "{\"backlog\":0}"),
            told(level, 1, "weir/state/ring", &[], "{\"full\":false}"),
        ];
        assert_eq!(answer, [suback(level, 2, &[0]), retained.concat()].concat());
        passing.change("streams/a", "{\"backlog\":5}");
        passing.change("ring", "");
        let changed = [
            told(level, 0, "weir/state/streams/a", &[], "{\"backlog\":5}"),
            told(level, 0, "weir/state/ring", &[], ""),
        ];
        assert_eq!(program.send(b""), changed.concat());
        assert_eq!(program.send(b""), SILENCE);
    }
}

#[test]
fn states_come_once_they_are_known() {
    let (mut program, passing) = program(V5);
    passing.is_known.set(false);
    let asked = filters(0x82, V5, 1, &["weir/state/ring"]);
    assert_eq!(program.send(&asked), suback(V5, 1, &[0]));
    passing.change("ring", "{}");
    passing.is_known.set(true);
    assert_eq!(program.send(b""), told(V5, 1, "weir/state/ring", &[], "{}"));
    assert_eq!(program.send(b""), SILENCE);
}

#[test]
fn options_of_version_5_are_kept() {
    let (mut program, passing) = program(V5);
    passing.change("ring", "{}");
    let granted = suback(V5, 9, &[0]);
    let ring = "weir/state/ring";
    let retained = |ids: &[u8]| told(V5, 1, ring, ids, "{}");
    // retain handling 2: nothing; 1: only where it is new; 0: always
    let mut ask = |id, options| program.send(&subscribe5(id, &[(ring, options)]));
    assert_eq!(ask(3, 0x20), granted);
    assert_eq!(ask(3, 0x10), granted);
    assert_eq!(ask(4, 0x00), [granted.clone(), retained(&[4])].concat());
    let other = program.send(&subscribe5(5, &[("weir/state/+", 0x10)]));
    assert_eq!(other, [granted, retained(&[5])].concat());
    // the identifiers of all that fit, in any order
    passing.change("ring", "{\"a\":1}");
    let told_once = program.send(b"");
    assert_eq!(told_once, told(V5, 0, ring, &[4, 5], "{\"a\":1}"));
    // retain as published
    program.send(&subscribe5(6, &[("weir/state/+", 0x28)]));
    passing.change("ring", "{\"a\":2}");
    let told_once = program.send(b"");
    assert_eq!(told_once, told(V5, 1, ring, &[4, 6], "{\"a\":2}"));
}

#[test]
fn options_that_cannot_be_end_the_connection() {
    for (asked, code) in [
        (subscribe5(0, &[("weir/#", 0x03)]), 0x81),
        (subscribe5(0, &[("weir/#", 0x30)]), 0x82),
        (subscribe5(0, &[]), 0x82),
        (packet(0x82, &[0, 9, 2, 0x0B, 0, 0, 1, b'#', 0]), 0x82),
        (packet(0x82, &[0, 0, 0, 0, 1, b'#', 0]), 0x82),
        (packet(0xA2, &[0, 9, 0]), 0x82),
    ] {
        let (mut program, _) = program(V5);
        assert_eq!(program.send(&asked), [0xE0, 1, code], "{asked:x?}");
        assert_eq!(program.intake.malformed, [InputError::Syntax]);
        assert_ne!(reason(&program), "");
    }
}

#[test]
fn a_login_is_told_that_it_may_subscribe() {
    let mut program = stranger(Settings {
        subscribe: true,
        ..settings()
    });
    let answer = program.send(&Login::new(V5).bytes());
    let ends = [0x28, 1, 0x29, 1, 0x2A, 0];
    assert_eq!(answer[answer.len() - 6..], ends, "{answer:x?}");
}

#[test]
fn who_reads_nothing_keeps_a_few_kib_waiting_and_misses_the_rest() {
    let (mut program, passing) = program(V4);
    program.send(&filters(0x82, V4, 1, &["#"]));
    let json = format!("{{\"x\":\"{}\"}}", "x".repeat(500));
    let mut out = Vec::new();
    for number in 0..1000_u64 {
        passing.pass("352", &json);
        passing.oldest.set(number.saturating_sub(99));
        let taken = program.session.receive(b"", &mut program.intake, &mut out);
        assert_eq!(taken, Ok(0));
    }
    assert!(program.session.has_more());
    assert!((7_000..=8_192).contains(&out.len()), "{}", out.len());
    let told = out.len() as u64 / (json.len() as u64 + 22);
    // what waits when it reads again is told
    out.clear();
    let taken = program.session.receive(b"", &mut program.intake, &mut out);
    assert_eq!((taken, program.intake.missed), (Ok(0), 900 - told));
    assert!(!out.is_empty());
}

#[test]
fn a_long_message_goes_alone_and_one_that_is_too_long_is_missed() {
    let long = format!("\"{}\"", "x".repeat(20_000));
    let (mut program, passing) = program(V4);
    program.send(&filters(0x82, V4, 1, &["weir/messages/#"]));
    passing.pass("a", "1");
    passing.pass("a", &long);
    passing.pass("a", &format!("\"{}\"", "x".repeat(65_536)));
    let small = told(V4, 0, "weir/messages/a", &[], "1");
    assert_eq!(program.send(b""), small);
    let alone = told(V4, 0, "weir/messages/a", &[], &long);
    assert_eq!(program.send(b""), alone);
    assert_eq!((program.send(b""), program.intake.missed), (vec![], 1));
}

#[test]
fn no_packet_is_longer_than_the_client_takes() {
    let mut login = Login::new(V5);
    let largest = [5, 0x27, 0, 0, 0, 100];
    let mut body = text("MQTT");
    body.extend([5, login.flags, 0, 60]);
    body.extend(largest);
    body.extend(text("c"));
    login.rest = Vec::new();
    let (mut program, passing) = program_of(login);
    // another login, byte by byte
    let mut limited = stranger(Settings {
        subscribe: true,
        ..settings()
    });
    limited.intake.passing = Some(passing.clone());
    limited.send(&packet(0x10, &body));
    for one in [&mut program, &mut limited] {
        one.send(&filters(0x82, V5, 1, &["weir/messages/#"]));
    }
    passing.pass("a", &format!("\"{}\"", "x".repeat(100)));
    passing.pass("a", "1");
    assert!(program.send(b"").len() > 100);
    let small = told(V5, 0, "weir/messages/a", &[], "1");
    assert_eq!((limited.send(b""), limited.intake.missed), (small, 1));
}

#[test]
fn nothing_follows_the_end() {
    let (mut program, passing) = program(V5);
    program.send(&filters(0x82, V5, 1, &["#"]));
    passing.pass("a", "1");
    let answer = program.send(&[0x00, 0]);
    assert_eq!(answer, [0xE0, 1, 0x81], "{answer:x?}");
}
