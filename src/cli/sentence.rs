//! Sentences: an event in words, in one line, whoever wrote its reason.

use crate::api::BY_HAND;
use crate::api::CONNECTED;
use crate::api::CONNECTION_LOST;
use crate::api::Event;
use crate::api::FAULT;
use crate::api::NOT_DELIVERED;
use crate::api::RECOVERED;
use crate::api::RELOADED;
use crate::api::STARTED;
use crate::api::STOPPED;
use crate::api::Sent;
use crate::logging::printable;

/// What happened, and how often.
pub(super) fn sentence(event: &Event) -> String {
    let mut text = match &event.sent {
        Some(sent) => sent_text(sent, event.duration),
        None => what(event).to_owned(),
    };
    if let Some(reason) = event.reason.as_deref().filter(|reason| !reason.is_empty()) {
        text.push_str(": ");
        text.push_str(&printable(reason));
    }
    if event.sent.is_none() && event.count > 1 {
        let (count, time) = (event.count, time(event.duration));
        text.push_str(&format!(" ({count} times within {time})"));
    }
    text
}

fn what(event: &Event) -> &'static str {
    match event.event_code {
        CONNECTED => "connected",
        CONNECTION_LOST => "connection lost",
        NOT_DELIVERED if event.error_code.is_some() => "not delivered",
        NOT_DELIVERED => "refused",
        FAULT => "fault",
        RECOVERED => "recovered",
        STARTED => "started",
        STOPPED => "stopped",
        RELOADED => "configuration",
        BY_HAND => "by hand",
        _ => "event",
    }
}

fn sent_text(sent: &Sent, duration: f64) -> String {
    let mut text = format!("sent: {} accepted", sent.accepted);
    match sent.answers {
        0 => {}
        1 => text.push_str(" in 1 answer"),
        answers => text.push_str(&format!(" in {answers} answers")),
    }
    if duration > 0.0 {
        text.push_str(&format!(" within {}", time(duration)));
    }
    if let Some(latency) = sent.ack_latency.filter(|_| sent.answers > 0) {
        let each = if sent.answers > 1 {
            "each after"
        } else {
            "after"
        };
        text.push_str(&format!(", {each} {latency:.3} s"));
    }
    let given_up = sent.read.saturating_sub(sent.accepted + sent.skipped);
    for (count, what) in [
        (sent.rejected, "rejected"),
        (sent.skipped, "skipped"),
        (given_up, "given up"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

/// The two largest units of a time.
fn time(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    #[expect(clippy::cast_sign_loss, reason = "saturates at 0")]
    let whole = seconds.round() as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86_400);
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{minutes} min {} s", whole % 60),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_code: u16, reason: Option<&str>) -> Event {
        Event {
            event_code,
            reason: reason.map(Into::into),
            ..Event::default()
        }
    }

    #[test]
    fn what_repeats_says_how_often_and_for_how_long() {
        let mut away = event(NOT_DELIVERED, Some("connection refused"));
        assert_eq!(sentence(&away), "refused: connection refused");
        (away.error_code, away.count, away.duration) = (Some(-1), 288, 86_100.0);
        let wanted = "not delivered: connection refused (288 times within 23 h 55 min)";
        assert_eq!(sentence(&away), wanted);
        assert_eq!(sentence(&event(CONNECTED, None)), "connected");
    }

    #[test]
    fn what_was_sent_is_told_without_what_was_not() {
        let mut sent = event(crate::api::MESSAGES_SENT, None);
        let one = Sent {
            read: 15,
            accepted: 15,
            answers: 1,
            ack_latency: Some(0.081),
            ..Sent::default()
        };
        sent.sent = Some(Box::new(one));
        let wanted = "sent: 15 accepted in 1 answer, after 0.081 s";
        assert_eq!(sentence(&sent), wanted);
        sent.sent = Some(Box::new(Sent {
            read: 70,
            accepted: 58,
            rejected: 4,
            skipped: 10,
            answers: 58,
            ..one
        }));
        (sent.count, sent.duration) = (58, 59.2);
        let wanted = "sent: 58 accepted in 58 answers within 59 s, each after 0.081 s, \
                      4 rejected, 10 skipped, 2 given up";
        assert_eq!(sentence(&sent), wanted);
    }

    #[test]
    fn no_text_of_a_peer_forges_a_line() {
        let forged = "x\n2026-01-01T00:00:00Z cloud: sent\r\u{1b}[2J\u{9b}\u{202e}\u{2028}ä\t";
        let line = sentence(&event(NOT_DELIVERED, Some(forged)));
        assert!(line.chars().all(|letter| !letter.is_control()), "{line}");
        assert!(line.contains(r"x\n2026"), "{line}");
        assert!(line.contains(r"\u{202e}\u{2028}ä\t"), "{line}");
    }
}
