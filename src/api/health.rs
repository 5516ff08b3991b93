//! A status as a message: what the channel type `self` reports. The names are those of the JSON,
//! flat; so are the units. What is not known is left out.

use super::report::ChannelReport;
use super::report::RingReport;
use super::report::Status;
use super::report::StreamReport;
use crate::message::InvalidIdent;
use crate::message::Message;
use crate::message::Value;
use std::time::Duration;

/// The report of `ident`, of at most `room` bytes as the ring keeps it: what does not fit is left
/// out, channels first, and counted as `weir.left_out`. It says no time of its own: that is when
/// it comes in.
///
/// # Errors
/// When `ident` is not one.
pub fn health(ident: &str, status: &Status, room: usize) -> Result<Message, InvalidIdent> {
    let mut report = Report {
        message: Message::new(ident)?,
        room: room.saturating_sub(ident.len()).saturating_sub(HEAD),
        left_out: 0,
    };
    report.gateway(status);
    report.ring(&status.ring, status);
    for stream in &status.streams {
        report.stream(stream);
    }
    for channel in &status.channels {
        report.channel(channel);
    }
    if report.left_out > 0 {
        report.message.set("weir.left_out", report.left_out);
    }
    Ok(report.message)
}

/// A report that is being written.
struct Report {
    message: Message,
    /// Bytes that are left.
    room: usize,
    /// Figures that were one too many.
    left_out: u64,
}

impl Report {
    fn gateway(&mut self, status: &Status) {
        self.set("weir.version", status.version.as_str());
        self.set("uptime", whole(status.uptime));
        self.set("clock.trusted", status.clock.trusted);
    }

    fn ring(&mut self, ring: &RingReport, status: &Status) {
        self.set("ring.size", ring.size);
        self.set("ring.size_wanted", ring.size_wanted);
        self.set("ring.used", ring.used);
        self.set("ring.full", ring.full);
        self.set_known("ring.dropping", ring.dropping.map(whole));
        self.set("ring.refusing", ring.refusing);
        let age = ring.oldest.filter(|_| status.clock.trusted);
        let age = age.map(|oldest| whole(status.clock.timestamp - oldest));
        self.set_known("ring.oldest_age", age);
        self.set_known("ring.hours", ring.hours.map(tenths));
        self.set("ring.waiting", ring.waiting);
        self.set("ring.bytes_taken", ring.bytes_taken);
        self.set("ring.bytes_written", ring.bytes_written);
        self.set("ring.syncs", ring.syncs);
        self.set("ring.held", ring.held);
        self.set("ring.written", ring.written);
        self.set("ring.failures", ring.failures);
        self.set("ring.read_failures", ring.read_failures);
        self.set("ring.stall_max", ring.stall_max);
        self.set("ring.degraded", ring.degraded);
        self.set("ring.durable", ring.durable);
    }

    fn stream(&mut self, stream: &StreamReport) {
        let name = |figure: &str| format!("stream.{}.{figure}", stream.name);
        self.set(name("enabled"), stream.enabled);
        self.set_known(name("paused"), stream.paused.then_some(true));
        self.set(name("connected"), stream.connected);
        self.set(name("backlog"), stream.backlog);
        self.set_known(name("oldest_age"), stream.oldest_age.map(whole));
        self.set_known(name("last_error"), stream.last_error.as_deref());
        self.set_known(name("certificate_days"), stream.certificate_days);
        self.set(name("accepted"), stream.accepted);
        self.set(name("skipped"), stream.skipped);
        self.set(name("given_up"), stream.given_up);
        self.set(name("dropped"), stream.dropped);
        self.set(name("corrupt"), stream.corrupt);
    }

    fn channel(&mut self, channel: &ChannelReport) {
        let name = |figure: &str| format!("channel.{}.{figure}", channel.name);
        self.set_known(name("listening"), channel.listening);
        self.set_known(name("listen_error"), channel.listen_error.as_deref());
        self.set(name("connections"), channel.connections);
        self.set(name("received"), channel.received);
        self.set(name("refused"), channel.refused.values().sum::<u64>());
        self.set_known(name("certificate_days"), channel.certificate_days);
    }

    fn set_known(&mut self, name: impl Into<String>, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        let text = match &value {
            Value::Text(text) | Value::Json(text) => text.len(),
            _ => 0,
        };
        match self.room.checked_sub(name.len() + text + FIELD) {
            Some(left) => {
                self.room = left;
                self.message.set(name, &value);
            }
            None => self.left_out += 1,
        }
    }
}

/// Seconds without their fraction; 0 for what lies ahead.
fn whole(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds).map_or(0, |time| time.as_secs())
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Bytes that the ring needs for a parameter beside its name and text: two lengths, two kinds, and
/// a number of ten bytes.
const FIELD: usize = 16;

/// Bytes for `ident` and `weir.left_out`.
const HEAD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ValueRef;
    use crate::message::body;

    /// What a gateway has with this many streams and channels of long names.
    fn status(count: usize) -> Status {
        let stream = |index| StreamReport {
            name: format!("{index:032}"),
            last_error: Some("x".repeat(200)),
            backlog: u64::MAX,
            ..StreamReport::default()
        };
        let channel = |index| ChannelReport {
            name: format!("{index:064}"),
            ..ChannelReport::default()
        };
        Status {
            streams: (0..count).map(stream).collect(),
            channels: (0..count).map(channel).collect(),
            ..Status::default()
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_counted() {
        let full = health("gw", &status(1), 32 * 1024).unwrap();
        let figures = full.fields().count();
        assert!(!full.has("weir.left_out"));
        for room in (0..3_000).step_by(7) {
            let message = health("gw", &status(1), room).unwrap();
            let mut bytes = Vec::new();
            body::encode(&message, &mut bytes);
            assert!(bytes.len() <= room.max(HEAD), "{} in {room}", bytes.len());
            let left_out = match message.get("weir.left_out") {
                Some(ValueRef::U64(count)) => usize::try_from(count).unwrap() - 1,
                _ => 0,
            };
            assert_eq!(message.fields().count() + left_out, figures);
        }
        let most = health("gw", &status(1_000), 32 * 1024).unwrap();
        let mut bytes = Vec::new();
        body::encode(&most, &mut bytes);
        assert!(
            (24 * 1024..=32 * 1024).contains(&bytes.len()),
            "{}",
            bytes.len()
        );
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        let mut status = status(1);
        status.streams[0].last_error = None;
        status.clock.timestamp = 1_000.5;
        status.ring.oldest = Some(900.0);
        let report = |status: &Status| health("gw", status, 32 * 1024).unwrap();
        let absent =
            |message: &Message, end: &str| !message.fields().any(|(name, _)| name.ends_with(end));
        for end in ["oldest_age", "last_error", "certificate_days", "hours"] {
            assert!(absent(&report(&status), end), "{end}");
        }
        status.clock.trusted = true;
        let message = report(&status);
        assert_eq!(message.get("ring.oldest_age"), Some(ValueRef::U64(100)));
    }
}
