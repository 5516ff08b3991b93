//! What a device is answered.

use crate::V4;
use crate::V5;
use crate::WELCOME_V4;
use crate::device;
use crate::device_of;
use crate::puback;
use crate::reason;
use crate::settings;
use crate::stranger;
use crate::support::channel::SILENCE;
use crate::support::channel::value;
use crate::wire::Login;
use crate::wire::filters;
use crate::wire::packet;
use crate::wire::publish;
use crate::wire::publish1;
use crate::wire::text;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::Refusal;
use weir::channel::Session;
use weir::channel::mqtt::RECEIVE_MAX;
use weir::channel::mqtt::Settings;
use weir::message::Value;

const GOOD: &str = "{\"n\":1}";

#[test]
fn a_message_is_acknowledged_once_it_is_safe_and_not_before() {
    for level in [V4, V5] {
        let mut device = device(level);
        assert_eq!(device.send(&publish1(level, "t/a/up", 7, GOOD)), SILENCE);
        assert_eq!(device.send(&publish1(level, "t/a/up", 8, GOOD)), SILENCE);
        assert_eq!(device.intake.taken.len(), 2);
        assert_eq!(device.intake.taken[0].ident(), "a");
        assert_eq!(value(&device.intake.taken[0], "n"), Value::U64(1));
        // 4.6.0-2: in the order in which the messages came
        assert_eq!(device.make_safe(), [puback(7), puback(8)].concat());
        assert_eq!(device.make_safe(), SILENCE);
    }
}

#[test]
fn a_message_of_qos_0_is_taken_and_not_answered() {
    for level in [V4, V5] {
        let mut device = device(level);
        device.send(&publish(level, 0, "t/a/up", 0, GOOD.as_bytes()));
        // retained ones are messages like all others
        device.send(&publish(level, 1, "t/a/up", 0, GOOD.as_bytes()));
        assert_eq!(device.intake.taken.len(), 2);
        assert_eq!(device.make_safe(), SILENCE);
        assert_eq!(device.closed, None);
    }
}

#[test]
fn a_login_is_told_what_is_allowed() {
    let mut device = stranger(settings());
    assert_eq!(device.send(&Login::new(V4).bytes()), WELCOME_V4);
    let mut device = stranger(settings());
    let properties = [
        &[0x11, 0, 0, 0, 0][..], // the session ends with the connection
        &[0x21, 1, 0],           // 256 messages at once
        &[0x24, 1],              // QoS 1
        &[0x27, 0, 1, 0, 0],     // packets of 64 KiB
        &[0x22, 0, 0],           // no topic alias
        &[0x28, 0],              // no wildcards in subscriptions
        &[0x29, 0],              // no identifiers of them
        &[0x2A, 0],              // none that are shared
    ]
    .concat();
    let len = u8::try_from(properties.len()).unwrap();
    let answer = [&[0x20, len + 3, 0, 0, len], &properties[..]].concat();
    assert_eq!(device.send(&Login::new(V5).bytes()), answer);
}

#[test]
fn a_client_without_a_name_gets_one_or_keeps_no_session() {
    let nameless = |level, flags| {
        let mut device = stranger(settings());
        let login = Login {
            client_id: "",
            flags,
            ..Login::new(level)
        };
        let answer = device.send(&login.bytes());
        (answer, reason(&device))
    };
    assert_eq!(nameless(V4, 2), (WELCOME_V4.to_vec(), ""));
    // 3.1.3-8
    let (answer, reason) = nameless(V4, 0);
    assert_eq!(answer, [0x20, 2, 0, 2]);
    assert_eq!(reason, "a session without a client identifier");
    let (answer, _) = nameless(V5, 0);
    let name = answer.windows(5).position(|five| five == b"weir-").unwrap();
    assert_eq!(answer[name - 3], 0x12, "{answer:x?}");
}

