//! The JSON lines channel: what a line is, what is acknowledged, and what is said of the rest.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::intake::Connection;
use support::intake::FakeIntake;
use support::random::Random;
use support::written;
use weir::channel::InputError;
use weir::channel::Session;
use weir::channel::json::JsonLines;
use weir::channel::json::LINE_MAX;
use weir::message::json::Names;

#[test]
fn lines_are_acknowledged_once_they_are_safe() {
    let mut client = client();
    assert_eq!(client.bring("{\"ident\":\"a\"}\n{\"ident\":\"b\"}\r\n"), "");
    assert_eq!(client.intake.taken.len(), 2);
    assert_eq!(client.commit(), "{\"acked\":2}\n");
    assert_eq!(client.commit(), "");
    assert_eq!(client.bring("[{\"ident\":\"a\"},{\"ident\":\"b\"}]\n"), "");
    assert_eq!(client.commit(), "{\"acked\":4}\n");
}

#[test]
fn answers_coalesce() {
    let mut client = client();
    for _ in 0..3 {
        client.bring("{\"ident\":\"a\"}\n");
    }
    assert_eq!(client.intake.ack_tokens, [1, 2, 3]);
    assert_eq!(client.commit(), "{\"acked\":3}\n");
}

#[test]
fn lines_may_come_in_pieces() {
    let mut client = client();
    assert_eq!(
        client.trickle("{\"ident\":\"a\"}\n\n[]\n{\"ident\":\"b\"}\n!\n"),
        EXPECTED
    );
    assert_eq!(client.unused(), 0);
    assert_eq!(client.commit(), "{\"acked\":2}\n");
}

const EXPECTED: &str = "{\"error\":\"not JSON: expected value at column 1\",\"line\":5}\n";

#[test]
fn a_short_line_may_follow_the_rest_of_a_long_one() {
    let mut client = client();
    client.bring("{\"ident\":\"a\"");
    assert_eq!(client.bring("}\n\n!\n"), EXPECTED.replace('5', "3"));
}

#[test]
fn a_line_without_an_end_is_none_yet() {
    let mut client = client();
    assert_eq!(client.bring("{\"ident\":\"a\"}"), "");
    assert_eq!((client.intake.taken.len(), client.unused()), (0, 13));
    client.bring("\n");
    assert_eq!((client.intake.taken.len(), client.unused()), (1, 0));
}

#[test]
fn what_is_not_taken_counts_as_none_and_the_connection_goes_on() {
    for (line, error, reason) in [
        ("{\"n\":1}", "`ident` is missing", Some(InputError::Ident)),
        (
            "nonsense",
            "not JSON: expected ident at column 2",
            Some(InputError::Syntax),
        ),
        ("5", "not an object", Some(InputError::Unsupported)),
        (
            "[{\"ident\":\"a\"},{}]",
            "element 1: `ident` is missing",
            Some(InputError::Ident),
        ),
        (
            "{\"ident\":\"a\",\"n\":1e999}",
            "`n` is a number too large",
            Some(InputError::Value),
        ),
        (
            "{\"ident\":\"unwanted\"}",
            "no enabled stream subscribes to it",
            None,
        ),
        (
            "[{\"ident\":\"a\"},{\"ident\":\"unwanted\"}]",
            "element 1: no enabled stream subscribes to it",
            None,
        ),
    ] {
        let mut client = client();
        let said = client.bring(format!("\n{line}\n{{\"ident\":\"a\"}}\n"));
        assert_eq!(said, format!("{{\"error\":\"{error}\",\"line\":2}}\n"));
        assert_eq!(
            client.intake.malformed.first().map(|(reason, _)| *reason),
            reason
        );
        assert_eq!(client.intake.taken.len(), 1);
        assert_eq!(client.commit(), "{\"acked\":1}\n");
        assert_eq!(client.closed, None);
    }
}

#[test]
fn a_full_ring_is_an_error_of_the_line() {
    let mut client = client();
    client.intake.full_after = Some(1);
    let said = client.bring("{\"ident\":\"a\"}\n{\"ident\":\"a\"}\n");
    assert_eq!(
        said,
        "{\"error\":\"the ring takes nothing now\",\"line\":2}\n"
    );
    assert_eq!(client.commit(), "{\"acked\":1}\n");
}

