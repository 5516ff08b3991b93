//! The HTTP channel: which requests are taken, when they are answered, and what the others get.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::intake::Connection;
use support::random::Random;
use support::written;
use weir::channel::Session;
use weir::channel::http::Posts;
use weir::channel::http_request::Requests;
use weir::message::json::Names;

#[test]
fn a_request_is_answered_once_its_messages_are_safe() {
    let mut client = client();
    assert_eq!(
        client.bring(post("[{\"ident\":\"a\"},{\"ident\":\"b\"}]")),
        ""
    );
    assert!(client.session.is_blocked());
    assert_eq!(client.intake.taken.len(), 2);
    assert_eq!(
        client.commit(),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\
         Connection: keep-alive\r\n\r\n{\"accepted\":2}"
    );
    client.bring(post("{\"ident\":\"c\"}"));
    assert_eq!(status(&client.commit()), "200 {\"accepted\":1}");
    assert!(!client.session.is_blocked());
    assert_eq!(client.closed, None);
}

#[test]
fn a_request_may_come_in_pieces() {
    for request in [post(ONE), chunked(&["{\"ide", "nt\":\"a\"", "}"])] {
        let mut client = client();
        assert_eq!(client.trickle(&request), "");
        assert_eq!(
            status(&client.commit()),
            "200 {\"accepted\":1}",
            "{request}"
        );
        assert_eq!((client.intake.taken.len(), client.unused()), (1, 0));
    }
}

#[test]
fn an_empty_array_is_accepted_at_once() {
    let mut client = client();
    assert_eq!(status(&client.bring(post("[]"))), "200 {\"accepted\":0}");
}

#[test]
fn the_next_request_waits_for_the_answer_to_the_one_before() {
    let mut client = client();
    assert_eq!(client.bring(post(ONE).repeat(3)), "");
    assert_eq!(
        (client.intake.taken.len(), client.unused()),
        (1, 2 * post(ONE).len())
    );
    for taken in [2, 3, 3] {
        assert_eq!(status(&client.commit()), "200 {\"accepted\":1}");
        assert_eq!(client.intake.taken.len(), taken);
    }
    assert_eq!(client.unused(), 0);
}

#[test]
fn requests_in_other_words_are_taken() {
    for head in [
        "POST /?source=x HTTP/1.1\r\nHost: a",
        "POST http://gateway:8080/ HTTP/1.1\r\nHost: a",
        "POST http://gateway HTTP/1.1\r\nHost: a",
        "\r\nPOST / HTTP/1.1\r\nHost: a",
        "POST / HTTP/1.1\r\nhost:a\r\nCONTENT-TYPE: Application/JSON; charset=\"UTF-8\"",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: identity",
        "POST / HTTP/1.0\r\nConnection: Keep-Alive",
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue",
    ] {
        let mut client = client();
        let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{ONE}", ONE.len());
        assert_eq!(client.bring(&request), "", "{request}");
        assert_eq!(
            status(&client.commit()),
            "200 {\"accepted\":1}",
            "{request}"
        );
        assert_eq!(client.closed, None, "{request}");
    }
}

#[test]
fn who_wants_to_be_closed_is_closed_after_the_answer() {
    for head in [
        "POST / HTTP/1.0",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: te , Close\r\nConnection: x",
    ] {
        let mut client = client();
        let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{ONE}", ONE.len());
        assert_eq!(client.bring(request.clone() + &request), "");
        assert_eq!(client.closed, None);
        assert!(
            client.commit().contains("Connection: close\r\n"),
            "{request}"
        );
        assert_eq!(client.closed.unwrap().reason, "last request answered");
        assert_eq!(client.intake.taken.len(), 1);
    }
}

#[test]
fn who_expects_to_continue_is_told_to() {
    let mut client = client();
    let head = format!(
        "{HEAD}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        ONE.len()
    );
    assert_eq!(client.bring(head), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.bring(ONE), "");
    assert_eq!(status(&client.commit()), "200 {\"accepted\":1}");
}

#[test]
fn the_wrong_element_is_named_and_nothing_is_taken() {
    for (body, error) in [
        ("[{\"ident\":\"a\"},{}]", "element 1: `ident` is missing"),
        (
            "[{\"ident\":\"a\"},{\"ident\":\"unwanted\"}]",
            "element 1: no enabled stream subscribes to it",
        ),
        (
            "{\"ident\":\"unwanted\"}",
            "no enabled stream subscribes to it",
        ),
        ("", "not JSON: EOF while parsing a value at column 0"),
        (
            "{\"ident\":\"a\"}{}",
            "not JSON: trailing characters at column 14",
        ),
    ] {
        let mut client = client();
        let said = client.bring(post(body));
        assert_eq!(status(&said), format!("400 {{\"error\":\"{error}\"}}"));
        assert_eq!(
            (client.intake.taken.len(), client.closed.is_none()),
            (0, true)
        );
        client.bring(post(ONE));
        assert_eq!(status(&client.commit()), "200 {\"accepted\":1}");
    }
}

#[test]
fn a_full_ring_is_said_with_a_time_to_come_again() {
    let mut client = client();
    client.intake.full_after = Some(0);
    let said = client.bring(post(ONE));
    assert_eq!(
        status(&said),
        "503 {\"error\":\"the ring takes nothing now\"}"
    );
    assert!(said.contains("\r\nRetry-After: 5\r\n"));
    client.intake.full_after = None;
    assert_eq!(client.bring(post(ONE)), "");
}

#[test]
fn what_does_not_become_safe_in_time_is_said() {
    let mut client = client();
    assert_eq!(client.overdue(), "");
    client.bring(post(ONE));
    let said = client.overdue();
    assert_eq!(
        status(&said),
        "503 {\"error\":\"the messages did not become safe in time\"}"
    );
    assert!(said.contains("\r\nRetry-After: 5\r\n") && said.contains("Connection: close"));
    assert!(client.closed.is_some());
    assert_eq!(client.commit(), "");
}

#[test]
fn requests_that_carry_no_message_are_answered() {
    for (head, code, error) in REJECTED {
        let mut client = client();
        let said = client.bring(format!("{head}\r\n\r\n"));
        assert_eq!(
            status(&said),
            format!("{code} {{\"error\":\"{error}\"}}"),
            "{head}"
        );
        assert!(!client.intake.malformed.is_empty(), "{head}");
        let keeps = said.contains("Connection: keep-alive");
        assert_eq!(client.closed.is_none(), keeps, "{head}");
        let keep = matches!(code, 404 | 405 | 411) && !head.contains("Length: 1");
        assert_eq!(keeps, keep, "{head}");
    }
}

#[test]
fn another_method_is_told_which_one() {
    let said = client().bring("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(said.contains("\r\nAllow: POST\r\n"));
    let said = client().bring("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        said.starts_with("HTTP/1.1 405 ") && said.ends_with("\r\n\r\n"),
        "{said}"
    );
}

#[test]
fn what_could_be_read_in_two_ways_closes() {
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: 0x5",
        "Content-Length:",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length : 5",
        "X: y\r\n Content-Length: 5",
    ] {
        let mut client = client();
        let said = client.bring(format!("{HEAD}{headers}\r\n\r\n0\r\n\r\nPOST /"));
        assert!(said.starts_with("HTTP/1.1 400 "), "{headers}: {said}");
        assert!(said.contains("\r\nConnection: close\r\n") && client.closed.is_some());
        assert_eq!(client.intake.malformed.len(), 1);
    }
    let mut client = client();
    let said = client.bring("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
}

#[test]
fn damaged_chunks_close() {
    for chunks in [
        "\r\n",
        "x\r\n",
        "5;a\nb\r\n",
        "5\n",
        "-1\r\n",
        "10000000000000000\r\n",
        "2\r\n{}x",
        "2\r\n{}\n0\r\n\r\n",
        "0\r\n bad\r\n\r\n",
        &"0".repeat(300),
        &format!("5;{}", "x".repeat(300)),
        &format!("0\r\n{}", "a: b\r\n".repeat(2000)),
    ] {
        let mut client = client();
        let said = client.bring(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}"));
        assert_eq!(
            status(&said),
            "400 {\"error\":\"chunk size damaged\"}",
            "{chunks}"
        );
        assert!(client.closed.is_some());
    }
}

#[test]
fn chunks_may_have_extensions_and_a_trailer() {
    let mut client = client();
    let chunks = "00D;a=\"b\" ;c\r\n{\"ident\":\"a\"}\r\n0;x\r\nTrailer: b\r\n\r\n";
    client.bring(format!("{HEAD}Transfer-Encoding: Chunked\r\n\r\n{chunks}"));
    assert_eq!(status(&client.commit()), "200 {\"accepted\":1}");
}

#[test]
fn a_mebibyte_is_taken_and_no_more() {
    let body = |len: usize| format!("{ONE}{}", " ".repeat(len - ONE.len()));
    let mut at_most = client();
    assert_eq!(at_most.bring(post(&body(1 << 20))), "");
    let mut told = client();
    let said = told.bring(&post(&body((1 << 20) + 1))[..200]);
    assert_eq!(status(&said), "413 {\"error\":\"more than 1 MiB\"}");
    let mut in_chunks = client();
    let said = in_chunks.bring(chunked(&vec![&*" ".repeat(65_536); 17]));
    assert_eq!(status(&said), "413 {\"error\":\"more than 1 MiB\"}");
    for client in [told, in_chunks] {
        assert_eq!(client.closed.unwrap().reason, "more than 1 MiB");
    }
}

#[test]
fn a_head_has_a_bound() {
    let long = format!("{HEAD}X: {}", "x".repeat(8 * 1024));
    let many = format!("{HEAD}{}\r\n", "X: y\r\n".repeat(65));
    let target = format!("POST /{}", "x".repeat(8 * 1024));
    for head in [long, many, target] {
        let mut client = client();
        let said = client.bring(&head);
        assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
        assert!(client.closed.is_some());
    }
}

#[test]
fn only_who_knows_the_token_is_served() {
    let with_token = || {
        Connection::new(Requests::new(Posts::new(
            Names::default(),
            Some("s3cret".to_owned()),
        )))
    };
    for wrong in [
        "X: y",
        "Authorization: Bearer s3cre",
        "Authorization: Bearer s3creT",
        "Authorization: Basic s3cret",
        "Authorization: s3cret",
        "Authorization: Bearer",
    ] {
        let mut client = with_token();
        let said = client.bring(post(ONE).replacen("X: y\r\n", &format!("{wrong}\r\n"), 1));
        assert_eq!(
            status(&said),
            "401 {\"error\":\"token missing or wrong\"}",
            "{wrong}"
        );
        assert!(said.contains("\r\nWWW-Authenticate: Bearer\r\n"));
        assert_eq!(client.intake.taken.len(), 0);
    }
    let mut client = with_token();
    client.bring(post(ONE).replacen("X: y", "authorization: bearer  s3cret", 1));
    assert_eq!(status(&client.commit()), "200 {\"accepted\":1}");
}

#[test]
fn thousands_of_requests_come_back_with_their_values_and_answers() {
    let mut random = Random(0x177);
    let (mut client, mut expected) = (client(), Vec::new());
    for _ in 0..3_000 {
        let messages: Vec<_> = (0..random.below(4)).map(|_| random.message()).collect();
        let objects: Vec<_> = messages.iter().map(written).collect();
        let body = match messages.len() {
            1 => objects.concat(),
            _ => format!("[{}]", objects.join(",")),
        };
        let middle = (0..=body.len() / 2)
            .rev()
            .find(|at| body.is_char_boundary(*at));
        let (one, other) = body.split_at(middle.unwrap());
        let request = match random.below(2) {
            0 => post(&body),
            _ => chunked(&[one, other].map(|part| if part.is_empty() { " " } else { part })),
        };
        let mut said = String::new();
        for piece in request.as_bytes().chunks(1 + random.below(600)) {
            said += &client.bring(piece);
        }
        said += &client.commit();
        let accepted = format!("200 {{\"accepted\":{}}}", messages.len());
        assert_eq!(status(&said), accepted, "{request}");
        expected.extend(messages);
    }
    assert_eq!(client.intake.taken, expected);
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(0x47);
    for _ in 0..3_000 {
        let request = [post(ONE), chunked(&[ONE, " "])][random.below(2)].repeat(2);
        let mut bytes = request.into_bytes();
        for _ in 0..random.below(5) {
            let at = random.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next().to_le_bytes()[0];
            }
        }
        let mut client = client();
        for piece in bytes.chunks(1 + random.below(60)) {
            client.bring(piece);
            client.commit();
        }
        assert!(client.intake.taken.len() <= 2);
    }
}

fn client() -> Connection<Requests<Posts>> {
    Connection::new(Requests::new(Posts::new(Names::default(), None)))
}

fn post(body: &str) -> String {
    format!("{HEAD}X: y\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn chunked(chunks: &[&str]) -> String {
    let chunks: String = chunks
        .iter()
        .map(|c| format!("{:x}\r\n{c}\r\n", c.len()))
        .collect();
    format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}

/// Code and content of a whole response, whose length must be right.
fn status(response: &str) -> String {
    let (head, content) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    assert!(
        head.contains(&format!("\r\nContent-Length: {}\r\n", content.len())),
        "{response}"
    );
    let code = head
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .unwrap();
    format!("{code} {content}")
}

const ONE: &str = "{\"ident\":\"a\"}";

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

/// A head, its code, the error.
#[rustfmt::skip]
const REJECTED: &[(&str, u16, &str)] = &[
    ("GET / HTTP/1.1\r\nHost: a", 405, "messages come by `POST`"),
    ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 13", 405, "messages come by `POST`"),
    ("POST /messages HTTP/1.1\r\nHost: a\r\nContent-Length: 0", 404, "messages go to `/`"),
    ("POST //x HTTP/1.1\r\nHost: a", 404, "messages go to `/`"),
    ("GET http://a/b?c HTTP/1.1\r\nHost: a", 404, "messages go to `/`"),
    ("POST / HTTP/1.1\r\nHost: a", 411, "`Content-Length` is missing"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1", 415,
        "`Content-Type` must be `application/json`"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\
        Content-Type: application/json; charset=utf-16",
        415,
        "`Content-Type` must be `application/json`"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1", 415,
        "`Content-Encoding` is not supported"),
    ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1048577",
        413, "more than 1 MiB"),
    ("POST / HTTP/1.1\r\nHost: a\r\nExpect: the worst\r\nContent-Length: 1", 417,
        "`Expect` other than `100-continue`"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501,
        "`Transfer-Encoding` other than `chunked`"),
    ("POST / HTTP/1.1\r\nContent-Length: 1", 400, "there must be one `Host` header"),
    ("POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 1",
        400, "there must be one `Host` header"),
    ("POST / HTTP/2.0\r\nHost: a", 505, "HTTP/1.0 and 1.1 are spoken here"),
    ("{\"ident\":\"a\"}", 400, "not an HTTP request"),
    ("\x16\x03\x01\x02", 400, "not an HTTP request"),
];
