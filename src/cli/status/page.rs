//! What `weir status` shows to people: what needs attention, then all there is, in columns.

use super::attention::Severity;
use super::attention::points;
use crate::api::ChannelReport;
use crate::api::RingReport;
use crate::api::Status;
use crate::api::StreamReport;
use crate::cli::color::Color;
use crate::cli::color::Style;
use crate::cli::date;
use crate::cli::figures_text::bytes;
use crate::cli::figures_text::latency;
use crate::cli::figures_text::rate;
use crate::cli::figures_text::time;
use crate::cli::table::Table;

/// The page.
pub(super) fn text(status: &Status, color: Color) -> String {
    let (up, clock) = (time(status.uptime), date(status.clock.timestamp));
    let head = format!("weir {}, up {up}, clock {clock}\n", status.version);
    let mut page = color.paint(Style::Dim, &head);
    for part in [
        attention(status, color),
        streams(&status.streams, color),
        channels(&status.channels, color),
        ring(&status.ring, color),
    ] {
        if !part.is_empty() {
            page.push('\n');
            page.push_str(&part);
        }
    }
    page
}

fn attention(status: &Status, color: Color) -> String {
    let mut table = Table::default();
    for point in points(status) {
        let style = match point.severity {
            Severity::Critical => Style::Red,
            Severity::Warning => Style::Yellow,
            Severity::Note => Style::Dim,
        };
        table.row([
            (point.state.to_owned(), Some(style)),
            plain(point.who),
            plain(point.why),
        ]);
    }
    table.text("<<<", color)
}

fn streams(streams: &[StreamReport], color: Color) -> String {
    let mut table = Table::default();
    table.row(head(&[
        "STREAM", "type", "waiting", "oldest", "rate", "p50", "p95", "state",
    ]));
    for stream in streams {
        let oldest = stream.oldest_age.filter(|_| stream.backlog > 0);
        table.row([
            (stream.name.clone(), Some(Style::Bold)),
            plain(stream.kind.clone()),
            plain(stream.backlog.to_string()),
            plain(known(oldest, time)),
            plain(rate(stream.rate)),
            plain(known(stream.ack_latency_p50, latency)),
            plain(known(stream.ack_latency_p95, latency)),
            (state(stream), style(stream)),
        ]);
        details(stream, &mut table, color);
    }
    match streams {
        [] => String::new(),
        _ => table.text("<<>>>>><", color),
    }
}

fn details(stream: &StreamReport, table: &mut Table, color: Color) {
    let mut add = |line: &str| table.below(color.paint(Style::Dim, line));
    add(&format!(
        "  stored {} = accepted {} + skipped {} + given up {} + dropped {} + corrupt {} + \
         backlog {}",
        stream.stored,
        stream.accepted,
        stream.skipped,
        stream.given_up,
        stream.dropped,
        stream.corrupt,
        stream.backlog,
    ));
    add(&format!(
        "  {} sent, {} received in {} connections; {} attempts refused",
        bytes(stream.bytes_sent),
        bytes(stream.bytes_received),
        stream.connects,
        stream.rejected,
    ));
    if stream.thinned > 0 {
        add(&format!("  {} left out by every", stream.thinned));
    }
}

fn channels(channels: &[ChannelReport], color: Color) -> String {
    let mut table = Table::default();
    table.row(head(&[
        "CHANNEL",
        "type",
        "connections",
        "last message",
        "rate",
        "received",
        "state",
    ]));
    for channel in channels {
        let (state, style) = match channel.listening {
            Some(true) => ("listening", Some(Style::Green)),
            Some(false) => ("NOT LISTENING", Some(Style::Red)),
            None => ("", None),
        };
        table.row([
            (channel.name.clone(), Some(Style::Bold)),
            plain(channel.kind.clone()),
            plain(channel.connections.to_string()),
            plain(known(channel.last_message_age, |age| time(age) + " ago")),
            plain(rate(channel.rate)),
            plain(channel.received.to_string()),
            (state.to_owned(), style),
        ]);
        for line in left(channel) {
            table.below(color.paint(Style::Dim, &line));
        }
    }
    match channels {
        [] => String::new(),
        _ => table.text("<<>>>><", color),
    }
}

/// What of a channel did not go on.
fn left(channel: &ChannelReport) -> impl Iterator<Item = String> {
    let refused = channel.refused.iter();
    let refused: Vec<_> = refused
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    let refused = (!refused.is_empty()).then(|| format!("  refused {}", refused.join(", ")));
    let some = |count: u64, what: &str| (count > 0).then(|| format!("  {count} {what}"));
    refused
        .into_iter()
        .chain(some(channel.unwanted, "unwanted"))
        .chain(some(channel.thinned, "left out by every"))
}

