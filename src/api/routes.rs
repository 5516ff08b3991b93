//! Routes: which function answers which method on which path. Reads no bytes of a connection.

mod by_hand;
mod device;
mod streams;

use super::Back;
use super::Control;
use super::Origin;
use super::Refusal;
use super::SKIP_MAX;
use super::Wake;
use super::event::Page;
use super::journal::EVENTS_MAX;
use super::log::level;
use super::metrics;
use super::openapi;
use super::packet::PacketLook;
use super::passing::Look;
use crate::hex;
use serde::Deserialize;
use serde::Serialize;
use std::borrow::Cow;

/// A request as far as a route sees it.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// The methods that the path has, where the method is none of them.
    pub(super) allow: Option<String>,
}

/// Answers a request; the name is what stands for `{}` in the path.
type Act = fn(&dyn Control, &Request<'_>, name: &str) -> Answer;

/// `{}` is one name, percent-encoded.
#[rustfmt::skip]
pub(super) const ROUTES: &[(&str, &str, Act)] = &[
    ("GET",   "/status",             status),
    ("GET",   "/streams",            all_streams),
    ("GET",   "/streams/{}",         one_stream),
    ("PATCH", "/streams/{}",         streams::change),
    ("POST",  "/streams",            streams::create),
    ("DELETE","/streams/{}",         streams::remove),
    ("GET",   "/streams/{}/settings", streams::settings),
    ("GET",   "/types",              streams::types),
    ("GET",   "/streams/{}/logs",    stream_logs),
    ("GET",   "/streams/{}/messages", by_hand::waiting),
    ("POST",  "/streams/{}/messages", by_hand::put_in),
    ("DELETE", "/streams/{}/messages", by_hand::drop_backlog),
    ("POST",  "/streams/{}/pause",   by_hand::pause),
    ("POST",  "/streams/{}/resume",  by_hand::resume),
    ("GET",   "/streams/{}/packets", stream_packets),
    ("POST",  "/streams/{}/skip",    skip),
    ("POST",  "/streams/{}/rewind",  rewind),
    ("GET",   "/channels",           channels),
    ("GET",   "/channels/{}",        channel),
    ("GET",   "/channels/{}/logs",   channel_logs),
    ("GET",   "/channels/{}/packets", channel_packets),
    ("GET",   "/devices",            device::devices),
    ("GET",   "/logs",               logs),
    ("GET",   "/log",                log),
    ("PATCH", "/log",                change_log),
    ("GET",   "/messages",           messages),
    ("GET",   "/ring",               ring),
    ("GET",   "/ring/logs",          ring_logs),
    ("GET",   "/weir/logs",          daemon_logs),
    ("GET",   "/metrics",            metrics),
    ("GET",   "/openapi.json",       openapi),
    ("POST",  "/wake",               wake),
    ("POST",  "/reload",             reload),
];

/// Finds the route and goes it. `HEAD` is `GET`: the body is left out where it is written.
pub(super) fn answer(control: &dyn Control, request: &Request<'_>) -> Answer {
    let found: Vec<_> = ROUTES
        .iter()
        .filter_map(|(method, path, act)| Some((*method, name_in(path, request.path)?, act)))
        .collect();
    let method = match request.method {
        "HEAD" => "GET",
        method => method,
    };
    if let Some((_, name, act)) = found.iter().find(|(known, ..)| *known == method) {
        return act(control, request, name);
    }
    let known: Vec<&str> = found.iter().map(|(method, ..)| *method).collect();
    if known.is_empty() {
        return Answer::error(404, &format!("no path `{}`", request.path));
    }
    let mut answer = Answer::error(405, &format!("no `{}` here", request.method));
    answer.allow = Some(known.join(", "));
    answer
}

/// The name in a path that has the shape of a route; empty where the route has none.
fn name_in<'a>(shape: &str, path: &'a str) -> Option<Cow<'a, str>> {
    let (mut shape, mut path) = (shape.split('/'), path.split('/'));
    let mut name = Cow::Borrowed("");
    loop {
        match (shape.next(), path.next()) {
            (None, None) => return Some(name),
            (Some("{}"), Some(part)) if !part.is_empty() => name = decoded(part)?,
            (Some(shape), Some(part)) if shape == part => {}
            _ => return None,
        }
    }
}

