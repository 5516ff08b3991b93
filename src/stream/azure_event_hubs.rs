//! `type = "azure-event-hubs"`: Azure Event Hubs over HTTPS, by the key of a policy.
//!
//! ```text
//! POST /HUB/messages?timeout=60&api-version=2014-01
//! [{"Body":"{…}","UserProperties":{"ident":"…","id":"…"},"BrokerProperties":{…}},…]
//! 201
//! ```
//!
//! Source: Microsoft, "Event Hubs REST: Send event, Send batch events" and "Azure Event Hubs
//! quotas".

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
use super::http::profile::Answer;
use super::http::profile::Frame;
use super::http::profile::Login;
use super::http::profile::Profile;
use super::http::profile::Verdict;
use super::render::MessageView;
use super::render::ident;
use super::render::unfilled;
use super::sas;
use crate::clock::Now;
use crate::net::Target;
use crate::template::Escape;
use crate::template::Template;
use crate::template::write_escaped;
use serde::Serialize;
use std::rc::Rc;
use std::time::Duration;

/// `type = "azure-event-hubs"`.
#[derive(Clone, Debug, PartialEq)]
pub struct AzureEventHubs {
    /// Where the namespace is.
    pub target: Target,
    /// Its hub.
    pub hub: String,
    /// The name of the key, which has the right to send.
    pub policy: String,
    /// The key, as it stands.
    pub key: String,
    /// Events of one key keep their order; none: there is no order.
    pub partition_key: Option<Template>,
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("azure-event-hubs", |reader| {
    Some(Rc::new(keys::read(reader)?))
});

impl Destination for AzureEventHubs {
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

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        let template = self.partition_key.iter();
        template
            .map(|template| ("partition_key", template))
            .collect()
    }
}

/// One event of a request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    body: &'a str,
    user_properties: Properties<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broker_properties: Option<Partition<'a>>,
}

/// What readers can tell without looking into the body.
#[derive(Serialize)]
struct Properties<'a> {
    ident: &'a str,
    id: &'a str,
}

/// Where an event belongs.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Partition<'a> {
    partition_key: &'a str,
}

impl Profile for AzureEventHubs {
    fn frame(&self) -> Frame {
        Frame {
            content_type: Some("application/vnd.microsoft.servicebus.json"),
            bytes_max: BYTES_MAX,
            ..Frame::JSON_ARRAY
        }
    }

    fn path(
        &self,
        _: &mut MessageView<'_>,
        _: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        out.push('/');
        write_escaped(&self.hub, out);
        out.push_str("/messages?timeout=60&api-version=2014-01");
        Ok(())
    }

    /// Whether a request may mix keys is said nowhere.
    fn key(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        let Some(template) = &self.partition_key else {
            return Ok(());
        };
        view.template(template, Escape::None, message, out)?;
        match out.len() {
            1..=KEY_MAX => Ok(()),
            len => Err(unfilled(&format!(
                "the partition key has {len} bytes, from 1 to {KEY_MAX} are taken"
            ))),
        }
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let (mut object, mut id, mut key) = (Vec::new(), String::new(), String::new());
        let written = view.object(message, &mut object);
        written.map_err(|error| error.to_string())?;
        view.id(message, &mut id);
        self.key(view, message, &mut key)?;
        let ident = ident(message);
        let has_key = self.partition_key.is_some();
        let event = Event {
            // a text in the JSON of the request, not a part of it
            body: str::from_utf8(&object).map_err(|error| error.to_string())?,
            user_properties: Properties { ident, id: &id },
            broker_properties: has_key.then_some(Partition {
                partition_key: &key,
            }),
        };
        serde_json::to_writer(out, &event).map_err(|error| error.to_string())
    }

    fn authorize(&self, now: Now) -> Login {
        let until = now.wall.since_1970 + LIFE;
        let resource = format!("https://{}/{}", self.target.host, self.hub);
        let (key, policy) = (self.key.as_bytes(), Some(&*self.policy));
        Login {
            authorization: Some(sas::token(key, &resource, policy, until)),
            until: Some(until),
        }
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        match answer.status {
            201 => Verdict::Taken,
            // a portal or a proxy says that
            200..300 => Verdict::Later(None),
            status => Verdict::usual(status),
        }
    }

    fn needs_body(&self, status: u16) -> bool {
        status != 201
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        let hint = match answer.status {
            200..300 => "an event hub answers 201",
            401 => "look at `policy` and `key`, and at the clock of this machine",
            403 => "`policy` needs the right to send, and the hub has to be enabled",
            404 => "look at `hub`, and at `namespace` or `endpoint`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// How long a token holds.
const LIFE: Duration = Duration::from_hours(1);

/// Bytes of a request at most: 1 MB, with its head; 256 KB in the tier Basic.
const BYTES_MAX: usize = 1_000_000;

/// Bytes of a partition key at most.
const KEY_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let host = "ns.servicebus.windows.net".into();
        let hub = AzureEventHubs {
            target: Target { host, port: 443 },
            hub: "h".into(),
            policy: "p".into(),
            key: "k".into(),
            partition_key: None,
        };
        for (status, meaning, hint) in [
            (201, Verdict::Taken, None),
            (200, Verdict::Later(None), Some("answers 201")),
            (400, Verdict::Refused, None),
            (
                401,
                Verdict::Configuration,
                Some("`policy` and `key`, and at the clock"),
            ),
            (403, Verdict::Configuration, Some("right to send")),
            (404, Verdict::Configuration, Some("`hub`")),
            (410, Verdict::Configuration, None),
            (413, Verdict::Doubted, None),
            (429, Verdict::Later(None), None),
            (500, Verdict::Later(None), None),
            (503, Verdict::Later(None), None),
        ] {
            let answer = Answer {
                status,
                body: b"",
                is_whole: true,
                messages: 1,
            };
            assert_eq!(hub.verdict(&answer), meaning, "{status}");
            assert_eq!(hub.needs_body(status), meaning != Verdict::Taken);
            let said = hub.hint(&answer).unwrap_or_default();
            assert!(said.contains(hint.unwrap_or_default()), "{status}: {said}");
        }
    }
}