#[test]
fn users_have_to_know_their_password() {
    let users = vec![
        ("ann".to_owned(), "secret".to_owned()),
        ("bob".to_owned(), "word".to_owned()),
    ];
    let settings = || Settings {
        users: users.clone(),
        ..settings()
    };
    for (name, password, codes) in [
        ("ann", "secret", [0, 0]),
        ("bob", "word", [0, 0]),
        ("ann", "word", [4, 0x86]),
        ("ann", "secre", [4, 0x86]),
        ("ann", "secret ", [4, 0x86]),
        ("ann", "", [4, 0x86]),
        ("eve", "secret", [4, 0x86]),
    ] {
        for (level, code) in [V4, V5].into_iter().zip(codes) {
            let mut device = stranger(settings());
            let answer = device.send(&Login::with_user(level, name, password).bytes());
            assert_eq!((answer[0], answer[3]), (0x20, code), "{name} {password}");
            assert_eq!(device.closed.is_some(), code > 0);
            let counted: &[InputError] = if code > 0 { &[InputError::Login] } else { &[] };
            assert_eq!(device.intake.malformed, counted);
        }
    }
    for (level, code) in [(V4, 5), (V5, 0x87)] {
        let mut device = stranger(settings());
        assert_eq!(device.send(&Login::new(level).bytes())[3], code);
        assert_eq!(reason(&device), "no user name and password");
    }
    // without users a name is as good as none
    let mut device = stranger(crate::settings());
    let login = Login::with_user(V4, "eve", "x").bytes();
    assert_eq!(device.send(&login), WELCOME_V4);
}

#[test]
fn what_is_refused_is_said_in_version_5() {
    for (refusal, code) in [
        (Refusal::Unwanted, 0x83),
        (Refusal::Ident, 0x87),
        (Refusal::TooLong, 0x97),
    ] {
        let mut device = device(V5);
        device.send(&publish1(V5, "t/a/up", 1, GOOD));
        device.intake.refusal = Some(refusal);
        assert_eq!(device.send(&publish1(V5, "t/a/up", 2, GOOD)), SILENCE);
        device.intake.refusal = None;
        device.send(&publish1(V5, "t/a/up", 3, GOOD));
        let refused = vec![0x40, 4, 0, 2, code, 0];
        // in its turn
        assert_eq!(device.make_safe(), [puback(1), refused, puback(3)].concat());
        assert_eq!(device.closed, None);
    }
    for (topic, payload, code) in [
        ("t/a/up", "{", 0x99),
        ("t/a/up", "{\"ident\":1,\"x\":1e999}", 0x99),
        ("t//up", GOOD, 0x90),
        ("t/a/down", GOOD, 0x10),
        ("t/a/up", "", 0x10),
        ("t/a/up", " \n", 0x10),
    ] {
        let mut device = device(V5);
        device.send(&publish1(V5, topic, 9, payload));
        assert_eq!(device.intake.malformed.len(), 1, "{topic} {payload}");
        assert_eq!(device.make_safe(), [0x40, 4, 0, 9, code, 0]);
        assert_eq!(device.closed, None);
    }
}

/// `{"t":nan}` ended the connection each time, and the device sent it for ever.
#[test]
fn what_will_never_be_taken_is_acknowledged_in_version_3_and_counted() {
    for (topic, payload, refusal) in [
        ("t/a/up", "{\"t\":nan}", None),
        ("t/a/up", "{", None),
        ("t//up", GOOD, None),
        ("t/a/up", GOOD, Some(Refusal::Ident)),
        ("t/a/up", GOOD, Some(Refusal::TooLong)),
    ] {
        let mut device = device(V4);
        device.send(&publish1(V4, "t/a/up", 1, GOOD));
        device.intake.refusal = refusal;
        assert_eq!(device.send(&publish1(V4, topic, 2, payload)), SILENCE);
        device.intake.refusal = None;
        device.send(&publish1(V4, "t/a/up", 3, GOOD));
        let answers = [puback(1), puback(2), puback(3)].concat();
        assert_eq!(device.make_safe(), answers, "{payload}");
        assert_eq!(device.closed, None, "{payload}");
        assert_eq!(device.intake.taken.len(), 2, "{payload}");
        let counted = usize::from(refusal.is_none());
        assert_eq!(device.intake.malformed.len(), counted, "{payload}");
    }
}

#[test]
fn what_a_stream_may_want_later_ends_a_connection_of_version_3_after_what_was_taken() {
    let mut device = device(V4);
    device.send(&publish1(V4, "t/a/up", 1, GOOD));
    device.intake.refusal = Some(Refusal::Unwanted);
    assert_eq!(device.send(&publish1(V4, "t/a/up", 2, GOOD)), SILENCE);
    assert_eq!(device.closed, None, "the first one is owed its answer");
    assert_eq!(device.make_safe(), puback(1));
    assert_eq!(device.send(&[]), SILENCE);
    let why = "a message was refused, and MQTT 3.1.1 cannot say so";
    assert_eq!(reason(&device), why);
    // QoS 0 promises nothing, so nothing ends
    let mut device = crate::device(V4);
    device.intake.refusal = Some(Refusal::Unwanted);
    device.send(&publish(V4, 0, "t/a/up", 0, GOOD.as_bytes()));
    assert_eq!(device.closed, None);
}

