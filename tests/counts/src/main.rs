//! Instructions a message, stage by stage and pipeline by pipeline, compared with those that are
//! recorded. They hardly vary from run to run, however busy the machine is.
//!
//! ```text
//! weir-counts compare FILE WEIR   counts all; fails where one is more than recorded
//! weir-counts record FILE WEIR    counts all and records it
//! weir-counts stage NAME          runs one stage: this is what valgrind is given
//! ```
//! WEIR is the program that is shipped; it runs the pipelines of [`pipelines`].
//!
//! A stage is a function of [`STAGES`] in this process, of which valgrind counts what is inside
//! [`counter::Counter::round`]: pieces of weir over bytes, a ring in memory, a clock that stands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a program for developers"
)]

mod between;
mod counter;
mod incoming;
#[path = "../../bench/src/message.rs"]
#[allow(dead_code, reason = "the benchmark needs more of it")]
mod message;
#[path = "../../support/one_stream.rs"]
mod one_stream;
mod outgoing;
mod pipelines;
#[path = "../../bench/src/program.rs"]
#[allow(dead_code, reason = "the benchmark needs more of it")]
mod program;
#[path = "../../bench/src/receive/mod.rs"]
#[allow(dead_code, reason = "the benchmark needs more of it")]
mod receive;
mod recorded;
mod sample;
#[path = "../../bench/src/send/mod.rs"]
#[allow(dead_code, reason = "the benchmark needs more of it")]
mod send;
#[path = "../../bench/src/usage.rs"]
#[allow(dead_code, reason = "the benchmark needs more of it")]
mod usage;
mod valgrind;
mod world;

use counter::COUNTED;
use counter::Counter;
use pipelines::PIPELINES;
use recorded::Compared;
use recorded::Recorded;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

/// A stage: its name, and the rounds of its work.
struct Stage(&'static str, fn(&mut Counter));

const STAGES: &[Stage] = &[
    Stage("json_parse", incoming::json_parse),
    Stage("in_json_lines", incoming::json_lines),
    Stage("in_http_arrays", incoming::http_arrays),
    Stage("in_mqtt", incoming::mqtt_packets),
    Stage("in_teltonika", incoming::teltonika),
    Stage("store", between::store),
    Stage("ring_append", between::append),
    Stage("ring_commit", between::commit),
    Stage("engine", between::engine),
    Stage("engine_backlog", between::engine_backlog),
    Stage("engine_filter", between::engine_filter),
    Stage("render_json", outgoing::render_json),
    Stage("render_converted", outgoing::render_converted),
    Stage("render_template", outgoing::render_template),
    Stage("out_file", outgoing::file_link),
    Stage("out_http", outgoing::http_link),
    Stage("out_mqtt", outgoing::mqtt_link),
    Stage("out_wialon", outgoing::wialon_link),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["stage", name] => stage(name),
        ["compare", file, weir] => compare(Path::new(file), Path::new(weir)),
        ["record", file, weir] => record(Path::new(file), Path::new(weir)),
        _ => {
            eprintln!("weir-counts compare FILE WEIR | record FILE WEIR | stage NAME");
            ExitCode::from(2)
        }
    }
}

/// Runs one and says how many messages were counted.
fn stage(name: &str) -> ExitCode {
    let stage = STAGES.iter().find(|stage| stage.0 == name);
    let stage = stage.expect("a name of the table");
    let mut counter = Counter::new();
    (stage.1)(&mut counter);
    println!("{}", counter.messages());
    ExitCode::SUCCESS
}

fn compare(file: &Path, weir: &Path) -> ExitCode {
    let text = fs::read_to_string(file).expect("figures are recorded");
    let recorded = Recorded::read(&text);
    let with = counted_with();
    if recorded.with != with.with {
        println!(
            "skipped: recorded with {:?}, this is {:?}",
            recorded.with, with.with
        );
        let all = STAGES.len() + PIPELINES.len();
        println!("test result: ok. 0 passed; 0 failed; {all} ignored");
        return ExitCode::SUCCESS;
    }
    let (mut passed, mut failed) = (0, 0);
    let (counts, too_many) = count_all(weir);
    failed += too_many;
    for (name, count) in counts {
        let compared = recorded.compare(&name, count);
        let before = recorded.counts.get(&name).copied().unwrap_or_default();
        let change = (count as f64 / before as f64 - 1.0) * 100.0;
        match compared {
            Compared::Same => println!("{name} {count}"),
            Compared::More => println!("FAILED: {name} {count}, {change:+.1} % of {before}"),
            Compared::Less => println!("record: {name} {count}, {change:+.1} % of {before}"),
            Compared::New => println!("FAILED: {name} {count} is not recorded"),
        }
        match compared {
            Compared::Same | Compared::Less => passed += 1,
            Compared::More | Compared::New => failed += 1,
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {result}. {passed} passed; {failed} failed; 0 ignored");
    ExitCode::from(u8::from(failed > 0))
}

fn record(file: &Path, weir: &Path) -> ExitCode {
    let mut recorded = counted_with();
    recorded.counts = count_all(weir).0.into_iter().collect();
    fs::write(file, recorded.text()).expect("it can be written");
    print!("{}", recorded.text());
    println!(
        "test result: ok. {} passed; 0 failed; 0 ignored",
        recorded.counts.len()
    );
    ExitCode::SUCCESS
}

/// What decides of the figures, and no figure yet.
fn counted_with() -> Recorded {
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = String::from_utf8(rustc.expect("a compiler").stdout).expect("text");
    let version = rustc.split_whitespace().nth(1).unwrap_or_default();
    let valgrind = valgrind::version().expect("valgrind is there");
    let with = [
        ("machine", env::consts::ARCH),
        ("rustc", version),
        ("valgrind", &valgrind),
    ];
    Recorded {
        with: with
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Recorded::default()
    }
}

/// Each figure: stages on all processors, then one pipeline after the other; and how many pipelines
/// take more allocations than they may.
fn count_all(weir: &Path) -> (Vec<(String, u64)>, usize) {
    let folder = env::temp_dir().join(format!("weir-counts-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for what valgrind says");
    let left = Mutex::new(STAGES.iter());
    let counts = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(stage) = left.lock().expect("nobody died").next() else {
                return;
            };
            let count = count_stage(stage.0, &folder);
            counts
                .lock()
                .expect("nobody died")
                .push((stage.0.to_owned(), count));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut counts = counts.into_inner().expect("nobody died");
    let mut too_many = 0;
    for pipeline in PIPELINES {
        let taken = pipeline.count(weir, &folder);
        let is_more = taken.allocations > taken.allocations_max;
        println!(
            "{}{}: {:.2} allocations a message, {} at most",
            if is_more { "FAILED: " } else { "" },
            pipeline.0,
            taken.allocations,
            taken.allocations_max
        );
        too_many += usize::from(is_more);
        counts.push((pipeline.0.to_owned(), taken.instructions));
    }
    let _ = fs::remove_dir_all(&folder);
    counts.sort();
    (counts, too_many)
}

/// Instructions a message of a stage.
fn count_stage(name: &str, folder: &Path) -> u64 {
    let file = folder.join(name);
    let mut command = valgrind::callgrind(&file);
    command.arg(format!("--toggle-collect={COUNTED}"));
    command.arg(env::current_exe().expect("this program"));
    let output = command
        .args(["stage", name])
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {said}{why}");
    let messages: u64 = said.trim().parse().expect("how many messages were counted");
    let collected = valgrind::collected(&file).expect("what valgrind has counted");
    assert!(collected > 0, "nothing was counted of {name}: {why}");
    collected.div_ceil(messages)
}
