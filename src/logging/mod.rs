//! The log of the daemon: records of `log` as lines for whoever reads them.
//!
//! ```text
//!  record ─▶ clean ──────▶ fold ──────▶ form ───────────▶ output
//!            escaped,      the same     priority, level   stderr, system log
//!            bounded       is counted   or time before    or file; never waits
//! ```
//! Every line goes this way, so nothing that a peer says can end a line, begin another, or tell a
//! terminal what to do: what is not text is escaped in `clean` alone.
//!
//! Nothing here waits: what a reader does not take at once is lost, counted, and said when it takes
//! again.

mod clean;
mod fold;
mod form;
mod output;
mod system_log;

pub use clean::printable;
pub use form::is_coloured;
pub use output::lost;

use clean::clean;
use fold::Fold;
use form::Form;
use log::Level;
use log::LevelFilter;
use log::Log;
use log::Metadata;
use log::Record;
use output::Output;
use rustix::time::ClockId;
use rustix::time::clock_gettime;
use simplelog::ConfigBuilder;
use simplelog::WriteLogger;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard error.
    Stderr,
    /// The system's log, by its datagram socket.
    Syslog(PathBuf),
    /// A file of its own.
    File(LogFile),
}

/// A file, and those that were set aside before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// One that would grow past this is set aside.
    pub max_size: u64,
    /// Of those that were set aside so many stay.
    pub keep: u32,
}

/// How the log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is less important is left out now.
    pub level: LevelFilter,
    /// The same, as it is configured.
    pub configured: LevelFilter,
    /// Where it goes.
    pub target: Target,
    /// Lines that could not be written since the start.
    pub lost: u64,
}

impl Target {
    /// The socket of the system's log.
    pub const SYSLOG: &str = "/dev/log";
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stderr => f.write_str("stderr"),
            Self::Syslog(path) => write!(f, "syslog {}", path.display()),
            Self::File(file) => write!(f, "file {}", file.path.display()),
        }
    }
}

/// Has all that is logged from now on go through here. Until [`configure`] it goes to standard
/// error.
///
/// # Errors
/// Where it was done before.
pub fn start() -> Result<(), log::SetLoggerError> {
    log::set_logger(&LOG)
}

/// Logs as the configuration says. A level that was set by hand stays until the configured one is
/// another than before.
pub fn configure(level: LevelFilter, target: &Target) {
    let mut lines = LOG.lines();
    if lines.configured.replace(level) != Some(level) {
        log::set_max_level(level);
    }
    if lines.target != *target {
        lines.say_repeats();
        lines.target = target.clone();
        lines.writer = None;
    }
}

/// Another level than the configured one, until the next start; none: the configured one again.
pub fn set_level(level: Option<LevelFilter>) {
    let configured = LOG.lines().configured;
    log::set_max_level(level.or(configured).unwrap_or(LevelFilter::Info));
}

/// How it stands.
#[must_use]
pub fn standing() -> Standing {
    let lines = LOG.lines();
    let level = log::max_level();
    Standing {
        level,
        configured: lines.configured.unwrap_or(level),
        target: lines.target.clone(),
        lost: lost(),
    }
}

/// Whether systemd's journal reads standard error.
#[must_use]
pub fn journal_reads_stderr() -> bool {
    Form::of(&Target::Stderr) == Form::Journal
}

/// Says how often the last line was repeated, if that is due; to be called now and then.
pub fn tick() {
    let mut lines = LOG.lines();
    if lines.fold.is_due(now()) {
        lines.say_repeats();
    }
}

/// The only one: `log` has one for the whole program.
static LOG: Logger = Logger {
    lines: Mutex::new(Lines {
        configured: None,
        target: Target::Stderr,
        writer: None,
        fold: Fold::NEW,
    }),
};

struct Logger {
    lines: Mutex<Lines>,
}

struct Lines {
    configured: Option<LevelFilter>,
    target: Target,
    /// None until there is a line for it.
    writer: Option<Writer>,
    fold: Fold,
}

/// What lines are written with.
struct Writer {
    form: Form,
    log: Box<WriteLogger<Output>>,
}

impl Logger {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // what libraries tell of their inner states is of no use, and may tell secrets
        let is_ours = metadata.target().starts_with(env!("CARGO_PKG_NAME"));
        metadata.level() <= log::max_level() && (is_ours || metadata.level() <= Level::Warn)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            // before the lock: what is formatted might log
            let text = clean(record.args());
            self.lines().take(record.level(), text);
        }
    }

    fn flush(&self) {
        self.lines().say_repeats();
    }
}

impl Lines {
    fn take(&mut self, level: Level, text: String) {
        let now = now();
        if self.fold.is_repeated(level, &text) {
            if self.fold.is_due(now) {
                self.say_repeats();
            }
            return;
        }
        self.say_repeats();
        self.write(level, &text);
        self.fold.begin(level, text, now);
    }

    fn say_repeats(&mut self) {
        if let Some((level, times)) = self.fold.repeats(now()) {
            let text = match times {
                1 => "last line repeated once".to_owned(),
                times => format!("last line repeated {times} times"),
            };
            self.write(level, &text);
        }
    }

    fn write(&mut self, level: Level, text: &str) {
        let target = &self.target;
        let writer = self.writer.get_or_insert_with(|| Writer::to(target));
        let before = writer.form.before(level);
        let arguments = format_args!("{before}{text}");
        let record = Record::builder().level(level).args(arguments).build();
        writer.log.log(&record);
    }
}

impl Writer {
    fn to(target: &Target) -> Self {
        let form = Form::of(target);
        // what stands before the text is for `form` to say
        let layout = ConfigBuilder::new()
            .set_max_level(LevelFilter::Off)
            .set_time_level(LevelFilter::Off)
            .set_target_level(LevelFilter::Off)
            .set_thread_level(LevelFilter::Off)
            .set_location_level(LevelFilter::Off)
            .build();
        let output = Output::new(target, form);
        let log = WriteLogger::new(LevelFilter::Trace, layout, output);
        Self { form, log }
    }
}

/// Seconds of a clock that nobody sets. `log` gives a record no time, and this one has to outlive
/// every daemon of the process.
fn now() -> i64 {
    clock_gettime(ClockId::Monotonic).tv_sec
}