#[test]
fn a_login_claims_its_name_and_who_loses_it_hears_why() {
    for (level, answer) in [(V4, &[][..]), (V5, &[0xE0, 1, 0x8E])] {
        let mut device = device(level);
        assert_eq!(device.intake.claimed, ["c"]);
        device.send(&publish1(level, "t/a/up", 1, GOOD));
        let mut out = Vec::new();
        let close = device.session.superseded(&mut device.intake, &mut out);
        assert_eq!(out, answer);
        assert_eq!(
            close.reason,
            "another connection has logged in under its name"
        );
    }
    let mut nameless = stranger(settings());
    let login = Login {
        client_id: "",
        ..Login::new(V4)
    };
    nameless.send(&login.bytes());
    assert_eq!(nameless.intake.claimed, Vec::<String>::new());
}

#[test]
fn a_topic_that_nobody_asked_for_is_acknowledged_as_by_any_broker() {
    let mut device = device(V4);
    device.send(&publish1(V4, "t/a/up", 1, GOOD));
    device.send(&publish1(V4, "status/a", 2, "online"));
    device.send(&publish1(V4, "t/a/up", 3, ""));
    assert_eq!(device.intake.taken.len(), 1);
    assert_eq!(device.intake.malformed, [InputError::Unsupported; 2]);
    assert_eq!(
        device.make_safe(),
        [puback(1), puback(2), puback(3)].concat()
    );
}

#[test]
fn a_full_ring_ends_the_connection_so_that_the_message_comes_again() {
    for (level, answer) in [(V4, &[][..]), (V5, &[0xE0, 1, 0x89])] {
        let mut device = device(level);
        device.intake.refusal = Some(Refusal::Full);
        device.send(&publish(level, 0, "t/a/up", 0, GOOD.as_bytes()));
        assert_eq!(device.closed, None);
        assert_eq!(device.send(&publish1(level, "t/a/up", 1, GOOD)), answer);
        assert_eq!(reason(&device), "the ring takes nothing now");
    }
}

#[test]
fn a_repeat_is_taken_once_while_its_first_copy_is_not_safe() {
    let again = |level, id| publish(level, 0b1010, "t/a/up", id, GOOD.as_bytes());
    for level in [V4, V5] {
        let mut device = device(level);
        device.send(&publish1(level, "t/a/up", 7, GOOD));
        device.send(&again(level, 7));
        assert_eq!(device.intake.taken.len(), 1);
        assert_eq!(device.make_safe(), puback(7));
        // acknowledged, so it may be another one that was sent before another connection
        device.send(&again(level, 7));
        device.send(&again(level, 8));
        assert_eq!(device.intake.taken.len(), 3);
        assert_eq!(device.make_safe(), [puback(7), puback(8)].concat());
    }
}

#[test]
fn a_subscription_is_refused_politely() {
    let mut device = device(V4);
    let wanted = filters(0x82, V4, 5, &["#", "t/+/down"]);
    assert_eq!(device.send(&wanted), [0x90, 4, 0, 5, 0x80, 0x80]);
    assert_eq!(device.intake.malformed, [InputError::Unsupported]);
    assert_eq!(device.send(&filters(0xA2, V4, 6, &["#"])), [0xB0, 2, 0, 6]);
    assert_eq!(device.closed, None);
    let mut device = crate::device(V5);
    let wanted = filters(0x82, V5, 5, &["#", "t/+/down"]);
    assert_eq!(device.send(&wanted), [0x90, 5, 0, 5, 0, 0x87, 0x87]);
    let given_up = filters(0xA2, V5, 6, &["#", "x"]);
    assert_eq!(device.send(&given_up), [0xB0, 5, 0, 6, 0, 0x11, 0x11]);
    assert_eq!(device.closed, None);
}

#[test]
fn a_ping_is_answered_and_a_silent_client_is_not_waited_for() {
    for (level, farewell) in [(V4, &[][..]), (V5, &[0xE0, 1, 0x8D])] {
        let mut device = device(level);
        device.pass(Duration::from_secs(89));
        assert_eq!(device.send(&[0xC0, 0]), [0xD0, 0]);
        device.pass(Duration::from_secs(89));
        assert_eq!(device.closed, None);
        assert_eq!(device.pass(Duration::from_secs(1)), farewell);
        assert_eq!(reason(&device), "silent for longer than agreed");
    }
    let mut device = stranger(settings());
    let login = Login {
        keep_alive: 0,
        ..Login::new(V4)
    };
    device.send(&login.bytes());
    device.pass(Duration::from_secs(86_400));
    assert_eq!(device.closed, None);
}

