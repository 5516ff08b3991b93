//! A program under callgrind: how many instructions it took.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

/// What runs a program and writes what it took into `file`; without the environment, whose size
/// moves the stack.
pub(crate) fn callgrind(file: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command.args(["-q", "--tool=callgrind"]);
    command.arg(format!("--callgrind-out-file={}", file.display()));
    command
}

/// Its version, such as `3.19.0`.
pub(crate) fn version() -> io::Result<String> {
    let said = Command::new("valgrind").arg("--version").output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    Ok(said.trim().trim_start_matches("valgrind-").to_owned())
}

/// Calls of the allocator that a run of [`callgrind`] has seen: what takes memory, not what gives
/// it back. Functions have numbers there, `(17) malloc` at their first place and `(17)` later.
pub(crate) fn allocations(file: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let (mut numbers, mut called, mut sum) = (BTreeSet::new(), "", 0);
    for line in text.lines() {
        if let Some(of) = line.strip_prefix("cfn=").or(line.strip_prefix("fn=")) {
            let (number, name) = of.split_once(' ').unwrap_or((of, ""));
            if ALLOCATORS.contains(&name) {
                numbers.insert(number);
            }
            called = number;
        } else if let Some(calls) = line.strip_prefix("calls=")
            && numbers.contains(called)
        {
            let count = calls.split(' ').next().unwrap_or_default();
            sum += count.parse::<u64>().map_err(io::Error::other)?;
        }
    }
    Ok(sum)
}

/// Of the C library, as programs call them.
const ALLOCATORS: [&str; 4] = ["malloc", "calloc", "realloc", "posix_memalign"];

/// Instructions that a run of [`callgrind`] has collected.
pub(crate) fn collected(file: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "));
    let counts = lines.map(|count| count.trim().parse::<u64>());
    let sum: Result<u64, _> = counts.sum();
    sum.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
