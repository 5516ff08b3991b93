//! `weir status --check`: one line and an exit code, as Nagios, monit and Zabbix take them.

use super::attention::Severity;
use super::attention::points;
use super::attention::printable;
use crate::api::Status;
use crate::cli::Exit;
use std::fmt::Write;

/// The line, and how the daemon does.
pub(super) fn check(status: &Status) -> (String, Exit) {
    let mut points = points(status);
    points.retain(|point| point.severity > Severity::Note);
    let (word, exit) = match points.first().map(|point| point.severity) {
        Some(Severity::Critical) => ("CRITICAL", Exit::Critical),
        Some(_) => ("WARNING", Exit::Failed),
        None => ("OK", Exit::Done),
    };
    let mut line = format!("WEIR {word} - ");
    let said = points.iter().take(POINTS_MAX);
    let said: Vec<_> = said
        .map(|point| format!("{} {}: {}", point.who, point.state, point.why))
        .collect();
    match points.len().saturating_sub(POINTS_MAX) {
        _ if points.is_empty() => line.push_str(&well(status)),
        0 => line.push_str(&said.join("; ")),
        more => add(&mut line, format_args!("{}; {more} more", said.join("; "))),
    }
    // what follows that sign are figures
    let mut line = line.replace('|', "/");
    line.push_str(" |");
    figures(status, &mut line);
    line.push('\n');
    (line, exit)
}

/// The line where nobody was reached.
pub(super) fn unreachable(why: &str) -> String {
    format!("WEIR CRITICAL - {}\n", printable(why).replace('|', "/"))
}

fn well(status: &Status) -> String {
    let waiting: u64 = status.streams.iter().map(|stream| stream.backlog).sum();
    let (streams, channels) = (status.streams.len(), status.channels.len());
    format!("{streams} streams, {waiting} messages waiting, {channels} channels")
}

/// As `'label'=value[unit];warn;crit;min;max`.
fn figures(status: &Status, line: &mut String) {
    let ring = &status.ring;
    add(
        line,
        format_args!(" ring_used={}B;;;0;{}", ring.used, ring.size),
    );
    for stream in &status.streams {
        let name = label(&stream.name);
        add(
            line,
            format_args!(" '{name}.backlog'={};;;0", stream.backlog),
        );
        let oldest = stream.oldest_age.unwrap_or(0.0);
        add(line, format_args!(" '{name}.oldest_age'={oldest:.0}s;;;0"));
        add(line, format_args!(" '{name}.rate'={:.3};;;0", stream.rate));
        if let Some(latency) = stream.ack_latency_p95 {
            add(
                line,
                format_args!(" '{name}.ack_latency_p95'={latency:.3}s;;;0"),
            );
        }
    }
    for channel in &status.channels {
        let name = label(&channel.name);
        add(
            line,
            format_args!(" '{name}.connections'={};;;0", channel.connections),
        );
        add(line, format_args!(" '{name}.rate'={:.3};;;0", channel.rate));
    }
}

/// A quotation mark within is written twice; the sign of equality is not allowed.
fn label(name: &str) -> String {
    printable(name).replace('\'', "''").replace(['=', '|'], "_")
}

fn add(line: &mut String, text: std::fmt::Arguments<'_>) {
    let written = line.write_fmt(text);
    debug_assert!(written.is_ok(), "written to memory");
}

/// Things that the line says at most: it is one line of a pager.
const POINTS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ChannelReport;
    use crate::api::ClockReport;
    use crate::api::RingReport;
    use crate::api::StreamReport;

    fn status(streams: usize) -> Status {
        let stream = |index| StreamReport {
            name: format!("it's {index}"),
            enabled: true,
            backlog: 7,
            ..StreamReport::default()
        };
        Status {
            ring: RingReport {
                durable: true,
                used: 5,
                size: 9,
                ..RingReport::default()
            },
            clock: ClockReport {
                trusted: true,
                ..ClockReport::default()
            },
            streams: (0..streams).map(stream).collect(),
            ..Status::default()
        }
    }

    #[test]
    fn a_line_says_the_worst_and_the_figures_and_the_exit_code_says_how_bad() {
        let (line, exit) = check(&status(1));
        assert_eq!(exit, Exit::Done);
        assert_eq!(
            line,
            "WEIR OK - 1 streams, 7 messages waiting, 0 channels | ring_used=5B;;;0;9 \
             'it''s 0.backlog'=7;;;0 'it''s 0.oldest_age'=0s;;;0 'it''s 0.rate'=0.000;;;0\n"
        );
        let mut bad = status(6);
        let streams = bad.streams.iter_mut();
        streams.for_each(|stream| stream.last_error = Some("a|b\nc".to_owned()));
        let (line, exit) = check(&bad);
        assert_eq!(exit, Exit::Failed);
        assert!(line.starts_with("WEIR WARNING - stream it's 0 NOT CONNECTED: 7 waiting: a/b c; "));
        assert!(line.contains("; 2 more |"), "{line}");
        assert_eq!(line.matches('|').count(), 1, "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        bad.channels.push(ChannelReport {
            listening: Some(false),
            ..ChannelReport::default()
        });
        let (line, exit) = check(&bad);
        assert_eq!(exit, Exit::Critical);
        assert!(line.starts_with("WEIR CRITICAL - channel "), "{line}");
        bad = status(1);
        bad.streams[0].enabled = false;
        assert_eq!(check(&bad).1, Exit::Done, "somebody wanted it so");
    }
}
