//! `type = "gpsgate"`: GpsGate Server, by TCP or by HTTP, in the form that is acknowledged: one
//! `_SendMessage` a message, each answered by `$FRRET`. See `gpsgate/sentence.rs` for what is said.
//!
//! | answer | means |
//! | --- | --- |
//! | `$FRRET,<imei>,_SendMessage…` | taken |
//! | `$FRERR,NotSupported…` | the configuration: no server that takes `_SendMessage` |
//! | `$FRERR,AuthError…` to a login | the configuration: `username`, `password` |
//! | `$FRERR,…` to a message | an IMEI that nobody has registered, or one message: others decide |
//! | by TCP none, or the end of the connection | the same, after five times in a row |
//! | by HTTP 200 with anything else, or with nothing | the configuration: `url` |
//!
//! Source: GpsGate Server Protocol Specification 2.0 (2009), and the page on custom devices of
//! GpsGate's support.

mod http;
pub mod sentence;
mod tcp;

use super::Destination;
use super::Kind;
use crate::keys::address;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::url;
use crate::stream::http::plain::SCHEMES;
use http::GpsGateHttp;
use std::rc::Rc;
use tcp::GpsGateTcp;

/// Its row.
pub(crate) static KIND: Kind = Kind::new("gpsgate", read);

/// Parameters and what GpsGate calls them, in the order in which they are told.
pub type Inputs = Vec<(String, String)>;

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<Rc<dyn Destination>> {
    let address = reader.parsed("address", address::target);
    let url = reader.parsed("url", |text| {
        url::parse(text, &SCHEMES).map(|url| (url.target, url.tls, path(url.path)))
    });
    let username = reader.parsed("username", word);
    let password = reader.parsed("password", word);
    let inputs = inputs(reader);
    check_ways(reader);
    let inputs = inputs?;
    if let Some((target, tls, path)) = url {
        return Some(Rc::new(GpsGateHttp::new(target, tls, path, inputs)));
    }
    Some(Rc::new(GpsGateTcp {
        target: address?,
        login: username.zip(password),
        inputs,
    }))
}

/// Notes keys that do not go together.
fn check_ways(reader: &Reader<'_>) {
    let has = |key| reader.has(key);
    match (has("address"), has("url")) {
        (false, false) => reader.missing("address", "address = \"gpsgate.example.com:30175\""),
        (true, true) => {
            let hint = "leave one of them: `address` is TCP, `url` is HTTP";
            reader.error(reader.place_of("url"), "there are two ways", hint);
        }
        (false, true) if has("username") || has("password") => {
            let place = reader.place_of(if has("username") {
                "username"
            } else {
                "password"
            });
            let message = "by HTTP the IMEI of each message is the login";
            reader.error(place, message, "leave it out, or write `address` for TCP");
        }
        _ if has("username") != has("password") => {
            let (there, lacks) = match has("username") {
                true => ("username", "password"),
                false => ("password", "username"),
            };
            let message = format!("`{there}` without `{lacks}`");
            reader.error(
                reader.place_of(there),
                message,
                "write both, or none of them",
            );
        }
        _ => {}
    }
}

/// Where commands go; a path that is written stands instead.
fn path(written: &str) -> String {
    match written {
        "" | "/" => format!("{PATH}?cmd="),
        path if path.contains('?') => path.to_owned(),
        path => format!("{path}?cmd="),
    }
}

/// What can stand in a field of a sentence.
fn word(text: &str) -> Result<String, ValueError> {
    match !text.is_empty() && text.chars().all(sentence::is_of_field) {
        true => Ok(text.to_owned()),
        // it may be a secret
        false => Err(ValueError::new(
            "a login has printable ASCII characters, none of `,`, `*` and `$`",
        )
        .hint("change it in GpsGate")),
    }
}

/// `inputs`, in their order; none if something is wrong with it.
fn inputs(reader: &mut Reader<'_>) -> Option<Inputs> {
    if !reader.has("inputs") {
        reader.take("inputs");
        return Some(Vec::new());
    }
    let table = reader.table_like("inputs", "{ \"din.1\" = \"SosButton\" }")?;
    let (context, entries) = (table.context(), table.entries());
    let inputs: Inputs = entries
        .iter()
        .filter_map(|entry| {
            let text = context.text(&entry.node)?;
            if !text.value.is_empty() && text.value.bytes().all(|it| it.is_ascii_alphanumeric()) {
                return Some((entry.key.clone(), text.value));
            }
            let error = ValueError::new("the name of an input has letters and digits alone");
            context.wrong(&text, error.hint("write it as GpsGate has it: `SosButton`"));
            None
        })
        .collect();
    (inputs.len() == entries.len()).then_some(inputs)
}

/// Of the server's web site.
const PATH: &str = "/comGpsGate/protocols/gpsgate/";
