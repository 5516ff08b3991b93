//! What the source has to look like: who may name whom, how long things are, what they are called.
//! No test of what the program does.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod checks;
mod circles;
mod source;

use checks::Shape;
use checks::commands;
use checks::empty_names;
use checks::imports;
use checks::joined_words;
use checks::leftovers;
use checks::long;
use checks::misspelt;
use checks::unknown_commands;
use circles::circles;
use source::ROOT;
use source::all;
use source::rust;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Who may name whom, from the bottom up; `*` is all. Channels and streams never name each other,
/// and nobody below the configuration names it.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("build", &[]),
    ("clock", &[]),
    ("hex", &[]),
    ("pattern", &[]),
    ("recent", &[]),
    ("spelling", &[]),
    ("units", &[]),
    ("message", &["units"]),
    ("template", &["message"]),
    ("convert", &["message", "pattern"]),
    ("filter", &["message", "pattern", "spelling"]),
    ("thinning", &["message", "pattern", "recent"]),
    ("wire", &["clock", "hex", "message"]),
    ("traffic", &["wire"]),
    ("net", &["clock", "units"]),
    ("logging", &["clock", "net"]),
    ("ring", &["clock", "units"]),
    (
        "keys",
        &[
            "hex", "message", "net", "pattern", "spelling", "template", "thinning", "units",
        ],
    ),
    (
        "channel",
        &[
            "clock", "hex", "keys", "message", "net", "pattern", "template", "thinning", "traffic",
            "units", "wire",
        ],
    ),
    (
        "stream",
        &[
            "clock", "convert", "filter", "keys", "message", "net", "pattern", "ring", "template",
            "thinning", "traffic", "units", "wire",
        ],
    ),
    (
        "config",
        &[
            "channel", "convert", "filter", "keys", "logging", "message", "net", "pattern", "ring",
            "spelling", "stream", "template", "thinning", "traffic", "units",
        ],
    ),
    (
        "route",
        &["clock", "config", "message", "pattern", "ring", "stream"],
    ),
    ("api", &["hex", "message", "units", "wire"]),
    ("daemon", &["*"]),
    ("demo", &["*"]),
    ("cli", &["*"]),
];

/// Circles of files that are fine, see [`circles`]: two halves of one state or of one grammar, and
/// the simulated worlds, in which everybody knows everybody.
const CIRCLES: &[&[&str]] = &[
    &["ring/backfill", "ring/cursor"],
    &["ring/sim"],
    &["filter/call", "filter/parse"],
    &["daemon/sim"],
];

/// Words that say nothing: whatever it is has a name of its own. Their plurals too.
const EMPTY_WORDS: &[&str] = &["manager", "handler", "helper", "util", "service"];

/// Columns of a line.
const LINE_MAX: usize = 100;
/// Lines of a file, its tests included.
const FILE_MAX: usize = 500;
/// Lines of a function, from `fn` to the closing brace.
const FUNCTION_MAX: usize = 70;
/// Nine of ten functions are no longer than this.
const FUNCTION_P90: usize = 25;
/// Half of the functions are no longer than this.
const FUNCTION_MEDIAN: usize = 8;

#[test]
fn modules_name_only_those_below_them() {
    report(rust(&all(), "src").into_iter().flat_map(imports));
}

#[test]
fn files_that_name_each_other_in_a_circle_are_few_and_known() {
    let circles = circles(&rust(&all(), "src"), CIRCLES);
    let gone = circles.unused.iter().map(|at| CIRCLES[*at]);
    report(gone.map(|entry| format!("{entry:?} is a circle no more: take it out")));
    report(circles.unknown);
}

#[test]
fn files_functions_and_lines_are_short() {
    let all = all();
    // What weir says is compared as it is, however long its lines are; lines of a patch have a sign
    // before them, and key files of platforms have a key in one line.
    let free = [".md", ".txt", ".patch", ".json", ".svg"];
    let short =
        |path: &str| !free.iter().any(|end| path.ends_with(end)) && !path.starts_with("LICENSE");
    report(all.iter().filter(|file| short(&file.path)).flat_map(long));
    let shape = Shape::of(&rust(&all, "src"));
    println!("{shape}");
    assert!(shape.is_good(), "{shape}");
}

/// What is kept as a patch is a part of the source that no compiler sees.
#[test]
fn patches_apply_to_the_source_as_it_is() {
    let patches = all()
        .into_iter()
        .filter(|file| file.path.ends_with(".patch"));
    let stale = patches.filter_map(|file| {
        let mut git = Command::new("git");
        git.args(["apply", "--check"]).arg(&file.path);
        let output = git.current_dir(ROOT).output().expect("git is there");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (!output.status.success()).then(|| format!("{}: {said}", file.path))
    });
    report(stale);
}

#[test]
fn names_say_what_a_thing_is() {
    let all = all();
    let rust = [rust(&all, "src"), rust(&all, "tests")].concat();
    report(rust.into_iter().flat_map(empty_names));
}

#[test]
fn nothing_is_unfinished_or_tied_to_one_machine() {
    report(all().iter().flat_map(leftovers));
}

#[test]
fn the_words_of_the_interface_are_spelled_as_there() {
    let path = Path::new(ROOT).join("../shared/interface.md");
    let Ok(interface) = fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return;
    };
    let (words, commands) = (joined_words(&interface), commands(&interface));
    assert!(
        words.len() > 20 && commands.len() > 8,
        "{words:?} {commands:?}"
    );
    let mut all = all();
    all.retain(|file| !file.path.starts_with("tests/tidy/"));
    report(all.iter().flat_map(|file| misspelt(file, &words)));
    report(
        all.iter()
            .flat_map(|file| unknown_commands(file, &commands)),
    );
}

fn report(found: impl IntoIterator<Item = String>) {
    let found: Vec<_> = found.into_iter().collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
