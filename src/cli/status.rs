//! `weir status`: a running daemon at a glance.

use super::Exit;
use super::client::Client;
use super::client::Target;
use super::color::Color;
use super::color::Style;
use crate::api::ChannelReport;
use crate::api::RingReport;
use crate::api::Status;
use crate::api::StreamReport;
use std::fmt::Write as _;
use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// How often it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// Once.
    Once,
    /// Each second, until it is stopped.
    Watch,
}

/// Prints how the daemon does.
pub(super) fn status(target: Target, form: Form, times: Times) -> Exit {
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let color = Color::of_stdout();
    loop {
        let status = match client.ask::<Status>("GET", "/status", None) {
            Ok(found) => found.into_iter().next().unwrap_or_default(),
            Err(trouble) => return client.explain(&trouble),
        };
        let mut page = match form {
            Form::Text => text(&status, color),
            Form::Json => serde_json::to_string(&status).unwrap_or_default() + "\n",
        };
        if times == Times::Watch && form == Form::Text && io::stdout().is_terminal() {
            page.insert_str(0, CLEAR);
        }
        if io::stdout().write_all(page.as_bytes()).is_err() || times == Times::Once {
            return Exit::Done;
        }
        super::pause(SECOND);
    }
}

/// The page for people.
pub(super) fn text(status: &Status, color: Color) -> String {
    let mut page = String::new();
    let clock = super::date(status.clock.timestamp);
    let remembered = status.clock.remembered;
    let remembered = remembered.filter(|date| *date > status.clock.timestamp);
    let doubt = match (status.clock.trusted, remembered) {
        (true, _) => String::new(),
        (false, None) => " (not to be believed yet)".to_owned(),
        (false, Some(date)) => format!(" (not believed, it was {} before)", super::date(date)),
    };
    let up = time(status.uptime);
    let head = format!("weir {}, up {up}, clock {clock}{doubt}", status.version);
    line(
        &mut page,
        format_args!("{}", color.paint(Style::Dim, &head)),
    );
    ring(&mut page, &status.ring, color);
    for channel in &status.channels {
        self::channel(&mut page, channel, color);
    }
    for stream in &status.streams {
        self::stream(&mut page, stream, color);
    }
    page
}

fn ring(page: &mut String, ring: &RingReport, color: Color) {
    let (used, size) = (bytes(ring.used), bytes(ring.size));
    let lasts = match ring.hours {
        Some(hours) => format!("; holds {} at the present rate", time(hours * 3600.0)),
        None => String::new(),
    };
    line(
        page,
        format_args!("\nring {}: {used} of {size} used{lasts}", ring.id),
    );
    if let Some(oldest) = ring.oldest {
        line(
            page,
            format_args!("  oldest message of {}", super::date(oldest)),
        );
    }
    let amplification = ring.write_amplification.unwrap_or(0.0);
    line(
        page,
        format_args!(
            "  {} written in {} syncs, {amplification:.2} times what came; {} messages never \
             written; longest commit {:.3} s",
            bytes(ring.bytes_written),
            ring.syncs,
            ring.held,
            ring.stall_max,
        ),
    );
    for (holds, text) in conditions(ring) {
        if holds {
            line(page, format_args!("  {}", color.paint(Style::Red, &text)));
        }
    }
}

/// What an operator must know of a ring.
fn conditions(ring: &RingReport) -> [(bool, String); 6] {
    let since = ring.dropping.map(super::date).unwrap_or_default();
    let (size, wanted) = (bytes(ring.size), bytes(ring.size_wanted));
    let is_full = ring.full && ring.dropping.is_none() && !ring.refusing;
    [
        (
            ring.refusing,
            "REFUSING: it is full, nothing more is acknowledged until a stream has made room"
                .to_owned(),
        ),
        (
            ring.dropping.is_some(),
            format!("DROPPING since {since}: the oldest messages are given up unsent"),
        ),
        (
            is_full,
            "FULL: there is no room but that of messages which still wait".to_owned(),
        ),
        (
            !ring.durable,
            "NOT DURABLE: messages are in memory only".to_owned(),
        ),
        (
            ring.degraded && ring.durable,
            "DEGRADED: senders wait for destinations".to_owned(),
        ),
        (
            ring.size < ring.size_wanted - ring.size_wanted / 8,
            format!("SMALLER THAN CONFIGURED: {size} of {wanted}"),
        ),
    ]
}

fn channel(page: &mut String, channel: &ChannelReport, color: Color) {
    let reasons = channel.refused.iter();
    let reasons: Vec<_> = reasons
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    let refused = match reasons.is_empty() {
        true => "none".to_owned(),
        false => reasons.join(", "),
    };
    let state = match channel.listening {
        Some(true) => "listening, ".to_owned(),
        Some(false) => color.paint(Style::Red, "NOT LISTENING") + ", ",
        None => String::new(),
    };
    line(
        page,
        format_args!(
            "\nchannel {} ({}): {state}{} connections\n  received {}, unwanted {}, refused \
             {refused}",
            channel.name, channel.kind, channel.connections, channel.received, channel.unwanted,
        ),
    );
    left_out(page, channel.thinned);
    if let Some(error) = &channel.listen_error {
        line(page, format_args!("  not listening on {error}"));
    }
}