/// A part of a path, its percent signs resolved.
fn decoded(part: &str) -> Option<Cow<'_, str>> {
    if !part.contains('%') {
        return Some(Cow::Borrowed(part));
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(part.len()), part.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex::byte([rest.next()?, rest.next()?])?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn status(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer::one(control.status())
}

fn all_streams(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer::result(&control.status().streams)
}

fn one_stream(control: &dyn Control, _: &Request<'_>, name: &str) -> Answer {
    stream(control, name)
}

fn stream(control: &dyn Control, name: &str) -> Answer {
    let found = control.status().streams;
    let found = found.into_iter().find(|stream| stream.name == name);
    found.map_or_else(|| no_stream(name), Answer::one)
}

fn channels(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer::result(&control.status().channels)
}

fn channel(control: &dyn Control, _: &Request<'_>, name: &str) -> Answer {
    let found = control.channel(name);
    found.map_or_else(|| no_channel(name), Answer::one)
}

fn ring(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer::one(control.status().ring)
}

fn log(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer::one(control.log())
}

fn change_log(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    match level(request.body) {
        Some(level) => Answer::one(control.set_log_level(level)),
        None => Answer::error(
            400,
            "send `{\"level\":\"debug\"}`: error, warn, info, debug or trace; null: as configured",
        ),
    }
}

fn openapi(_: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer::json(200, &openapi::document())
}

fn metrics(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer {
        status: 200,
        content_type: "text/plain; version=0.0.4; charset=utf-8",
        body: metrics::render(&control.status()).into_bytes(),
        allow: None,
    }
}

fn stream_logs(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    events(control, request, Origin::Stream(name)).unwrap_or_else(|| no_stream(name))
}

fn channel_logs(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    events(control, request, Origin::Channel(name)).unwrap_or_else(|| no_channel(name))
}

fn stream_packets(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    packets(control, request, Origin::Stream(name)).unwrap_or_else(|| no_stream(name))
}

fn channel_packets(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    packets(control, request, Origin::Channel(name)).unwrap_or_else(|| no_channel(name))
}

fn packets(control: &dyn Control, request: &Request<'_>, of: Origin<'_>) -> Option<Answer> {
    match pairs(request.query).map(|pairs| PacketLook::read(&pairs)) {
        Some(Ok(look)) => Some(Answer::result(&control.packets(of, &look)?)),
        _ => Some(Answer::error(
            400,
            "`count`, `after` and `conn` are numbers",
        )),
    }
}

fn ring_logs(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    events(control, request, Origin::Ring).unwrap_or_else(|| Answer::error(404, "no events"))
}

fn daemon_logs(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    events(control, request, Origin::Daemon).unwrap_or_else(|| Answer::error(404, "no events"))
}

fn logs(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    events(control, request, Origin::All).unwrap_or_else(|| Answer::error(404, "no events"))
}

fn events(control: &dyn Control, request: &Request<'_>, origin: Origin<'_>) -> Option<Answer> {
    let (Ok(count), Ok(after)) = (number(request, "count"), number(request, "after")) else {
        return Some(Answer::error(400, "`count` and `after` are numbers"));
    };
    let count = count.and_then(|count| usize::try_from(count).ok());
    let page = Page {
        count: count.unwrap_or(EVENTS_MAX),
        after: after.unwrap_or(0),
    };
    control
        .logs(origin, page)
        .map(|lines| Answer::result(&lines))
}

fn messages(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    let Some(query) = pairs(request.query) else {
        return Answer::error(400, "the query is no text");
    };
    let Ok(look) = Look::read(&query) else {
        return Answer::error(400, "`count` and `after` are numbers");
    };
    match control.messages(&look) {
        Some(seen) => Answer {
            status: 200,
            content_type: "application/json",
            body: seen.text().into_bytes(),
            allow: None,
        },
        None => look
            .channel
            .map_or_else(|| no_stream(look.stream.unwrap_or_default()), no_channel),
    }
}

/// The pairs of a query, their percent signs resolved; none where that is no text.
fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(key, value)| Some((key.to_owned(), decoded(value)?.into_owned())));
    pairs.collect()
}

