//! `type = "google-pubsub"`: Google Pub/Sub over HTTPS. A service account signs a token of its own
//! and shows that; nothing is exchanged for it.
//!
//! ```text
//! POST /v1/projects/P/topics/T:publish
//! {"messages":[{"data":"base64","attributes":{"ident":"…","id":"…"},"orderingKey":"…"},…]}
//! 200 {"messageIds":["…",…]}       else {"error":{"code":…,"message":"…","status":"…"}}
//! ```
//!
//! Source: Google, "REST: projects.topics.publish", "PubsubMessage", "Pub/Sub error codes", and
//! google.aip.dev/auth/4111; the request is that of google-cloud-pubsub 2.44.0.

mod keys;

use super::Destination;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::NetworkEndpoint;
use super::Open;
use super::TlsUse;
use super::engine::Outgoing;
use super::http::HttpLink;
use super::http::profile::ANSWER_MAX;
use super::http::profile::Answer;
use super::http::profile::Frame;
use super::http::profile::Login;
use super::http::profile::Profile;
use super::http::profile::Verdict;
use super::jwt::Signer;
use super::render::MessageView;
use super::render::ident;
use crate::clock::Now;
use crate::net::Target;
use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use serde::Deserialize;
use serde::Serialize;
use std::rc::Rc;
use std::time::Duration;

/// `type = "google-pubsub"`.
#[derive(Clone, Debug, PartialEq)]
pub struct GooglePubsub {
    /// Where it is spoken to.
    pub target: Target,
    /// Of each request: the topic is part of it.
    pub path: String,
    /// Who publishes.
    pub account: Rc<Account>,
    /// Whether messages of an ident are kept in order.
    pub ordering: bool,
}

/// A service account.
#[derive(Debug, PartialEq)]
pub struct Account {
    /// Its name: an address of mail.
    pub email: String,
    /// Its key.
    pub signer: Signer,
}

/// Its row.
pub(crate) static KIND: Kind =
    Kind::new("google-pubsub", |reader| Some(Rc::new(keys::read(reader)?)));

impl Destination for GooglePubsub {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint::Network(NetworkEndpoint {
            needs_date: true,
            ..NetworkEndpoint::new(&self.target, TlsUse::Always)
        })
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(HttpLink::new(self, open))
    }
}

/// One message of a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Published<'a> {
    data: String,
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordering_key: Option<&'a str>,
}

/// What subscriptions can filter by, and what tells a repeat.
#[derive(Serialize)]
struct Attributes<'a> {
    ident: &'a str,
    id: &'a str,
}

impl Profile for GooglePubsub {
    fn frame(&self) -> Frame {
        Frame {
            open: "{\"messages\":[",
            close: "]}",
            messages_max: MESSAGES_MAX,
            bytes_max: BYTES_MAX,
            ..Frame::JSON_ARRAY
        }
    }

    fn fixed_path(&self) -> &str {
        &self.path
    }

    fn key(
        &self,
        _: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        // all messages of a request must have one ordering key
        if self.ordering {
            out.push_str(ident(message));
        }
        Ok(())
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let (mut object, mut id) = (Vec::new(), String::new());
        let written = view.object(message, &mut object);
        written.map_err(|error| error.to_string())?;
        view.id(message, &mut id);
        let ident = ident(message);
        let published = Published {
            data: BASE64.encode(object),
            attributes: Attributes { ident, id: &id },
            ordering_key: self.ordering.then_some(ident),
        };
        serde_json::to_writer(out, &published).map_err(|error| error.to_string())
    }

    fn authorize(&self, now: Now) -> Login {
        let until = now.wall.since_1970 + LIFE;
        let claims = serde_json::json!({
            "aud": AUDIENCE,
            "exp": until.as_secs(),
            "iat": now.wall.since_1970.as_secs(),
            "iss": self.account.email,
            "sub": self.account.email,
        });
        let token = self.account.signer.token(&claims);
        Login {
            authorization: token.map(|token| format!("Bearer {token}")),
            until: Some(until),
        }
    }

