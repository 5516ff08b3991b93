//! `type = "mqtt"`: any broker, as the configuration says.

use super::MqttLink;
use super::profile::Limits;
use super::profile::Login;
use super::profile::Profile;
use super::profile::Publish;
use super::profile::Version;
use super::profile::Will;
use super::profile::spared_hint;
use crate::clock::Now;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::text::mqtt_text;
use crate::keys::text::template;
use crate::keys::url;
use crate::keys::url::Scheme;
use crate::keys::url::Url;
use crate::keys::url::warn_of_plain_text;
use crate::net::Target;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::NetworkEndpoint;
use crate::stream::Open;
use crate::stream::TlsUse;
use crate::stream::engine::Outgoing;
use crate::stream::for_window;
use crate::stream::render::MessageView;
use crate::stream::settings::Delivery;
use crate::stream::settings::WINDOW;
use crate::template::Escape;
use crate::template::Template;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

/// `type = "mqtt"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mqtt {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `mqtts`.
    pub tls: bool,
    /// Of the protocol.
    pub version: Version,
    /// Where a message is published.
    pub topic: Template,
    /// One object a publish, or an array with that object.
    pub payload: Payload,
    /// None: "weir-", the ring's id and the stream's name.
    pub client_id: Option<String>,
    /// The client id that is left to a daemon that runs, where this is only tried.
    pub spared: Option<String>,
    /// For the broker's login.
    pub username: Option<String>,
    /// For the broker's login.
    pub password: Option<String>,
    /// After so long without traffic a ping is sent.
    pub keep_alive: Duration,
    /// Whether the broker forgets the session when the connection ends.
    pub clean_session: bool,
    /// Whether the broker keeps the last message of a topic, that of the will too.
    pub retain: bool,
    /// What the broker publishes when the connection ends; none: nothing.
    pub will: Option<Will>,
    /// Publishes without an acknowledgement at most.
    pub window: u16,
}

impl Mqtt {
    /// What is left out of the configuration is as here: objects, without TLS or a login.
    #[must_use]
    pub fn new(target: Target, topic: Template) -> Self {
        Self {
            target,
            tls: false,
            version: Version::Auto,
            topic,
            payload: Payload::Object,
            client_id: None,
            spared: None,
            username: None,
            password: None,
            keep_alive: Duration::from_secs(60),
            clean_session: true,
            retain: false,
            will: None,
            window: 100,
        }
    }
}

/// What an MQTT publish carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// One JSON object.
    Object,
    /// A JSON array of one object.
    Array,
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("mqtt", |reader| Some(Rc::new(read(reader)?)));

impl Destination for Mqtt {
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
        for_window(self.window)
    }

    /// A broker takes a second client of one id for the first, and throws that one out.
    fn for_check(&self) -> Option<Rc<dyn Destination>> {
        // one without a name is nobody's
        let nameless = |id: &String| id.is_empty();
        Some(Rc::new(Self {
            client_id: self.client_id.clone().filter(nameless),
            spared: self.client_id.clone().filter(|id| !nameless(id)),
            clean_session: true,
            // it is not the gateway that goes when this connection ends
            will: None,
            ..self.clone()
        }))
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        vec![("topic", &self.topic)]
    }
}

impl Profile for Mqtt {
    fn limits(&self) -> Limits {
        Limits {
            version: self.version,
            window: self.window,
            packet_max: None,
            keep_alive: self.keep_alive,
            retain: self.retain,
        }
    }

    fn login(&self, client_id: &str, _now: Now) -> Login {
        let client_id = match (&self.client_id, &self.spared) {
            (Some(own), _) => own.clone(),
            // some brokers let clients in by how their names begin
            (None, Some(spared)) => format!("{spared}-{client_id}"),
            (None, None) => client_id.to_owned(),
        };
        Login {
            client_id,
            user: self.username.clone(),
            password: self.password.clone(),
            until: None,
            clean_session: self.clean_session,
            will: self.will.clone(),
        }
    }