fn ring(ring: &RingReport, color: Color) -> String {
    let lasts = known(ring.hours, |hours| time(hours * 3600.0));
    let lasts = match ring.hours {
        Some(_) => format!("; holds {lasts} at the present rate"),
        None => String::new(),
    };
    let (name, used, size) = (
        color.paint(Style::Bold, "RING"),
        bytes(ring.used),
        bytes(ring.size),
    );
    let oldest = ring
        .oldest
        .map(|oldest| format!("; oldest message of {}", date(oldest)));
    let wear = format!(
        "  {} written in {} syncs, {:.2} times what came; {} messages never written; longest \
         commit {}",
        bytes(ring.bytes_written),
        ring.syncs,
        ring.write_amplification.unwrap_or(0.0),
        ring.held,
        latency(ring.stall_max),
    );
    let (id, oldest, wear) = (
        &ring.id,
        oldest.unwrap_or_default(),
        color.paint(Style::Dim, &wear),
    );
    let failures = match (ring.failures, ring.read_failures) {
        (0, 0) => String::new(),
        (writes, reads) => format!("  {writes} commits and {reads} reads failed\n"),
    };
    format!("{name} {id}  {used} of {size} used{lasts}{oldest}\n{wear}\n{failures}")
}

/// In a few words.
pub(in crate::cli) fn state(stream: &StreamReport) -> String {
    match (stream.enabled, stream.connected, stream.next_try) {
        (false, ..) => "DISABLED".to_owned(),
        (true, ..) if stream.paused => match stream.paused_for {
            Some(left) => format!("PAUSED, goes on in {}", time(left)),
            None => "PAUSED until `weir stream resume`".to_owned(),
        },
        (true, false, Some(wait)) => format!("NOT CONNECTED, next try in {}", time(wait)),
        (true, true, Some(wait)) => format!("waits, next try in {}", time(wait)),
        (true, true, None) => match stream.drain_time {
            Some(left) if left >= 1.0 => format!("connected, empty in {}", time(left)),
            _ => "connected".to_owned(),
        },
        (true, false, None) if stream.last_error.is_some() => "NOT CONNECTED".to_owned(),
        (true, false, None) => "not connected".to_owned(),
    }
}

fn style(stream: &StreamReport) -> Option<Style> {
    match stream {
        StreamReport { enabled: false, .. } => Some(Style::Dim),
        StreamReport { paused: true, .. } => Some(Style::Yellow),
        StreamReport {
            connected: true,
            last_error: None,
            ..
        } => Some(Style::Green),
        StreamReport {
            next_try: None,
            last_error: None,
            ..
        } => None,
        _ => Some(Style::Yellow),
    }
}

fn head(names: &[&str]) -> Vec<(String, Option<Style>)> {
    let cell = |name: &&str| ((*name).to_owned(), Some(Style::Dim));
    names.iter().map(cell).collect()
}

fn plain(text: String) -> (String, Option<Style>) {
    (text, None)
}

fn known(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamReport {
        StreamReport {
            name: "cloud".to_owned(),
            kind: "mqtt".to_owned(),
            enabled: true,
            stored: 9,
            accepted: 7,
            backlog: 2,
            oldest_age: Some(300.0),
            rate: 2.5,
            ack_latency_p50: Some(0.02),
            ..StreamReport::default()
        }
    }

    fn shown(stream: StreamReport) -> String {
        let mut status = Status::default();
        status.ring.durable = true;
        status.ring.hours = Some(30.0);
        status.clock.trusted = true;
        status.streams.push(stream);
        text(&status, Color::Off)
    }

    #[test]
    fn the_page_shows_the_balance_and_how_long_the_ring_lasts() {
        let page = shown(stream());
        for part in [
            "holds 30.0 h at the present rate",
            "  stored 9 = accepted 7 + skipped 0 ",
            "cloud   mqtt        2   5 min  2.5/s  20 ms    -  not connected\n",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }

    #[test]
    fn what_needs_attention_is_said_before_all_else() {
        let page = shown(StreamReport {
            next_try: Some(3.2),
            last_error: Some("no route".to_owned()),
            ..stream()
        });
        let wanted = "\n\nNOT CONNECTED  stream cloud  2 waiting, the oldest for 5 min, next try \
                      in 3 s: no route\n\nSTREAM ";
        assert!(page.contains(wanted), "{page}");
        assert!(
            page.contains("  NOT CONNECTED, next try in 3 s\n"),
            "{page}"
        );
    }

    #[test]
    fn a_backlog_that_shrinks_says_when_it_is_gone() {
        let page = shown(StreamReport {
            connected: true,
            drain_time: Some(240.0),
            ..stream()
        });
        assert!(page.contains("  connected, empty in 4 min\n"), "{page}");
    }
}
