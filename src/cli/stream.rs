//! `weir stream` and `weir wake`: a running daemon by hand.

use super::Exit;
use super::added;
use super::client::Client;
use super::client::Target;
use super::client::Trouble;
use super::client::path_of;
use super::status::state;
use crate::api;
use crate::api::Back;
use crate::api::SKIP_MAX;
use crate::api::StreamReport;
use crate::api::Waiting;
use crate::api::Wake;
use crate::api::Woken;
use serde_json::Value;
use serde_json::json;
use std::io;
use std::io::Write;
use std::path::PathBuf;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// One line for each.
    List,
    /// It takes and sends again.
    Enable { name: String },
    /// It takes and sends nothing.
    Disable { name: String },
    /// It sends nothing for a time, or until it is resumed.
    Pause { name: String, time: Option<String> },
    /// It sends again.
    Resume { name: String },
    /// So many of its oldest are settled by hand.
    Skip { name: String, count: u64 },
    /// Sent again: "oldest" or a date.
    Rewind { name: String, to: String },
    /// Those of a file are made.
    Add { file: PathBuf },
    /// It is removed, and where it stood is forgotten.
    Remove { name: String },
    /// Those that wait go now.
    Wake { whom: Wake },
}

/// How long a pause is to be, as it came, if a pause can be so long.
pub(super) fn pause_time(text: &str) -> Result<String, String> {
    match api::pause_time(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!(
            "`{text}` is not a duration from 1s to 3650d, like `10m`"
        )),
    }
}

/// Where a stream is to go back to, as it came, if that is a place.
pub(super) fn place(text: &str) -> Result<String, String> {
    let back = match text.parse() {
        Ok(seconds) => Back::of_seconds(seconds),
        Err(_) => Back::of_text(text),
    };
    match back {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!(
            "`{text}` is neither `oldest` nor a date like `2026-11-23T12:00:00Z` or seconds since \
             1970"
        )),
    }
}

/// Does it, and says what came of it.
pub(super) fn act(target: Target, action: &Action) -> Exit {
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let result = match action {
        Action::List => list(&client),
        Action::Enable { name } => switch(&client, name, &json!({ "enabled": true })),
        Action::Disable { name } => switch(&client, name, &json!({ "enabled": false })),
        Action::Pause { name, time } => pause(&client, name, time.as_deref()),
        Action::Resume { name } => stand(&client, name, "/resume", None),
        Action::Skip { name, count } => skip(&client, name, *count),
        Action::Rewind { name, to } => rewind(&client, name, to),
        Action::Remove { name } => remove(&client, name),
        Action::Add { file } => {
            let added = added::add(&client, file);
            return added.unwrap_or_else(|trouble| client.explain(&trouble));
        }
        Action::Wake { whom } => wake(&client, *whom),
    };
    match result {
        Ok(said) => {
            // nobody may be reading any more
            drop(io::stdout().write_all(said.as_bytes()));
            Exit::Done
        }
        Err(trouble) => client.explain(&trouble),
    }
}

fn list(client: &Client) -> Result<String, Trouble> {
    let streams: Vec<StreamReport> = client.ask("GET", "/streams", None)?;
    let width = |of: fn(&StreamReport) -> usize| streams.iter().map(of).max().unwrap_or(0);
    let name = width(|stream| stream.name.chars().count());
    let kind = width(|stream| stream.kind.len());
    let line = |stream: &StreamReport| {
        let state = state(stream);
        format!(
            "{:name$}  {:kind$}  {:>8} waiting  {state}\n",
            stream.name, stream.kind, stream.backlog
        )
    };
    Ok(streams.iter().map(line).collect())
}

fn switch(client: &Client, name: &str, change: &Value) -> Result<String, Trouble> {
    let path = path_of("streams", name, "");
    let found: Vec<StreamReport> = client.ask("PATCH", &path, Some(change))?;
    let line = |stream: &StreamReport| {
        let state = if stream.enabled {
            "enabled"
        } else {
            "disabled"
        };
        format!("{state}, {} waiting\n", stream.backlog)
    };
    Ok(found.iter().map(line).collect())
}

fn pause(client: &Client, name: &str, time: Option<&str>) -> Result<String, Trouble> {
    let body = time.map(|time| json!({ "for": time }));
    stand(client, name, "/pause", body.as_ref())
}

/// Has it do this, and says how it stands then.
fn stand(client: &Client, name: &str, what: &str, body: Option<&Value>) -> Result<String, Trouble> {
    let path = path_of("streams", name, what);
    let found: Vec<StreamReport> = client.ask("POST", &path, body)?;
    let line = |stream: &StreamReport| {
        let state = match stream.paused {
            true => state(stream),
            false => "resumed".to_owned(),
        };
        format!("{state}, {} waiting\n", stream.backlog)
    };
    Ok(found.iter().map(line).collect())
}

fn remove(client: &Client, name: &str) -> Result<String, Trouble> {
    let done = client.ask("DELETE", &path_of("streams", name, ""), None)?;
    let waited = number(&done, "waited");
    Ok(format!(
        "removed, {waited} waiting messages are forgotten\n"
    ))
}

/// In steps: the daemon does not stand still for more.
fn skip(client: &Client, name: &str, count: u64) -> Result<String, Trouble> {
    let path = path_of("streams", name, "/skip");
    let mut skipped = 0;
    while skipped < count {
        let step = (count - skipped).min(SKIP_MAX);
        let done = client.ask("POST", &path, Some(&json!({ "count": step })))?;
        let done = number(&done, "skipped");
        skipped += done;
        if done < step {
            break;
        }
    }
    Ok(format!("{skipped} skipped\n"))
}

fn rewind(client: &Client, name: &str, to: &str) -> Result<String, Trouble> {
    let to = to
        .parse::<f64>()
        .map_or_else(|_| json!(to), |seconds| json!(seconds));
    let path = path_of("streams", name, "/rewind");
    let done = client.ask("POST", &path, Some(&json!({ "to": to })))?;
    Ok(format!("{} are sent again\n", number(&done, "rewound")))
}

fn wake(client: &Client, whom: Wake) -> Result<String, Trouble> {
    let body = (whom == Wake::All).then(|| json!({ "now": true }));
    let done: Vec<Woken> = client.ask("POST", "/wake", body.as_ref())?;
    let mut said = String::new();
    for Woken { streams, waiting } in done {
        match streams {
            0 if !waiting.is_empty() => {}
            0 => said.push_str("no stream waits for its next try\n"),
            1 => said.push_str("1 stream goes on\n"),
            count => said.push_str(&format!("{count} streams go on\n")),
        }
        for Waiting { name, next_try } in waiting {
            said.push_str(&format!(
                "`{name}` waits on for {next_try:.0} s, its destination asked for it; it goes now \
                 with `weir wake --now`\n"
            ));
        }
    }
    Ok(said)
}

fn number(result: &[Value], key: &str) -> u64 {
    let first = result.first().and_then(|first| first.get(key));
    first.and_then(Value::as_u64).unwrap_or(0)
}
