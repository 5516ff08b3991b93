//! The screen: shows a demo on standard output, as a picture that is drawn again and again, or as
//! lines where there is no terminal. Counts nothing.

use super::drawing::ASCII;
use super::drawing::Drawing;
use super::drawing::Glyphs;
use super::drawing::Look;
use super::drawing::Paint;
use super::drawing::UNICODE;
use super::outage::Presence;
use super::snapshot::History;
use super::snapshot::Snapshot;
use std::env;
use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;

/// Standard output while a demo is shown. Dropped, it leaves the terminal as it was.
pub(super) struct Screen {
    history: History,
    look: Look,
    form: Form,
}

enum Form {
    Picture {
        /// Lines that are there from the last time.
        lines: usize,
    },
    Lines {
        /// When the next line is due.
        due: Duration,
        receiver: Presence,
    },
}

impl Screen {
    /// As standard output and the environment want it.
    pub(super) fn new() -> Self {
        let look = Look {
            paint: paint(),
            glyphs: glyphs(),
        };
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let form = if io::stdout().is_terminal() && !is_dumb {
            Form::Picture { lines: 0 }
        } else {
            Form::Lines {
                due: Duration::ZERO,
                receiver: Presence::Here,
            }
        };
        Self {
            history: History::default(),
            look,
            form,
        }
    }

    /// Shows a snapshot.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn show(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.history.note(snapshot);
        let drawing = Drawing {
            snapshot,
            history: &self.history,
            look: self.look,
        };
        match &mut self.form {
            Form::Picture { lines } => draw(&drawing.picture(), lines),
            Form::Lines { due, receiver } => {
                if std::mem::replace(receiver, snapshot.receiver) != snapshot.receiver {
                    say(&drawing.turn())?;
                }
                if *due <= snapshot.elapsed {
                    *due = snapshot.elapsed + LINE_EVERY;
                    say(&drawing.line())?;
                }
                Ok(())
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Form::Picture { lines: 1.. } = self.form {
            let mut out = io::stdout().lock();
            let _gone = out
                .write_all(SHOW_CURSOR.as_bytes())
                .and_then(|()| out.flush());
        }
    }
}

/// One line.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Draws over what was drawn before, in one write.
fn draw(picture: &str, lines: &mut usize) -> io::Result<()> {
    let mut text = String::from(HIDE_CURSOR);
    if *lines > 0 {
        text.push_str(&format!("\x1b[{lines}A\r"));
    }
    for line in picture.lines() {
        text.push_str(line);
        text.push_str(END_LINE);
    }
    *lines = picture.lines().count();
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Colours, unless `NO_COLOR` is set to something.
fn paint() -> Paint {
    match env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => Paint::Plain,
        _ => Paint::Colored,
    }
}

/// What the locale's characters can show.
fn glyphs() -> Glyphs {
    let values = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(env::var_os);
    let locale = values
        .into_iter()
        .find(|value| !value.is_empty())
        .unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") {
        UNICODE
    } else {
        ASCII
    }
}

/// No cursor, and long lines are cut, not wrapped.
const HIDE_CURSOR: &str = "\x1b[?25l\x1b[?7l";
const SHOW_CURSOR: &str = "\x1b[?7h\x1b[?25h";

/// Clears what an earlier line left.
const END_LINE: &str = "\x1b[K\n";

const LINE_EVERY: Duration = Duration::from_secs(1);
