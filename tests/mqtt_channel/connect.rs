//! The channel as a client of a broker, whose packets are written out here.

use crate::V4;
use crate::puback;
use crate::reason;
use crate::settings;
use crate::support::a_moment;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::channel::value;
use crate::support::random::Random;
use crate::wire::packet;
use crate::wire::publish;
use crate::wire::publish1;
use crate::wire::text;
use std::rc::Rc;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::Refusal;
use weir::channel::Session;
use weir::channel::mqtt::PACKET_MAX;
use weir::channel::mqtt::Settings;
use weir::channel::mqtt::Subscriber;
use weir::message::Value;

/// CONNACK 0 of a broker that knows the session, or does not.
const KNOWN: [u8; 4] = [0x20, 2, 1, 0];
const NEW: [u8; 4] = [0x20, 2, 0, 0];
/// QoS 1 for the filter with id 1.
const SUBACK: [u8; 5] = [0x90, 3, 0, 1, 1];

/// A connection that was just made, and what it says first.
fn dialled(settings: Settings) -> (Connection<Subscriber>, Vec<u8>) {
    let mut broker = Connection::new(Subscriber::new(Rc::new(settings), "weir-7-local"));
    let mut out = Vec::new();
    broker.session.opened(a_moment(), &mut out);
    (broker, out)
}

/// A connection that is subscribed.
fn subscribed(connack: [u8; 4]) -> Connection<Subscriber> {
    let (mut broker, _) = dialled(settings());
    assert_eq!(broker.send(&connack), subscribe("t/+/up"));
    assert_eq!(broker.send(&SUBACK), SILENCE);
    broker
}

/// SUBSCRIBE with id 1, QoS 1.
fn subscribe(filter: &str) -> Vec<u8> {
    packet(0x82, &[&[0, 1][..], &text(filter), &[1]].concat())
}

/// CONNECT of 3.1.1 with a session that is kept, a ping a minute.
fn connect(flags: u8, rest: &[u8]) -> Vec<u8> {
    packet(
        0x10,
        &[&text("MQTT")[..], &[4, flags, 0, 60], rest].concat(),
    )
}

#[test]
fn it_logs_in_with_a_session_that_is_kept() {
    let (_, said) = dialled(settings());
    assert_eq!(said, connect(0, &text("weir-7-local")));
    let (_, said) = dialled(Settings {
        client_id: Some("gw".into()),
        username: Some("ann".into()),
        password: Some("secret".into()),
        ..settings()
    });
    let rest = [text("gw"), text("ann"), text("secret")].concat();
    assert_eq!(said, connect(0b1100_0000, &rest));
}

#[test]
fn a_message_is_acknowledged_once_it_is_safe_and_not_before() {
    let mut broker = subscribed(NEW);
    assert_eq!(broker.send(&publish1(V4, "t/a/up", 7, "1")), SILENCE);
    assert_eq!(broker.send(&publish(V4, 0, "t/a/up", 0, b"2")), SILENCE);
    assert_eq!(broker.send(&publish1(V4, "t/a/up", 8, "3")), SILENCE);
    assert_eq!(broker.intake.taken.len(), 3);
    assert_eq!(value(&broker.intake.taken[2], "up"), Value::U64(3));
    assert_eq!(broker.make_safe(), [puback(7), puback(8)].concat());
}

#[test]
fn what_the_broker_had_kept_may_come_before_the_subscription_is_answered() {
    let (mut broker, _) = dialled(settings());
    broker.send(&KNOWN);
    broker.send(&publish1(V4, "t/a/up", 7, "1"));
    broker.send(&SUBACK);
    assert_eq!(broker.make_safe(), puback(7));
}

/// Each subscription brings again what is retained, in a session that is kept as well.
#[test]
fn what_was_retained_in_the_time_away_is_taken_and_what_came_before_is_counted() {
    let settings = settings();
    let connected = || {
        let (mut broker, _) = dialled(settings.clone());
        broker.send(&KNOWN);
        broker.send(&SUBACK);
        broker
    };
    let retained = |topic: &str, payload: &str| publish(V4, 0b0001, topic, 0, payload.as_bytes());
    let mut broker = connected();
    broker.send(&retained("t/a/up", "1"));
    // was retained too, and nobody can see it
    broker.send(&publish1(V4, "t/b/up", 7, "1"));
    broker.send(&retained("t/a/up", "1"));
    assert_eq!(broker.intake.taken.len(), 2);
    assert_eq!(broker.intake.malformed, [InputError::Repeat]);
    let mut broker = connected();
    broker.send(&retained("t/a/up", "1"));
    broker.send(&retained("t/b/up", "1"));
    assert_eq!(broker.intake.taken, []);
    assert_eq!(broker.intake.malformed, [InputError::Repeat; 2]);
    broker.send(&publish(V4, 0b0011, "t/a/up", 8, b"2"));
    assert_eq!(broker.intake.taken.len(), 1);
    assert_eq!(broker.make_safe(), puback(8));
}

