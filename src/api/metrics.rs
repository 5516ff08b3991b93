//! Metrics: the counters as Prometheus reads them. Names follow its habits: units in the name,
//! `_total` on what only rises.

use super::report::ChannelReport;
use super::report::RingReport;
use super::report::Status;
use super::report::StreamReport;
use std::fmt::Display;
use std::fmt::Write;

/// The whole page.
pub(super) fn render(status: &Status) -> String {
    let mut page = Page(String::new());
    page.family("weir_info", "gauge", "what runs here");
    page.sample("weir_info", &[("version", &status.version)], 1);
    page.single(
        "weir_uptime_seconds",
        "gauge",
        "since the start",
        status.uptime,
    );
    let trusted = u8::from(status.clock.trusted);
    page.single(
        "weir_clock_trusted",
        "gauge",
        "1: the date can be believed",
        trusted,
    );
    page.ring(&status.ring);
    page.channels(&status.channels);
    page.streams(&status.streams);
    page.0
}

struct Page(String);

/// A counter or gauge of each stream: name, type, help, value; none where it has none.
type Family<T> = (
    &'static str,
    &'static str,
    &'static str,
    fn(&T) -> Option<f64>,
);

#[rustfmt::skip]
const STREAM: &[Family<StreamReport>] = &[
    ("stored_total", "counter", "messages that it wants", |s| whole(s.stored)),
    ("read_total", "counter", "messages taken up so far", |s| whole(s.read)),
    ("accepted_total", "counter", "messages that the destination took", |s| whole(s.accepted)),
    ("given_up_total", "counter", "messages refused for good", |s| whole(s.given_up)),
    ("dropped_total", "counter", "messages overwritten unsent", |s| whole(s.dropped)),
    ("corrupt_total", "counter", "messages damaged on disk", |s| whole(s.corrupt)),
    ("thinned_total", "counter", "messages left out by `every` when they came",
        |s| whole(s.thinned)),
    ("rejected_total", "counter", "attempts refused or timed out", |s| whole(s.rejected)),
    ("connects_total", "counter", "times it was connected", |s| whole(s.connects)),
    ("sent_bytes_total", "counter", "bytes sent", |s| whole(s.bytes_sent)),
    ("received_bytes_total", "counter", "bytes received", |s| whole(s.bytes_received)),
    ("backlog", "gauge", "messages waiting, those in flight included", |s| whole(s.backlog)),
    ("enabled", "gauge", "1: it takes and sends", |s| whole(s.enabled.into())),
    ("paused", "gauge", "1: it keeps what comes and sends nothing", |s| whole(s.paused.into())),
    ("connected", "gauge", "1: the destination takes", |s| whole(s.connected.into())),
    ("failing", "gauge", "1: something went wrong and still holds",
        |s| whole(s.last_error.is_some().into())),
    ("last_ack_latency_seconds", "gauge", "to the acknowledgement of the last batch",
        |s| s.ack_latency),
    ("rate", "gauge", "messages a second that the destination took in the last 5 minutes",
        |s| Some(s.rate)),
    ("drain_seconds", "gauge", "until nothing waits; absent where the backlog does not shrink",
        |s| s.drain_time),
    ("oldest_age_seconds", "gauge", "age of the oldest message waiting", |s| s.oldest_age),
    ("certificate_expires_in_seconds", "gauge", "until its certificate expires, in whole days",
        |s| days(s.certificate_days)),
];

