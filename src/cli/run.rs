//! `weir run`: the daemon in the foreground, until a signal.

use super::Exit;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::daemon::{Daemon, open_ring, ring_in_its_file};
use async_executor::LocalExecutor;
use async_signal::{Signal, Signals};
use futures_lite::{StreamExt, future};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::cell::Cell;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::rc::Rc;

/// Runs until SIGTERM or SIGINT.
pub(super) fn run(file: Option<PathBuf>) -> Exit {
    let main = file.clone().unwrap_or_else(|| config::DEFAULT_FILE.into());
    let loaded = super::load(file);
    eprint!("{}", config::render(&loaded.diagnostics));
    if loaded.unusable.is_some() {
        return Exit::Usage;
    }
    start_log(&loaded.config);
    allow_files(&loaded.config);
    let Ok(mut signals) = Signals::new([Signal::Term, Signal::Int, Signal::Hup]) else {
        eprintln!("error: signals cannot be received");
        return Exit::Failed;
    };
    let clock = Clock::new();
    let ring = match open_ring(&loaded.config.ring, &clock) {
        Ok(ring) => ring,
        Err(error) => {
            let file = loaded.config.ring.file.display();
            eprintln!("error: ring `{file}`: {error}");
            return Exit::Failed;
        }
    };
    let folder = config::drop_in_folders(&main).pop();
    let begin = |ring| {
        let daemon = Daemon::new(loaded.config.clone(), clock.clone(), ring);
        match &folder {
            Some(folder) => daemon.keeping_changes_in(folder),
            None => daemon,
        }
    };
    let mut in_memory = ring.is_in_memory();
    let mut daemon = begin(ring);
    loop {
        let found = Cell::new(None);
        let stop = async {
            let disk = async {
                match in_memory {
                    true => Some(ring_in_its_file(&loaded.config.ring, &clock).await),
                    false => future::pending().await,
                }
            };
            let signal = async {
                stopped(&mut signals).await;
                None
            };
            found.set(future::or(signal, disk).await);
        };
        work(&daemon, stop);
        let Some(ring) = found.take() else {
            return Exit::Done;
        };
        // All begins anew, but for what waited.
        in_memory = false;
        let on_disk = begin(ring);
        on_disk.take_over(&daemon);
        daemon = on_disk;
    }
}

/// Runs a daemon until `stop` ends.
fn work(daemon: &Daemon, stop: impl Future<Output = ()>) {
    let executor = Rc::new(LocalExecutor::new());
    let watchdog = executor.spawn(feed_watchdog());
    async_io::block_on(executor.run(daemon.run(&executor, ready, stop)));
    drop(watchdog);
    // What is cancelled lets go of its sockets in its next turn.
    while executor.try_tick() {}
}

/// Ends when a signal says that the daemon has to.
async fn stopped(signals: &mut Signals) {
    while let Some(signal) = signals.next().await {
        match signal {
            Ok(Signal::Hup) => log::warn!("reload is not supported yet: restart instead"),
            _ => break,
        }
    }
    log::info!("stopping");
}

/// A connection is an open file, and a process is given fewer than a configuration may want.
fn allow_files(config: &Config) {
    let connections = config
        .channels
        .iter()
        .map(|channel| channel.max_connections);
    let connections = u64::try_from(connections.sum::<usize>()).unwrap_or(u64::MAX);
    let wanted = connections.saturating_add(FILES_BESIDES);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let allowed = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
    limit.current = Some(allowed);
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    if !raised || allowed < wanted {
        log::warn!(
            "`max_connections` of all channels is {connections} together, and the system allows \
             fewer open files: `LimitNOFILE=` of systemd, `ulimit -n`"
        );
    }
}

/// Those that are no connections of channels: the ring, streams, the API, sockets that listen.
const FILES_BESIDES: u64 = 128;

fn start_log(config: &Config) {
    let lines = simplelog::ConfigBuilder::new()
        .set_time_level(simplelog::LevelFilter::Off)
        .set_target_level(simplelog::LevelFilter::Off)
        .set_thread_level(simplelog::LevelFilter::Off)
        .set_location_level(simplelog::LevelFilter::Off)
        .build();
    if simplelog::WriteLogger::init(config.log.level, lines, std::io::stderr()).is_err() {
        eprintln!("warning: the log was started before");
    }
}

/// Tells who waits that every channel listens, or has said why not.
fn ready() {
    eprintln!("weir is ready");
    notify("READY=1");
}

/// Tells systemd that the loop turns, at a third of the time that it allows.
async fn feed_watchdog() {
    let Some(every) = watchdog_every() else {
        return;
    };
    loop {
        async_io::Timer::after(every).await;
        notify("WATCHDOG=1");
    }
}

fn watchdog_every() -> Option<std::time::Duration> {
    let micros: u64 = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    Some(std::time::Duration::from_micros((micros / 3).max(1_000)))
}

/// One line to systemd's socket; nothing where there is none.
fn notify(line: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let sent = UnixDatagram::unbound().and_then(|socket| match abstract_name(&path) {
        Some(address) => socket.send_to_addr(line.as_bytes(), &address),
        None => socket.send_to(line.as_bytes(), &path),
    });
    if let Err(error) = sent {
        log::debug!("not notified: {error}");
    }
}

/// systemd writes an abstract address with `@` for its leading NUL.
fn abstract_name(path: &std::ffi::OsStr) -> Option<std::os::unix::net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    let name = path.to_str()?.strip_prefix('@')?;
    std::os::unix::net::SocketAddr::from_abstract_name(name).ok()
}
