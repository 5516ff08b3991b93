//! What stands before the text of a line: whatever its reader does not add.

use super::Target;
use crate::clock::Date;
use log::Level;
use rustix::fs::FileType;
use rustix::fs::fstat;
use rustix::time::ClockId;
use rustix::time::clock_gettime;
use std::io;
use std::io::IsTerminal;
use std::time::Duration;

/// Who reads the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// systemd's journal, which adds the time, and reads a priority: `<4>text`.
    Journal,
    /// The system's log, which adds the time: `<28>weir[123]: text`.
    Syslog,
    /// A program that adds the time if it wants one: `[WARN] text`.
    Plain,
    /// Nobody who would add a time: `2026-11-30T12:00:00.000Z [WARN] text`.
    Timed,
    /// The same, with colours.
    Coloured,
}

impl Form {
    /// That of lines for this target.
    pub(super) fn of(target: &Target) -> Self {
        match target {
            Target::Stderr => Self::of_stderr(),
            Target::Syslog(_) => Self::Syslog,
            Target::File(_) => Self::Timed,
        }
    }

    /// A pipe is read by procd, a container's engine or another supervisor: all of them add a time.
    #[allow(
        clippy::useless_conversion,
        reason = "on some machines the kernel's numbers are shorter"
    )]
    fn of_stderr() -> Self {
        let stderr = io::stderr();
        if stderr.is_terminal() {
            return match is_coloured(&stderr) {
                true => Self::Coloured,
                false => Self::Timed,
            };
        }
        let Ok(found) = fstat(&stderr) else {
            return Self::Plain;
        };
        let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
        if is_journal(&stream, (u64::from(found.st_dev), u64::from(found.st_ino))) {
            return Self::Journal;
        }
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => Self::Timed,
            _ => Self::Plain,
        }
    }

    /// What stands before the text of a line of this level.
    pub(super) fn before(self, level: Level) -> String {
        let priority = priority(level);
        match self {
            Self::Journal => format!("<{priority}>"),
            Self::Syslog => {
                let process = rustix::process::getpid().as_raw_nonzero();
                format!("<{}>weir[{process}]: ", DAEMON | priority)
            }
            Self::Plain => format!("[{level}] "),
            Self::Timed => format!("{} [{level}] ", date()),
            Self::Coloured => match colour(level) {
                "" => format!("{} [{level}] ", date()),
                colour => format!("{} \x1b[{colour}m[{level}]\x1b[0m ", date()),
            },
        }
    }
}

/// Whether what is written there may have colours: it is a terminal that knows them, and nobody has
/// set `NO_COLOR`.
pub fn is_coloured(output: &impl IsTerminal) -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    output.is_terminal() && !unwanted && !dumb
}

/// Whether `JOURNAL_STREAM` names the file with this device and inode: a child of a unit may have
/// another standard error, and the variable still.
fn is_journal(stream: &str, file: (u64, u64)) -> bool {
    let (device, inode) = stream.split_once(':').unwrap_or_default();
    device.parse().ok().zip(inode.parse().ok()) == Some(file)
}

/// Now, right or wrong, as in `2026-11-30T12:00:00.000Z`: `log` gives a record no time.
fn date() -> String {
    let now = Duration::try_from(clock_gettime(ClockId::Realtime));
    Date(now.unwrap_or_default()).with_time()
}

/// As syslog counts them.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// For a terminal: red, yellow, none, and faint.
fn colour(level: Level) -> &'static str {
    match level {
        Level::Error => "31",
        Level::Warn => "33",
        Level::Info => "",
        Level::Debug | Level::Trace => "2",
    }
}

/// The facility of daemons.
const DAEMON: u8 = 3 << 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        assert!(is_journal("8:1234", (8, 1234)));
        for other in ["", "8:1235", "9:1234", "8", "8:1234:1", "x:y", ":"] {
            assert!(!is_journal(other, (8, 1234)), "{other}");
        }
    }

    #[test]
    fn each_reader_gets_what_it_does_not_add_itself() {
        assert_eq!(Form::Journal.before(Level::Warn), "<4>");
        let process = std::process::id();
        let wanted = format!("<27>weir[{process}]: ");
        assert_eq!(Form::Syslog.before(Level::Error), wanted);
        assert_eq!(Form::Plain.before(Level::Info), "[INFO] ");
        let timed = |form: Form, level| {
            form.before(level)
                .split_off("2026-11-30T12:00:00.000Z".len())
        };
        assert_eq!(timed(Form::Timed, Level::Info), " [INFO] ");
        assert_eq!(timed(Form::Coloured, Level::Info), " [INFO] ");
        let red = " \x1b[31m[ERROR]\x1b[0m ";
        assert_eq!(timed(Form::Coloured, Level::Error), red);
    }
}
