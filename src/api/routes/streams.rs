//! Routes of the writing side of streams.

use super::Answer;
use super::Request;
use super::no_stream;
use super::number;
use super::refused;
use super::stream;
use crate::api::Control;
use crate::api::Denial;
use crate::api::Finding;
use crate::api::Keys;
use crate::api::Run;
use crate::api::Switch;
use serde_json::Value;

pub(super) fn create(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    let Some(keys) = keys(request) else {
        return Answer::error(400, "send an object with the keys of a `[[stream]]` table");
    };
    let name = keys.get("name").and_then(Value::as_str).unwrap_or_default();
    let done = control.create(&keys, run(request));
    answer(control, request, name, done)
}

/// What only switches a stream is done whatever the files say.
pub(super) fn change(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    let keys = match keys(request) {
        Some(keys) if !keys.is_empty() => keys,
        _ => return Answer::error(400, "send an object with keys, like `{\"enabled\":false}`"),
    };
    let enabled = keys.get("enabled").and_then(Value::as_bool);
    if let (1, Some(enabled), Run::Real) = (keys.len(), enabled, run(request)) {
        let to = match enabled {
            true => Switch::On,
            false => Switch::Off,
        };
        return match control.switch(name, to) {
            Ok(()) => stream(control, name),
            Err(refusal) => refused(&refusal, name),
        };
    }
    let done = control.edit(name, &keys, run(request));
    answer(control, request, name, done)
}

pub(super) fn remove(control: &dyn Control, _: &Request<'_>, name: &str) -> Answer {
    match control.remove(name) {
        Ok(waited) => Answer::one(serde_json::json!({ "name": name, "waited": waited })),
        Err(denial) => denied(&denial, name),
    }
}

pub(super) fn settings(control: &dyn Control, _: &Request<'_>, name: &str) -> Answer {
    let found = control.settings(name);
    found.map_or_else(|| no_stream(name), Answer::one)
}

pub(super) fn types(control: &dyn Control, _: &Request<'_>, _: &str) -> Answer {
    Answer::json(200, &serde_json::json!({ "result": control.types() }))
}

fn keys(request: &Request<'_>) -> Option<Keys> {
    serde_json::from_slice(request.body).ok()
}

/// `?dry_run=1`.
fn run(request: &Request<'_>) -> Run {
    match number(request, "dry_run") {
        Ok(None | Some(0)) => Run::Real,
        _ => Run::Dry,
    }
}

fn answer(
    control: &dyn Control,
    request: &Request<'_>,
    name: &str,
    done: Result<Vec<Finding>, Denial>,
) -> Answer {
    match (done, run(request)) {
        (Ok(warnings), Run::Dry) => Answer::one(serde_json::json!({ "warnings": warnings })),
        (Ok(warnings), Run::Real) => {
            let streams = control.status().streams;
            let report = streams.iter().find(|stream| stream.name == name);
            let result: Vec<_> = report.into_iter().collect();
            let body = serde_json::json!({ "result": result, "warnings": warnings });
            Answer::json(200, &body)
        }
        (Err(denial), _) => denied(&denial, name),
    }
}

fn denied(denial: &Denial, name: &str) -> Answer {
    match denial {
        Denial::Unknown => no_stream(name),
        Denial::Conflict(why) => Answer::error(409, why),
        Denial::NotKept(why) => Answer::error(500, &format!("nothing is changed: {why}")),
        Denial::Wrong(findings) => {
            let errors: Vec<_> = findings.iter().map(coded).collect();
            Answer::json(422, &serde_json::json!({ "errors": errors }))
        }
    }
}

/// A finding as an error of the API.
fn coded(finding: &Finding) -> Value {
    let mut error = serde_json::json!(finding);
    if let Some(error) = error.as_object_mut() {
        error.insert("code".to_owned(), 422.into());
    }
    error
}
