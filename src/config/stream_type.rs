//! `[[stream]]`: the types, and the keys of those that have few.

use super::address;
use super::context::Wrong;
use super::diagnostic::Mistake;
use super::premises::Named;
use super::reader::Reader;
use super::section::path;
use super::stream_http::http;
use super::stream_mqtt::mqtt;
use crate::net::Target;
use crate::stream::settings::Ack;
use crate::stream::settings::Destination;
use crate::stream::settings::File;
use crate::stream::settings::WialonRetranslator;
use crate::template::Template;
use std::ops::RangeInclusive;

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

/// The keys of `type = "wialon-retranslator"`.
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

/// The keys of `type = "file"`.
fn file(reader: &mut Reader<'_>) -> Option<File> {
    let path = reader.required("path", "path = \"/var/lib/weir/messages.jsonl\"");
    let path = path.and_then(|text| reader.parse(&text, self::path));
    if let Some(path) = &path {
        let place = reader.value_place("path");
        reader.context().name(Named::Written(path.clone(), place));
    }
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
pub(super) fn warn_of_plain_text(reader: &Reader<'_>, target: &Target) {
    if !address::is_loopback(&target.host) {
        let message = "user and password go through the network as they are";
        let mistake = Mistake::warning(reader.value_place("url"), message);
        reader
            .context()
            .note(mistake.hint("without TLS use a private network or a tunnel"));
    }
}

/// A template within a text of the file, of which it is the part from `start` on.
pub(super) fn template(text: &str, start: usize) -> Result<Template, Wrong> {
    Template::parse(text).map_err(|error| {
        let at = start + error.at;
        Wrong::new(error.to_string()).at(at..at + error.len).hint(
            "a parameter is written like `{ident}` or `{ident:-default}`, \
                 braces like `{{` and `}}`",
        )
    })
}

/// How much may be on the way without an answer.
pub(super) const WINDOW: RangeInclusive<u16> = 1..=10_000;
