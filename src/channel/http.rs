//! HTTP: `POST /` with one object, or an array of them; answered once they are safe.
//!
//! It knows one path and one method; what all requests have is the business of
//! [`super::http_request`].

#![deny(clippy::arithmetic_side_effects)]

use super::Intake;
use super::Session;
use super::http_request::BodyRefusal;
use super::http_request::HeadRefusal;
use super::http_request::Meaning;
use super::http_request::Requests;
use super::http_request::is_utf8_of;
use super::http_request::reject;
use super::json::names;
use super::json::take;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
use super::kind::Way;
use crate::keys::text::token;
use crate::message::Message;
use crate::message::json::Names;
use crate::wire::http::Framing;
use crate::wire::http::Head;
use std::rc::Rc;
use subtle::ConstantTimeEq as _;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "http",
    example: "listen = \"127.0.0.1:8080\"",
    ways: &[Way::Tcp],
    ident: Ident::Named,
    read: |reader| {
        let names = names(reader);
        let token = reader.parsed("token", token);
        Some(Rc::new(Keys { names, token }))
    },
};

/// The keys of this type.
#[derive(Debug, PartialEq)]
struct Keys {
    names: Names,
    token: Option<String>,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        let posts = Posts::new(self.names.clone(), self.token.clone());
        Some(Box::new(Requests::new(posts)))
    }
}

/// What requests mean here.
#[derive(Debug)]
pub struct Posts {
    names: Names,
    /// What `Authorization: Bearer` must say.
    token: Option<String>,
}

impl Posts {
    /// With a `token`, only who knows it is served.
    #[must_use]
    pub fn new(names: Names, token: Option<String>) -> Self {
        Self { names, token }
    }
}

impl Meaning for Posts {
    type Request = ();

    fn begin(&self, head: &Head<'_>) -> Result<((), Vec<u8>), HeadRefusal> {
        if self
            .token
            .as_deref()
            .is_some_and(|token| !knows(head, token))
        {
            let headers = &[("WWW-Authenticate", "Bearer")];
            return Err(HeadRefusal {
                status: 401,
                headers,
                error: "token missing or wrong",
            });
        }
        if head.path() != "/" {
            return reject(404, "messages go to `/`");
        }
        if head.method != "POST" {
            let headers = &[("Allow", "POST")];
            return Err(HeadRefusal {
                status: 405,
                headers,
                error: "messages come by `POST`",
            });
        }
        if !head.header("content-type").is_none_or(is_json) {
            return reject(415, "`Content-Type` must be `application/json`");
        }
        if head.framing == Framing::None {
            return reject(411, "`Content-Length` is missing");
        }
        Ok(((), Vec::new()))
    }

    fn take(&self, (): &(), content: &[u8], intake: &mut dyn Intake) -> Result<u64, BodyRefusal> {
        take(content, &self.names, &mut Message::room(), intake).map_err(|reason| BodyRefusal {
            refusal: reason.refusal(),
            error: reason.to_string(),
        })
    }

    fn most(&self) -> (usize, &'static str) {
        (BODY_MAX, "more than 1 MiB")
    }
}

fn is_json(content_type: &str) -> bool {
    is_utf8_of("application/json", content_type)
}

/// Takes as long for a wrong token as for one that is nearly right.
fn knows(head: &Head<'_>, token: &str) -> bool {
    let given = head
        .header("authorization")
        .and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let given = given.map_or("", |(_, token)| token.trim_ascii());
    given.as_bytes().ct_eq(token.as_bytes()).into()
}

/// Most content of one request, in bytes.
const BODY_MAX: usize = 1024 * 1024;
