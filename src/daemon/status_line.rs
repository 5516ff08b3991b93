//! How the daemon stands, in one line: what `systemctl status` shows.

use super::Daemon;
use crate::api::Control;
use crate::api::Status;

impl Daemon {
    /// As in `3 channels listening, 2 of 3 streams connected, 1,204 wait`, before that what is
    /// wrong with the ring.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let states = self.conditions().into_iter();
        let mut parts: Vec<_> = states
            .map(|condition| condition.name.to_uppercase())
            .collect();
        parts.push(counts(&self.status()));
        parts.join(", ")
    }
}

fn counts(status: &Status) -> String {
    let listening = status.channels.iter().filter_map(|it| it.listening);
    let listening: Vec<bool> = listening.collect();
    let enabled = status.streams.iter().filter(|stream| stream.enabled);
    let connected: Vec<bool> = enabled.map(|stream| stream.connected).collect();
    let backlog = status.streams.iter().map(|stream| stream.backlog).sum();
    format!(
        "{} listening, {} connected, {} wait",
        of("channel", &listening),
        of("stream", &connected),
        grouped(backlog)
    )
}

/// `3 channels`, or `2 of 3 channels`.
fn of(noun: &str, states: &[bool]) -> String {
    let (all, good) = (states.len(), states.iter().filter(|good| **good).count());
    let plural = if all == 1 { "" } else { "s" };
    match good == all {
        true => format!("{all} {noun}{plural}"),
        false => format!("{good} of {all} {noun}{plural}"),
    }
}

/// `1,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ChannelReport;
    use crate::api::StreamReport;

    #[test]
    fn a_line_says_what_listens_what_is_connected_and_what_waits() {
        let channel = |listening| ChannelReport {
            listening,
            ..ChannelReport::default()
        };
        let stream = |enabled, connected, backlog| StreamReport {
            enabled,
            connected,
            backlog,
            ..StreamReport::default()
        };
        let status = Status {
            channels: vec![channel(Some(true)), channel(None), channel(Some(true))],
            streams: vec![
                stream(true, true, 0),
                stream(true, false, 1200),
                stream(false, false, 4),
            ],
            ..Status::default()
        };
        let wanted = "2 channels listening, 1 of 2 streams connected, 1,204 wait";
        assert_eq!(counts(&status), wanted);
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