    fn hint(&self) -> Option<String> {
        let Some(spared) = &self.spared else {
            return Some("look at `username` and `password`".to_owned());
        };
        Some(spared_hint(spared))
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        view.template(&self.topic, Escape::None, message, &mut publish.topic)?;
        let (open, close): (&[u8], &[u8]) = match self.payload {
            Payload::Object => (b"", b""),
            Payload::Array => (b"[", b"]"),
        };
        publish.payload.extend_from_slice(open);
        let written = view.object(message, &mut publish.payload);
        written.map_err(|error| error.to_string())?;
        publish.payload.extend_from_slice(close);
        Ok(())
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<Mqtt> {
    let broker = reader.required("url", "url = \"mqtts://broker.example.com\"");
    let broker = broker.and_then(|text| reader.parse(&text, self::broker));
    let topic = reader.required("topic", "topic = \"weir/{ident}\"");
    let topic = topic.and_then(|text| reader.parse(&text, self::topic));
    let version = [
        ("auto", Version::Auto),
        ("5", Version::V5),
        ("3.1.1", Version::V311),
    ];
    let version = reader.choice("version", &version);
    let payload = [("object", Payload::Object), ("array", Payload::Array)];
    let payload = reader.choice("payload", &payload);
    let client_id = reader.parsed("client_id", mqtt_text);
    let (username, password) = login(reader, broker.as_ref());
    let keep_alive = reader.period("keep_alive", KEEP_ALIVE);
    let clean_session = reader.flag("clean_session");
    let retain = reader.flag("retain");
    let will = will(reader);
    if clean_session == Some(false) && client_id.as_deref() == Some("") {
        reader.error(
            reader.value_place("client_id"),
            "a session that is kept has a name",
            "leave `client_id` out, or `clean_session`",
        );
    }
    let window = reader.integer("window", WINDOW);
    let broker = broker?;
    let defaults = Mqtt::new(broker.target, topic?);
    Some(Mqtt {
        tls: broker.tls,
        version: version.unwrap_or(defaults.version),
        payload: payload.unwrap_or(defaults.payload),
        client_id,
        username,
        password,
        keep_alive: keep_alive.unwrap_or(defaults.keep_alive),
        clean_session: clean_session.unwrap_or(defaults.clean_session),
        retain: retain.unwrap_or(defaults.retain),
        will,
        window: window.unwrap_or(defaults.window),
        ..defaults
    })
}

/// What the URL of a broker says.
struct Broker {
    target: Target,
    tls: bool,
    user: Option<String>,
    password: Option<String>,
}

/// The URL of a broker: no path, no query.
fn broker(text: &str) -> Result<Broker, ValueError> {
    let Url {
        target,
        user,
        password,
        path,
        path_at,
        tls,
    } = url::parse(text, &SCHEMES)?;
    if !matches!(path, "" | "/") {
        return Err(ValueError::new("the URL of a broker has no path")
            .at(path_at..text.len())
            .hint("what messages are published on is `topic`"));
    }
    Ok(Broker {
        target,
        tls,
        user,
        password,
    })
}

/// User and password, from the URL or from their keys.
fn login(reader: &mut Reader<'_>, broker: Option<&Broker>) -> (Option<String>, Option<String>) {
    let (mut user, mut password) = (
        reader.parsed("username", mqtt_text),
        reader.parsed("password", mqtt_text),
    );
    let written = ["username", "password"]
        .into_iter()
        .find(|key| reader.has(key));
    let in_url = broker.and_then(|broker| broker.user.as_ref().map(|user| (user, broker)));
    match (in_url, written) {
        (Some(_), Some(key)) => {
            reader.error(
                reader.place_of(key),
                "`url` has a user already",
                "leave one of them",
            );
        }
        (Some((name, broker)), None) => {
            (user, password) = (Some(name.clone()), broker.password.clone());
        }
        (None, Some("password")) => {
            let hint = "write `username = \"...\"` as well";
            reader.error(reader.place_of("password"), "a password needs a user", hint);
        }
        (None, _) => {}
    }
    if let Some(broker) = broker.filter(|broker| !broker.tls && password.is_some()) {
        warn_of_plain_text(reader, &broker.target);
    }
    (user, password)
}

/// `will`: both of its keys.
fn will(reader: &mut Reader<'_>) -> Option<Will> {
    let usual = "{ topic = \"weir/gone\", payload = \"gone\" }";
    let mut will = reader.table_like("will", usual)?;
    let topic = will.required("topic", "topic = \"weir/${hostname}/gone\"");
    let topic = topic.and_then(|text| will.parse(&text, will_topic));
    let payload = will.required("payload", "payload = \"gone\"");
    let payload = payload.and_then(|text| will.parse(&text, mqtt_text));
    will.finish();
    Some(Will {
        topic: topic?,
        payload: payload?,
    })
}

/// The topic of a will: the broker publishes it as it is, when there is no message.
fn will_topic(text: &str) -> Result<String, ValueError> {
    match text.find(['+', '#', '{', '}']) {
        _ if text.is_empty() => Err(ValueError::new("the topic is empty")),
        Some(at) => Err(
            ValueError::new("the topic of a will has no wildcards and no parameters")
                .at(at..at + 1)
                .hint("write `weir/${hostname}/gone`"),
        ),
        None => mqtt_text(text),
    }
}

/// A topic to publish on: no wildcards of its own.
pub(in crate::stream) fn topic(text: &str) -> Result<Template, ValueError> {
    mqtt_text(text)?;
    let template = template(text, 0)?;
    let wild = text.find(['+', '#']);
    match wild {
        _ if text.is_empty() => Err(ValueError::new("the topic is empty")),
        Some(at) => Err(
            ValueError::new("nothing can be published on a topic with `+` or `#`")
                .at(at..at + 1)
                .hint("write a parameter: `weir/{ident}`"),
        ),
        None => Ok(template),
    }
}

/// Schemes that are spoken.
pub(in crate::stream) const SCHEMES: [Scheme; 2] = [
    Scheme {
        name: "mqtts",
        port: 8883,
        tls: true,
    },
    Scheme {
        name: "mqtt",
        port: 1883,
        tls: false,
    },
];

/// MQTT has 16 bits of seconds.
const KEEP_ALIVE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(65_535);
