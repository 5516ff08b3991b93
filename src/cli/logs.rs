//! `weir logs`: what happened lately, in the order in which it did.

use super::Exit;
use super::client::Client;
use super::client::Target;
use super::client::Trouble;
use super::client::path_of;
use super::color::Color;
use super::color::Style;
use super::named::kind_of;
use super::sentence::sentence;
use super::status::Form;
use crate::api::CONNECTED;
use crate::api::CONNECTION_LOST;
use crate::api::Event;
use crate::api::FAULT;
use crate::api::Line;
use crate::api::NOT_DELIVERED;
use crate::api::RECOVERED;
use crate::logging::printable;
use std::io;
use std::io::Write;
use std::time::Duration;

/// Whether to wait for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// What there is.
    Once,
    /// Also what comes, until it is stopped.
    Follow,
}

/// Whose events, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// None: all.
    pub(super) name: Option<String>,
    pub(super) mode: Mode,
    pub(super) form: Form,
}

/// Prints the events of a stream or channel, or of all.
pub(super) fn logs(target: Target, asked: &Asked) -> Exit {
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let name = asked.name.as_deref();
    let path = match name.map(|name| path(&client, name)).transpose() {
        Ok(path) => path.unwrap_or_else(|| "/logs".to_owned()),
        Err(trouble) => return client.explain(&trouble),
    };
    let color = Color::of_stdout();
    let (mut after, mut width) = (0, 0);
    loop {
        let path = format!("{path}?count={LINES_MAX}&after={after}");
        let lines: Vec<Line> = match client.ask("GET", &path, None) {
            Ok(lines) => lines,
            Err(trouble) => return client.explain(&trouble),
        };
        let names = lines.iter().map(|line| line.name.chars().count());
        width = names.chain([width]).max().unwrap_or(0);
        after = lines.last().map_or(after, |line| line.event.id);
        let shown = lines.iter().map(|line| match asked.form {
            Form::Text => text(line, width, color),
            Form::Json => serde_json::to_string(line).unwrap_or_default() + "\n",
        });
        let page: String = shown.collect();
        if io::stdout().write_all(page.as_bytes()).is_err() || asked.mode == Mode::Once {
            return Exit::Done;
        }
        super::pause(SECOND);
    }
}

/// Where the events of that name are.
fn path(client: &Client, name: &str) -> Result<String, Trouble> {
    match kind_of(client, name, &["ring", "weir"])? {
        "" => Ok(format!("/{name}/logs")),
        kind => Ok(path_of(kind, name, "/logs")),
    }
}

/// One line; names are filled up to `width`.
fn text(line: &Line, width: usize, color: Color) -> String {
    let (date, name) = (super::date(line.event.timestamp), printable(&line.name));
    let doubt = match line.event.timestamp_valid {
        true => "",
        false => " (the clock was not set)",
    };
    let fill = width.saturating_sub(name.chars().count());
    let what = match style(&line.event) {
        Some(style) => color.paint(style, &sentence(&line.event)),
        None => sentence(&line.event),
    };
    let (date, name) = (
        color.paint(Style::Dim, &date),
        color.paint(Style::Bold, &name),
    );
    format!("{date} {name}:{:fill$} {what}{doubt}\n", "")
}

fn style(event: &Event) -> Option<Style> {
    match event.event_code {
        NOT_DELIVERED | FAULT => Some(Style::Red),
        CONNECTION_LOST => Some(Style::Yellow),
        CONNECTED | RECOVERED => Some(Style::Green),
        _ => None,
    }
}

/// All that the daemon remembers, of a few dozen streams and channels.
const LINES_MAX: usize = 10_000;

/// Between two looks.
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_a_column_and_a_doubtful_time_is_said_to_be_one() {
        let line = Line {
            name: "cloud".to_owned(),
            event: Event {
                timestamp: 1_800_000_000.5,
                event_code: CONNECTED,
                ..Event::default()
            },
        };
        let date = "2027-01-15T08:00:00.500Z";
        assert_eq!(
            text(&line, 5, Color::Off),
            format!("{date} cloud: connected\n")
        );
        assert_eq!(
            text(&line, 8, Color::Off),
            format!("{date} cloud:    connected\n")
        );
        let mut doubtful = line;
        doubtful.event.timestamp_valid = false;
        doubtful.name = "a\nb".to_owned();
        let wanted = format!("{date} a\\nb: connected (the clock was not set)\n");
        assert_eq!(text(&doubtful, 3, Color::Off), wanted);
    }
}
