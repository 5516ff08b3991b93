//! What needs attention: of whom, how much, and why. One place for people and for monitoring.

use crate::api::ChannelReport;
use crate::api::ClockReport;
use crate::api::RingReport;
use crate::api::Status;
use crate::api::StreamReport;
use crate::cli::date;
use crate::cli::figures_text::bytes;
use crate::cli::figures_text::time;

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Somebody wanted it so.
    Note,
    /// It may get worse.
    Warning,
    /// Messages are lost, or about to be; or nobody is heard.
    Critical,
}

/// One thing that does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) severity: Severity,
    /// In capitals.
    pub(super) state: &'static str,
    pub(super) who: String,
    pub(super) why: String,
}

/// All of them, the worst first.
pub(super) fn points(status: &Status) -> Vec<Point> {
    let mut found = Vec::new();
    ring(&status.ring, &mut found);
    for channel in &status.channels {
        self::channel(channel, &mut found);
    }
    for stream in &status.streams {
        self::stream(stream, &mut found);
    }
    clock(&status.clock, &mut found);
    found.sort_by_key(|point| std::cmp::Reverse(point.severity));
    found
}

fn ring(ring: &RingReport, found: &mut Vec<Point>) {
    let mut add = |holds: bool, severity, state, why: String| {
        if holds {
            found.push(Point {
                severity,
                state,
                who: "ring".to_owned(),
                why,
            });
        }
    };
    let since = ring.dropping.map(date).unwrap_or_default();
    let (size, wanted) = (bytes(ring.size), bytes(ring.size_wanted));
    let is_full = ring.full && ring.dropping.is_none() && !ring.refusing;
    let why = "it is full, nothing more is acknowledged until a stream has made room";
    add(
        ring.refusing,
        Severity::Critical,
        "REFUSING",
        why.to_owned(),
    );
    let why = format!("since {since}: the oldest messages are given up unsent");
    add(ring.dropping.is_some(), Severity::Critical, "DROPPING", why);
    let why = "messages are in memory only".to_owned();
    add(!ring.durable, Severity::Critical, "NOT DURABLE", why);
    let why = "the disk fails, senders wait for destinations".to_owned();
    let is_degraded = ring.degraded && ring.durable;
    add(is_degraded, Severity::Critical, "DEGRADED", why);
    let why = "there is no room but that of messages which still wait".to_owned();
    add(is_full, Severity::Warning, "FULL", why);
    let is_small = ring.size < ring.size_wanted - ring.size_wanted / 8;
    let why = format!("{size} of {wanted}: the disk has no space for more");
    add(is_small, Severity::Warning, "SMALLER THAN CONFIGURED", why);
}

fn channel(channel: &ChannelReport, found: &mut Vec<Point>) {
    let who = format!("channel {}", channel.name);
    if channel.listening == Some(false) {
        found.push(Point {
            severity: Severity::Critical,
            state: "NOT LISTENING",
            who: who.clone(),
            why: printable(channel.listen_error.as_deref().unwrap_or_default()),
        });
    }
    certificate(who, channel.certificate_days, found);
}

fn stream(stream: &StreamReport, found: &mut Vec<Point>) {
    let who = format!("stream {}", stream.name);
    let waiting = waiting(stream);
    let old = stream.oldest_age.unwrap_or(0.0);
    let is_away = stream.last_error.is_some() || stream.next_try.is_some() || old >= LATE;
    let severity = match old >= TOO_LATE {
        true => Severity::Critical,
        false => Severity::Warning,
    };
    let (severity, state) = match stream {
        StreamReport { enabled: false, .. } => (Severity::Note, "DISABLED"),
        StreamReport { paused: true, .. } => (Severity::Warning, "PAUSED"),
        StreamReport {
            connected: false, ..
        } if is_away => (severity, "NOT CONNECTED"),
        StreamReport {
            last_error: Some(_),
            ..
        } => (severity, "NOT DELIVERED"),
        _ => return certificate(who, stream.certificate_days, found),
    };
    let how_long = match (state, stream.paused_for, stream.next_try) {
        ("PAUSED", Some(left), _) => format!(", goes on in {}", time(left)),
        ("PAUSED", None, _) => ", until `weir stream resume`".to_owned(),
        (_, _, Some(wait)) => format!(", next try in {}", time(wait)),
        _ => String::new(),
    };
    let error = stream.last_error.as_deref().map(printable);
    let error = error.map(|error| format!(": {error}")).unwrap_or_default();
    found.push(Point {
        severity,
        state,
        who: who.clone(),
        why: format!("{waiting}{how_long}{error}"),
    });
    certificate(who, stream.certificate_days, found);
}

fn waiting(stream: &StreamReport) -> String {
    let oldest = stream.oldest_age.filter(|_| stream.backlog > 0);
    let oldest = oldest.map(|age| format!(", the oldest for {}", time(age)));
    format!("{} waiting{}", stream.backlog, oldest.unwrap_or_default())
}

