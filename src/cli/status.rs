//! `weir status`: a running daemon at a glance.

mod attention;
mod check;
mod page;

use super::Exit;
use super::client::Client;
use super::client::Target;
use super::client::Trouble;
use super::color::Color;
use crate::api::Status;
pub(super) use page::state;
use std::collections::VecDeque;
use std::io;
use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// How often it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// Once.
    Once,
    /// Each second, until it is stopped.
    Watch,
    /// Once, in one line for monitoring.
    Check,
}

/// Prints how the daemon does.
pub(super) fn status(target: Target, form: Form, times: Times) -> Exit {
    let client = match Client::find(target) {
        Ok(client) if times == Times::Check => return check(&client),
        Ok(client) => client,
        Err(_) if times == Times::Check => {
            print!("{}", check::unreachable("the daemon cannot be found"));
            return Exit::Critical;
        }
        Err(exit) => return exit,
    };
    let color = Color::of_stdout();
    let redraws = times == Times::Watch && form == Form::Text && io::stdout().is_terminal();
    let mut before = VecDeque::new();
    loop {
        let mut status = match ask(&client) {
            Ok(status) => status,
            Err(trouble) => return client.explain(&trouble),
        };
        if times == Times::Watch {
            make_live(&mut status, &mut before);
        }
        let mut page = match form {
            Form::Text => page::text(&status, color),
            Form::Json => serde_json::to_string(&status).unwrap_or_default() + "\n",
        };
        if redraws {
            page = format!("{HOME}{}{REST}", page.replace('\n', END_OF_LINE));
        }
        if io::stdout().write_all(page.as_bytes()).is_err() || times != Times::Watch {
            return Exit::Done;
        }
        super::pause(SECOND);
    }
}

fn ask(client: &Client) -> Result<Status, Trouble> {
    let found = client.ask::<Status>("GET", "/status", None)?;
    found.into_iter().next().ok_or(Trouble::Answer)
}

fn check(client: &Client) -> Exit {
    let (line, exit) = match ask(client) {
        Ok(status) => check::check(&status),
        Err(trouble) => (check::unreachable(&client.words(&trouble)), Exit::Critical),
    };
    // whoever reads no line has the exit code
    drop(io::stdout().write_all(line.as_bytes()));
    exit
}

/// Has the rates be those of the last seconds.
fn make_live(status: &mut Status, before: &mut VecDeque<Status>) {
    // it may have been started again
    before.retain(|old| old.uptime < status.uptime);
    if before.len() >= LIVE_SECONDS {
        before.pop_front();
    }
    before.push_back(status.clone());
    let Some(old) = before.front() else { return };
    let time = status.uptime - old.uptime;
    if time <= 0.0 {
        return;
    }
    for stream in &mut status.streams {
        let known = old.streams.iter().find(|old| old.name == stream.name);
        if let Some(known) = known {
            stream.rate = rise(stream.accepted, known.accepted) / time;
        }
    }
    for channel in &mut status.channels {
        let known = old.channels.iter().find(|old| old.name == channel.name);
        if let Some(known) = known {
            channel.rate = rise(channel.received, known.received) / time;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn rise(now: u64, before: u64) -> f64 {
    now.saturating_sub(before) as f64
}

const SECOND: Duration = Duration::from_secs(1);

/// Seconds that a live rate is of.
const LIVE_SECONDS: usize = 6;

/// A terminal's word for: to the top left.
const HOME: &str = "\x1b[H";

/// Forget the rest of this line.
const END_OF_LINE: &str = "\x1b[K\n";

/// Forget all below.
const REST: &str = "\x1b[J";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::StreamReport;

    #[test]
    fn rates_that_are_watched_are_those_of_the_last_seconds() {
        let mut before = VecDeque::new();
        let mut live = |uptime: f64, accepted| {
            let mut status = Status {
                uptime,
                streams: vec![StreamReport {
                    accepted,
                    rate: 7.0,
                    ..StreamReport::default()
                }],
                ..Status::default()
            };
            make_live(&mut status, &mut before);
            status.streams[0].rate
        };
        assert_eq!(live(100.0, 50), 7.0, "nothing better is known");
        assert_eq!(live(102.0, 60), 5.0);
        for second in 103..120 {
            live(f64::from(second), 60);
        }
        assert_eq!(live(120.0, 60), 0.0);
        assert_eq!(live(1.0, 3), 7.0, "another life");
    }
}
