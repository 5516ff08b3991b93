//! `type = "flespi"`: a channel of flespi by its URL, or flespi's MQTT broker by a token; another
//! weir's `http` and `mqtt` channels take the same.
//!
//! Where a message came from is not told, unless `keep` names it: flespi says it in its own way,
//! and what it finds under these names would be `custom.…` there.
//!
//! Source: flespi's pages of its `http` and `mqtt` channels and of its MQTT broker.

use super::Destination;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::NetworkEndpoint;
use super::Open;
use super::TlsUse;
use super::engine::Outgoing;
use super::for_window;
use super::http::HttpLink;
use super::http::plain::SCHEMES as WEB;
use super::http::profile as http;
use super::mqtt::MqttLink;
use super::mqtt::SCHEMES as MQTT;
use super::mqtt::profile as mqtt;
use super::mqtt::topic;
use super::render::MessageView;
use super::settings::Delivery;
use crate::clock::Now;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::text::token;
use crate::keys::url;
use crate::keys::url::Url;
use crate::net::Target;
use crate::template::Escape;
use crate::template::Template;
use std::rc::Rc;
use std::time::Duration;

/// `type = "flespi"` by the URL of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Flespi {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `https`.
    pub tls: bool,
    /// Its path: who knows it is let in.
    pub path: String,
    /// Parameters that are not told.
    pub left_out: Vec<&'static str>,
}

/// `type = "flespi"` by its broker.
#[derive(Clone, Debug, PartialEq)]
pub struct FlespiBroker {
    /// Where it is.
    pub target: Target,
    /// Whether it is spoken to by TLS.
    pub tls: bool,
    /// The user name; there is no password.
    pub token: String,
    /// Where a message is published.
    pub topic: Template,
    /// Parameters that are not told.
    pub left_out: Vec<&'static str>,
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("flespi", read);

impl Destination for Flespi {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(self.tls, "https://");
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(HttpLink::new(self, open))
    }

    /// Who knows the path is let in.
    fn secrets_of_path(&self) -> Vec<String> {
        http::Profile::secrets(self)
    }
}

impl http::Profile for Flespi {
    fn frame(&self) -> http::Frame {
        http::Frame::JSON_ARRAY
    }

    fn fixed_path(&self) -> &str {
        &self.path
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let written = view.object_without(message, &self.left_out, out);
        written.map_err(|error| error.to_string())
    }

    fn secrets(&self) -> Vec<String> {
        let parts = self.path.split(['/', '?', '&', '=']);
        parts
            .filter(|part| part.len() > 2)
            .map(str::to_owned)
            .collect()
    }

    fn hint(&self, answer: &http::Answer<'_>) -> Option<String> {
        let is_unknown = matches!(answer.status, 401 | 403 | 404 | 405);
        is_unknown.then(|| "look at `url`: it stands on the card of the channel".to_owned())
    }
}

impl Destination for FlespiBroker {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(self.tls, "mqtts://");
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(MqttLink::new(self, open))
    }

    fn in_memory_max(&self, _delivery: &Delivery) -> usize {
        for_window(WINDOW)
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        vec![("topic", &self.topic)]
    }
}

impl mqtt::Profile for FlespiBroker {
    fn limits(&self) -> mqtt::Limits {
        mqtt::Limits {
            version: mqtt::Version::V5,
            window: WINDOW,
            packet_max: None,
            keep_alive: Duration::from_secs(60),
            retain: false,
        }
    }

    fn login(&self, client_id: &str, _now: Now) -> mqtt::Login {
        mqtt::Login {
            user: Some(self.token.clone()),
            ..mqtt::Login::anonymous(client_id)
        }
    }

