//! From a published message to messages of devices: the topic says who, the payload what.
//!
//! A payload is an object, or an array of objects that is taken whole or not at all; else one
//! value, a JSON one or a text without quotes, which is a parameter. Its name is what `#` stands
//! for in the topic, with dots for slashes, or the last level, or `payload`.

use super::Settings;
use super::packet::Publish;
use super::packet::Verdict;
use super::topic::Found;
use crate::channel::InputError;
use crate::channel::Intake;
use crate::channel::Refusal;
use crate::message::Message;
use crate::message::Value;
use crate::message::check_ident;
use crate::message::json;
use crate::message::json::Sender;
use std::slice::from_mut;

/// Brings what was published to the intake; a single message needs `room`.
///
/// # Errors
/// Why nothing of it was taken; already counted and logged.
pub(super) fn take(
    publish: &Publish<'_>,
    settings: &Settings,
    room: &mut Message,
    intake: &mut dyn Intake,
) -> Result<(), NotTaken> {
    let Some(found) = settings.topic.find(publish.topic) else {
        let topic = shown(publish.topic);
        let detail = format!("topic `{topic}` is not in `{}`", settings.topic.filter());
        intake.malformed(InputError::Unsupported, &detail);
        return Err(NotTaken::Told(Verdict::NotOurs));
    };
    if publish.payload.trim_ascii().is_empty() {
        let detail = format!("topic `{}`: no payload", shown(publish.topic));
        intake.malformed(InputError::Unsupported, &detail);
        return Err(NotTaken::Told(Verdict::NotOurs));
    }
    if let Some(Err(invalid)) = found.ident.map(check_ident) {
        let detail = format!("topic `{}`: {invalid}", shown(publish.topic));
        intake.malformed(InputError::Ident, &detail);
        return Err(NotTaken::Told(Verdict::Topic));
    }
    let sender = match (found.ident, &settings.ident) {
        (Some(ident), _) => Sender::Is(ident),
        (None, Some(ident)) => Sender::Else(ident),
        (None, None) => Sender::InText,
    };
    let mut array = Vec::new();
    let batch = match first(publish.payload) {
        Some(b'[') => {
            let read = json::parse_many_of(publish.payload, &settings.names, sender);
            read.map(|read| {
                array = read;
                array.as_mut_slice()
            })
        }
        _ => one(publish.payload, sender, &found, settings, room).map(|()| from_mut(room)),
    };
    let batch = batch.map_err(|error| {
        let detail = format!("topic `{}`: {error}", shown(publish.topic));
        intake.malformed(InputError::from(&error.problem), &detail);
        NotTaken::Told(Verdict::Payload)
    })?;
    if batch.is_empty() {
        return Ok(());
    }
    let taken = intake.submit(batch);
    room.forget_room();
    taken.map_err(|refused| match refused.reason {
        Refusal::Full => NotTaken::Full,
        Refusal::Unwanted => NotTaken::Told(Verdict::Unwanted),
        Refusal::Ident => NotTaken::Told(Verdict::NotAuthorized),
        Refusal::TooLong => NotTaken::Told(Verdict::Quota),
    })
}

/// The first byte that is no blank.
fn first(payload: &[u8]) -> Option<u8> {
    payload.trim_ascii_start().first().copied()
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It never will be.
    Told(Verdict),
    /// It may be later.
    Full,
}

/// Puts the message of a payload that is no array into `room`.
fn one(
    payload: &[u8],
    sender: Sender<'_>,
    found: &Found<'_>,
    settings: &Settings,
    room: &mut Message,
) -> Result<(), json::Error> {
    if first(payload) == Some(b'{') {
        return json::parse_into(payload, &settings.names, sender, room);
    }
    let value = bare(payload)?;
    let (Sender::Is(ident) | Sender::Else(ident)) = sender else {
        return Err(json::Error::no_ident(&settings.names));
    };
    // it was looked at before, here or by the configuration
    *room = Message::new(ident).map_err(|_| json::Error::no_ident(&settings.names))?;
    room.set(found.name(), &value);
    Ok(())
}

/// A value of JSON, or a text as it stands.
fn bare(payload: &[u8]) -> Result<Value, json::Error> {
    json::parse_value(payload).or_else(|error| {
        let text = str::from_utf8(payload).unwrap_or_default().trim();
        let is_text = !text.is_empty() && !text.contains(|c: char| c.is_control() || c == '"');
        match error.problem {
            json::Problem::Syntax(_) if is_text => Ok(Value::from(text)),
            _ => Err(error),
        }
    })
}

/// A topic made fit for a line of a log.
fn shown(topic: &str) -> String {
    topic
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect()
}

/// How much of a topic is said, in characters.
const SHOWN: usize = 64;
