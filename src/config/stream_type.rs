//! `[[stream]]`: the keys of each type.

use super::address;
use super::context::Wrong;
use super::diagnostic::Mistake;
use super::reader::Reader;
use super::section::path;
use super::section::token;
use super::tree::Node;
use super::tree::Tree;
use super::url;
use super::url::Scheme;
use super::url::Url;
use crate::net::Target;
use crate::stream::settings::Ack;
use crate::stream::settings::Destination;
use crate::stream::settings::File;
use crate::stream::settings::Http;
use crate::stream::settings::Mqtt;
use crate::stream::settings::Payload;
use crate::stream::settings::WialonRetranslator;
use crate::template::Template;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The types that weir speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Http,
    Mqtt,
    WialonRetranslator,
    File,
}

/// By name.
pub(super) const TYPES: [(&str, Type); 4] = [
    ("mqtt", Type::Mqtt),
    ("http", Type::Http),
    ("wialon-retranslator", Type::WialonRetranslator),
    ("file", Type::File),
];

/// The keys of a type; none if one that it needs is wrong or not there.
pub(super) fn destination(reader: &mut Reader<'_>, kind: Type) -> Option<Destination> {
    match kind {
        Type::Http => http(reader).map(Destination::Http),
        Type::Mqtt => mqtt(reader).map(Destination::Mqtt),
        Type::WialonRetranslator => {
            wialon_retranslator(reader).map(Destination::WialonRetranslator)
        }
        Type::File => file(reader).map(Destination::File),
    }
}

fn http(reader: &mut Reader<'_>) -> Option<Http> {
    let url = reader.required("url", "url = \"http://example.com/messages\"");
    let parsed = url
        .as_ref()
        .and_then(|text| reader.parse(text, |text| url::parse(text, &HTTP)));
    let path = parsed.as_ref().zip(url.as_ref()).and_then(|(url, text)| {
        let path = match url.path {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        };
        // a missing `/` was put in front of where a mistake is counted from
        let shift = url.path_at.saturating_sub(path.len() - url.path.len());
        reader.parse(text, |_| template(&path, shift))
    });
    let (method, headers) = (reader.choice("method", &METHODS), headers(reader));
    let (auth, success) = (auth(reader), success(reader));
    let mut authorization = auth;
    let user = parsed
        .as_ref()
        .and_then(|url| url.user.as_ref().map(|user| (user, &url.password)));
    if let Some((user, password)) = user {
        if authorization.is_some() {
            let hint = "leave one of them";
            reader.error(reader.place_of("auth"), "`url` has a user already", hint);
        }
        authorization = Some(basic(user, password.as_deref().unwrap_or_default()));
    }
    let in_headers = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if in_headers && authorization.is_some() {
        let hint = "leave one of them";
        reader.error(
            reader.place_of("headers"),
            "there are two `Authorization`",
            hint,
        );
    }
    if let Some(url) = parsed
        .as_ref()
        .filter(|_| in_headers || authorization.is_some())
    {
        warn_of_plain_text(reader, &url.target);
    }
    Some(Http {
        target: parsed?.target,
        tls: false,
        path: path?,
        method: method.unwrap_or("POST").to_owned(),
        headers,
        authorization,
        success,
    })
}

/// `auth` as the value of `Authorization`.
fn auth(reader: &mut Reader<'_>) -> Option<String> {
    let mut auth = reader.table("auth")?;
    let bearer = auth.parsed("bearer", token);
    let user = auth.parsed("user", |user| match user.contains(':') {
        true => Err(Wrong::new("a user has no `:`")),
        false => Ok(user.to_owned()),
    });
    let password = auth.text("password").map(|text| text.value);
    let hint = "write `{ bearer = \"...\" }` or `{ user = \"...\", password = \"...\" }`";
    let written = (auth.has("bearer"), auth.has("user"), auth.has("password"));
    if !matches!(written, (true, false, false) | (false, true, true)) {
        let message = "`auth` is a bearer, or a user with a password";
        auth.error(reader.value_place("auth"), message, hint);
    }
    auth.finish();
    bearer
        .map(|token| format!("Bearer {token}"))
        .or_else(|| Some(basic(&user?, &password?)))
}