/// A number of the query.
fn number(request: &Request<'_>, key: &str) -> Result<Option<u64>, std::num::ParseIntError> {
    let mut pairs = request.query.split('&').filter_map(|p| p.split_once('='));
    let found = pairs.find(|(name, _)| *name == key);
    found.map(|(_, value)| value.parse()).transpose()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hurry {
    now: bool,
}

fn wake(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    let wanted = match request.body {
        [] => Ok(Hurry::default()),
        body => serde_json::from_slice(body),
    };
    match wanted {
        Ok(Hurry { now: false }) => Answer::one(control.wake(Wake::UnlessAsked)),
        Ok(Hurry { now: true }) => Answer::one(control.wake(Wake::All)),
        Err(_) => Answer::error(400, "send nothing, or `{\"now\":true}`"),
    }
}

/// 422 where the configuration has errors, all of them, each with its place.
fn reload(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    match control.reload() {
        Ok(reloaded) => Answer::one(reloaded),
        Err(errors) => Answer::errors(422, &errors),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    count: u64,
}

fn skip(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    let wanted = match request.body {
        [] => Ok(Skip { count: 1 }),
        body => serde_json::from_slice(body),
    };
    match wanted {
        Ok(Skip { count }) if (1..=SKIP_MAX).contains(&count) => {
            moved(control.skip(name, count), "skipped", name)
        }
        _ => Answer::error(400, "send `{\"count\":N}`, N from 1 to 10000"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewind {
    to: Place,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Place {
    Seconds(f64),
    Text(String),
}

fn rewind(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    let place = serde_json::from_slice::<Rewind>(request.body).ok();
    match place.and_then(|wanted| back(&wanted.to)) {
        Some(back) => moved(control.rewind(name, back), "rewound", name),
        None => {
            let hint = "send `{\"to\":\"oldest\"}`, or a date as ISO 8601 or seconds since 1970";
            Answer::error(400, hint)
        }
    }
}

fn back(place: &Place) -> Option<Back> {
    match place {
        Place::Text(text) => Back::of_text(text),
        Place::Seconds(seconds) => Back::of_seconds(*seconds),
    }
}

fn moved(result: Result<u64, Refusal>, what: &str, name: &str) -> Answer {
    match result {
        Ok(count) => Answer::one(serde_json::json!({ "name": name, what: count })),
        Err(refusal) => refused(&refusal, name),
    }
}

fn refused(refusal: &Refusal, name: &str) -> Answer {
    match refusal {
        Refusal::Unknown => no_stream(name),
        Refusal::NotKept(why) => Answer::error(500, &format!("done until the next start: {why}")),
    }
}

fn no_stream(name: &str) -> Answer {
    Answer::error(404, &format!("no stream `{name}`"))
}

fn no_channel(name: &str) -> Answer {
    Answer::error(404, &format!("no channel `{name}`"))
}

impl Answer {
    /// `{"result":[…]}`.
    fn result<T: Serialize>(items: &[T]) -> Self {
        Self::json(200, &serde_json::json!({ "result": items }))
    }

    fn one<T: Serialize>(item: T) -> Self {
        Self::result(&[item])
    }

    /// `{"errors":[{"code":…,"reason":…}]}`.
    pub(super) fn error(status: u16, reason: &str) -> Self {
        Self::errors(status, &[reason])
    }

    fn errors<T: AsRef<str>>(status: u16, reasons: &[T]) -> Self {
        let error = |reason: &T| serde_json::json!({ "code": status, "reason": reason.as_ref() });
        let errors: Vec<_> = reasons.iter().map(error).collect();
        Self::json(status, &serde_json::json!({ "errors": errors }))
    }

    pub(super) fn json(status: u16, value: &serde_json::Value) -> Self {
        let mut body = value.to_string().into_bytes();
        body.push(b'\n');
        Self {
            status,
            content_type: "application/json",
            body,
            allow: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_path_has_the_shape_of_its_route() {
        let name = |path| name_in("/streams/{}/logs", path).map(Cow::into_owned);
        assert_eq!(name("/streams/cloud/logs"), Some("cloud".to_owned()));
        assert_eq!(name("/streams/a%20b%2Fc/logs"), Some("a b/c".to_owned()));
        assert_eq!(name("/streams//logs"), None);
        assert_eq!(name("/streams/a/b/logs"), None);
        assert_eq!(name("/streams/%f/logs"), None);
        assert_eq!(name("/streams/%ff/logs"), None);
        assert_eq!(name_in("/ring", "/ring/"), None);
    }

    #[test]
    fn a_place_is_a_date_or_the_oldest() {
        let text = |text: &str| back(&Place::Text(text.to_owned()));
        assert_eq!(text("oldest"), Some(Back::Oldest));
        assert_eq!(
            text("1970-01-02"),
            Some(Back::To(Duration::from_secs(86400)))
        );
        assert_eq!(text("yesterday"), None);
        assert_eq!(back(&Place::Seconds(-1.0)), None);
    }
}
