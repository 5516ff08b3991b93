//! `[[channel]]`: the keys of every channel. Those of a type are read by its row in
//! [`crate::channel`].

use super::channel_way;
use super::channel_way::Ways;
use super::device::NAME_MAX;
use super::device::ident;
use super::device::pattern;
use super::secrets;
use crate::channel::KINDS;
use crate::channel::LEFT_OUT;
use crate::channel::kind::AnyProtocol;
use crate::channel::kind::Kind;
use crate::channel::settings::Settings;
use crate::channel::settings::Unwanted;
use crate::keys::address;
use crate::keys::context::Context;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::reader::Reader;
use crate::keys::source::Place;
use crate::keys::thinning;
use crate::keys::tree::Table;
use crate::keys::value;
use crate::message::Value;
use crate::message::is_reserved;
use crate::net::Address;
use crate::net::Network;
use crate::pattern::PatternSet;
use crate::thinning::Settings as Thinning;
use crate::traffic::Secrets;
use std::ops::RangeInclusive;
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
    let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.name, *kind)).collect();
    let kind = reader.kind_of(&kinds, LEFT_OUT);
    let ways = kind.map(|kind| channel_way::read(&mut reader, kind));
    let protocol = kind.and_then(|kind| (kind.read)(&mut reader));
    let common = Common::read(&mut reader, kind);
    match (kind, &ways) {
        (Some(kind), Some(ways)) => channel_way::demand_ident(&reader, kind, ways),
        _ => channel_way::pass_over(&mut reader),
    }
    let name = name.unwrap_or_default();
    let place = reader.value_place("name");
    let is_right = reader.finish();
    let (kind, protocol, ways) = (kind?, AnyProtocol(protocol?), ways?);
    let mut settings = common.settings(name, kind, protocol, &ways);
    settings.secrets = Secrets::new(secrets::of(context, table));
    is_right.then_some(Draft {
        settings,
        listen: ways.places,
        name: place,
    })
}

/// The keys of every channel.
struct Common {
    allow: Vec<Network>,
    ident: Option<String>,
    idents: PatternSet,
    set: Vec<(String, Value)>,
    rename: Vec<(String, String)>,
    thinning: Option<Thinning>,
    max_connections: usize,
    idle_timeout: Duration,
    unwanted: Unwanted,
}

impl Common {
    /// Reads them; defaults stand for what is wrong. Where nobody sends, nothing can be thinned,
    /// and `every` may be the type's own.
    fn read(reader: &mut Reader<'_>, kind: Option<&Kind>) -> Self {
        let unwanted = [("refuse", Unwanted::Refuse), ("accept", Unwanted::Accept)];
        let is_thinned = kind.is_none_or(Kind::is_thinned);
        Self {
            allow: list(reader, "allow", address::network)
                .unwrap_or_else(address::private_networks),
            ident: reader.parsed("ident", ident),
            idents: PatternSet::new(list(reader, "idents", pattern).unwrap_or_default()),
            set: set(reader),
            rename: rename(reader),
            thinning: is_thinned.then(|| thinning::read(reader)).flatten(),
            max_connections: reader.integer("max_connections", CONNECTIONS).unwrap_or(64),
            idle_timeout: reader
                .period("idle_timeout", IDLE)
                .unwrap_or(Duration::from_secs(600)),
            unwanted: reader
                .choice("unwanted", &unwanted)
                .unwrap_or(Unwanted::Refuse),
        }
    }

    /// With what is not common to all.
    fn settings(
        self,
        name: String,
        kind: &'static Kind,
        protocol: AnyProtocol,
        ways: &Ways,
    ) -> Settings {
        let is_bus = |address: &Address| matches!(address, Address::Bus(_));
        let is_bus = ways.listen.first().is_some_and(is_bus);
        Settings {
            name,
            kind,
            protocol,
            listen: ways.listen.clone(),
            socket: ways.socket.clone(),
            connect: ways.connect.clone(),
            tls: ways.tls.clone(),
            allow: self.allow,
            ident: self.ident,
            idents: self.idents,
            set: self.set,
            rename: self.rename,
            thinning: self.thinning,
            max_connections: self.max_connections,
            idle_timeout: if is_bus { SLEEP_MAX } else { self.idle_timeout },
            unwanted: self.unwanted,
            secrets: Secrets::default(),
        }
    }
}

/// Each text of a list; none without the key.
fn list<T>(
    reader: &mut Reader<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, ValueError>,
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
        let diagnostic = DiagnosticAt::error(entry.key_place, message);
        table.context().note(diagnostic.hint("choose another name"));
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
                ValueError::new("a parameter cannot get this name").hint("choose another"),
            );
        }
        Some((entry.key.clone(), new.value))
    });
    pairs.collect()
}

/// Each connection costs up to two messages of memory.
const CONNECTIONS: RangeInclusive<usize> = 1..=1024;

/// Trackers that sleep report once a day.
const IDLE: RangeInclusive<Duration> = Duration::from_secs(1)..=SLEEP_MAX;

/// The longest silence of a bus, which sleeps for weeks: that it is listened to costs nothing.
const SLEEP_MAX: Duration = Duration::from_secs(30 * 86_400);
