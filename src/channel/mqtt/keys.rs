//! The row of type `mqtt`, and its keys.

use super::Broker;
use super::InvalidTopic;
use super::Settings;
use super::Subscriber;
use super::Topic;
use crate::channel::Session;
use crate::channel::connect::Connect;
use crate::channel::json::names;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use crate::channel::users::users;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::text::mqtt_text;
use crate::keys::url;
use crate::keys::url::Scheme;
use crate::net::tls::Tls;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "mqtt",
    example: "listen = \"0.0.0.0:1883\"",
    ways: &[Way::Tcp, Way::Connect(broker)],
    ident: Ident::Named,
    read: |reader| match reader.has("connect") {
        true => Some(Rc::new(AtBroker(Rc::new(read(reader))))),
        false => Some(Rc::new(read(reader))),
    },
};

/// Devices log in here.
impl Protocol for Settings {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Broker::new(self)))
    }
}

/// This side logs in at a broker.
#[derive(Debug, PartialEq)]
struct AtBroker(Rc<Settings>);

impl Protocol for AtBroker {
    fn session(self: Rc<Self>, client_id: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Subscriber::new(Rc::clone(&self.0), client_id)))
    }
}

/// `"host:port"` or a URL: `"mqtt://user:password@host"`, `"mqtts://host"`.
fn broker(text: &str) -> Result<Connect, ValueError> {
    if !text.contains("://") {
        return Connect::read(text);
    }
    let url = url::parse(text, &BROKER)?;
    if !matches!(url.path, "" | "/") {
        let error = ValueError::new("a broker has no path").at(url.path_at..text.len());
        return Err(error.hint("write what is subscribed to as `topic`"));
    }
    Ok(Connect {
        target: url.target,
        tls: url.tls.then(Tls::default),
        user: url.user,
        password: url.password,
    })
}

/// The keys of its own; defaults stand for what is wrong.
fn read(reader: &mut Reader<'_>) -> Settings {
    let names = names(reader);
    let connects = reader.has("connect");
    if connects && !reader.has("topic") {
        reader.missing("topic", "topic = \"trackers/{ident}/up\"");
    }
    let topic = reader.parsed("topic", topic).unwrap_or_default();
    let client_id = reader.parsed("client_id", client_id);
    let url = reader.peek("connect").and_then(|text| broker(&text).ok());
    let (url_user, url_password) = url.map_or((None, None), |url| (url.user, url.password));
    let username = reader.parsed("username", mqtt_text).or(url_user);
    let password = reader.parsed("password", mqtt_text).or(url_password);
    let users = users(reader);
    let subscribe = reader.flag("subscribe").unwrap_or(false);
    let (misplaced, other) = match connects {
        true => (&["users"][..], "listen"),
        false => (&["client_id", "username", "password"][..], "connect"),
    };
    for key in misplaced.iter().filter(|key| reader.has(key)) {
        let message = format!("`{key}` belongs to `{other}`");
        let hint = match connects {
            true => "write `username` and `password` to log in at a broker",
            false => "write `users = { name = \"password\" }` for those who log in here",
        };
        reader.error(reader.place_of(key), message, hint);
    }
    if connects && subscribe {
        let hint = "programs subscribe to a channel that listens";
        let message = "`subscribe` belongs to `listen`";
        reader.error(reader.place_of("subscribe"), message, hint);
    }
    if connects && reader.has("password") && !reader.has("username") {
        let hint = "write `username = \"...\"` as well";
        reader.error(reader.place_of("password"), "a password needs a user", hint);
    }
    Settings {
        names,
        ident: reader.peek("ident"),
        topic,
        users,
        subscribe,
        client_id,
        username,
        password,
        last_of_topics: Rc::default(),
    }
}

fn topic(text: &str) -> Result<Topic, ValueError> {
    Topic::new(text).map_err(|invalid| {
        let error = ValueError::new(invalid.to_string());
        match invalid {
            InvalidTopic::Shared => error.hint("leave `$share/` and the group out"),
            _ => error.hint("write it like `trackers/{ident}/up`"),
        }
    })
}

/// A broker that is to keep a session needs a name for it.
fn client_id(text: &str) -> Result<String, ValueError> {
    match text.is_empty() {
        true => Err(ValueError::new("a session that is kept needs a name")
            .hint("leave `client_id` out, or write a name that no other client has")),
        false => mqtt_text(text),
    }
}

/// What brokers are reached by.
const BROKER: [Scheme; 2] = [
    Scheme {
        name: "mqtt",
        port: 1883,
        tls: false,
    },
    Scheme {
        name: "mqtts",
        port: 8883,
        tls: true,
    },
];