fn headers(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(table) = reader.table("headers") else {
        return Vec::new();
    };
    let context = table.context();
    let headers = table.entries().iter().filter_map(|entry| {
        if OWN_HEADERS
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&entry.key))
        {
            let message = format!("weir itself sends `{}`", entry.key);
            context.note(Mistake::error(entry.key_place, message).hint("leave it out"));
        } else if !is_header_name(&entry.key) {
            context.note(Mistake::error(entry.key_place, "not the name of a header"));
        }
        let value = context.text(&entry.node)?;
        if !value
            .value
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            context.wrong(
                &value,
                Wrong::new("a header has only printable ASCII characters"),
            );
        }
        Some((entry.key.clone(), value.value))
    });
    headers.collect()
}

fn is_header_name(name: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(of_token)
}

fn success(reader: &mut Reader<'_>) -> Vec<u16> {
    let Some(node) = reader.take("success") else {
        return Vec::new();
    };
    let nodes = match &node.tree {
        Tree::List(list) => list.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let status = |node: &Node| match node.tree {
        Tree::Integer(number) => u16::try_from(number)
            .ok()
            .filter(|n| (200..=599).contains(n)),
        _ => None,
    };
    let context = reader.context();
    let read = nodes.iter().filter_map(|node| {
        let status = status(node);
        if status.is_none() {
            let mistake = Mistake::error(node.place, "not a status of HTTP");
            context.note(mistake.hint("write `success = [200, 204]`"));
        }
        status
    });
    read.collect()
}

fn mqtt(reader: &mut Reader<'_>) -> Option<Mqtt> {
    let broker = reader.required("url", "url = \"mqtt://broker.example.com\"");
    let broker = broker.and_then(|text| reader.parse(&text, self::broker));
    let topic = reader.required("topic", "topic = \"weir/{ident}\"");
    let topic = topic.and_then(|text| reader.parse(&text, self::topic));
    reader.choice("version", &[("3.1.1", ())]);
    let payload = [("object", Payload::Object), ("array", Payload::Array)];
    let payload = reader
        .choice("payload", &payload)
        .unwrap_or(Payload::Object);
    let client_id = reader.parsed("client_id", mqtt_text);
    let (username, password) = login(reader, broker.as_ref());
    let keep_alive = reader
        .period("keep_alive", KEEP_ALIVE)
        .unwrap_or(Duration::from_secs(60));
    let clean_session = reader.flag("clean_session").unwrap_or(true);
    let retain = reader.flag("retain").unwrap_or(false);
    let window = reader.integer("window", WINDOW).unwrap_or(100);
    Some(Mqtt {
        target: broker?.target,
        tls: false,
        topic: topic?,
        payload,
        client_id,
        username,
        password,
        keep_alive,
        clean_session,
        retain,
        window,
    })
}

/// What the URL of a broker says.
struct Broker {
    target: Target,
    user: Option<String>,
    password: Option<String>,
}

fn broker(text: &str) -> Result<Broker, Wrong> {
    let Url {
        target,
        user,
        password,
        path,
        path_at,
    } = url::parse(text, &MQTT)?;
    if !matches!(path, "" | "/") {
        return Err(Wrong::new("the URL of a broker has no path")
            .at(path_at..text.len())
            .hint("what messages are published on is `topic`"));
    }
    Ok(Broker {
        target,
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
    if let Some(broker) = broker.filter(|_| password.is_some()) {
        warn_of_plain_text(reader, &broker.target);
    }
    (user, password)
}

fn wialon_retranslator(reader: &mut Reader<'_>) -> Option<WialonRetranslator> {
    let target = reader.required("address", "address = \"193.193.165.165:20332\"");
    let target = target.and_then(|text| reader.parse(&text, address::target));
    let window = reader.integer("window", WINDOW).unwrap_or(100);
    let ack = reader.choice("ack", &[("0x11", Ack::Byte), ("none", Ack::None)]);
    let attempts = reader.integer("attempts", 1..=1_000).unwrap_or(5);
    Some(WialonRetranslator {
        target: target?,
        window,
        ack: ack.unwrap_or(Ack::Byte),
        attempts,
    })
}

fn file(reader: &mut Reader<'_>) -> Option<File> {
    let path = reader.required("path", "path = \"/var/lib/weir/messages.jsonl\"");
    let path = path.and_then(|text| reader.parse(&text, self::path));
    let max_size = reader.size("max_size", 64 << 10..=1 << 40);
    let keep = reader.integer("keep", 0..=1_000).unwrap_or(1);
    if reader.has("keep") && !reader.has("max_size") {
        let hint = "write `max_size = \"16 MiB\"` as well";
        reader.error(
            reader.place_of("keep"),
            "without `max_size` no file is set aside",
            hint,
        );
    }
    Some(File {
        path: path?,
        max_size,
        keep,
    })
}

/// Without TLS whoever is on the way reads what a login is made of.
fn warn_of_plain_text(reader: &Reader<'_>, target: &Target) {
    if !address::is_loopback(&target.host) {
        let message = "user and password go through the network as they are";
        let mistake = Mistake::warning(reader.value_place("url"), message);
        reader
            .context()
            .note(mistake.hint("without TLS use a private network or a tunnel"));
    }
}

/// The value of `Authorization` for a user and a password.
fn basic(user: &str, password: &str) -> String {
    let plain = format!("{user}:{password}");
    let mut encoded = String::from("Basic ");
    for chunk in plain.as_bytes().chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let letter = usize::try_from(bits >> (18 - 6 * digit) & 63).ok();
            let letter = letter.filter(|_| digit <= chunk.len());
            encoded.push(
                letter
                    .and_then(|at| BASE64.get(at))
                    .map_or('=', |c| char::from(*c)),
            );
        }
    }
    encoded
}

/// A template within a text of the file, of which it is the part from `start` on.
fn template(text: &str, start: usize) -> Result<Template, Wrong> {
    Template::parse(text).map_err(|error| {
        let at = start + error.at;
        Wrong::new(error.to_string())
            .at(at..at + error.len)
            .hint("a parameter is written like `{ident}`, a brace like `{{`")
    })
}

fn topic(text: &str) -> Result<Template, Wrong> {
    mqtt_text(text)?;
    let template = template(text, 0)?;
    let wild = text.find(['+', '#']);
    match wild {
        _ if text.is_empty() => Err(Wrong::new("the topic is empty")),
        Some(at) => Err(
            Wrong::new("nothing can be published on a topic with `+` or `#`")
                .at(at..at + 1)
                .hint("write a parameter: `weir/{ident}`"),
        ),
        None => Ok(template),
    }
}

/// A text as MQTT carries it.
fn mqtt_text(text: &str) -> Result<String, Wrong> {
    if text.len() > usize::from(u16::MAX) || text.contains('\0') {
        return Err(Wrong::new("MQTT carries at most 65535 bytes, and no NUL"));
    }
    Ok(text.to_owned())
}

const HTTP: [Scheme; 1] = [Scheme {
    name: "http",
    port: 80,
}];

const MQTT: [Scheme; 1] = [Scheme {
    name: "mqtt",
    port: 1883,
}];

const METHODS: [(&str, &str); 2] = [("POST", "POST"), ("PUT", "PUT")];

/// Headers that say what weir does, not what it is told.
const OWN_HEADERS: [&str; 7] = [
    "Connection",
    "Content-Length",
    "Content-Type",
    "Expect",
    "Host",
    "Transfer-Encoding",
    "Upgrade",
];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// MQTT has 16 bits of seconds.
const KEEP_ALIVE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(65_535);

const WINDOW: RangeInclusive<u16> = 1..=10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_encoded_as_the_rfc_has_it() {
        assert_eq!(
            basic("Aladdin", "open sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(basic("a", "b"), "Basic YTpi");
        assert_eq!(basic("ab", "c"), "Basic YWI6Yw==");
    }
}
