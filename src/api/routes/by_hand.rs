//! Routes of what is done to streams by hand.

use super::Answer;
use super::Request;
use super::moved;
use super::no_stream;
use super::number;
use super::refused;
use crate::api::Control;
use crate::api::NotTaken;
use crate::api::Refusal;
use crate::api::WAITING_MAX;
use crate::api::pause_time;
use serde::Deserialize;
use std::time::Duration;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    #[serde(rename = "for")]
    time: Option<String>,
}

pub(super) fn pause(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    match length(request.body) {
        Ok(time) => stands(control, control.pause(name, time), name),
        Err(why) => Answer::error(400, why),
    }
}

pub(super) fn resume(control: &dyn Control, _: &Request<'_>, name: &str) -> Answer {
    stands(control, control.resume(name), name)
}

pub(super) fn waiting(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    let count = match number(request, "count") {
        Ok(count) => count.map_or(WAITING_DEFAULT, |count| usize::try_from(count).unwrap_or(0)),
        Err(_) => 0,
    };
    if !(1..=WAITING_MAX).contains(&count) {
        return Answer::error(400, "`count` is a number from 1 to 100");
    }
    match control.waiting_messages(name, count) {
        Ok(messages) => {
            let body = format!("{{\"result\":[{}]}}\n", messages.join(","));
            Answer {
                body: body.into_bytes(),
                ..Answer::json(200, &serde_json::Value::Null)
            }
        }
        Err(denial) => denied(denial, name),
    }
}

pub(super) fn drop_backlog(control: &dyn Control, _: &Request<'_>, name: &str) -> Answer {
    moved(control.drop_backlog(name), "skipped", name)
}

pub(super) fn put_in(control: &dyn Control, request: &Request<'_>, name: &str) -> Answer {
    match control.put_in(name, request.body) {
        Ok(count) => Answer::one(serde_json::json!({ "accepted": count })),
        Err(denial) => denied(denial, name),
    }
}

fn denied(denial: NotTaken, name: &str) -> Answer {
    match denial {
        NotTaken::Unknown => no_stream(name),
        NotTaken::Malformed(why) => Answer::error(400, &why),
        NotTaken::TooLong(which) => Answer::error(413, &which),
        NotTaken::Disabled => Answer::error(409, &format!("stream `{name}` is disabled")),
        NotTaken::Later(why) => Answer::error(503, &why),
    }
}

/// How the stream stands now, or why it does not.
fn stands(control: &dyn Control, done: Result<(), Refusal>, name: &str) -> Answer {
    match done {
        Ok(()) => super::stream(control, name),
        Err(refusal) => refused(&refusal, name),
    }
}

/// How long a pause is; none: until it is ended by hand.
fn length(body: &[u8]) -> Result<Option<Duration>, &'static str> {
    let wanted: Pause = match body {
        [] => Pause::default(),
        body => serde_json::from_slice(body).map_err(|_| "send nothing, or `{\"for\":\"10m\"}`")?,
    };
    let Some(text) = wanted.time else {
        return Ok(None);
    };
    pause_time(&text)
        .map(Some)
        .ok_or("`for` is a duration from 1s to 3650d, like `10m`")
}

/// Messages that are shown where no number is asked for.
const WAITING_DEFAULT: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_duration_or_has_no_end() {
        assert_eq!(length(b""), Ok(None));
        assert_eq!(length(b"{}"), Ok(None));
        let minutes = Duration::from_mins(10);
        assert_eq!(length(b"{\"for\":\"10m\"}"), Ok(Some(minutes)));
        for wrong in ["0s", "10", "3651d", "-1s", "999999999999999999d", ""] {
            let body = serde_json::json!({ "for": wrong }).to_string();
            assert!(length(body.as_bytes()).is_err(), "{wrong}");
        }
        assert!(length(b"{\"of\":\"10m\"}").is_err());
        assert!(length(b"[]").is_err());
    }
}
