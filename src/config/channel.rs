//! `[[channel]]`.

use super::channel_type::TYPES;
use super::channel_way;
use super::channel_way::Ways;
use super::device::NAME_MAX;
use super::device::ident;
use super::device::pattern;
use crate::channel::settings::Protocol;
use crate::channel::settings::Settings;
use crate::channel::settings::Unwanted;
use crate::keys::address;
use crate::keys::context::Context;
use crate::keys::context::Wrong;
use crate::keys::diagnostic::Mistake;
use crate::keys::reader::Reader;
use crate::keys::source::Place;
use crate::keys::thinning;
use crate::keys::tree::Table;
use crate::keys::value;
use crate::message::Value;
use crate::message::is_reserved;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

/// A channel, and where its addresses stand.
#[derive(Debug)]
pub(super) struct Draft {
    /// As the daemon takes it.
    pub(super) settings: Settings,
    /// As many as `settings.listen`.
    pub(super) listen: Vec<Place>,
    /// Where its name stands.
    pub(super) name: Place,
}

/// `[[channel]]`; none if there is a mistake in it.
pub(super) fn read(context: &Context<'_>, table: &Table) -> Option<Draft> {
    let mut reader = Reader::new(context, table, "channel");
    let name = reader.name(NAME_MAX);
    let kind = reader.kind_of(&TYPES);
    let ways = kind.map(|kind| channel_way::read(&mut reader, &kind));
    let protocol = kind.and_then(|kind| (kind.protocol)(&mut reader));
    let common = Common::read(&mut reader, protocol.as_ref());
    match (kind, &ways) {
        (Some(kind), Some(ways)) => channel_way::demand_ident(&reader, &kind, ways),
        _ => channel_way::pass_over(&mut reader),
    }
    let name = name.unwrap_or_default();
    let place = reader.value_place("name");
    let is_right = reader.finish();
    let (protocol, ways) = (protocol?, ways?);
    let mut settings = common.settings(name, protocol, &ways);
    if let Protocol::Mqtt(mqtt) = &mut settings.protocol {
        let mqtt = Rc::make_mut(mqtt);
        mqtt.ident.clone_from(&settings.ident);
        if let Some(connect) = &settings.connect {
            mqtt.username = mqtt.username.take().or_else(|| connect.user.clone());
            mqtt.password = mqtt.password.take().or_else(|| connect.password.clone());
        }
    }
    is_right.then_some(Draft {
        settings,
        listen: ways.places,
        name: place,
    })
}

/// The keys of every channel.
struct Common(Settings);

impl Common {
    /// Reads them; defaults stand for what is wrong. Where `every` is the protocol's own it is
    /// left alone.
    fn read(reader: &mut Reader<'_>, protocol: Option<&Protocol>) -> Self {
        let unwanted = [("refuse", Unwanted::Refuse), ("accept", Unwanted::Accept)];
        Self(Settings {
            name: String::new(),
            protocol: Protocol::Teltonika(Rc::default()),
            listen: Vec::new(),
            connect: None,
            tls: None,
            allow: list(reader, "allow", address::network)
                .unwrap_or_else(address::private_networks),
            ident: reader.parsed("ident", ident),
            idents: list(reader, "idents", pattern).unwrap_or_default(),
            set: set(reader),
            rename: rename(reader),
            thinning: match protocol {
                Some(Protocol::Itself { .. }) => None,
                _ => thinning::read(reader),
            },
            max_connections: reader.integer("max_connections", CONNECTIONS).unwrap_or(64),
            idle_timeout: reader
                .period("idle_timeout", IDLE)
                .unwrap_or(Duration::from_secs(600)),
            unwanted: reader
                .choice("unwanted", &unwanted)
                .unwrap_or(Unwanted::Refuse),
        })
    }

    /// With what is not common to all.
    fn settings(self, name: String, protocol: Protocol, ways: &Ways) -> Settings {
        Settings {
            name,
            protocol,
            listen: ways.listen.clone(),
            connect: ways.connect.clone(),
            tls: ways.tls.clone(),
            ..self.0
        }
    }
}

/// Each text of a list; none without the key.
fn list<T>(
    reader: &mut Reader<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Option<Vec<T>> {
    let texts = reader.texts(key)?;
    Some(
        texts
            .iter()
            .filter_map(|text| reader.parse(text, &parse))
            .collect(),
    )
}

/// `set = { name = value }`; what only weir sets it would set once more.
fn set(reader: &mut Reader<'_>) -> Vec<(String, Value)> {
    let Some(table) = reader.table("set") else {
        return Vec::new();
    };
    for entry in table
        .entries()
        .iter()
        .filter(|entry| is_reserved(&entry.key))
    {
        let message = format!("`{}` is what weir itself says", entry.key);
        let mistake = Mistake::error(entry.key_place, message);
        table.context().note(mistake.hint("choose another name"));
    }
    value::parameters_of(&table)
}

/// `rename = { old = "new" }`.
fn rename(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(table) = reader.table("rename") else {
        return Vec::new();
    };
    let context = table.context();
    let pairs = table.entries().iter().filter_map(|entry| {
        value::check_name(context, entry);
        let new = context.text(&entry.node)?;
        let name = new.value.as_str();
        if matches!(name, "" | "ident" | "timestamp") || is_reserved(name) {
            context.wrong(
                &new,
                Wrong::new("a parameter cannot get this name").hint("choose another"),
            );
        }
        Some((entry.key.clone(), new.value))
    });
    pairs.collect()
}

/// Each connection costs up to two messages of memory.
const CONNECTIONS: RangeInclusive<usize> = 1..=1024;

/// Trackers that sleep report once a day.
const IDLE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