#[test]
fn a_login_does_not_take_for_ever() {
    let mut device = stranger(settings());
    device.send(&Login::new(V4).bytes()[..9]);
    device.pass(Duration::from_secs(29));
    device.send(&Login::new(V4).bytes()[9..12]);
    assert_eq!(device.pass(Duration::from_secs(1)), SILENCE);
    assert_eq!(reason(&device), "silent for longer than agreed");
}

#[test]
fn a_client_may_say_goodbye() {
    for (level, goodbye) in [
        (V4, &[0xE0, 0][..]),
        (V5, &[0xE0, 0]),
        (V5, &[0xE0, 1, 4]),
        (V5, &[0xE0, 2, 0, 0]),
    ] {
        let mut device = device(level);
        let last = publish1(level, "t/a/up", 1, GOOD);
        assert_eq!(device.send(&[&last[..], goodbye].concat()), SILENCE);
        assert_eq!(reason(&device), "the client has disconnected");
        assert_eq!(device.intake.taken.len(), 1);
        assert_eq!(device.intake.malformed, []);
    }
}

#[test]
fn a_will_is_not_looked_at_unless_its_qos_is_none_that_is_spoken() {
    let with_will = |level: u8, qos: u8| {
        let properties: &[u8] = if level == V5 { &[0] } else { &[] };
        let rest = [properties, &text("t/a/up"), &text("gone")].concat();
        let login = Login {
            flags: 0b0010_0110 | qos << 3,
            rest,
            ..Login::new(level)
        };
        stranger(settings()).send(&login.bytes())[3]
    };
    assert_eq!(
        [with_will(V4, 1), with_will(V4, 2), with_will(V5, 1)],
        [0, 0, 0]
    );
    // 3.2.2-12
    assert_eq!(with_will(V5, 2), 0x9B);
}

#[test]
fn more_messages_at_once_than_agreed_end_a_connection_of_version_5() {
    let mut device = device(V5);
    for id in 1..=RECEIVE_MAX {
        device.send(&publish1(V5, "t/a/up", id, GOOD));
    }
    assert_eq!(device.closed, None);
    assert_eq!(
        device.send(&publish1(V5, "t/a/up", 300, GOOD)),
        [0xE0, 1, 0x93]
    );
    assert_eq!(device.intake.taken.len(), usize::from(RECEIVE_MAX));
}

#[test]
fn a_device_of_version_3_that_waits_for_nothing_is_read_no_further() {
    let mut device = device(V4);
    let many: Vec<u8> = (1..=2000)
        .flat_map(|id| publish1(V4, "t/a/up", id, GOOD))
        .collect();
    device.send(&many);
    assert_eq!(device.intake.taken.len(), 1024);
    // it cannot be blamed for silence then
    device.pass(Duration::from_secs(3600));
    assert_eq!(device.closed, None);
    assert_eq!(device.make_safe().len(), 4 * 1024);
    device.send(&[]);
    assert_eq!(device.intake.taken.len(), 2000);
}

#[test]
fn packets_may_come_in_pieces() {
    for level in [V4, V5] {
        let mut device = device(level);
        for byte in publish1(level, "t/a/up", 1, &"7".repeat(19)) {
            assert_eq!(device.send(&[byte]), SILENCE);
        }
        assert_eq!(device.make_safe(), puback(1));
    }
}

#[test]
fn a_message_may_have_properties() {
    let mut device = device(V5);
    let properties = [
        &[1, 1][..],      // UTF-8
        &[2, 0, 0, 0, 9], // expires
        &[3, 0, 1, b'j'], // content type
        &[38, 0, 1, b'a', 0, 1, b'b'],
    ]
    .concat();
    let len = u8::try_from(properties.len()).unwrap();
    let body = [
        &text("t/a/up")[..],
        &[0, 3, len],
        &properties,
        GOOD.as_bytes(),
    ]
    .concat();
    device.send(&packet(0x32, &body));
    assert_eq!(device.make_safe(), puback(3));
}

#[test]
fn without_a_topic_all_are_taken() {
    let any = Settings {
        ident: Some("gateway".into()),
        ..Settings::default()
    };
    let mut device = device_of(V4, any);
    device.send(&publish1(V4, "din/1", 1, "true"));
    let message = &device.intake.taken[0];
    assert_eq!(message.ident(), "gateway");
    assert_eq!(value(message, "din.1"), Value::Bool(true));
}
