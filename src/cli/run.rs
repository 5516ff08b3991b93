//! `weir run`: the daemon in the foreground, until a signal.

use super::Exit;
use super::notify;
use crate::clock::Clock;
use crate::config;
use crate::config::Config;
use crate::daemon;
use crate::daemon::Daemon;
use crate::daemon::Legacy;
use crate::daemon::open_ring;
use crate::logging;
use crate::ring::Ring;
use crate::units::Size;
use async_signal::Signal;
use async_signal::Signals;
use smol::LocalExecutor;
use smol::future;
use smol::stream::StreamExt;
use std::cell::Cell;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

/// Runs until SIGTERM or SIGINT. Signals are caught before anything else: one that comes while the
/// rest begins is heard once it runs.
pub(super) fn run(file: Option<PathBuf>) -> Exit {
    let Ok(mut signals) = Signals::new([Signal::Term, Signal::Int, Signal::Hup]) else {
        eprintln!("error: signals cannot be received");
        return Exit::Failed;
    };
    let main = file.unwrap_or_else(|| config::DEFAULT_FILE.into());
    if logging::start().is_err() {
        eprintln!("warning: the log was started before");
    }
    let Some(config) = read(&main) else {
        return Exit::Usage;
    };
    let clock = Clock::new();
    let mut supervisor = Supervisor { main, clock };
    let mut before = Before::default();
    let mut config = config;
    loop {
        let Some(daemon) = supervisor.begin(config, before) else {
            return Exit::Failed;
        };
        let end = work(&daemon, supervisor.until(&mut signals, &daemon));
        before = Before {
            legacy: Some(daemon.legacy()),
            ..Before::default()
        };
        match end {
            End::Stop => {
                log::logger().flush();
                return Exit::Done;
            }
            End::Reload(other) => {
                config = *other;
                // A ring in a file is closed by now, and free for the next one.
                before.in_memory = daemon.is_homeless().then_some(daemon);
            }
            End::Disk(found) => {
                config = daemon.config();
                (before.ring, before.in_memory) = (Some(*found), Some(daemon));
            }
        }
    }
}

/// What outlives a daemon that begins anew.
struct Supervisor {
    main: PathBuf,
    clock: Clock,
}

/// What there is from a daemon that has ended.
#[derive(Default)]
struct Before {
    legacy: Option<Legacy>,
    /// A ring that is open already.
    ring: Option<Ring>,
    /// What it had in memory, or in a file that is gone.
    in_memory: Option<Daemon>,
}

/// Why a daemon ended.
enum End {
    Stop,
    /// The configuration was read again, and names another ring.
    Reload(Box<Config>),
    /// The ring was in memory, or its file was gone, and it can be in its file.
    Disk(Box<Ring>),
}

impl Supervisor {
    /// A daemon on a ring.
    fn begin(&mut self, config: Config, before: Before) -> Option<Daemon> {
        logging::configure(config.log.level, &config.log.target);
        let open = || open_ring(&config.ring, &self.clock);
        let ring = match before.ring.map_or_else(open, Ok) {
            Ok(ring) => ring,
            Err(error) => {
                let file = config.ring.file.display();
                eprintln!("error: ring `{file}`: {error}");
                return None;
            }
        };
        self.clock.remember(ring.last_trusted());
        let daemon = Daemon::new(config, self.clock.clone(), ring);
        let mut daemon = daemon.reading(&self.main).keeping_events();
        if let Some(folder) = config::drop_in_folders(&self.main).last() {
            daemon = daemon.keeping_changes_in(folder);
        }
        if let Some(before) = before.in_memory {
            daemon.take_over(&before);
        }
        match before.legacy {
            Some(legacy) => daemon = daemon.continuing(legacy),
            None => daemon.note_start(),
        }
        Some(daemon)
    }

