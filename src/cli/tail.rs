//! `weir tail`: messages as they pass, or the bytes that they come in. Follows until it is stopped.

mod raw;

use super::Exit;
use super::client::Client;
use super::client::Target;
use super::client::Trouble;
use super::client::encoded;
use super::client::path_of;
use super::color::Color;
use super::color::Style;
use super::named::kind_of;
use super::status::Form;
use crate::message::Value;
use crate::message::ValueRef;
use crate::message::json;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io;
use std::io::Write;
use std::time::Duration;

/// What the daemon answers.
#[derive(Deserialize)]
struct Answer {
    result: Vec<Item>,
    next: u64,
    missed: Option<u64>,
}

#[derive(Deserialize)]
struct Item {
    message: Box<RawValue>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Messages,
    /// Bytes of connections.
    Raw,
}

/// What is looked at: of a channel or stream, of an ident, or all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) name: Option<String>,
    pub(super) ident: Option<String>,
    pub(super) form: Form,
    pub(super) view: View,
}

/// Prints what passes.
pub(super) fn tail(target: Target, subject: &Subject) -> Exit {
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let followed = match subject.view {
        View::Messages => {
            query(&client, subject).and_then(|query| follow(&client, &query, subject.form))
        }
        View::Raw => raw_path(&client, subject)
            .and_then(|path| raw::follow(&client, &path, subject.ident.as_deref(), subject.form)),
    };
    match followed {
        Ok(()) => Exit::Done,
        Err(trouble) => client.explain(&trouble),
    }
}

/// Ends when nobody reads any more.
fn follow(client: &Client, query: &str, form: Form) -> Result<(), Trouble> {
    let begin = format!("/messages?count=0{query}");
    let mut after = client.fetch::<Answer>("GET", &begin, None)?.next;
    let color = Color::of_stdout();
    loop {
        let path = format!("/messages?count={COUNT}&after={after}{query}");
        let answer: Answer = client.fetch("GET", &path, None)?;
        let is_all = answer.result.len() < COUNT;
        if print(&answer, form, color).is_err() {
            return Ok(());
        }
        // one that has begun anew has not come so far
        after = answer.next;
        if is_all {
            super::pause(LOOK);
        }
    }
}

fn print(answer: &Answer, form: Form, color: Color) -> io::Result<()> {
    match answer.missed {
        Some(0) => {}
        Some(missed) => eprintln!("({missed} messages were missed)"),
        None => eprintln!("(messages were missed)"),
    }
    let mut stdout = io::stdout().lock();
    for Item { message } in &answer.result {
        match form {
            Form::Json => writeln!(stdout, "{message}")?,
            Form::Text => writeln!(stdout, "{}", text(message.get(), color))?,
        }
    }
    stdout.flush()
}

/// Whether NAME is a channel or a stream is for the daemon to say.
fn query(client: &Client, subject: &Subject) -> Result<String, Trouble> {
    let mut query = String::new();
    if let Some(name) = &subject.name {
        let kind = kind_of(client, name, &[])?.trim_end_matches('s');
        query += &format!("&{kind}={}", encoded(name));
    }
    if let Some(ident) = &subject.ident {
        query += &format!("&ident={}", encoded(ident));
    }
    Ok(query)
}

fn raw_path(client: &Client, subject: &Subject) -> Result<String, Trouble> {
    let name = subject.name.as_deref().unwrap_or_default();
    Ok(path_of(kind_of(client, name, &[])?, name, "/packets"))
}

/// A message in one line, whatever its sender wrote.
fn text(message: &str, color: Color) -> String {
    let Ok(fields) = json::parse_fields(message.as_bytes()) else {
        return "(not a message)".to_owned();
    };
    let find = |wanted: &str| {
        let mut fields = fields.iter();
        fields.find_map(|(name, value)| (name == wanted).then_some(value.as_ref()))
    };
    let said = |wanted| find(wanted).map_or_else(String::new, value);
    let received = find("server.timestamp").and_then(ValueRef::number);
    let date = super::date(received.unwrap_or_default());
    let mut line = format!("{date} {} {} ", said("channel.name"), said("ident"));
    for (name, given) in &fields {
        if !HEAD.contains(&name.as_str()) {
            let (name, value) = (color.paint(Style::Cyan, &plain(name)), shown(name, given));
            line += &format!(" {name}={value}");
        }
    }
    line
}

fn shown(name: &str, given: &Value) -> String {
    match (name, given.as_ref().number()) {
        ("timestamp", Some(seconds)) => super::date(seconds),
        _ => value(given.as_ref()),
    }
}

/// A value as JSON, text without quotes where that is clear.
fn value(given: ValueRef<'_>) -> String {
    let clear = |c: char| c.is_alphanumeric() || "-_.:/+@%".contains(c);
    match given {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Text(text) if !text.is_empty() && text.chars().all(clear) => text.to_owned(),
        ValueRef::Text(text) => plain(&serde_json::json!(text).to_string()),
        other => plain(&other.to_string()),
    }
}

/// Without what would have a terminal do something.
fn plain(text: &str) -> String {
    let hidden = |c: char| match c.is_control() {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    match text.chars().any(char::is_control) {
        true => text.chars().map(hidden).collect(),
        false => text.to_owned(),
    }
}

/// What stands at the head of a line.
const HEAD: [&str; 3] = ["ident", "channel.name", "server.timestamp"];

/// Messages at once.
const COUNT: usize = 500;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_its_sender_wrote() {
        let message = "{\"ident\":\"352\",\"timestamp\":951782400.25,\"position.speed\":42,\
             \"text\":\"a b\\n\\u001b[2J\\u009b\",\"list\":[1,\"x\"],\"note\":\"ok\",\
             \"channel.name\":\"in\",\"server.timestamp\":951782401}";
        let line = "2000-02-29T00:00:01.000Z in 352  timestamp=2000-02-29T00:00:00.250Z \
             position.speed=42 text=\"a b\\n\\u001b[2J\\u009b\" list=[1,\"x\"] note=ok";
        assert_eq!(text(message, Color::Off), line);
        let coloured = text(message, Color::On);
        assert!(
            coloured.contains(" \x1b[36mposition.speed\x1b[0m=42 "),
            "{coloured}"
        );
        assert_eq!(text("[]", Color::Off), "(not a message)");
    }
}
