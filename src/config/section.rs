//! The tables that are there once: `[ring]` and `[api]`.

use super::Api;
use super::Ring;
use super::merge::Merged;
use crate::keys::address;
use crate::keys::context::Context;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::socket_rights;
use crate::keys::source::Place;
use crate::keys::text::path;
use crate::keys::text::token;
use crate::keys::tree::Tree;
use crate::net::Address;
use crate::net::SocketRights;
use crate::ring;
use crate::ring::Full;
use crate::units::Period;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// `[ring]`, and whether there is no mistake in it; defaults stand for what is wrong, and a ring
/// that is there keeps its size.
pub(super) fn ring(context: &Context<'_>, merged: &Merged) -> (Ring, bool) {
    let mut ring = Ring {
        file: PathBuf::from("/var/lib/weir/ring"),
        size: None,
        settings: ring::Settings {
            size: 64 << 20,
            delay: DELAY_DEFAULT,
            hold: HOLD_DEFAULT,
            bytes: 64 << 10,
            full: Full::DropOldest,
        },
        ack_when_degraded: false,
    };
    let mut clean = !merged.ring_lost;
    let mut places = (Place::file(0), Place::file(0));
    if let Some(table) = &merged.ring {
        let mut reader = Reader::new(context, table, "ring");
        ring.file = file(&mut reader).unwrap_or(ring.file);
        warn_of_relative(&reader, &ring.file);
        places = (reader.value_place("file"), reader.value_place("size"));
        ring.size = size(&mut reader);
        ring.settings.size = ring.size.unwrap_or(ring.settings.size);
        if let Some(commit) = reader.table("commit") {
            self::commit(commit, &mut ring.settings);
        }
        let full = [("drop-oldest", Full::DropOldest), ("refuse", Full::Refuse)];
        ring.settings.full = reader.choice("full", &full).unwrap_or(Full::DropOldest);
        ring.ack_when_degraded = reader.flag("ack_when_degraded").unwrap_or(false);
        clean &= reader.finish();
    }
    context.name(Named::Ring {
        file: ring.file.clone(),
        size: ring.size,
        places,
    });
    (ring, clean)
}

/// `file`. One that only lacks its quotes is a mistake, and yet the one that is meant: what waits
/// is in it.
fn file(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let text = reader.loose("file")?;
    let quoted = reader.parse(&text, path);
    let meant = || path(&text.value).ok().filter(|file| file.is_absolute());
    quoted.or_else(meant)
}

/// Whoever is started in another folder would make another ring, and not find what waits.
fn warn_of_relative(reader: &Reader<'_>, file: &Path) {
    if file.is_relative() {
        let message = "where this ring is depends on where weir is started";
        let diagnostic = DiagnosticAt::warning(reader.value_place("file"), message);
        let context = reader.context();
        context
            .note(diagnostic.hint("write a path from the root: `file = \"/var/lib/weir/ring\"`"));
    }
}

/// `size`; none: "auto".
fn size(reader: &mut Reader<'_>) -> Option<u64> {
    let automatic =
        |node: &crate::keys::tree::Node| matches!(&node.tree, Tree::Text(t) if t == "auto");
    match reader.take("size") {
        Some(node) if automatic(node) => None,
        Some(node) if matches!(&node.tree, Tree::Bare(word) if word == "auto") => {
            let hint = "put text in quotes: `size = \"auto\"`";
            reader.error(node.place, "not a value", hint);
            None
        }
        _ => reader.size("size", RING_SIZE),
    }
}

/// `commit`.
fn commit(mut reader: Reader<'_>, settings: &mut ring::Settings) {
    settings.delay = reader.period("delay", DELAY).unwrap_or(settings.delay);
    settings.hold = reader.period("hold", HOLD).unwrap_or(settings.hold);
    let bytes = reader
        .size("bytes", COMMIT_BYTES)
        .and_then(|bytes| u32::try_from(bytes).ok());
    settings.bytes = bytes.unwrap_or(settings.bytes);
    if !settings.hold.is_zero() && settings.delay > settings.hold {
        let place = reader.value_place(if reader.has("hold") { "hold" } else { "delay" });
        let delay = Period(settings.delay);
        let hint = format!("write `hold = \"{delay}\"`, or `0s` to write everything");
        reader.error(place, "`hold` is shorter than `delay`", hint);
        (settings.delay, settings.hold) = (DELAY_DEFAULT, HOLD_DEFAULT);
    }
    reader.finish();
}

/// `[api]`; it is off when it is wrong.
pub(super) fn api(context: &Context<'_>, merged: &Merged) -> Api {
    let mut api = Api {
        listen: Some(Address::Unix(PathBuf::from("/run/weir/api"))),
        token: None,
        socket: SocketRights::default(),
    };
    if let Some(table) = &merged.api {
        let mut reader = Reader::new(context, table, "api");
        if let Some(listen) = reader.parsed("listen", api_listen) {
            api.listen = listen;
        }
        api.token = reader.parsed("token", token);
        let is_unix = matches!(api.listen, Some(Address::Unix(_)));
        api.socket = socket_rights::read(&mut reader, is_unix);
        if let Some(group) = &api.socket.group {
            context.name(Named::Group(group.clone(), reader.value_place("group")));
        }
        let open = api
            .listen
            .as_ref()
            .is_some_and(|address| !is_local(address));
        if open && !reader.has("token") {
            let hint = "write `token = \"${file:/etc/weir/api.token}\"`";
            reader.error(
                reader.value_place("listen"),
                "beyond loopback a `token` is needed",
                hint,
            );
        }
        if !reader.finish() {
            api.listen = None;
        }
    }
    api
}

/// `listen`; none: "off".
fn api_listen(text: &str) -> Result<Option<Address>, ValueError> {
    if text == "off" {
        return Ok(None);
    }
    let listen = address::listen(text).map_err(|error| {
        let hint = match text {
            "false" | "no" | "none" | "disabled" => Some("write `off`".to_owned()),
            _ => error
                .hint
                .as_ref()
                .map(|hint| hint.replace("0.0.0.0:", "127.0.0.1:")),
        };
        ValueError { hint, ..error }
    });
    match listen? {
        Address::Serial(_) => Err(ValueError::new("the API does not speak over serial lines")
            .at(0..7)
            .hint("write `unix:/run/weir/api` or `127.0.0.1:8480`")),
        Address::Udp(_) => Err(ValueError::new("the API does not speak UDP")
            .hint("write it like `127.0.0.1:8480`, or `off`")),
        address => Ok(Some(address)),
    }
}

/// Whether only this machine can connect.
fn is_local(address: &Address) -> bool {
    let loopback = |address: &SocketAddr| address.ip().is_loopback();
    match address {
        Address::Tcp(address) | Address::Udp(address) => loopback(address),
        Address::Unix(_) | Address::Serial(_) | Address::Bus(_) => true,
    }
}

/// The smallest ring has 31 segments of 8 KiB.
const RING_SIZE: RangeInclusive<u64> = 256 << 10..=1 << 40;

/// A sender waits this long for its answer.
const DELAY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);

/// So much may a power cut cost a sender that does not wait for answers.
const HOLD: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(600);

const DELAY_DEFAULT: Duration = Duration::from_millis(200);
const HOLD_DEFAULT: Duration = Duration::from_secs(2);

/// Memory that waits for the disk.
const COMMIT_BYTES: RangeInclusive<u64> = 4 << 10..=256 << 10;
