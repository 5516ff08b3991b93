//! Programs under test: started on a processor of their own, dead at the latest with this one.

use crate::usage::Usage;
use std::fs;
use std::fs::File;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// The reason in words.
pub type Outcome<T> = Result<T, String>;

/// A running program; dropping it kills it.
pub struct Program {
    child: Child,
    log: String,
}

/// How long anything may take that is not measured.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Program {
    /// Starts a command, with what it says in a file. It must be called by the first thread: the
    /// program dies with the thread that started it.
    pub fn start(command: &[&str], log: &Path) -> Outcome<Self> {
        let said = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let again = said.try_clone().map_err(|error| error.to_string())?;
        let (cpu, _) = cpus();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "taskset", "-c", &cpu])
            .args(command)
            .stdin(std::process::Stdio::null())
            .stdout(said)
            .stderr(again)
            .spawn()
            .map_err(|error| format!("setpriv, taskset (package util-linux): {error}"))?;
        let log = log.display().to_string();
        Ok(Self { child, log })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a port takes connections.
    pub fn listens(&mut self, port: u16) -> Outcome<()> {
        self.until("it listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
    }

    /// Waits for something, no longer than the program lives.
    pub fn until(&mut self, what: &str, holds: impl Fn() -> bool) -> Outcome<()> {
        let start = Instant::now();
        while !holds() {
            let ended = self.child.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || start.elapsed() > PATIENCE {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                let last: Vec<_> = said.lines().rev().take(5).collect();
                return Err(format!("waited in vain until {what}: {last:?}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// Waits until a program has nothing to do any more: a third of a second without processor time.
pub fn settle(pid: u32) {
    let start = Instant::now();
    let mut last = Usage::of(pid).cpu_ns;
    while start.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(300));
        let now = Usage::of(pid).cpu_ns;
        if now - last < 3_000_000 {
            return;
        }
        last = now;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor of the programs under test, and those of this one: the others, if there are.
pub fn cpus() -> (String, String) {
    let status = fs::read_to_string("/proc/1/status").unwrap_or_default();
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .unwrap_or("0");
    let mut all = vec![];
    for range in allowed.trim().split(',') {
        let mut ends = range.split('-').filter_map(|end| end.parse::<u32>().ok());
        let first = ends.next().unwrap_or(0);
        all.extend(first..=ends.next().unwrap_or(first));
    }
    let names: Vec<_> = all.iter().map(u32::to_string).collect();
    match names.split_first() {
        Some((first, rest)) if !rest.is_empty() => (first.clone(), rest.join(",")),
        _ => ("0".into(), "0".into()),
    }
}

/// Keeps this program, and all threads that it will have, off the processor of the others.
pub fn pin() -> Outcome<()> {
    let pid = std::process::id().to_string();
    let done = Command::new("taskset")
        .args(["-a", "-c", "-p", &cpus().1, &pid])
        .output()
        .map_err(|error| format!("taskset (package util-linux): {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned())
}

/// A port that nobody listens on, below those that the kernel takes for connections.
pub fn free_port() -> u16 {
    use std::sync::atomic::AtomicU16;
    use std::sync::atomic::Ordering;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = (std::process::id() % 200) as u16 * 100;
    loop {
        let port = 10_000 + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % 22_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
