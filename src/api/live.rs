//! What a client is sent that listens instead of asking: server-sent events, over the answer to one
//! `GET /live` that has no end. No time, no socket.

use super::event::Line;
use super::report::Status;
use super::routes::Answer;
use serde::Serialize;
use std::io::Write as _;

/// The head of the answer; events follow until one side closes the connection.
pub fn begin(out: &mut Vec<u8>) {
    // a proxy that collects what it passes on would hold the events back
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\
                X-Accel-Buffering: no\r\nConnection: close\r\n\r\n";
    out.extend_from_slice(head.as_bytes());
}

/// The answer to one listener too many.
pub fn refuse(out: &mut Vec<u8>) {
    let answer = Answer::error(
        503,
        "enough listen already: close one of the pages, or ask /status",
    );
    super::session::closing("GET", &answer, out);
}

/// `event: status`, with the object of `/status`.
#[must_use]
pub fn status(status: &Status) -> Vec<u8> {
    let mut out = Vec::new();
    push("status", status, &mut out);
    out
}

/// `event: log`, with a line of `/logs`; its id is that of the event.
pub fn log(line: &Line, out: &mut Vec<u8>) {
    let written = writeln!(out, "id: {}", line.event.id);
    debug_assert!(written.is_ok(), "written to memory");
    push("log", line, out);
}

/// One event. JSON has no line break in it, so it is one line of data.
fn push<T: Serialize>(kind: &str, data: &T, out: &mut Vec<u8>) {
    let written = write!(out, "event: {kind}\ndata: ");
    debug_assert!(written.is_ok(), "written to memory");
    // what is reported has no key that is not text: it always becomes JSON
    let written = serde_json::to_writer(&mut *out, data);
    debug_assert!(written.is_ok(), "{written:?}");
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Event;
    use crate::api::NOT_DELIVERED;

    #[test]
    fn an_event_is_a_kind_and_one_line_of_json() {
        let text = String::from_utf8(status(&Status::default())).unwrap();
        let data = text.strip_prefix("event: status\ndata: ").unwrap();
        let data = data.strip_suffix("\n\n").unwrap();
        assert_eq!(
            serde_json::from_str::<Status>(data).unwrap(),
            Status::default()
        );
    }

    #[test]
    fn a_reason_cannot_forge_an_event() {
        let event = Event {
            id: 7,
            timestamp: 1.5,
            event_code: NOT_DELIVERED,
            reason: Some("\n\nevent: status\r\ndata: {}\n\n".into()),
            ..Event::default()
        };
        let (name, mut out) = ("cloud".to_owned(), Vec::new());
        log(&Line { name, event }, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("id: 7\nevent: log\ndata: {"), "{text}");
        assert!(text.lines().count() == 4 && !text.contains('\r'), "{text}");
    }
}
