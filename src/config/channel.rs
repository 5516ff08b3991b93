//! `[[channel]]`.

use super::address;
use super::channel_mqtt;
use super::context::Context;
use super::context::Wrong;
use super::device::NAME_MAX;
use super::device::ident;
use super::device::pattern;
use super::reader::Reader;
use super::section::token;
use super::source::Place;
use super::teltonika_io;
use super::thinning;
use super::tree::Table;
use super::value;
use crate::channel::settings::Protocol;
use crate::channel::settings::Settings;
use crate::channel::settings::Unwanted;
use crate::message::json::Names;
use crate::net::Address;
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

/// The types that weir speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Json,
    Teltonika,
    Http,
    Mqtt,
}

/// `[[channel]]`; none if there is a mistake in it.
pub(super) fn read(context: &Context<'_>, table: &Table) -> Option<Draft> {
    let mut reader = Reader::new(context, table, "channel");
    let name = reader.name(NAME_MAX);
    let kind = reader.kind(&TYPES);
    let listen = kind.map(|kind| listen(&mut reader, kind));
    let protocol = kind.map(|kind| protocol(&mut reader, kind));
    let common = Common::read(&mut reader);
    let (protocol, (listen, places)) = (protocol?, listen?);
    let mut settings = common.settings(name.unwrap_or_default(), protocol, listen);
    if let Protocol::Mqtt(mqtt) = &mut settings.protocol {
        Rc::make_mut(mqtt).ident.clone_from(&settings.ident);
    }
    let name = reader.value_place("name");
    reader.finish().then_some(Draft {
        settings,
        listen: places,
        name,
    })
}

/// The keys of every channel.
struct Common(Settings);

impl Common {
    /// Reads them; defaults stand for what is wrong.
    fn read(reader: &mut Reader<'_>) -> Self {
        let unwanted = [("refuse", Unwanted::Refuse), ("accept", Unwanted::Accept)];
        Self(Settings {
            name: String::new(),
            protocol: Protocol::Teltonika(Rc::default()),
            listen: Vec::new(),
            allow: list(reader, "allow", address::network)
                .unwrap_or_else(address::private_networks),
            ident: reader.parsed("ident", ident),
            idents: list(reader, "idents", pattern).unwrap_or_default(),
            set: value::parameters(reader, "set"),
            rename: rename(reader),
            thinning: thinning::read(reader),
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
    fn settings(self, name: String, protocol: Protocol, listen: Vec<Address>) -> Settings {
        Settings {
            name,
            protocol,
            listen,
            ..self.0
        }
    }
}

/// The keys of a type.
fn protocol(reader: &mut Reader<'_>, kind: Type) -> Protocol {
    match kind {
        Type::Json => Protocol::Json(names(reader)),
        Type::Teltonika => Protocol::Teltonika(Rc::new(teltonika_io::read(reader))),
        Type::Http => Protocol::Http {
            names: names(reader),
            token: reader.parsed("token", token),
        },
        Type::Mqtt => {
            let names = names(reader);
            Protocol::Mqtt(Rc::new(channel_mqtt::mqtt(reader, names)))
        }
    }
}

/// `ident_field` and `timestamp_field`, which every type of JSON has.
fn names(reader: &mut Reader<'_>) -> Names {
    let name = |text: &str| match text {
        "" => Err(Wrong::new("the name of a field is empty")),
        name => Ok(name.to_owned()),
    };
    let mut field = |key, default: &str| {
        reader
            .parsed(key, name)
            .unwrap_or_else(|| default.to_owned())
    };
    let names = Names {
        ident: field("ident_field", "ident"),
        timestamp: field("timestamp_field", "timestamp"),
    };
    if names.ident == names.timestamp {
        let written = if reader.has("timestamp_field") {
            "timestamp_field"
        } else {
            "ident_field"
        };
        let place = reader.value_place(written);
        reader.error(
            place,
            "ident and timestamp are in one field",
            "name two fields",
        );
    }
    names
}

/// The addresses and where they stand; at least one, or a mistake was noted.
fn listen(reader: &mut Reader<'_>, kind: Type) -> (Vec<Address>, Vec<Place>) {
    let (name, example) = match kind {
        Type::Json => ("json", "listen = \"127.0.0.1:7000\""),
        Type::Teltonika => ("teltonika", "listen = \"0.0.0.0:5027\""),
        Type::Http => ("http", "listen = \"127.0.0.1:8080\""),
        Type::Mqtt => ("mqtt", "listen = \"0.0.0.0:1883\""),
    };
    if !reader.has("listen") && !reader.has("connect") {
        reader.missing("listen", example);
    }
    let errors = reader.context().errors();
    let texts = reader.texts("listen").unwrap_or_default();
    let empty = texts.is_empty() && reader.context().errors() == errors;
    let fits = |text: &str| match address::listen(text)? {
        Address::Udp(_) if kind != Type::Teltonika => {
            Err(Wrong::new(format!("`{name}` does not listen on UDP")).at(0..4))
        }
        address => Ok(address),
    };
    let found = texts
        .iter()
        .filter_map(|text| Some((reader.parse(text, fits)?, text.place)));
    let found: (Vec<Address>, Vec<Place>) = found.unzip();
    if reader.has("listen") && empty {
        let place = reader.value_place("listen");
        reader.error(place, "there is no address", format!("write `{example}`"));
    }
    found
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

/// `rename = { old = "new" }`.
fn rename(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(table) = reader.table("rename") else {
        return Vec::new();
    };
    let context = table.context();
    let pairs = table.entries().iter().filter_map(|entry| {
        value::check_name(context, entry);
        let new = context.text(&entry.node)?;
        if matches!(new.value.as_str(), "" | "ident" | "timestamp") {
            context.wrong(
                &new,
                Wrong::new("a parameter cannot get this name").hint("choose another"),
            );
        }
        Some((entry.key.clone(), new.value))
    });
    pairs.collect()
}

/// By name; the first is the example where there is none.
const TYPES: [(&str, Type); 4] = [
    ("teltonika", Type::Teltonika),
    ("json", Type::Json),
    ("http", Type::Http),
    ("mqtt", Type::Mqtt),
];

/// Each connection costs up to two messages of memory.
const CONNECTIONS: RangeInclusive<usize> = 1..=1024;

/// Trackers that sleep report once a day.
const IDLE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