#[test]
fn text_that_is_not_utf8_is_an_error() {
    let mut client = client();
    let said = client.bring(b"{\"ident\":\"\xFF\"}\n");
    assert_eq!(
        said,
        "{\"error\":\"not UTF-8 from byte 10 on\",\"line\":1}\n"
    );
}

#[test]
fn the_longest_line_is_taken() {
    for end in ["\n", "\r\n"] {
        let mut client = client();
        let line = line_of(LINE_MAX) + end;
        let (most, last) = line.split_at(line.len() - 1);
        assert_eq!(
            (client.bring(most), client.bring(last)),
            (String::new(), String::new())
        );
        assert_eq!(client.intake.taken.len(), 1);
    }
}

#[test]
fn a_line_longer_than_that_closes() {
    let said = "{\"error\":\"line over 64 KiB\",\"line\":2}\n";
    for end in ["\n", "", "\r\n"] {
        let mut client = client();
        client.bring("{\"ident\":\"a\"}\n");
        assert_eq!(client.bring(line_of(LINE_MAX + 2) + end), said);
        assert_eq!(client.closed.unwrap().reason, "line over 64 KiB");
        assert_eq!(client.intake.taken.len(), 1);
        assert_eq!(client.intake.malformed.len(), 1);
    }
}

#[test]
fn one_call_answers_a_bounded_number_of_lines() {
    let (mut session, input) = (JsonLines::new(Names::default()), "!\n".repeat(10_000));
    let (mut intake, mut out) = (FakeIntake::default(), Vec::new());
    let used = session
        .receive(input.as_bytes(), &mut intake, &mut out)
        .unwrap();
    assert!(
        0 < used && used < input.len() && out.len() < 17 * 1024,
        "{used} {}",
        out.len()
    );
    let input = input.get(used..).unwrap();
    let used = session
        .receive(input.as_bytes(), &mut intake, &mut out)
        .unwrap();
    assert!(used > 0, "answers that nobody reads hold up no lines");
}

#[test]
fn thousands_of_lines_come_back_with_their_values_and_answers() {
    let mut random = Random(0x715);
    let (mut client, mut expected, mut acked) = (client(), Vec::new(), 0);
    for number in 1..=5_000 {
        let messages: Vec<_> = (0..random.below(4)).map(|_| random.message()).collect();
        let objects: Vec<_> = messages.iter().map(written).collect();
        let line = match (messages.len(), random.below(10)) {
            (_, 0) => "{\"ident\":\"a\",}".to_owned(),
            (1, _) => objects.concat(),
            _ => format!(" [{}] ", objects.join(" , ")),
        };
        let right = !line.ends_with(",}");
        let end = ["\n", "\r\n"][random.below(2)];
        let said = match random.below(2) {
            0 => client.bring(format!("{line}{end}")),
            _ => client.trickle(format!("{line}{end}")),
        };
        if right {
            acked += messages.len();
            expected.extend(messages);
            assert_eq!(said, "", "{line}");
        } else {
            assert!(said.ends_with(&format!(",\"line\":{number}}}\n")), "{said}");
        }
        let before = client.intake.ack_tokens.len();
        let answer = client.commit();
        if before > 0 {
            assert_eq!(answer, format!("{{\"acked\":{acked}}}\n"));
        }
    }
    assert_eq!(client.intake.taken, expected);
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(0x1E);
    for _ in 0..2_000 {
        let mut client = client();
        let mut text = "[{\"ident\":\"a\",\"n\":[1,{}]}]\n".repeat(3).into_bytes();
        for _ in 0..random.below(6) {
            let at = random.below(text.len());
            if let Some(byte) = text.get_mut(at) {
                *byte = random.next().to_le_bytes()[0];
            }
        }
        let messages = client.bring(&text).is_empty();
        assert!(messages || !client.intake.malformed.is_empty());
    }
}

fn client() -> Connection<JsonLines> {
    Connection::new(JsonLines::new(Names::default()))
}

/// A message whose line has so many bytes.
fn line_of(len: usize) -> String {
    format!("{{\"ident\":\"a\",\"t\":\"{}\"}}", "x".repeat(len - 20))
}
