//! `weir ring`: looks into a ring, of a running daemon or a copy, and never changes it.

use super::Exit;
use crate::clock::Clock;
use crate::message::ValueRef;
use crate::message::json;
use crate::ring::File;
use crate::ring::IoError;
use crate::ring::OpenError;
use crate::ring::Ring;
use crate::ring::inspect;
use crate::ring::inspect::Dumped;
use crate::ring::inspect::HoleCause;
use crate::ring::inspect::HoleInfo;
use crate::ring::inspect::Info;
use crate::ring::inspect::StreamInfo;
use crate::stream::engine::Outgoing;
use crate::stream::engine::Repeat;
use crate::stream::render;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

/// Prints what a ring says of itself.
pub(super) fn info(path: &Path) -> Exit {
    let now = Clock::new().now();
    let info = File::peek(path).and_then(|mut file| inspect::info(&mut file, now));
    told(path, info, |info| {
        print_info(&info);
        Exit::Done
    })
}

/// Prints every message, one JSON object a line.
pub(super) fn dump(path: &Path) -> Exit {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    let mut write = |record: &Dumped<'_>| {
        line.clear();
        render_record(record, &mut line);
        line.push(b'\n');
        // Nobody listens any more: `weir ring dump FILE | head`.
        out.write_all(&line).is_ok()
    };
    let now = Clock::new().now();
    let dumped = File::peek(path).and_then(|mut file| inspect::dump(&mut file, now, &mut write));
    told(path, dumped, |()| Exit::Done)
}

/// Reads everything; fails when something is damaged.
pub(super) fn verify(path: &Path) -> Exit {
    told(
        path,
        File::peek(path).and_then(|mut file| inspect::verify(&mut file)),
        |found| {
            say!(
                "{} messages are sound, {} damaged",
                found.records,
                found.damaged
            );
            say!(
                "{} are missing, {} of 2 slots are whole",
                found.missing,
                found.slots
            );
            if found.headers_lost > 0 {
                say!("{} segments have lost their headers", found.headers_lost);
            }
            found.holes.iter().for_each(print_hole);
            if found.is_sound() {
                Exit::Done
            } else {
                Exit::Failed
            }
        },
    )
}

/// Copies what is sound into a new ring.
pub(super) fn repair(path: &Path, fresh: &Path) -> Exit {
    if let Err(error) = File::peek(path) {
        return told(path, Err(error), |()| Exit::Done);
    }
    let repaired = Ring::repair(path, fresh, Clock::new().now(), fastrand::u64(..));
    let culprit = match repaired {
        // a disk that cannot be read has a word of its own
        Err(OpenError::Exists | OpenError::Io(_)) => fresh,
        _ => path,
    };
    let copied = repaired.and_then(|report| {
        let copy = inspect::verify(&mut File::peek(fresh)?)?;
        Ok((report, copy.records))
    });
    told(culprit, copied, |(report, count)| {
        say!(
            "{}: {count} messages that wait were copied; of the old one: {report}",
            fresh.display()
        );
        Exit::Done
    })
}

fn told<T>(path: &Path, result: Result<T, OpenError>, show: impl FnOnce(T) -> Exit) -> Exit {
    result.map_or_else(
        |error| {
            match error {
                OpenError::Io(IoError::Name) if is_missing(path) => {
                    eprintln!("error: `{}`: there is no such file", path.display());
                }
                error => eprintln!("error: `{}`: {error}", path.display()),
            }
            if matches!(error, OpenError::Unreadable { .. }) {
                eprintln!(
                    "hint: nothing is known of what is in it. Try again; if it stays so, copy what \
                     can be read with\n      dd if={} of=COPY bs=512 conv=noerror,sync\n      and \
                     look into COPY",
                    path.display()
                );
            }
            Exit::Failed
        },
        show,
    )
}

/// Whether its folder is there, and it is not.
fn is_missing(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    let is_there = folder.as_os_str().is_empty() || folder.is_dir();
    is_there && !path.exists()
}

fn print_info(info: &Info) {
    let closed = if info.clean {
        "closed cleanly"
    } else {
        "in use, or not closed"
    };
    say!("ring      {:08x}, {} bytes, {closed}", info.id, info.size);
    say!(
        "opened    {} times, {} of 2 slots whole",
        info.boots,
        info.slots
    );
    say!(
        "segments  {} of {} in use, {} bytes each",
        info.segments_used,
        info.segments,
        info.segment_len
    );
    say!("records   from {} to before {}", info.oldest.0, info.end.0);
    match info.oldest_received {
        Some(at) if at.trusted => {
            say!(
                "oldest    received {}",
                super::date(at.since_1970.as_secs_f64())
            );
        }
        Some(_) => say!("oldest    received while the clock was wrong"),
        None => {}
    }
    if let Some(date) = info.remembered {
        let date = super::date(date.as_secs_f64());
        say!("date      {date} was the last that was believed: an earlier one is doubted");
    }
    info.streams.iter().for_each(print_stream);
    info.holes.iter().for_each(print_hole);
}

fn print_stream(stream: &StreamInfo) {
    let counted = &stream.counters;
    say!("stream    {}: next is {}", stream.name, stream.cursor.0);
    say!(
        "          stored {}, accepted {}, filtered {}, expired {}, skipped by hand {},",
        counted.stored,
        counted.accepted,
        counted.filtered,
        counted.expired,
        counted.by_hand
    );
    say!(
        "          given up {}, dropped {}, corrupt {}, backlog {}",
        counted.given_up,
        counted.dropped,
        counted.corrupt,
        counted.backlog
    );
}

fn print_hole(hole: &HoleInfo) {
    let cause = match hole.cause {
        HoleCause::PowerCut => "torn by a power cut, nothing in it was acknowledged",
        HoleCause::Medium => "damaged by the medium",
    };
    say!("hole      at {}, {} bytes: {cause}", hole.offset, hole.len);
}

fn render_record(record: &Dumped<'_>, out: &mut Vec<u8>) {
    let seq = ("record.seq", ValueRef::U64(record.seq.0));
    let Some(body) = record.body else {
        return json::write(
            [seq, ("record.damaged", ValueRef::Bool(true))].into_iter(),
            out,
        );
    };
    let message = Outgoing {
        ring: 0,
        seq: record.seq,
        received: record.received,
        body,
        repeat: Repeat::First,
    };
    render::write(&message, Some(seq), out);
}
