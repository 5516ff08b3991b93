//! `[[stream]]`: the types, and the keys of those that have few.

use super::stream_http::http;
use super::stream_mqtt::mqtt;
use crate::keys::address;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::text::path;
use crate::stream::settings::Ack;
use crate::stream::settings::Destination;
use crate::stream::settings::File;
use crate::stream::settings::WialonRetranslator;
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

/// How much may be on the way without an answer.
pub(super) const WINDOW: RangeInclusive<u16> = 1..=10_000;