#[rustfmt::skip]
const RING: &[Family<RingReport>] = &[
    ("size_bytes", "gauge", "bytes that it may have", |r| whole(r.size)),
    ("size_wanted_bytes", "gauge", "bytes that the configuration asks for",
        |r| whole(r.size_wanted)),
    ("used_bytes", "gauge", "bytes that hold messages", |r| whole(r.used)),
    ("full", "gauge", "1: no room but that of unsettled messages", |r| whole(r.full.into())),
    ("dropping", "gauge", "1: messages are dropped unread",
        |r| whole(r.dropping.is_some().into())),
    ("dropping_since_timestamp_seconds", "gauge", "since when they are", |r| r.dropping),
    ("refusing", "gauge", "1: nothing more is acknowledged", |r| whole(r.refusing.into())),
    ("oldest_timestamp_seconds", "gauge", "when the oldest was received", |r| r.oldest),
    ("waiting", "gauge", "messages in memory", |r| whole(r.waiting)),
    ("written_bytes_total", "counter", "bytes given to the disk", |r| whole(r.bytes_written)),
    ("taken_bytes_total", "counter", "bytes of all messages taken", |r| whole(r.bytes_taken)),
    ("syncs_total", "counter", "successful syncs", |r| whole(r.syncs)),
    ("held_total", "counter", "messages never written", |r| whole(r.held)),
    ("written_total", "counter", "messages written", |r| whole(r.written)),
    ("failures_total", "counter", "commits that failed", |r| whole(r.failures)),
    ("read_failures_total", "counter", "reads that failed", |r| whole(r.read_failures)),
    ("stall_max_seconds", "gauge", "the longest commit", |r| Some(r.stall_max)),
    ("degraded", "gauge", "1: in memory only, or the disk fails", |r| whole(r.degraded.into())),
    ("durable", "gauge", "1: what is acknowledged outlives the power",
        |r| whole(r.durable.into())),
    ("holds_seconds", "gauge", "how long it lasts if nothing is delivered, at the present rate",
        |r| r.hours.map(|hours| hours * 3600.0)),
];

#[rustfmt::skip]
const CHANNEL: &[Family<ChannelReport>] = &[
    ("received_total", "counter", "messages taken", |c| whole(c.received)),
    ("unwanted_total", "counter", "messages that no stream wanted", |c| whole(c.unwanted)),
    ("thinned_total", "counter", "messages left out by its `every`", |c| whole(c.thinned)),
    ("missed_total", "counter", "messages that slow subscribers missed", |c| whole(c.missed)),
    ("listening", "gauge", "1: all its addresses are bound", |c| flag(c.listening)),
    ("connections", "gauge", "connections now", |c| whole(c.connections)),
    ("last_message_age_seconds", "gauge", "since the last message was taken",
        |c| c.last_message_age),
    ("rate", "gauge", "messages a second that it took in the last 5 minutes", |c| Some(c.rate)),
    ("certificate_expires_in_seconds", "gauge", "until its certificate expires, in whole days",
        |c| days(c.certificate_days)),
];

impl Page {
    fn ring(&mut self, ring: &RingReport) {
        for (name, kind, help, value) in RING {
            if let Some(value) = value(ring) {
                self.single(&format!("weir_ring_{name}"), kind, help, value);
            }
        }
    }

    fn channels(&mut self, channels: &[ChannelReport]) {
        for (name, kind, help, value) in CHANNEL {
            let name = format!("weir_channel_{name}");
            self.family(&name, kind, help);
            for channel in channels {
                if let Some(value) = value(channel) {
                    self.sample(&name, &[("channel", &channel.name)], value);
                }
            }
        }
        let name = "weir_channel_refused_total";
        self.family(name, "counter", "what was not taken");
        for channel in channels {
            for (reason, count) in &channel.refused {
                self.sample(
                    name,
                    &[("channel", &channel.name), ("reason", reason)],
                    count,
                );
            }
        }
    }

    fn streams(&mut self, streams: &[StreamReport]) {
        for (name, kind, help, value) in STREAM {
            let name = format!("weir_stream_{name}");
            self.family(&name, kind, help);
            for stream in streams {
                if let Some(value) = value(stream) {
                    self.sample(&name, &[("stream", &stream.name)], value);
                }
            }
        }
        self.latencies(streams);
        let name = "weir_stream_skipped_total";
        self.family(name, "counter", "messages that were not sent");
        for stream in streams {
            let by = [
                ("filter", stream.skipped_filter),
                ("age", stream.skipped_age),
                ("hand", stream.skipped_hand),
            ];
            for (reason, count) in by {
                self.sample(name, &[("stream", &stream.name), ("reason", reason)], count);
            }
        }
    }