/// A broker that keeps the session goes on to fill its queue with what nobody wants.
#[test]
fn after_a_change_of_topic_the_old_filter_is_given_up() {
    let unsubscribe = packet(
        0xA2,
        &[&[0, 2][..], &text("old/+"), &text("older")].concat(),
    );
    let both = [unsubscribe, subscribe("t/+/up")].concat();
    const UNSUBACK: [u8; 4] = [0xB0, 2, 0, 2];
    let filters = "old/+\nolder\nt/+/up";
    for answers in [[&UNSUBACK[..], &SUBACK], [&SUBACK[..], &UNSUBACK]] {
        let (mut broker, _) = dialled(settings());
        broker.session.recall("old/+\nt/+/up\nolder");
        assert_eq!(broker.send(&KNOWN), both);
        assert_eq!(broker.intake.notes, [filters]);
        broker.send(answers[0]);
        assert_eq!(
            broker.intake.notes,
            [filters],
            "the other is not answered yet"
        );
        broker.send(answers[1]);
        assert_eq!(broker.intake.notes, [filters, "t/+/up"]);
        assert_eq!(broker.closed, None);
    }
    // a session that is new has no filter to give up
    let (mut broker, _) = dialled(settings());
    broker.session.recall("old/+");
    assert_eq!(broker.send(&NEW), subscribe("t/+/up"));
    broker.send(&UNSUBACK);
    assert_eq!(reason(&broker), "the broker does not speak MQTT 3.1.1");
}

#[test]
fn what_will_never_be_taken_does_not_stop_what_follows() {
    let mut broker = subscribed(NEW);
    broker.send(&publish1(V4, "t/a/up", 1, "{"));
    broker.send(&publish1(V4, "other", 2, "1"));
    broker.intake.refusal = Some(Refusal::Unwanted);
    broker.send(&publish1(V4, "t/a/up", 3, "1"));
    assert_eq!(
        broker.intake.malformed,
        [InputError::Syntax, InputError::Unsupported]
    );
    assert_eq!(
        broker.make_safe(),
        [puback(1), puback(2), puback(3)].concat()
    );
}

#[test]
fn a_message_that_is_too_long_is_passed_over() {
    for len in [PACKET_MAX, 3 * 1024 * 1024] {
        let mut broker = subscribed(NEW);
        broker.send(&publish1(V4, "t/a/up", 1, "1"));
        let long = publish1(V4, "t/a/up", 2, &"7".repeat(len));
        for piece in long.chunks(1000) {
            assert_eq!(broker.send(piece), SILENCE);
        }
        broker.send(&publish1(V4, "t/a/up", 3, "3"));
        assert_eq!(broker.intake.taken.len(), 2);
        assert_eq!(broker.intake.malformed, [InputError::Length]);
        assert_eq!(
            broker.make_safe(),
            [puback(1), puback(2), puback(3)].concat()
        );
    }
}

#[test]
fn a_full_ring_ends_the_connection_so_that_the_message_comes_again() {
    let mut broker = subscribed(NEW);
    broker.intake.refusal = Some(Refusal::Full);
    broker.send(&publish(V4, 0, "t/a/up", 0, b"1"));
    assert_eq!(broker.closed, None);
    broker.send(&publish1(V4, "t/a/up", 1, "1"));
    assert_eq!(reason(&broker), "the ring takes nothing now");
}

#[test]
fn a_repeat_is_taken_once_while_its_first_copy_is_not_safe() {
    let again = publish(V4, 0b1010, "t/a/up", 7, b"1");
    let mut broker = subscribed(NEW);
    broker.send(&publish1(V4, "t/a/up", 7, "1"));
    broker.send(&again);
    assert_eq!(broker.intake.taken.len(), 1);
    // a second answer might be taken for that to a message that has the id next
    assert_eq!(broker.make_safe(), puback(7));
}

/// A session that somebody else used may bring such messages.
#[test]
fn messages_of_qos_2_are_taken_in_their_two_steps() {
    let mut broker = subscribed(KNOWN);
    broker.send(&publish(V4, 0b0100, "t/a/up", 7, b"1"));
    assert_eq!(broker.make_safe(), [0x50, 2, 0, 7]);
    assert_eq!(broker.send(&[0x62, 2, 0, 7]), [0x70, 2, 0, 7]);
    assert_eq!(broker.intake.taken.len(), 1);
}