    fn needs_body(&self, _: u16) -> bool {
        true
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        match (answer.status, status(answer.body)) {
            // a proxy that knows nothing of topics says 200, too
            (200, _) if !has_all_ids(answer) => Verdict::Later(None),
            (_, Some("INVALID_ARGUMENT" | "OUT_OF_RANGE")) => Verdict::Refused,
            (_, Some("FAILED_PRECONDITION")) => Verdict::Configuration,
            (409 | 499, _) => Verdict::Later(None),
            (status, _) => Verdict::usual(status),
        }
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        let hint = match (answer.status, status(answer.body)) {
            (200, _) => "the answer has not one id for each message",
            (_, Some("FAILED_PRECONDITION")) => {
                "look at the project of `topic`: its billing, or the key that encrypts the topic"
            }
            (401, _) => "look at `credentials`, and at the clock of this machine",
            (403, _) => {
                "the account of `credentials` needs the role Pub/Sub Publisher for `topic`, and \
                 the project the Pub/Sub API"
            }
            (404, _) => "look at `topic`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Whether there is an id for each message; not asked where more came than is kept.
fn has_all_ids(answer: &Answer<'_>) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Taken<'a> {
        #[serde(borrow)]
        message_ids: Vec<&'a str>,
    }
    let taken: Result<Taken<'_>, _> = serde_json::from_slice(answer.body);
    let is_cut = answer.body.len() >= ANSWER_MAX;
    is_cut || taken.is_ok_and(|taken| taken.message_ids.len() >= answer.messages)
}

/// The word behind `"status"` in an error, also where its text is cut.
fn status(body: &[u8]) -> Option<&str> {
    const NAME: &str = "\"status\"";
    let text = match str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => str::from_utf8(body.get(..error.valid_up_to())?).ok()?,
    };
    // within a text the quotes have a backslash
    let mut found = text.match_indices(NAME);
    let (at, _) = found.find(|(at, _)| !text.get(..*at).unwrap_or_default().ends_with('\\'))?;
    let value = text.get(at + NAME.len()..)?.trim_start();
    let value = value.strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.split_once('"').map(|(word, _)| word)
}

/// Whom a token is for, wherever it is shown.
const AUDIENCE: &str = "https://pubsub.googleapis.com/";

/// Google takes no token that holds for longer.
const LIFE: Duration = Duration::from_hours(1);

/// Messages of a request at most.
const MESSAGES_MAX: usize = 1_000;

/// Bytes of a request at most: 10 MB, with its head.
const BYTES_MAX: usize = 9_900_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn pubsub() -> GooglePubsub {
        let text = include_str!("../../tests/support/service_account.json");
        let host = "pubsub.googleapis.com".into();
        GooglePubsub {
            target: Target { host, port: 443 },
            path: String::new(),
            account: Rc::new(keys::account(text.as_bytes()).unwrap()),
            ordering: true,
        }
    }

    fn judged(status: u16, body: &str, messages: usize) -> (Verdict, Option<String>) {
        let answer = Answer {
            status,
            body: body.as_bytes(),
            is_whole: true,
            messages,
        };
        (pubsub().verdict(&answer), pubsub().hint(&answer))
    }

    #[test]
    fn each_error_has_its_meaning() {
        for (meaning, answers) in [
            (
                Verdict::Refused,
                &[(400, "INVALID_ARGUMENT"), (400, "OUT_OF_RANGE")][..],
            ),
            (
                Verdict::Configuration,
                &[
                    (400, "FAILED_PRECONDITION"),
                    (401, "UNAUTHENTICATED"),
                    (403, "PERMISSION_DENIED"),
                    (404, "NOT_FOUND"),
                ],
            ),
            (
                Verdict::Later(None),
                &[
                    (409, "ABORTED"),
                    (429, "RESOURCE_EXHAUSTED"),
                    (499, "CANCELLED"),
                    (500, "INTERNAL"),
                    (503, "UNAVAILABLE"),
                    (504, "DEADLINE_EXCEEDED"),
                ],
            ),
        ] {
            for (status, word) in answers {
                let message = "a \\\"status\\\": \\\"OUT_OF_RANGE\\\" is not it";
                let body = format!(
                    "{{\n  \"error\": {{\n    \"code\": {status},\n    \"message\": \"{message}\"\
                     ,\n    \"status\": \"{word}\"\n  }}\n}}\n"
                );
                let (verdict, hint) = judged(*status, &body, 1);
                assert_eq!(verdict, meaning, "{word}");
                assert_eq!(hint.is_some(), meaning == Verdict::Configuration, "{word}");
            }
        }
        assert_eq!(judged(413, "", 1).0, Verdict::Doubted);
        assert_eq!(judged(302, "", 1).0, Verdict::Configuration);
    }

    #[test]
    fn only_an_id_for_each_message_means_that_all_are_taken() {
        let ids = r#"{"messageIds":["1","2"]}"#;
        assert_eq!(judged(200, ids, 2).0, Verdict::Taken);
        for (body, messages) in [
            (ids, 3),
            ("", 1),
            ("<html>log in here</html>", 1),
            ("{}", 1),
            (r#"{"messageIds":["1"#, 1),
        ] {
            let (verdict, hint) = judged(200, body, messages);
            assert_eq!(verdict, Verdict::Later(None), "{body}");
            assert!(hint.unwrap().contains("one id for each message"));
        }
        let long = format!("{{\"messageIds\":[{}", "\"1\",".repeat(10_000));
        let kept = long.get(..ANSWER_MAX).unwrap();
        assert_eq!(judged(200, kept, 10_000).0, Verdict::Taken);
    }
}