fn stream(page: &mut String, stream: &StreamReport, color: Color) {
    let (name, kind) = (color.paint(Style::Bold, &stream.name), &stream.kind);
    let style = match (stream.enabled, stream.connected) {
        (true, true) => Style::Green,
        _ => Style::Yellow,
    };
    let state = color.paint(style, &state(stream));
    line(page, format_args!("\nstream {name} ({kind}): {state}"));
    line(
        page,
        format_args!(
            "  stored {} = accepted {} + skipped {} + given up {} + dropped {} + corrupt {} + \
             backlog {}",
            stream.stored,
            stream.accepted,
            stream.skipped,
            stream.given_up,
            stream.dropped,
            stream.corrupt,
            stream.backlog,
        ),
    );
    left_out(page, stream.thinned);
    let oldest = stream
        .oldest_age
        .map(|age| format!("; oldest {}", time(age)));
    let latency = stream
        .ack_latency
        .map(|secs| format!("; last answer after {secs:.3} s"));
    line(
        page,
        format_args!(
            "  {} sent, {} received, {} attempts refused{}{}",
            bytes(stream.bytes_sent),
            bytes(stream.bytes_received),
            stream.rejected,
            latency.unwrap_or_default(),
            oldest.unwrap_or_default(),
        ),
    );
    match stream.certificate_days {
        Some(days) if days < 0 => line(page, format_args!("  its certificate has expired")),
        Some(days) if days <= SOON => {
            line(
                page,
                format_args!("  its certificate expires in {days} days"),
            );
        }
        _ => {}
    }
    if let Some(error) = &stream.last_error {
        line(page, format_args!("  {error}"));
    }
}

fn left_out(page: &mut String, count: u64) {
    if count > 0 {
        line(page, format_args!("  {count} left out by every"));
    }
}

/// In a word or two.
pub(super) fn state(stream: &StreamReport) -> String {
    match (stream.enabled, stream.connected, stream.next_try) {
        (true, ..) if stream.paused => match stream.paused_for {
            Some(left) => format!("PAUSED, goes on in {}", time(left)),
            None => "PAUSED until `weir stream resume`".to_owned(),
        },
        (false, ..) => "disabled".to_owned(),
        (true, _, Some(wait)) => format!("waits, next try in {}", time(wait)),
        (true, true, None) => "connected".to_owned(),
        (true, false, None) => "not connected".to_owned(),
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let written = writeln!(page, "{text}");
    debug_assert!(written.is_ok(), "written to memory");
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        _ if count >= 1_048_576.0 => format!("{:.1} MiB", count / 1_048_576.0),
        _ if count >= 1024.0 => format!("{:.1} KiB", count / 1024.0),
        _ => format!("{count:.0} bytes"),
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 48.0 * 3600.0 => format!("{:.1} days", seconds / 86_400.0),
        _ if seconds >= 3600.0 => format!("{:.1} hours", seconds / 3600.0),
        _ if seconds >= 120.0 => format!("{:.0} minutes", seconds / 60.0),
        _ => format!("{seconds:.0} s"),
    }
}

/// Days from which on it is said when a certificate expires.
const SOON: i64 = 30;

const SECOND: Duration = Duration::from_secs(1);

/// A terminal's words for: to the top left, forget what is there.
const CLEAR: &str = "\x1b[H\x1b[2J";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_balance_and_how_long_the_ring_lasts() {
        let stream = StreamReport {
            name: "cloud".to_owned(),
            kind: "mqtt".to_owned(),
            enabled: true,
            stored: 9,
            accepted: 7,
            backlog: 2,
            next_try: Some(3.2),
            ..StreamReport::default()
        };
        let page = text(
            &Status {
                ring: RingReport {
                    hours: Some(30.0),
                    ..RingReport::default()
                },
                streams: vec![stream],
                ..Status::default()
            },
            Color::Off,
        );
        assert!(
            page.contains("holds 30.0 hours at the present rate"),
            "{page}"
        );
        assert!(
            page.contains("stream cloud (mqtt): waits, next try in 3 s"),
            "{page}"
        );
        assert!(page.contains("stored 9 = accepted 7 + skipped 0"), "{page}");
    }

    #[test]
    fn a_certificate_is_told_of_a_month_before_it_expires() {
        let told = |days| {
            let stream = StreamReport {
                certificate_days: days,
                ..StreamReport::default()
            };
            text(
                &Status {
                    streams: vec![stream],
                    ..Status::default()
                },
                Color::Off,
            )
        };
        assert!(told(Some(12)).contains("certificate expires in 12 days"));
        assert!(told(Some(-1)).contains("certificate has expired"));
        assert!(!told(Some(31)).contains("certificate") && !told(None).contains("certificate"));
    }
}
