//! What is asked for on the command line.

use crate::program::Outcome;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// How it is used.
pub const USAGE: &str = "\
cargo run --release --manifest-path tests/bench/Cargo.toml -- [OPTION...] [PART...]

Measures weir beside what somebody would take instead, and how its cost grows. Results are printed,
and kept in target/bench (report.txt, report.json). Exit 1: a promise is not kept.

parts, all without one named:
  jobs       the whole job beside mosquitto and rsyslog, destination up
  backlog    the destination away, then back beside 1,000 live messages a second
  calls      system calls and syncs of all these, by strace
  low        10 messages a second, and none
  settings   devices, idents, filters and conversions, each beside the same without
  api        1,000 requests a second beside a tracker that waits for each acknowledgement
  growth     cost by messages, ring, streams, idents, devices; draws growth-*.svg

options:
  --weir PROGRAM    a program that is built already, instead of the static one of the packages,
                    which cross/build makes; given twice, both run in turn
  --rounds N        runs of each, in turn (5)
  --messages N      messages of a run (100000)
  --only TEXT       leaves out runs whose name has not this text; may be given several times
  --long            growth up to ten million messages
  --record          puts tables into docs/performance.md, pictures into docs/pictures
";

/// The parts in their order.
pub const PARTS: [&str; 7] = [
    "jobs", "backlog", "calls", "low", "settings", "api", "growth",
];

/// What was asked for.
pub struct Options {
    pub rounds: usize,
    pub messages: u64,
    pub long: bool,
    pub record: bool,
    pub parts: Vec<String>,
    weirs: Vec<PathBuf>,
    only: Vec<String>,
}

impl Options {
    pub fn read(mut words: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = Self {
            rounds: 5,
            messages: 100_000,
            long: false,
            record: false,
            parts: vec![],
            weirs: vec![],
            only: vec![],
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} wants a value"));
            match word.as_str() {
                "--weir" => options.weirs.push(value()?.into()),
                "--long" => options.long = true,
                "--record" => options.record = true,
                "--only" => options.only.push(value()?),
                "--rounds" => options.rounds = number(&value()?)? as usize,
                "--messages" => options.messages = number(&value()?)?,
                part if PARTS.contains(&part) => options.parts.push(word),
                _ => return Err(USAGE.into()),
            }
        }
        if options.parts.is_empty() {
            options.parts = PARTS.map(String::from).to_vec();
        }
        if options.weirs.is_empty() {
            options.weirs.push(build()?);
        }
        Ok(options)
    }

    /// The programs to measure, and what they are called.
    pub fn weirs(&self) -> Vec<(String, PathBuf)> {
        let name = |index| match index {
            0 => "weir".into(),
            _ => format!("weir {}", index + 1),
        };
        let all = self.weirs.iter().enumerate();
        all.map(|(index, path)| (name(index), path.clone()))
            .collect()
    }

    /// The first of them.
    pub fn weir(&self) -> PathBuf {
        self.weirs[0].clone()
    }

    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }

    /// Where results are kept.
    pub fn folder(&self) -> PathBuf {
        root().join("target/bench")
    }

    /// Where pictures are kept.
    pub fn picture_folders(&self) -> Vec<PathBuf> {
        let pages = self.record.then(|| root().join("docs/pictures"));
        [self.folder()].into_iter().chain(pages).collect()
    }

    /// The page that shows results, where they are to be put into it.
    pub fn page(&self) -> Option<PathBuf> {
        self.record.then(|| root().join("docs/performance.md"))
    }

    /// Where the programs of one run keep their files.
    pub fn run_folder(&self) -> PathBuf {
        self.folder().join(format!("run-{}", std::process::id()))
    }
}

/// The project's folder.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_path_buf()
}

/// The program that packages hold: static, for this machine's processor.
fn build() -> Outcome<PathBuf> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let done = Command::new(root().join("cross/build"))
        .arg(&target)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cross/build: {error}"))?;
    if !done.success() {
        return Err(format!("cross/build cannot make weir for {target}"));
    }
    let built = root().join("target/cross").join(target);
    Ok(built.join("release/weir"))
}

fn number(text: &str) -> Outcome<u64> {
    text.replace('_', "").parse().map_err(|_| USAGE.into())
}
