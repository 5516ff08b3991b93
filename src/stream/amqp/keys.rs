//! `type = "amqp"`: what the configuration says of a broker.

use super::AmqpLink;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
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
use crate::stream::for_window;
use crate::stream::settings::Delivery;
use crate::stream::settings::WINDOW;
use crate::template::Template;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

/// `type = "amqp"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Amqp {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `amqps`.
    pub tls: bool,
    /// User and password of `url`, or neither.
    pub login: Login,
    /// The path of `url`, decoded, without the `/` before it.
    pub vhost: String,
    /// Where messages are published; empty is the one without a name. At most 255 bytes.
    pub exchange: String,
    /// By which that finds the queues.
    pub routing_key: Template,
    /// Publishes without an answer at most.
    pub window: u16,
    /// How often each side gives a sign of life; the broker may want it more often.
    pub heartbeat: Duration,
}

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By name.
    Plain {
        /// Without NUL.
        user: String,
        /// Without NUL.
        password: String,
    },
    /// Whoever the client certificate says.
    Certificate,
}

impl Amqp {
    /// What is left out of the configuration is as here.
    #[must_use]
    pub fn new(target: Target, login: Login, routing_key: Template) -> Self {
        Self {
            target,
            tls: false,
            login,
            vhost: "/".into(),
            exchange: "amq.topic".into(),
            routing_key,
            window: 100,
            heartbeat: Duration::from_secs(60),
        }
    }
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("amqp", |reader| Some(Rc::new(read(reader)?)));

impl Destination for Amqp {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(self.tls, "amqps://");
        Endpoint::Network(NetworkEndpoint {
            needs_certificate: self.login == Login::Certificate,
            ..NetworkEndpoint::new(&self.target, tls)
        })
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(AmqpLink::new(self, open))
    }

    fn in_memory_max(&self, _delivery: &Delivery) -> usize {
        for_window(self.window)
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        vec![("routing_key", &self.routing_key)]
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<Amqp> {
    let broker = reader.required("url", &format!("url = \"{LIKE}\""));
    let broker = broker.and_then(|text| reader.parse(&text, self::broker));
    let exchange = reader.parsed("exchange", exchange);
    let has_key = reader.has("routing_key");
    let routing_key = match reader.parsed("routing_key", routing_key) {
        None if !has_key => Template::parse(ROUTING_KEY).ok(),
        read => read,
    };
    let window = reader.integer("window", WINDOW);
    let heartbeat = reader.period("heartbeat", HEARTBEAT);
    let broker = broker?;
    if !broker.tls {
        warn_of_plain_text(reader, &broker.target);
    }
    let defaults = Amqp::new(broker.target, broker.login, routing_key?);
    Some(Amqp {
        tls: broker.tls,
        vhost: broker.vhost,
        exchange: exchange.unwrap_or(defaults.exchange),
        window: window.unwrap_or(defaults.window),
        heartbeat: heartbeat.unwrap_or(defaults.heartbeat),
        ..defaults
    })
}

/// What the URL of a broker says.
#[derive(Debug)]
struct Broker {
    target: Target,
    tls: bool,
    login: Login,
    vhost: String,
}

/// The URL of a broker: who logs in, and a virtual host as its path.
fn broker(text: &str) -> Result<Broker, ValueError> {
    if !text.contains("://") {
        return Err(ValueError::new("not a URL").hint(format!("write it like `{LIKE}`")));
    }
    let Url {
        target,
        user,
        password,
        path,
        path_at,
        tls,
    } = url::parse(text, &AMQP)?;
    let login = match (user, password) {
        (Some(user), Some(password)) if !user.is_empty() => Login::Plain { user, password },
        (None, None) if tls => Login::Certificate,
        _ => {
            let scheme = if tls { "amqps" } else { "amqp" };
            let (_, rest) = text.split_once("://").unwrap_or_default();
            let (_, behind) = rest.rsplit_once('@').unwrap_or(("", rest));
            let error = ValueError::new("the URL of a broker has a user and a password");
            return Err(error.hint(format!("write it like `{scheme}://user:password@{behind}`")));
        }
    };
    if let Login::Plain { user, password } = &login
        && (user.contains('\0') || password.contains('\0'))
    {
        return Err(ValueError::new("user and password have no NUL"));
    }
    let vhost = vhost(path).map_err(|error| error.at(path_at..text.len()))?;
    Ok(Broker {
        target,
        tls,
        login,
        vhost,
    })
}

/// The virtual host that a path names.
fn vhost(path: &str) -> Result<String, ValueError> {
    if path.contains('?') {
        let error = ValueError::new("nothing is read behind a `?` of this URL");
        return Err(error.hint("what other programs read there has keys of its own"));
    }
    match path.strip_prefix('/').unwrap_or_default() {
        "" => Ok("/".into()),
        name if name.contains('/') => {
            let error = ValueError::new("a virtual host is one part of a path");
            let name = name.trim_end_matches('/').replace('/', "%2F");
            Err(error.hint(format!("write `/{name}`")))
        }
        name => {
            let error = || ValueError::new("the virtual host is not UTF-8 in `%XX`");
            let name = url::decode(name).ok_or_else(error)?;
            match name.len() {
                ..=SHORT_MAX => Ok(name),
                _ => Err(too_long("a virtual host")),
            }
        }
    }
}

fn exchange(text: &str) -> Result<String, ValueError> {
    if text.len() > SHORT_MAX {
        return Err(too_long("an exchange"));
    }
    if let Some(at) = text.find(['{', '}']) {
        return Err(ValueError::new("the exchange is the same for all messages")
            .at(at..text.len())
            .hint("write parameters into `routing_key`"));
    }
    Ok(text.to_owned())
}

/// What a message is published with: no wildcards of its own, these are of bindings.
fn routing_key(text: &str) -> Result<Template, ValueError> {
    let template = template(text, 0)?;
    let is_wild = |word: &str| matches!(word, "*" | "#");
    if text.split('.').any(is_wild) {
        let error = ValueError::new("`*` and `#` are for the bindings of queues");
        return Err(error.hint(format!("write a parameter: `{ROUTING_KEY}`")));
    }
    if !text.contains('{') && text.len() > SHORT_MAX {
        return Err(too_long("a routing key"));
    }
    Ok(template)
}

fn too_long(what: &str) -> ValueError {
    ValueError::new(format!("{what} has at most {SHORT_MAX} bytes"))
}

/// Schemes that are spoken.
const AMQP: [Scheme; 2] = [
    Scheme {
        name: "amqps",
        port: 5671,
        tls: true,
    },
    Scheme {
        name: "amqp",
        port: 5672,
        tls: false,
    },
];

/// With all that it needs.
const LIKE: &str = "amqps://user:password@broker.example.com";

const ROUTING_KEY: &str = "weir.{ident}";

/// Bytes of a short text.
pub(super) const SHORT_MAX: usize = 255;

/// AMQP has 16 bits of seconds.
const HEARTBEAT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(65_535);
