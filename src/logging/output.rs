//! Where lines end. Nothing waits here: a line that is not taken at once is lost, and counted.

use super::Target;
use super::form::Form;
use super::system_log::SystemLog;
use crate::net::LineFile;
use log::Level;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::event::poll;
use std::io;
use std::io::ErrorKind;
use std::io::Write;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

/// Takes bytes, and gives whole lines to the target.
pub(super) struct Output {
    sink: Sink,
    form: Form,
    /// A line that has not ended yet.
    line: Vec<u8>,
    /// Lines since the last one that was taken.
    lost: u64,
}

enum Sink {
    Stderr,
    Syslog(SystemLog),
    File(LineFile),
}

impl Output {
    pub(super) fn new(target: &Target, form: Form) -> Self {
        let sink = match target.clone() {
            Target::Stderr => Sink::Stderr,
            Target::Syslog(path) => Sink::Syslog(SystemLog::new(path)),
            Target::File(file) => {
                let lines = LineFile::new(file.path, Some(file.max_size), file.keep);
                Sink::File(lines.unsynced())
            }
        };
        Self {
            sink,
            form,
            line: Vec::new(),
            lost: 0,
        }
    }

    /// The line that has ended, and before it how many were lost.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let sent = self.say_lost().and_then(|()| self.sink.take(&line));
        if let Err(error) = sent {
            self.lost += 1;
            let lost = LOST.load(Ordering::Relaxed);
            LOST.store(lost.saturating_add(1), Ordering::Relaxed);
            if self.lost == 1 {
                self.sink.complain(&error);
            }
        }
    }

    fn say_lost(&mut self) -> io::Result<()> {
        if self.lost == 0 {
            return Ok(());
        }
        let (before, lost) = (self.form.before(Level::Warn), self.lost);
        let line = format!("{before}{lost} lines of the log were lost before this one\n");
        self.sink.take(line.as_bytes())?;
        self.lost = 0;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if bytes.ends_with(b"\n") {
            self.end_line();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// One line with its end.
    fn take(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stderr => take_stderr(line),
            Self::Syslog(log) => log.send(line.strip_suffix(b"\n").unwrap_or(line)),
            Self::File(file) => file.append(line),
        }
    }

    /// Says on standard error that lines are lost; there is no better place left.
    fn complain(&self, error: &io::Error) {
        let what = match self {
            Self::Stderr => return,
            Self::Syslog(log) => format!("`{}`: {error}", log.path().display()),
            Self::File(_) => error.to_string(),
        };
        let line = format!("warning: the log is not written: {what}; lines are lost until it is\n");
        take_stderr(line.as_bytes()).ok();
    }
}

/// Writes where that does not wait: a pipe that nobody reads fills up, and a terminal stands still
/// for who has stopped it. Both take a line at once if they take anything.
fn take_stderr(line: &[u8]) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut asked = [PollFd::new(&stderr, PollFlags::OUT)];
    let ready = poll(&mut asked, Some(&at_once)).is_ok_and(|count| count > 0);
    if !ready {
        return Err(ErrorKind::WouldBlock.into());
    }
    stderr.write_all(line)
}

/// Lines that could not be written since the start.
#[must_use]
pub fn lost() -> u64 {
    LOST.load(Ordering::Relaxed).into()
}

// 64 bits at once are nothing for MIPS and ARMv6. Who writes holds the log's lock
static LOST: AtomicU32 = AtomicU32::new(0);
