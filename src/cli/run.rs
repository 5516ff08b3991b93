//! `weir run`: the daemon in the foreground, until a signal.

use super::Exit;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::daemon::{Daemon, open_ring, ring_in_its_file};
use crate::ring::Ring;
use async_executor::LocalExecutor;
use async_signal::{Signal, Signals};
use futures_lite::{StreamExt, future};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::cell::Cell;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Runs until SIGTERM or SIGINT.
pub(super) fn run(file: Option<PathBuf>) -> Exit {
    let main = file.unwrap_or_else(|| config::DEFAULT_FILE.into());
    let Some(config) = read(&main) else {
        return Exit::Usage;
    };
    start_log();
    let Ok(mut signals) = Signals::new([Signal::Term, Signal::Int, Signal::Hup]) else {
        eprintln!("error: signals cannot be received");
        return Exit::Failed;
    };
    let mut gateway = Gateway {
        main,
        config,
        clock: Clock::new(),
    };
    let (mut ring, mut before) = (None, None);
    loop {
        let Some((daemon, in_memory)) = gateway.begin(ring.take(), before.take()) else {
            return Exit::Failed;
        };
        match work(&daemon, gateway.until(&mut signals, in_memory)) {
            End::Stop => return Exit::Done,
            End::Reload(config) => {
                gateway.config = *config;
                // A ring in a file is closed by now, and free for the next one.
                before = in_memory.then_some(daemon);
            }
            End::Disk(found) => (ring, before) = (Some(*found), Some(daemon)),
        }
    }
}

/// What outlives a daemon that begins anew.
struct Gateway {
    main: PathBuf,
    config: Config,
    clock: Clock,
}

/// Why a daemon ended.
enum End {
    Stop,
    /// The configuration was read again.
    Reload(Box<Config>),
    /// The ring was in memory and can be in its file.
    Disk(Box<Ring>),
}

impl Gateway {
    /// A daemon on a ring that may be open already, into which it takes over what the one `before`
    /// had in memory, if there is one; and whether its own ring is in memory.
    fn begin(&mut self, ring: Option<Ring>, before: Option<Daemon>) -> Option<(Daemon, bool)> {
        log::set_max_level(self.config.log.level);
        allow_files(&self.config);
        let opened = ring.map_or_else(|| open_ring(&self.config.ring, &self.clock), Ok);
        let ring = match opened {
            Ok(ring) => ring,
            Err(error) => {
                let file = self.config.ring.file.display();
                eprintln!("error: ring `{file}`: {error}");
                return None;
            }
        };
        let in_memory = ring.is_in_memory();
        self.clock.not_before(ring.last_trusted());
        let mut daemon = Daemon::new(self.config.clone(), self.clock.clone(), ring);
        if let Some(folder) = config::drop_in_folders(&self.main).last() {
            daemon = daemon.keeping_changes_in(folder);
        }
        if let Some(before) = before {
            daemon.take_over(&before);
        }
        Some((daemon, in_memory))
    }

    /// Ends when the daemon has to. Waits on: signals; the disk, where the ring is in memory.
    async fn until(&self, signals: &mut Signals, in_memory: bool) -> End {
        let disk = async {
            match in_memory {
                true => {
                    let ring = ring_in_its_file(&self.config.ring, &self.clock).await;
                    End::Disk(Box::new(ring))
                }
                false => future::pending().await,
            }
        };
        future::or(self.signalled(signals), disk).await
    }

    async fn signalled(&self, signals: &mut Signals) -> End {
        while let Some(Ok(Signal::Hup)) = signals.next().await {
            match read(&self.main) {
                Some(config) => {
                    log::info!("reading the configuration again");
                    return End::Reload(Box::new(config));
                }
                None => log::error!("the configuration cannot be used: the old one goes on"),
            }
        }
        log::info!("stopping");
        End::Stop
    }
}

/// The configuration, with all that is wrong with it said; none if nothing of it can run.
fn read(main: &Path) -> Option<Config> {
    let loaded = super::load(Some(main.to_owned()));
    eprint!("{}", config::render(&loaded.diagnostics));
    loaded.unusable.is_none().then_some(loaded.config)
}

/// Runs a daemon until `stop` ends, and says what that gave.
fn work(daemon: &Daemon, stop: impl Future<Output = End>) -> End {
    let executor = Rc::new(LocalExecutor::new());
    let watchdog = executor.spawn(feed_watchdog());
    let end = Cell::new(End::Stop);
    let stop = async { end.set(stop.await) };
    async_io::block_on(executor.run(daemon.run(&executor, ready, stop)));
    drop(watchdog);
    // What is cancelled lets go of its sockets in its next turn.
    while executor.try_tick() {}
    end.into_inner()
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

/// Lines to stderr; from which level on is set apart, so that it can change.
fn start_log() {
    let lines = simplelog::ConfigBuilder::new()
        .set_time_level(simplelog::LevelFilter::Off)
        .set_target_level(simplelog::LevelFilter::Off)
        .set_thread_level(simplelog::LevelFilter::Off)
        .set_location_level(simplelog::LevelFilter::Off)
        .build();
    if simplelog::WriteLogger::init(log::LevelFilter::Trace, lines, std::io::stderr()).is_err() {
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