fn certificate(who: String, days: Option<i64>, found: &mut Vec<Point>) {
    let (severity, state, why) = match days {
        Some(days) if days < 0 => (Severity::Critical, "CERTIFICATE EXPIRED", String::new()),
        Some(days) if days <= SOON => (
            Severity::Warning,
            "CERTIFICATE EXPIRES",
            format!("in {days} days"),
        ),
        _ => return,
    };
    found.push(Point {
        severity,
        state,
        who,
        why,
    });
}

fn clock(clock: &ClockReport, found: &mut Vec<Point>) {
    if clock.trusted {
        return;
    }
    let remembered = clock.remembered.filter(|date| *date > clock.timestamp);
    let before = remembered.map(|known| format!(", and it was {} before", date(known)));
    let (now, before) = (date(clock.timestamp), before.unwrap_or_default());
    found.push(Point {
        severity: Severity::Warning,
        state: "CLOCK NOT TRUSTED",
        who: "clock".to_owned(),
        why: format!("it says {now}{before}"),
    });
}

/// What a far end said may be no order to a terminal, and no end of a line.
pub(super) fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A backlog that waits so long for a connection is worth a word, in seconds.
const LATE: f64 = 60.0;

/// And here it is worth getting up.
const TOO_LATE: f64 = 3600.0;

/// Days from which on it is said when a certificate expires.
const SOON: i64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Status {
        Status {
            ring: RingReport {
                durable: true,
                ..RingReport::default()
            },
            clock: ClockReport {
                trusted: true,
                ..ClockReport::default()
            },
            ..Status::default()
        }
    }

    fn stream() -> StreamReport {
        StreamReport {
            name: "cloud".to_owned(),
            enabled: true,
            ..StreamReport::default()
        }
    }

    fn said(change: impl FnOnce(&mut Status)) -> Vec<(Severity, &'static str)> {
        let mut status = well();
        status.streams.push(stream());
        status.channels.push(ChannelReport::default());
        change(&mut status);
        let points = points(&status);
        points.iter().map(|it| (it.severity, it.state)).collect()
    }

    #[test]
    fn each_state_has_its_word_and_the_worst_is_said_first() {
        use Severity::Critical;
        use Severity::Note;
        use Severity::Warning;
        assert_eq!(said(|_| {}), [], "not connected, and nothing to send");
        let one = |wanted, change: fn(&mut Status)| assert_eq!(said(change), [wanted]);
        one((Critical, "NOT DURABLE"), |s| s.ring.durable = false);
        one((Critical, "DROPPING"), |s| {
            (s.ring.full, s.ring.dropping) = (true, Some(1.0));
        });
        one((Critical, "REFUSING"), |s| {
            (s.ring.full, s.ring.refusing) = (true, true);
        });
        one((Critical, "DEGRADED"), |s| s.ring.degraded = true);
        one((Warning, "FULL"), |s| s.ring.full = true);
        one((Warning, "SMALLER THAN CONFIGURED"), |s| {
            (s.ring.size, s.ring.size_wanted) = (1 << 20, 2 << 20);
        });
        one((Warning, "CLOCK NOT TRUSTED"), |s| s.clock.trusted = false);
        one((Critical, "NOT LISTENING"), |s| {
            s.channels[0].listening = Some(false);
        });
        one((Note, "DISABLED"), |s| s.streams[0].enabled = false);
        one((Warning, "PAUSED"), |s| s.streams[0].paused = true);
        one((Warning, "NOT CONNECTED"), |s| {
            s.streams[0].last_error = Some("refused".to_owned());
        });
        one((Critical, "NOT CONNECTED"), |s| {
            (s.streams[0].backlog, s.streams[0].oldest_age) = (1, Some(TOO_LATE));
        });
        one((Warning, "NOT DELIVERED"), |s| {
            s.streams[0].connected = true;
            s.streams[0].last_error = Some("503".to_owned());
        });
        one((Warning, "CERTIFICATE EXPIRES"), |s| {
            s.streams[0].certificate_days = Some(30);
        });
        one((Critical, "CERTIFICATE EXPIRED"), |s| {
            s.channels[0].certificate_days = Some(-1);
        });
        let order = said(|status| {
            status.streams[0].enabled = false;
            status.ring.full = true;
            status.channels[0].listening = Some(false);
        });
        let severities: Vec<_> = order.iter().map(|(severity, _)| *severity).collect();
        assert_eq!(severities, [Critical, Warning, Note]);
    }

    #[test]
    fn what_a_far_end_said_is_no_order_to_a_terminal() {
        let mut status = well();
        status.streams.push(StreamReport {
            last_error: Some("a\x1b[2Jb\nc\u{9b}d".to_owned()),
            ..stream()
        });
        let why = &points(&status)[0].why;
        assert!(why.ends_with(": a [2Jb c d"), "{why:?}");
    }
}
