//! OwnTracks over HTTP: one object a request, as its apps for phones and the trackers behind
//! qtripp send them.
//!
//! Requests come by `POST`, to any path, and their content need not say its type. The app keeps
//! what is not answered with 2xx and sends it again, for ever: so what is right and carries no
//! message is answered with 200 as well. What the fields of a report mean is said in
//! `owntracks/report.rs`, who sent it in `owntracks/sender.rs`.
//!
//! Source: OwnTracks Booklet, its pages on JSON and HTTP; what its recorder does.
//!
//! | what came | answer | connection |
//! | --- | --- | --- |
//! | a location, a transition | 200 `[]`, once it is safe | stays |
//! | nothing | 200 `[]` | stays |
//! | another kind; an encrypted object | 200 `[]`, counted as unsupported | stays |
//! | no device, or of another user than the login | 400 with the reason | stays |
//! | no JSON, no kind; no time, a wrong time or place | 400 with the reason | stays |
//! | a message that is too long for the ring | 200 `[]`, counted | stays |
//! | a message that nobody wants | 400 | stays |
//! | a message that the ring cannot take now | 503, `Retry-After` | stays |
//! | one that did not become safe in time | 503, `Retry-After` | ends |
//! | a wrong login, or none where `users` asks for one | 401 | ends if there is a body |
//! | another method; a compressed body | 405; 415 | ends if there is a body |
//! | more than 64 KiB | 413 | ends |
//! | no HTTP, a head that is too long | 400, 431 | ends |

#![deny(clippy::arithmetic_side_effects)]

mod report;
mod sender;

use super::InputError;
use super::Intake;
use super::Refusal;
use super::Session;
use super::http_request::BodyRefusal;
use super::http_request::HeadRefusal;
use super::http_request::Meaning;
use super::http_request::Requests;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
use super::kind::Way;
use super::users::users;
use crate::message::Message;
use crate::message::Value;
use crate::message::json;
use crate::wire::http::Head;
pub use sender::IdentFrom;
use sender::Sender;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "owntracks",
    example: "listen = \"0.0.0.0:8083\"",
    ways: &[Way::Tcp],
    ident: Ident::Named,
    read: |reader| {
        let users = users(reader);
        let ident_from = reader.choice("ident_from", &sender::WORDS);
        let ident_from = ident_from.unwrap_or_default();
        Some(Rc::new(Keys { users, ident_from }))
    },
};

/// The keys of this type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Names and passwords; none: everybody is served.
    pub users: Vec<(String, String)>,
    /// What of a sender is the ident of its messages.
    pub ident_from: IdentFrom,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Requests::new(Reports::new(self))))
    }
}

/// What requests mean to OwnTracks: see the head of this file.
#[derive(Debug)]
pub struct Reports {
    keys: Rc<Keys>,
}

impl Reports {
    /// Served as the keys say.
    #[must_use]
    pub fn new(keys: Rc<Keys>) -> Self {
        Self { keys }
    }

    /// The message of an object; none where it carries none.
    fn message(
        &self,
        sender: &Sender,
        content: &[u8],
        intake: &mut dyn Intake,
    ) -> Result<Option<Message>, Wrong> {
        let fields = Fields(json::parse_fields(content)?);
        let kind = fields.text("_type");
        let kind = kind.ok_or((InputError::Syntax, "`_type` is missing"))?;
        let make = match kind {
            "location" => report::location,
            "transition" => report::transition,
            _ => {
                intake.malformed(InputError::Unsupported, &passed_over(kind));
                return Ok(None);
            }
        };
        let topic = fields.text("topic").unwrap_or_default();
        let tid = fields.text("tid").unwrap_or_default();
        let ident = sender.ident(topic, tid, &self.keys);
        let ident = ident.map_err(|error| (InputError::Ident, error))?;
        let mut message =
            Message::new(&ident).map_err(|wrong| Wrong(InputError::Ident, wrong.to_string()))?;
        make(&fields, &mut message)?;
        Ok(Some(message))
    }
}

impl Meaning for Reports {
    type Request = Sender;

    fn begin(&self, head: &Head<'_>) -> Result<(Sender, Vec<u8>), HeadRefusal> {
        let sender = Sender::of(head);
        if !self.keys.users.is_empty() && !sender.is_one_of(&self.keys.users) {
            return Err(HeadRefusal {
                status: 401,
                headers: &[("WWW-Authenticate", "Basic realm=\"weir\"")],
                error: "login missing or wrong",
            });
        }
        if head.method != "POST" {
            return Err(HeadRefusal {
                status: 405,
                headers: &[("Allow", "POST")],
                error: "reports come by `POST`",
            });
        }
        Ok((sender, Vec::new()))
    }

    fn take(
        &self,
        sender: &Sender,
        content: &[u8],
        intake: &mut dyn Intake,
    ) -> Result<u64, BodyRefusal> {
        if content.trim_ascii().is_empty() {
            return Ok(0);
        }
        let message = match self.message(sender, content, intake) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(0),
            Err(Wrong(reason, error)) => {
                intake.malformed(reason, &error);
                let refusal = None;
                return Err(BodyRefusal { refusal, error });
            }
        };
        match intake.submit(&mut [message]) {
            Ok(()) => Ok(1),
            // counted; it would come for ever, and what waits behind it never
            Err(refused) if refused.reason == Refusal::TooLong => Ok(0),
            Err(refused) => Err(BodyRefusal {
                refusal: Some(refused.reason),
                error: refused.reason.to_string(),
            }),
        }
    }

    fn most(&self) -> (usize, &'static str) {
        (CONTENT_MAX, "more than 64 KiB")
    }

    /// Objects for the app; there are none.
    fn accepted(_: u64) -> Vec<u8> {
        b"[]".to_vec()
    }
}

/// Why a request holds no message; printable, and short.
struct Wrong(InputError, String);

impl From<(InputError, &str)> for Wrong {
    fn from((reason, error): (InputError, &str)) -> Self {
        Self(reason, error.to_owned())
    }
}

impl From<json::Error> for Wrong {
    fn from(error: json::Error) -> Self {
        Self(InputError::from(&error.problem), error.to_string())
    }
}

/// The fields of an object.
struct Fields(Vec<(String, Value)>);

impl Fields {
    /// `null` says nothing.
    fn get(&self, wanted: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(name, _)| name == wanted);
        let found = found.map(|(_, value)| value);
        found.filter(|value| **value != Value::Null)
    }

    fn text(&self, wanted: &str) -> Option<&str> {
        match self.get(wanted) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// What is said of an object that carries no message.
fn passed_over(kind: &str) -> String {
    if kind == "encrypted" {
        return "an encrypted report cannot be read: take the key out of the app".to_owned();
    }
    let kind: String = kind.chars().take(SHOWN_MAX).collect();
    format!("`{}` carries no message", kind.escape_debug())
}

/// Most content of one request, in bytes: twice what a message can have.
const CONTENT_MAX: usize = 64 * 1024;

/// How much of a kind a log line has, in characters.
const SHOWN_MAX: usize = 32;
