//! Watches a broker: its connections, second by second, and its memory.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

pub(crate) struct Watch {
    id: Arc<AtomicU32>,
    ended: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
}

/// What was seen since the broker that is there now was started.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// When there were how many connections.
    connections: Vec<(Duration, usize)>,
    memory_max_kib: u64,
}

impl Watch {
    pub(crate) fn start(id: u32, port: u16) -> Self {
        let (id, ended) = (
            Arc::new(AtomicU32::new(id)),
            Arc::new(AtomicBool::new(false)),
        );
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (whose, until, told) = (Arc::clone(&id), Arc::clone(&ended), Arc::clone(&seen));
        let began = Instant::now();
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                let count = connections(port);
                let memory = memory_kib(whose.load(Ordering::Relaxed));
                let mut seen = told.lock().unwrap();
                seen.connections.push((began.elapsed(), count));
                seen.memory_max_kib = seen.memory_max_kib.max(memory);
                drop(seen);
                std::thread::sleep(EVERY);
            }
        });
        Self {
            id,
            ended,
            seen,
            thread,
        }
    }

    /// Another process is the broker now: the figures begin anew.
    pub(crate) fn follow(&self, id: u32) {
        self.id.store(id, Ordering::Relaxed);
        let mut seen = self.seen.lock().unwrap();
        let first = seen.connections.iter().rposition(|(_, count)| *count == 0);
        seen.connections.drain(..first.unwrap_or(0));
    }

    pub(crate) fn end(self) -> Seen {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let seen = self.seen.lock().unwrap();
        seen.clone()
    }
}

impl Seen {
    /// The most connections that came within a second.
    pub(crate) fn most_in_a_second(&self) -> usize {
        let all = &self.connections;
        let since = |at: usize| {
            let (end, count) = all[at];
            let before = all[..at].iter().rfind(|(time, _)| *time + SECOND <= end);
            count.saturating_sub(before.map_or(0, |(_, count)| *count))
        };
        (0..all.len()).map(since).max().unwrap_or(0)
    }

    /// From the first connection to so many.
    pub(crate) fn time_to(&self, count: usize) -> Option<Duration> {
        let at = |least: usize| self.connections.iter().find(|(_, count)| *count >= least);
        Some(at(count)?.0 - at(1)?.0)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.connections.iter().map(|(_, count)| *count).max();
        let most = most.unwrap_or(0);
        let time = self.time_to(most).unwrap_or_default().as_secs_f32();
        write!(
            f,
            "{most} connections within {time:.1} s, at most {} in one second; {} MiB at most",
            self.most_in_a_second(),
            self.memory_max_kib / 1024
        )
    }
}

/// Those that are established to a port of this machine, at its side.
fn connections(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let local = format!(":{port:04X}");
    let is_one = |line: &&str| {
        let mut words = line.split_whitespace().skip(1);
        let here = words.next().is_some_and(|at| at.ends_with(&local));
        here && words.nth(1) == Some("01")
    };
    table.lines().skip(1).filter(is_one).count()
}

/// What a process has in memory, in KiB.
fn memory_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    words.and_then(|word| word.parse().ok()).unwrap_or(0)
}

const EVERY: Duration = Duration::from_millis(100);

const SECOND: Duration = Duration::from_secs(1);
