//! The whole fleet: the tables and the pictures of docs/fleet.md.

use crate::destination::Turn;
use crate::plot::Axis;
use crate::plot::Line;
use crate::plot::Panel;
use crate::plot::Picture;
use crate::plot::Scale;
use crate::plot::grouped;
use crate::retry::Retry;
use crate::scenarios::RATED;
use crate::scenarios::RETRIES;
use crate::scenarios::WEIR;
use crate::scenarios::WHOLE;
use crate::scenarios::first_come;
use crate::scenarios::hour;
use crate::scenarios::moment;
use crate::world::Seen;
use std::fs;
use std::path::Path;
use std::time::Duration;

#[test]
#[ignore = "a hundred thousand gateways take a minute or two"]
fn the_page_says_what_the_whole_fleet_does() {
    let hours = RETRIES.map(|retry| hour(WHOLE, retry, Turn::Fair));
    let moments = [
        moment(WHOLE, &RETRIES[0]()),
        moment(WHOLE, &RETRIES[1]()),
        moment(WHOLE, &RETRIES[2]()),
        moment(WHOLE, &Retry::first_alike()),
        moment(WHOLE, &Retry::weir()),
    ];
    let queued = [
        hour(WHOLE, RETRIES[0], Turn::FirstCome),
        first_come(WHOLE, WEIR),
        first_come(WHOLE, RATED),
    ];
    let names = ["every 1 s", "every 5 s", "doubling, no chance"];
    let mut rows = Vec::new();
    for (seen, name) in hours.iter().zip([names[0], names[1], names[2], "**weir**"]) {
        rows.push(connections(name, seen));
    }
    let before = "weir's, were the first wait alike for all";
    let all = [names[0], names[1], names[2], before, "**weir**"];
    rows.extend(
        moments
            .iter()
            .zip(all)
            .map(|(seen, name)| connections(name, seen)),
    );
    let all = [
        "every 1 s, all that waits",
        "**weir**",
        "**weir**, `rate = 0.5`",
    ];
    rows.extend(
        queued
            .iter()
            .zip(all)
            .map(|(seen, name)| messages(name, seen)),
    );
    rows.iter().for_each(|row| println!("{row}"));
    draw_connections(&hours, &moments);
    draw_messages(&hours, &queued);
    let page = fs::read_to_string(docs().join("fleet.md")).unwrap();
    let missing: Vec<_> = rows.iter().filter(|row| !page.contains(*row)).collect();
    assert!(missing.is_empty(), "not in docs/fleet.md: {missing:#?}");
}

fn connections(name: &str, seen: &Seen) -> String {
    let (peak, wasted) = (
        grouped(&seen.peak().to_string()),
        grouped(&seen.wasted.to_string()),
    );
    format!("| {name} | {peak} | {wasted} | {} |", time(seen.all_back))
}

fn messages(name: &str, seen: &Seen) -> String {
    let sent = grouped(&seen.peak_sent().to_string());
    let (waiting, twice) = (
        grouped(&seen.peak_waiting().to_string()),
        grouped(&seen.twice.to_string()),
    );
    let caught_up = seen
        .caught_up
        .map_or("never".to_owned(), |it| time(Some(it)));
    format!("| {name} | {sent} | {waiting} | {twice} | {caught_up} |")
}

fn time(time: Option<Duration>) -> String {
    match time {
        Some(time) if time < Duration::from_mins(10) => format!("{} s", time.as_secs()),
        Some(time) => format!("{} min", time.as_secs().div_ceil(60)),
        None => "not within 2 h".to_owned(),
    }
}

fn draw_connections(hours: &[Seen], moments: &[Seen]) {
    let panel = |title, lines| Panel {
        title,
        across: seconds("s since the destination is back", 500.0),
        up: Axis {
            label: "attempts to connect a second",
            from: 1.0,
            to: 200_000.0,
            scale: Scale::Logarithmic,
        },
        lines,
        limits: vec![(2_000.0, "more are refused")],
    };
    let line = |label, seen: &Seen| Line {
        label,
        points: peaks(seen.attempts.iter().copied().map(u64::from), 500),
    };
    let names = ["every 1 s", "every 5 s", "doubling, no chance"];
    let naive = |seen: &[Seen]| {
        let lines = seen.iter().zip(names).map(|(seen, name)| line(name, seen));
        lines.collect::<Vec<_>>()
    };
    let (mut first, mut second) = (naive(&hours[..3]), naive(&moments[..3]));
    first.insert(0, line("weir", &hours[3]));
    second.insert(0, line("weir", &moments[4]));
    save(
        "fleet-connections.svg",
        &Picture {
            title: "100,000 gateways connect again (the most in each 5 s)",
            panels: vec![
                panel("The destination was away for an hour", first),
                panel("All connections were lost at once", second),
            ],
        },
    );
}

fn draw_messages(hours: &[Seen], queued: &[Seen]) {
    let up = |label, from, to| Axis {
        label,
        from,
        to,
        scale: Scale::Logarithmic,
    };
    let across = || seconds("s since the destination is back", 1_800.0);
    let sent = |label, seen: &Seen| Line {
        label,
        points: peaks(seen.sent.iter().copied().map(u64::from), 1_800),
    };
    let waiting = |label, seen: &Seen| Line {
        label,
        points: peaks(seen.waiting.iter().copied(), 1_800),
    };
    let names = ["weir, rate = 0.5", "weir", "every 1 s, all that waits"];
    let fair = [&queued[2], &hours[3], &hours[0]];
    let come = [&queued[2], &queued[1], &queued[0]];
    let lines = |draw: &dyn Fn(&'static str, &Seen) -> Line<'static>, of: [&Seen; 3]| {
        let all = names.into_iter().zip(of);
        all.map(|(name, seen)| draw(name, seen)).collect()
    };
    save(
        "fleet-messages.svg",
        &Picture {
            title: "100,000 gateways send what waited for an hour",
            panels: vec![
                Panel {
                    title: "To a destination that reads from each connection in turn",
                    across: across(),
                    up: up("messages sent a second", 1_000.0, 1_000_000.0),
                    lines: lines(&sent, fair),
                    limits: vec![(50_000.0, "what it takes")],
                },
                Panel {
                    title: "To a destination that reads all that comes",
                    across: across(),
                    up: up("messages that wait there", 100.0, 100_000_000.0),
                    lines: lines(&waiting, come),
                    limits: vec![(1_500_000.0, "30 s of work: then gateways send again")],
                },
            ],
        },
    );
}

fn seconds(label: &str, to: f64) -> Axis<'_> {
    Axis {
        label,
        from: 0.0,
        to,
        scale: Scale::Linear,
    }
}

/// The most in each some seconds, for so many seconds.
fn peaks(values: impl Iterator<Item = u64>, end: usize) -> Vec<(f64, f64)> {
    let step = end / POINTS;
    let all: Vec<_> = values.take(end).collect();
    let peak = |(at, of): (usize, &[u64])| {
        let most = of.iter().max().copied().unwrap_or(0);
        ((at * step) as f64, most as f64)
    };
    all.chunks(step).enumerate().map(peak).collect()
}

fn save(name: &str, picture: &Picture<'_>) {
    let folder = docs().join("pictures");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), picture.svg()).unwrap();
}

fn docs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Of a line.
const POINTS: usize = 100;