    fn hint(&self) -> Option<String> {
        let words = "look at `token`: flespi deletes one that was not used for its `ttl`, or that \
                     is past its `expire`";
        Some(words.to_owned())
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut mqtt::Publish,
    ) -> Result<(), String> {
        view.template(&self.topic, Escape::None, message, &mut publish.topic)?;
        let written = view.object_without(message, &self.left_out, &mut publish.payload);
        written.map_err(|error| error.to_string())
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<Rc<dyn Destination>> {
    let text = reader.loose("url");
    let is_web = text
        .as_ref()
        .is_some_and(|text| !text.value.starts_with("mqtt"));
    let url = text.as_ref().map(|text| match is_web {
        true => reader.parse(text, |text| url::parse(text, &WEB)),
        false => reader.parse(text, |text| url::parse(text, &MQTT)),
    });
    let left_out = left_out(reader);
    let token = reader.parsed("token", token);
    let topic = reader.parsed("topic", own_topic);
    match is_web {
        true => channel(reader, url??, left_out?),
        false => broker(reader, url, (token, topic), left_out?),
    }
}

/// A channel by its URL, where no other key says who is there.
fn channel(
    reader: &Reader<'_>,
    url: Url<'_>,
    left_out: Vec<&'static str>,
) -> Option<Rc<dyn Destination>> {
    for key in ["token", "topic"] {
        if reader.has(key) {
            let message = format!("a channel is known by its URL, and has no `{key}`");
            let hint = "leave it out, or leave `url` out for flespi's broker";
            reader.error(reader.place_of(key), message, hint);
        }
    }
    Some(Rc::new(Flespi {
        target: url.target,
        tls: url.tls,
        path: url.path.to_owned(),
        left_out,
    }))
}

/// The broker, where `url` is not written flespi's.
fn broker(
    reader: &Reader<'_>,
    url: Option<Option<Url<'_>>>,
    (token, topic): (Option<String>, Option<Template>),
    left_out: Vec<&'static str>,
) -> Option<Rc<dyn Destination>> {
    if url.is_none() && !reader.has("token") && !reader.has("topic") {
        reader.missing("url", "url = \"https://ch12345.flespi.gw:30001/\"");
        return None;
    }
    let token_like = "token = \"${file:/etc/weir/flespi.token}\"";
    for (key, hint) in [("token", token_like), ("topic", "topic = \"weir/{ident}\"")] {
        if !reader.has(key) {
            reader.missing(key, hint);
        }
    }
    let (target, tls) = match url {
        Some(url) => url.map(|url| (url.target, url.tls))?,
        None => {
            let host = BROKER.to_owned();
            (Target { host, port: 8883 }, true)
        }
    };
    Some(Rc::new(FlespiBroker {
        target,
        tls,
        token: token?,
        topic: topic?,
        left_out,
    }))
}

/// Parameters of the reception but those that `keep` names; none if that is wrong.
fn left_out(reader: &mut Reader<'_>) -> Option<Vec<&'static str>> {
    let kept = reader.texts("keep").unwrap_or_default();
    let mut left_out = RECEPTION.to_vec();
    let mut is_right = true;
    for text in &kept {
        let known = reader.parse(text, |name| match RECEPTION.contains(&name) {
            true => Ok(name.to_owned()),
            false => Err(
                ValueError::new("this is sent anyway, or there is no such parameter").hint(
                    format!("those of the reception are `{}`", RECEPTION.join("`, `")),
                ),
            ),
        });
        is_right &= known.is_some();
        left_out.retain(|name| Some(*name) != known.as_deref());
    }
    is_right.then_some(left_out)
}

/// A topic of one's own.
fn own_topic(text: &str) -> Result<Template, ValueError> {
    match text.starts_with("flespi/") {
        true => Err(
            ValueError::new("topics that begin with `flespi/` are the broker's own")
                .hint("choose another, and have a channel `mqtt` of flespi subscribe to it"),
        ),
        false => topic(text),
    }
}

/// flespi's broker.
const BROKER: &str = "mqtt.flespi.io";

/// Where a message came from.
const RECEPTION: [&str; 5] = [
    "channel.name",
    "protocol.name",
    "device.name",
    "peer",
    "server.timestamp",
];

/// Publishes without an acknowledgement at most.
const WINDOW: u16 = 100;

#[cfg(test)]
mod tests {
    use super::http::Answer;
    use super::http::Profile as _;
    use super::*;

    #[test]
    fn the_path_of_a_channel_is_a_secret_and_the_key_is_named_where_it_is_not_known() {
        let channel = Flespi {
            target: Target {
                host: "ch1.flespi.gw".to_owned(),
                port: 30_001,
            },
            tls: true,
            path: "/gw/Secret1?key=abc".to_owned(),
            left_out: RECEPTION.to_vec(),
        };
        assert_eq!(channel.secrets(), ["Secret1", "key", "abc"]);
        for (status, is_named) in [(401, true), (403, true), (404, true), (400, false)] {
            let answer = Answer {
                status,
                body: b"",
                is_whole: true,
                messages: 1,
            };
            assert_eq!(channel.hint(&answer).is_some(), is_named, "{status}");
        }
    }
}