    /// Ends when the daemon has to. Waits on: signals; another ring, which the configuration names;
    /// the disk, where the ring is not on it.
    async fn until(&self, signals: &mut Signals, daemon: &Daemon) -> End {
        let ring = daemon.config().ring;
        let disk = async {
            let ring = daemon.ring_comes_home(&ring, &self.clock);
            End::Disk(Box::new(ring.await))
        };
        let anew = async { End::Reload(Box::new(daemon.begins_anew().await)) };
        future::or(signalled(signals, daemon), future::or(anew, disk)).await
    }
}

async fn signalled(signals: &mut Signals, daemon: &Daemon) -> End {
    let why = loop {
        match signals.next().await {
            Some(Ok(Signal::Hup)) => {}
            Some(Ok(Signal::Int)) => break "by SIGINT",
            _ => break "by SIGTERM",
        }
        log::info!("reading the configuration again");
        notify::reloading();
        // what is wrong with it was said
        drop(daemon.reload());
        notify::ready();
    };
    notify::stopping();
    log::info!("stopping");
    daemon.note_stop(why);
    End::Stop
}

/// The configuration, with all that is wrong with it said; none if nothing of it can run.
fn read(main: &Path) -> Option<Config> {
    let loaded = super::load(Some(main.to_owned()));
    let log = &loaded.config.log;
    logging::configure(log.level, &log.target);
    let on_stderr = !logging::journal_reads_stderr();
    let in_log = !on_stderr || log.target != logging::Target::Stderr;
    if on_stderr {
        eprint!("{}", config::render(&loaded.diagnostics));
    }
    if in_log {
        loaded.diagnostics.iter().for_each(log_one);
    }
    if loaded.unusable.is_some() {
        return None;
    }
    let complain = |text: &str| {
        if on_stderr {
            eprintln!("error: {text}");
        }
        if in_log {
            log::error!("{text}");
        }
    };
    let is_error = |one: &config::Diagnostic| one.severity == config::Severity::Error;
    if loaded.diagnostics.iter().any(is_error) {
        complain("what is wrong is left out, and the rest runs");
    }
    if loaded.ring_wrong {
        complain(&stand_in(&loaded.config.ring));
    }
    Some(loaded.config)
}

fn log_one(diagnostic: &config::Diagnostic) {
    let level = match diagnostic.severity {
        config::Severity::Error => log::Level::Error,
        config::Severity::Warning => log::Level::Warn,
    };
    log::log!(level, "{}", config::in_one_line(&diagnostic.to_string()));
}

/// What runs in place of a `[ring]` with mistakes.
fn stand_in(ring: &config::Ring) -> String {
    let size = match ring.size {
        Some(size) => format!("of {}", Size(size)),
        None => "of the size that it has, or the default size if it is new".to_owned(),
    };
    let file = ring.file.display();
    format!("defaults stand for what is wrong in `[ring]`: the ring is `{file}`, {size}")
}

/// Runs a daemon until `stop` ends, and says what that gave.
fn work(daemon: &Daemon, stop: impl Future<Output = End>) -> End {
    let executor = Rc::new(LocalExecutor::new());
    let watchdog = executor.spawn(notify::feed_watchdog());
    let telling = executor.spawn(notify::keep_telling(daemon.clone()));
    let folding = executor.spawn(keep_folding());
    let end = Cell::new(End::Stop);
    let stop = daemon::when_woken(async { end.set(stop.await) });
    daemon::block_on(executor.run(daemon.run(&executor, ready, stop)));
    drop((watchdog, telling, folding));
    // What is cancelled lets go of its sockets in its next turn.
    while executor.try_tick() {}
    end.into_inner()
}

/// Tells who waits that every channel listens, or has said why not.
fn ready() {
    eprintln!("weir is ready");
    if logging::standing().target != logging::Target::Stderr {
        log::info!("weir is ready");
    }
    notify::ready();
}

/// Says now and then how often the last line of the log was repeated, for ever.
async fn keep_folding() {
    loop {
        daemon::minute().await;
        logging::tick();
    }
}
