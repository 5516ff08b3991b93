//! AMQP 0-9-1: from the first byte to the first message.

use crate::amqp_broker::close;
use crate::amqp_broker::frames;
use crate::amqp_broker::long;
use crate::amqp_broker::method;
use crate::amqp_broker::settings;
use crate::amqp_broker::short;
use crate::amqp_broker::start;
use crate::amqp_broker::tune;
use crate::talk::Talk;
use crate::world::World;
use std::time::Duration;
use weir::stream::Retry;
use weir::stream::amqp::Login;

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|it| it == part)
}

#[test]
fn a_login_says_who_we_are_and_what_we_want() {
    let mut world = World::new();
    let settings = settings(|amqp| {
        amqp.vhost = "fleet".into();
        amqp.heartbeat = Duration::from_secs(30);
    });
    let mut talk = Talk::new(&world, &settings);
    assert_eq!(talk.sent(&mut world).unwrap(), *b"AMQP\0\0\x09\x01");
    let said = talk.hears(&mut world, &start("PLAIN EXTERNAL")).unwrap();
    let [(1, 0, start_ok)] = &frames(&said)[..] else {
        panic!("{said:?}");
    };
    let table_len = usize::from(start_ok[7]) + usize::from(start_ok[6]) * 256;
    let (table, rest) = start_ok[8..].split_at(table_len);
    let login = [short("PLAIN"), long(b"\0u\0pw"), short("en_US")];
    assert_eq!(
        (&start_ok[..4], rest),
        (&[0, 10, 0, 11][..], &login.concat()[..])
    );
    for capability in [
        "authentication_failure_close",
        "basic.nack",
        "connection.blocked",
        "publisher_confirms",
    ] {
        let set = [&short(capability)[..], b"t\x01"].concat();
        assert!(has(table, &set), "{capability}");
    }
    let steps = [
        (
            tune(2047, 131_072, 60),
            [
                method(0, 10, 31, b"\0\x01\0\0\x40\0\0\x1e"),
                method(0, 10, 40, b"\x05fleet\0\0"),
            ]
            .concat(),
        ),
        (method(0, 10, 41, b"\0"), method(1, 20, 10, b"\0")),
        (method(1, 20, 11, b"\0\0\0\0"), method(1, 85, 10, b"\0")),
        (
            method(1, 85, 11, b""),
            method(1, 40, 10, b"\0\0\x09amq.topic\0\x01\0\0\0\0"),
        ),
        (method(1, 40, 11, b""), vec![]),
    ];
    for (answer, expected) in steps {
        assert!(!talk.is_ready());
        assert_eq!(talk.sent(&mut world).unwrap(), b"");
        assert_eq!(talk.hears(&mut world, &answer).unwrap(), expected);
    }
    assert!(talk.is_ready());
}

#[test]
fn who_has_a_certificate_says_no_name_and_the_exchange_without_one_is_not_asked_for() {
    let mut world = World::new();
    let settings = settings(|amqp| {
        amqp.login = Login::Certificate;
        amqp.exchange = String::new();
    });
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    let said = talk.hears(&mut world, &start("PLAIN EXTERNAL")).unwrap();
    let login = [short("EXTERNAL"), long(b""), short("en_US"), vec![0xce]];
    assert!(said.ends_with(&login.concat()), "{said:?}");
    for answer in [
        tune(0, 0, 0),
        method(0, 10, 41, b"\0"),
        method(1, 20, 11, b"\0\0\0\0"),
        method(1, 85, 11, b""),
    ] {
        talk.hears(&mut world, &answer).unwrap();
    }
    assert!(talk.is_ready());
}

#[test]
fn what_both_sides_agree_to_is_the_smaller_and_zero_is_no_limit() {
    for (proposed, agreed) in [
        (tune(0, 0, 0), &b"\0\x01\0\0\x40\0\0\x3c"[..]),
        (tune(9, 4096, 10), b"\0\x01\0\0\x10\0\0\x0a"),
        (tune(1, u32::MAX, u16::MAX), b"\0\x01\0\0\x40\0\0\x3c"),
    ] {
        let (mut world, settings) = (World::new(), settings(|_| {}));
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        talk.hears(&mut world, &start("PLAIN")).unwrap();
        let said = talk.hears(&mut world, &proposed).unwrap();
        assert_eq!(&frames(&said)[0].2[4..], agreed);
    }
    let (mut world, settings) = (World::new(), settings(|_| {}));
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, &start("PLAIN")).unwrap();
    assert!(talk.hears(&mut world, &tune(0, 4095, 0)).is_err());
}

/// of that.
fn refused_logins() -> [(usize, bool, Vec<u8>, &'static str); 8] {
    [
        (
            0,
            false,
            start("EXTERNAL"),
            "no login by PLAIN; look at user and password",
        ),
        (
            0,
            true,
            start("PLAIN"),
            "no login by EXTERNAL; look at `tls.certificate`",
        ),
        (
            1,
            false,
            close(0, 403, "ACCESS_REFUSED - x"),
            "look at user and password in `url`",
        ),
        (
            1,
            true,
            close(0, 403, "ACCESS_REFUSED - x"),
            "look at `tls.certificate`",
        ),
        (
            2,
            false,
            close(0, 530, "NOT_ALLOWED - x"),
            "the virtual host, the path of `url`",
        ),
        (
            2,
            false,
            close(0, 403, "ACCESS_REFUSED - x"),
            "the virtual host, the path of `url`",
        ),
        (
            5,
            false,
            close(1, 404, "NOT_FOUND - x"),
            "look at `exchange`",
        ),
        (
            5,
            false,
            close(1, 403, "ACCESS_REFUSED - x"),
            "look at `exchange`",
        ),
    ]
}

#[test]
fn a_login_that_is_refused_names_its_key() {
    for (stage, certificate, said, named) in refused_logins() {
        let mut world = World::new();
        world.append_many(2);
        let settings = settings(|amqp| {
            if certificate {
                amqp.login = Login::Certificate;
            }
        });
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        let steps = [
            start("PLAIN EXTERNAL"),
            tune(0, 0, 0),
            method(0, 10, 41, b"\0"),
            method(1, 20, 11, b"\0\0\0\0"),
            method(1, 85, 11, b""),
        ];
        for step in &steps[..stage] {
            talk.hears(&mut world, step).unwrap();
        }
        let disconnect = talk.hears(&mut world, &said).unwrap_err();
        let reason = &disconnect.error.reason;
        assert!(reason.contains(named), "{named}: {reason}");
        assert!(!reason.contains("pw"), "{reason}");
        assert_ne!(disconnect.error.code, 0, "{reason}");
        assert_eq!(disconnect.retry, Retry::Paused);
        assert_eq!(world.counters().backlog, 2);
    }
}

#[test]
fn a_broker_that_only_closes_where_the_login_is_wrong_is_explained() {
    let (mut world, settings) = (World::new(), settings(|_| {}));
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, &start("PLAIN")).unwrap();
    let reason = talk.ends(&mut world).error.reason;
    assert!(
        reason.ends_with("; look at user and password in `url`"),
        "{reason}"
    );
}

#[test]
fn a_login_that_gets_no_answer_ends_the_connection() {
    let (mut world, settings) = (World::new(), settings(|_| {}));
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, &start("PLAIN")).unwrap();
    let disconnect = talk.wakes(&mut world).unwrap_err();
    assert_eq!(disconnect.error.code, -2);
}
