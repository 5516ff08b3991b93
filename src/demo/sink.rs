//! The sink of the receiver: takes HTTP requests off a connection and enters each message in the
//! ledger. Sees bytes, no socket.

use super::balance::Ledger;
use serde::Deserialize;

/// Bytes that are no request that a stream of weir sends; no more of them can be understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What is read of a message; the rest is passed over.
#[derive(Deserialize)]
struct Arrival {
    ident: String,
    #[serde(rename = "demo.number", alias = "custom.param.60001")]
    number: u64,
}

/// Takes the request at the head of `input`, enters its messages, and returns how many bytes it
/// had; none where it is not all there.
///
/// # Errors
/// When it is no POST with a length of at most [`BODY_MAX`].
pub(super) fn take(input: &[u8], ledger: &mut Ledger) -> Result<Option<usize>, Unreadable> {
    let Some((head, body)) = lengths(input)? else {
        return Ok(None);
    };
    let Some(body) = input.get(head..head + body) else {
        return Ok(None);
    };
    match serde_json::from_slice::<Vec<Arrival>>(body) {
        Ok(arrivals) => {
            arrivals
                .iter()
                .for_each(|arrival| ledger.arrive(&arrival.ident, arrival.number));
        }
        Err(_) => ledger.arrive_strange(),
    }
    Ok(Some(head + body.len()))
}

/// Bytes of the head and of the body.
fn lengths(input: &[u8]) -> Result<Option<(usize, usize)>, Unreadable> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(input) {
        Ok(httparse::Status::Complete(head)) => {
            let body = body_len(&request).ok_or(Unreadable)?;
            Ok(Some((head, body)))
        }
        Ok(httparse::Status::Partial) if input.len() < HEAD_MAX => Ok(None),
        _ => Err(Unreadable),
    }
}

fn body_len(request: &httparse::Request<'_, '_>) -> Option<usize> {
    if request.method != Some("POST") {
        return None;
    }
    let is_length =
        |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("content-length");
    let header = request.headers.iter().find(is_length)?;
    let len: usize = std::str::from_utf8(header.value)
        .ok()?
        .trim()
        .parse()
        .ok()?;
    (len <= BODY_MAX).then_some(len)
}

/// The answer to each request.
pub(super) const ACCEPTED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Where a connection is asked to deliver.
pub(super) const PATH: &str = "/messages";

const BODY_MAX: usize = 1024 * 1024;
const HEAD_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::encode;

    const BODY: &str = r#"[{"ident":"bus","timestamp":1.5,"custom.param.60001":1},
        {"ident":"van","demo.number":1,"position.valid":true},{"demo.number":2,"ident":"van"}]"#;

    fn ledger() -> Ledger {
        Ledger::new(["bus", "van"].into_iter())
    }

    fn post(body: &str) -> Vec<u8> {
        let len = body.len();
        format!("POST /messages HTTP/1.1\r\nHost: x\r\ncontent-length: {len}\r\n\r\n{body}").into()
    }

    #[test]
    fn a_batch_is_entered_message_by_message() {
        let (mut ledger, request) = (ledger(), post(BODY));
        assert_eq!(take(&request, &mut ledger), Ok(Some(request.len())));
        assert_eq!((ledger.delivered(), ledger.duplicated()), (3, 0));
    }

    #[test]
    fn a_request_counts_when_its_last_byte_is_there_and_not_before() {
        let (mut ledger, request) = (ledger(), post(BODY));
        for len in 0..request.len() {
            assert_eq!(take(&request[..len], &mut ledger), Ok(None));
        }
        assert_eq!(ledger.delivered(), 0);
        let two = [request.clone(), request.clone()].concat();
        assert_eq!(take(&two, &mut ledger), Ok(Some(request.len())));
    }

    #[test]
    fn what_is_no_message_is_strange_and_what_is_no_request_ends_the_connection() {
        let mut ledger = ledger();
        assert!(matches!(
            take(&post("[{\"ident\":7}]"), &mut ledger),
            Ok(Some(_))
        ));
        assert_eq!(ledger.balance([].into_iter(), 0).strange, 1);
        let long = post(BODY).len() + BODY_MAX;
        let lying = format!("POST / HTTP/1.1\r\nContent-Length: {long}\r\n\r\n");
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\n\r\n",
            "\0\0\0",
            &lying,
        ] {
            assert_eq!(take(bad.as_bytes(), &mut ledger), Err(Unreadable));
        }
    }

    #[test]
    fn numbers_have_the_names_that_vehicles_give_them() {
        let by_io = format!("custom.param.{}", encode::IO_NUMBER);
        for name in [encode::NUMBER, &by_io] {
            let arrival = format!("{{\"ident\":\"bus\",\"{name}\":4}}");
            assert_eq!(serde_json::from_str::<Arrival>(&arrival).unwrap().number, 4);
        }
    }
}
