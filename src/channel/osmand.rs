//! OsmAnd's protocol: one position a request, as OsmAnd, Traccar Client and many devices send it.
//!
//! Fields stand in the query of a `GET`, `POST` or `PUT`, in its body as a form, or in both;
//! Traccar Client from version 9 on sends a JSON object. The path does not count. What the fields
//! mean is said in `osmand/parameters.rs`. Many senders are written by hand: here alone a request
//! of HTTP/1.1 may lack its `Host`, come by `PUT`, and call its form `text/plain`.
//!
//! Source: traccar.org/osmand, and what Traccar's server does where that says nothing.
//!
//! | what came | answer | connection |
//! | --- | --- | --- |
//! | a message | 200 `{"accepted":1}`, once it is safe | stays |
//! | no `id`, a wrong number, time or place, not UTF-8, no JSON | 400 with the reason | stays |
//! | a message that nobody wants, or too long for the ring | 400 | stays |
//! | a message that the ring cannot take now | 503, `Retry-After` | stays |
//! | one that did not become safe in time | 503, `Retry-After` | ends |
//! | another method; a body of another type, or compressed | 405; 415 | ends if there is a body |
//! | more than 64 KiB | 413 | ends |
//! | no HTTP, a head that is too long | 400, 431 | ends |
//!
//! An answer that is not 200 makes Traccar Client and others send the same again.

#![deny(clippy::arithmetic_side_effects)]

mod parameters;
mod values;

use super::InputError;
use super::Intake;
use super::Session;
use super::http_request::BodyRefusal;
use super::http_request::HeadRefusal;
use super::http_request::Meaning;
use super::http_request::Requests;
use super::http_request::is_utf8_of;
use super::http_request::reject;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
use super::kind::Way;
use crate::message::Message;
use crate::wire::http::Body;
use crate::wire::http::Head;
use crate::wire::http::HostRule;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "osmand",
    example: "listen = \"0.0.0.0:5055\"",
    ways: &[Way::Tcp],
    ident: Ident::Named,
    read: |reader| {
        let speed_unit = reader.choice("speed_unit", &SPEED_UNITS);
        let speed_unit = speed_unit.unwrap_or_default();
        Some(Rc::new(Keys { speed_unit }))
    },
};

/// The keys of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// What `speed` counts.
    pub speed_unit: SpeedUnit,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Requests::new(Reports::new(self.speed_unit))))
    }
}

/// What requests mean here.
#[derive(Debug)]
pub struct Reports {
    speed_unit: SpeedUnit,
}

/// What `speed` counts where the protocol leaves it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeedUnit {
    /// Nautical miles an hour, as Traccar has it.
    #[default]
    Knots,
    /// Kilometres an hour.
    KilometresPerHour,
    /// Metres a second, as the app OsmAnd sends it.
    MetresPerSecond,
}

/// What a request's content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The query, and the body behind it.
    Form,
    /// A JSON object; the query does not count.
    Json,
}

/// Why a request holds no message.
struct Error {
    reason: InputError,
    /// Printable, and short.
    error: String,
}

impl Reports {
    /// Speeds of queries and forms are in this unit; those of JSON are in m/s.
    #[must_use]
    pub fn new(speed_unit: SpeedUnit) -> Self {
        Self { speed_unit }
    }

    fn message(&self, request: Content, content: &[u8]) -> Result<Message, Error> {
        match request {
            Content::Form => parameters::of_form(content, self.speed_unit),
            Content::Json => parameters::of_json(content),
        }
    }
}

impl Meaning for Reports {
    type Request = Content;

    const HOST: HostRule = HostRule::Forgiven;

    fn begin(&self, head: &Head<'_>) -> Result<(Content, Vec<u8>), HeadRefusal> {
        if !matches!(head.method, "GET" | "POST" | "PUT") {
            return Err(HeadRefusal {
                status: 405,
                headers: &[("Allow", "GET, POST, PUT")],
                error: "positions come by `GET`, `POST` or `PUT`",
            });
        }
        let content_type = head.header("content-type");
        let content_type = content_type.filter(|_| !Body::new(head.framing).is_done());
        let is = |kind| content_type.is_some_and(|found| is_utf8_of(kind, found));
        if is("application/json") {
            return Ok((Content::Json, Vec::new()));
        }
        let is_form = is("application/x-www-form-urlencoded") || is("text/plain");
        if content_type.is_some() && !is_form {
            return reject(415, "the body must be a form or `application/json`");
        }
        let mut content = head.query().unwrap_or_default().as_bytes().to_vec();
        content.push(b'&');
        Ok((Content::Form, content))
    }

    fn take(
        &self,
        request: &Content,
        content: &[u8],
        intake: &mut dyn Intake,
    ) -> Result<u64, BodyRefusal> {
        let message = self.message(*request, content).map_err(|wrong| {
            intake.malformed(wrong.reason, &wrong.error);
            BodyRefusal {
                refusal: None,
                error: wrong.error,
            }
        })?;
        let taken = intake.submit(&mut [message]);
        taken.map(|()| 1).map_err(|refused| BodyRefusal {
            refusal: Some(refused.reason),
            error: refused.reason.to_string(),
        })
    }

    fn most(&self) -> (usize, &'static str) {
        (CONTENT_MAX, "more than 64 KiB")
    }
}

impl Error {
    fn new(reason: InputError, error: impl Into<String>) -> Self {
        Self {
            reason,
            error: error.into(),
        }
    }
}

/// What `speed` can count.
const SPEED_UNITS: [(&str, SpeedUnit); 3] = [
    ("knots", SpeedUnit::Knots),
    ("km/h", SpeedUnit::KilometresPerHour),
    ("m/s", SpeedUnit::MetresPerSecond),
];

/// Most content of one request with its query, in bytes: twice what a message can have.
const CONTENT_MAX: usize = 64 * 1024;
