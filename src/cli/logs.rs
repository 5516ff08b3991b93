//! `weir logs`: what happened lately, in the order in which it did.

use super::Exit;
use super::client::Client;
use super::client::Target;
use super::client::Trouble;
use super::client::path_of;
use crate::api::CONNECTED;
use crate::api::CONNECTION_LOST;
use crate::api::ChannelReport;
use crate::api::Event;
use crate::api::FAULT;
use crate::api::Line;
use crate::api::NOT_DELIVERED;
use crate::api::RECOVERED;
use crate::api::Sent;
use crate::api::StreamReport;
use std::io;
use std::io::Write;
use std::time::Duration;

/// Whether to wait for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// What there is.
    Once,
    /// Also what comes, until it is stopped.
    Follow,
}

/// Prints the events of a stream or channel, or of all.
pub(super) fn logs(target: Target, name: Option<&str>, mode: Mode) -> Exit {
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let path = match name.map(|name| path(&client, name)).transpose() {
        Ok(path) => path.unwrap_or_else(|| "/logs".to_owned()),
        Err(trouble) => return client.explain(&trouble),
    };
    let (mut after, mut stdout) = (0, io::stdout());
    loop {
        let lines: Vec<Line> = match client.ask("GET", &format!("{path}?after={after}"), None) {
            Ok(lines) => lines,
            Err(trouble) => return client.explain(&trouble),
        };
        for line in &lines {
            after = line.event.id;
            if writeln!(stdout, "{}", text(line)).is_err() {
                return Exit::Done;
            }
        }
        if mode == Mode::Once {
            return Exit::Done;
        }
        super::pause(SECOND);
    }
}

/// Whether it is a stream or a channel is for the daemon to say.
fn path(client: &Client, name: &str) -> Result<String, Trouble> {
    let streams: Vec<StreamReport> = client.ask("GET", "/streams", None)?;
    if streams.iter().any(|stream| stream.name == name) {
        return Ok(path_of("streams", name, "/logs"));
    }
    let channels: Vec<ChannelReport> = client.ask("GET", "/channels", None)?;
    if channels.iter().any(|channel| channel.name == name) {
        return Ok(path_of("channels", name, "/logs"));
    }
    if name == "ring" {
        return Ok("/ring/logs".to_owned());
    }
    Err(Trouble::Refused(format!(
        "no stream and no channel `{name}`"
    )))
}

fn text(line: &Line) -> String {
    let Line { name, event } = line;
    let (date, what) = (super::date(event.timestamp), what(event));
    let reason = event.reason.as_deref().unwrap_or_default();
    let colon = if reason.is_empty() { "" } else { ": " };
    format!("{date} {name}: {what}{colon}{reason}")
}

fn what(event: &Event) -> String {
    match (event.event_code, &event.sent) {
        (_, Some(sent)) => sent_text(sent),
        (CONNECTED, _) => "connected".to_owned(),
        (CONNECTION_LOST, _) => "connection lost".to_owned(),
        (NOT_DELIVERED, _) if event.error_code.is_some() => "not delivered".to_owned(),
        (NOT_DELIVERED, _) => "refused".to_owned(),
        (FAULT, _) => "fault".to_owned(),
        (RECOVERED, _) => "recovered".to_owned(),
        _ => "event".to_owned(),
    }
}

fn sent_text(sent: &Sent) -> String {
    let Sent {
        accepted,
        rejected,
        skipped,
        ..
    } = sent;
    let latency = sent.ack_latency.map(|secs| format!(" in {secs:.3} s"));
    let latency = latency.unwrap_or_default();
    format!("sent: {accepted} accepted{latency}, {rejected} rejected, {skipped} skipped")
}

/// Between two looks.
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_in_words() {
        let event = Event {
            id: 1,
            timestamp: 1_800_000_000.5,
            event_code: NOT_DELIVERED,
            error_code: Some(-1),
            reason: Some("connection refused".into()),
            sent: None,
        };
        let line = Line {
            name: "cloud".to_owned(),
            event,
        };
        let wanted = "2027-01-15T08:00:00.500Z cloud: not delivered: connection refused";
        assert_eq!(text(&line), wanted);
        let mut sent = line;
        (sent.event.event_code, sent.event.reason) = (crate::api::MESSAGES_SENT, None);
        sent.event.sent = Some(Sent {
            read: 15,
            accepted: 15,
            rejected: 0,
            skipped: 0,
            ack_latency: None,
        });
        let wanted = "cloud: sent: 15 accepted, 0 rejected, 0 skipped";
        assert!(text(&sent).ends_with(wanted), "{}", text(&sent));
    }
}