    /// A histogram: each bucket counts those of the smaller ones, too.
    fn latencies(&mut self, streams: &[StreamReport]) {
        const NAME: &str = "weir_stream_ack_latency_seconds";
        self.family(
            NAME,
            "histogram",
            "from sending a message to its acknowledgement",
        );
        for StreamReport {
            name,
            ack_latencies,
            ..
        } in streams
        {
            let (stream, mut total) = (("stream", name.as_str()), 0);
            let bounds = ack_latencies.bounds.iter().map(f64::to_string);
            let bounds = bounds.chain(["+Inf".to_owned()]);
            for (bound, count) in bounds.zip(&ack_latencies.counts) {
                total += count;
                let bucket = format!("{NAME}_bucket");
                self.sample(&bucket, &[stream, ("le", &bound)], total);
            }
            self.sample(&format!("{NAME}_sum"), &[stream], ack_latencies.sum);
            self.sample(&format!("{NAME}_count"), &[stream], total);
        }
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.push(format_args!("{name}"));
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let text = escaped(text);
            self.push(format_args!("{before}{label}=\"{text}\""));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        self.push(format_args!("{after} {value}\n"));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        let written = self.0.write_fmt(text);
        debug_assert!(written.is_ok(), "written to memory");
    }
}

/// Counters are whole; beyond 2^53 Prometheus has no more digits either.
#[expect(clippy::cast_precision_loss, reason = "so has the one who reads it")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "stands among those that may be absent"
)]
fn whole(count: u64) -> Option<f64> {
    Some(count as f64)
}

fn flag(is_set: Option<bool>) -> Option<f64> {
    is_set.map(|is_set| f64::from(u8::from(is_set)))
}

fn days(days: Option<i64>) -> Option<f64> {
    i32::try_from(days?).ok().map(|days| f64::from(days) * DAY)
}

/// Seconds of a day.
const DAY: f64 = 86_400.0;

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::report::LatencyReport;

    #[test]
    fn every_sample_has_a_family_and_quotes_are_escaped() {
        let stream = StreamReport {
            name: "a \"b\"".to_owned(),
            stored: 7,
            skipped_age: 2,
            ack_latencies: LatencyReport {
                bounds: vec![0.001, 0.002],
                counts: vec![4, 2, 1],
                sum: 0.5,
            },
            ..StreamReport::default()
        };
        let channel = ChannelReport {
            name: "in".to_owned(),
            refused: [("syntax".to_owned(), 3)].into(),
            ..ChannelReport::default()
        };
        let page = render(&Status {
            streams: vec![stream],
            channels: vec![channel],
            ..Status::default()
        });
        for line in [
            "weir_stream_stored_total{stream=\"a \\\"b\\\"\"} 7",
            "weir_stream_skipped_total{stream=\"a \\\"b\\\"\",reason=\"age\"} 2",
            "weir_channel_refused_total{channel=\"in\",reason=\"syntax\"} 3",
            "weir_stream_ack_latency_seconds_bucket{stream=\"a \\\"b\\\"\",le=\"0.002\"} 6",
            "weir_stream_ack_latency_seconds_bucket{stream=\"a \\\"b\\\"\",le=\"+Inf\"} 7",
            "weir_stream_ack_latency_seconds_count{stream=\"a \\\"b\\\"\"} 7",
            "weir_stream_ack_latency_seconds_sum{stream=\"a \\\"b\\\"\"} 0.5",
            "weir_ring_degraded 0",
            "weir_ring_durable 0",
            "weir_ring_full 0",
            "weir_ring_dropping 0",
            "weir_ring_refusing 0",
            "weir_ring_read_failures_total 0",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        for sample in samples {
            let name = sample.split(['{', ' ']).next().unwrap();
            let parts = ["_bucket", "_sum", "_count"];
            let histogram = parts.iter().find_map(|end| name.strip_suffix(end));
            let name = histogram.unwrap_or(name);
            assert!(page.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }
}
