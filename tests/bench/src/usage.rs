//! What the kernel has counted of a process: processor time, switches, writes, memory.

use std::fs;
use std::ops::Sub;

/// Counters of all threads of a process.
#[derive(Clone, Copy, Default)]
pub struct Usage {
    /// Processor time, user and system [ns].
    pub cpu_ns: u64,
    /// Times that a thread waited for something: each ends with a wake-up.
    pub waits: u64,
    /// Times that a thread was pushed off the processor.
    pub pushed: u64,
    /// Bytes that went to the disk, whole pages.
    pub disk: u64,
}

/// Memory at a moment, and its peak.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    pub anonymous_kb: u64,
    pub resident_kb: u64,
    pub peak_kb: u64,
    pub proportional_kb: u64,
}

impl Usage {
    pub fn of(pid: u32) -> Self {
        let mut usage = Self {
            disk: field(&format!("/proc/{pid}/io"), "write_bytes:"),
            ..Self::default()
        };
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let folder = task.path();
            let text = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
            usage.cpu_ns += number(text.split_whitespace().next());
            let status = folder.join("status").display().to_string();
            usage.waits += field(&status, "voluntary_ctxt_switches:");
            usage.pushed += field(&status, "nonvoluntary_ctxt_switches:");
        }
        // Threads that have ended are in these alone, in hundredths of a second.
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let words: Vec<_> = text.rsplit(')').next().unwrap_or("").split(' ').collect();
        let ticks = number(words.get(12).copied()) + number(words.get(13).copied());
        let rounded = ticks.saturating_sub(2) * 10_000_000;
        usage.cpu_ns = usage.cpu_ns.max(rounded);
        usage
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            waits: self.waits.saturating_sub(before.waits),
            pushed: self.pushed.saturating_sub(before.pushed),
            disk: self.disk.saturating_sub(before.disk),
        }
    }
}

impl Memory {
    pub fn of(pid: u32) -> Self {
        let status = format!("/proc/{pid}/status");
        Self {
            anonymous_kb: field(&status, "RssAnon:"),
            resident_kb: field(&status, "VmRSS:"),
            peak_kb: field(&status, "VmHWM:"),
            proportional_kb: field(&format!("/proc/{pid}/smaps_rollup"), "Pss:"),
        }
    }
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    number(value.and_then(|value| value.split_whitespace().next()))
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