#[test]
fn refusals_of_the_broker_are_said() {
    for (code, expected) in [
        (
            1,
            "the broker refused the login: unacceptable protocol version",
        ),
        (
            2,
            "the broker refused the login: client identifier rejected",
        ),
        (3, "the broker refused the login: server unavailable"),
        (4, "the broker refused the login: bad user name or password"),
        (5, "the broker refused the login: not authorized"),
        (6, "the broker does not speak MQTT 3.1.1"),
    ] {
        let (mut broker, _) = dialled(settings());
        assert_eq!(broker.send(&[0x20, 2, 0, code]), SILENCE);
        assert_eq!(reason(&broker), expected);
    }
    let (mut broker, _) = dialled(settings());
    broker.send(&NEW);
    broker.send(&[0x90, 3, 0, 1, 0x80]);
    assert_eq!(reason(&broker), "the broker refused the subscription");
}

#[test]
fn it_pings_and_does_not_wait_for_ever() {
    let mut broker = subscribed(NEW);
    assert_eq!(broker.pass(Duration::from_secs(59)), SILENCE);
    assert_eq!(broker.pass(Duration::from_secs(1)), [0xC0, 0]);
    assert_eq!(broker.send(&[0xD0, 0]), SILENCE);
    assert_eq!(broker.pass(Duration::from_secs(60)), [0xC0, 0]);
    assert_eq!(broker.pass(Duration::from_secs(29)), SILENCE);
    assert_eq!(broker.closed, None);
    broker.pass(Duration::from_secs(1));
    assert_eq!(reason(&broker), "the broker does not answer the ping");

    let (mut broker, _) = dialled(settings());
    broker.pass(Duration::from_secs(30));
    assert_eq!(reason(&broker), "the broker does not answer the login");

    let (mut broker, _) = dialled(settings());
    broker.send(&NEW);
    broker.pass(Duration::from_secs(30));
    assert_eq!(
        reason(&broker),
        "the broker does not answer the subscription"
    );
}

#[test]
fn what_is_no_broker_is_left() {
    let long = publish1(V4, "t/a/up", 1, &"7".repeat(PACKET_MAX));
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\n"[..],
        b"\x15\x03\x03\x00\x02\x02\x46",
        &SUBACK,
        &[0xD0, 0],
        &publish1(V4, "t/a/up", 1, "1"),
        &long,
        &[0x20, 1, 0],
        &[0x20, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        &packet(0x10, &text("MQTT")),
    ] {
        let (mut broker, _) = dialled(settings());
        assert_eq!(broker.send(bytes), SILENCE);
        assert_eq!(reason(&broker), "the broker does not speak MQTT 3.1.1");
        assert_eq!(broker.intake.malformed, [InputError::Syntax]);
    }
    for bytes in [&KNOWN[..], &[0x90, 0xFF, 0xFF, 0x7F, 0, 1], &[0x82, 0]] {
        let mut broker = subscribed(NEW);
        broker.send(bytes);
        assert_eq!(reason(&broker), "the broker does not speak MQTT 3.1.1");
    }
}

#[test]
fn thousands_of_messages_come_back_with_their_values_and_answers() {
    let mut random = Random(3);
    let mut broker = subscribed(NEW);
    for id in 1..=10_000_u16 {
        let n = random.next();
        let payload = format!("{{\"n\":{n}}}");
        let bytes = publish1(V4, &format!("t/d{}/up", random.below(9)), id, &payload);
        let (head, tail) = bytes.split_at(random.below(bytes.len()));
        broker.send(head);
        broker.send(tail);
        let message = broker.intake.taken.last().unwrap();
        assert_eq!(value(message, "n"), Value::U64(n));
        let [high, low] = id.to_be_bytes();
        assert_eq!(broker.make_safe(), [0x40, 2, high, low]);
    }
    assert_eq!(broker.intake.taken.len(), 10_000);
}

#[test]
fn damage_anywhere_is_survived() {
    let mut random = Random(4);
    let whole = [
        &NEW[..],
        &SUBACK,
        &publish1(V4, "t/a/up", 1, "{\"n\":1}"),
        &publish(V4, 4, "t/a/up", 2, b"1"),
        &[0x62, 2, 0, 2],
        &[0xD0, 0],
    ]
    .concat();
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.next().to_le_bytes()[0];
        }
        let (mut broker, _) = dialled(settings());
        broker.send(&bytes);
        broker.make_safe();
        assert!(broker.intake.taken.len() <= 2);
    }
}
