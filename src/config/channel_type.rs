//! `[[channel]]`: the types, a row each, and the keys of those that have few.

use super::channel_mqtt;
use super::channel_self;
use super::channel_wialon;
use super::teltonika_io;
use crate::channel::osmand::SpeedUnit;
use crate::channel::settings::Connect;
use crate::channel::settings::Protocol;
use crate::keys::address;
use crate::keys::context::Wrong;
use crate::keys::reader::Reader;
use crate::keys::text::token;
use crate::keys::url;
use crate::keys::url::Scheme;
use crate::message::json::Names;
use crate::net::tls::Tls;
use std::rc::Rc;

/// A type that weir speaks.
#[derive(Clone, Copy)]
pub(super) struct Type {
    /// As users write it.
    pub(super) name: &'static str,
    /// The line to write where it is said neither where to listen nor where to connect.
    pub(super) example: &'static str,
    /// How its devices and it come together; none where they need not.
    pub(super) ways: &'static [Way],
    /// Whether `ident` has to be there.
    pub(super) ident: Ident,
    /// Reads `connect`.
    pub(super) connect: fn(&str) -> Result<Connect, Wrong>,
    /// Reads the keys of its own; none if one that it needs is wrong or not there.
    pub(super) protocol: fn(&mut Reader<'_>) -> Option<Protocol>,
}

/// A way to bring bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It listens on TCP and Unix sockets.
    Stream,
    /// It listens on UDP.
    Udp,
    /// It reads serial lines.
    Serial,
    /// It connects.
    Connect,
}

/// Whether messages name who sent them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ident {
    /// All do, or are refused.
    Named,
    /// Those that come through sockets that are listened on may.
    Sometimes,
    /// None does.
    Never,
}

/// By name; the first is the example where there is none.
pub(super) const TYPES: [(&str, Type); 10] = [
    row(Type {
        name: "teltonika",
        example: "listen = \"0.0.0.0:5027\"",
        ways: &[Way::Stream, Way::Udp],
        ident: Ident::Named,
        connect: plain,
        protocol: |reader| Some(Protocol::Teltonika(Rc::new(teltonika_io::read(reader)))),
    }),
    row(Type {
        name: "json",
        example: "listen = \"127.0.0.1:7000\"",
        ways: &[Way::Stream],
        ident: Ident::Named,
        connect: plain,
        protocol: |reader| Some(Protocol::Json(names(reader))),
    }),
    row(Type {
        name: "http",
        example: "listen = \"127.0.0.1:8080\"",
        ways: &[Way::Stream],
        ident: Ident::Named,
        connect: plain,
        protocol: |reader| {
            Some(Protocol::Http {
                names: names(reader),
                token: reader.parsed("token", token),
            })
        },
    }),
    row(Type {
        name: "mqtt",
        example: "listen = \"0.0.0.0:1883\"",
        ways: &[Way::Stream, Way::Connect],
        ident: Ident::Named,
        connect: broker,
        protocol: |reader| {
            let names = names(reader);
            Some(Protocol::Mqtt(Rc::new(channel_mqtt::mqtt(reader, names))))
        },
    }),
    row(Type {
        name: "wialon-ips",
        example: "listen = \"0.0.0.0:20332\"",
        ways: &[Way::Stream, Way::Udp],
        ident: Ident::Named,
        connect: plain,
        protocol: |reader| {
            let password = channel_wialon::password(reader);
            let charset = channel_wialon::charset(reader);
            Some(Protocol::WialonIps { password, charset })
        },
    }),
    row(Type {
        name: "wialon-retranslator",
        example: "listen = \"0.0.0.0:20163\"",
        ways: &[Way::Stream],
        ident: Ident::Named,
        connect: plain,
        protocol: |_| Some(Protocol::WialonRetranslator),
    }),
    row(Type {
        name: "osmand",
        example: "listen = \"0.0.0.0:5055\"",
        ways: &[Way::Stream],
        ident: Ident::Named,
        connect: plain,
        protocol: |reader| {
            let speed_unit = reader.choice("speed_unit", &SPEED_UNITS);
            let speed_unit = speed_unit.unwrap_or_default();
            Some(Protocol::Osmand { speed_unit })
        },
    }),
    row(Type {
        name: "nmea",
        example: "listen = \"serial:/dev/ttyUSB0?baud=9600\"",
        ways: &[Way::Stream, Way::Udp, Way::Serial, Way::Connect],
        ident: Ident::Sometimes,
        connect: plain,
        protocol: |_| Some(Protocol::Nmea),
    }),
    row(Type {
        name: "gpsd",
        example: "connect = \"127.0.0.1:2947\"",
        ways: &[Way::Connect],
        ident: Ident::Never,
        connect: plain,
        protocol: |reader| {
            let device = reader.parsed("device", device);
            Some(Protocol::Gpsd { device })
        },
    }),
    row(Type {
        name: "self",
        example: "",
        ways: &[],
        ident: Ident::Never,
        connect: plain,
        protocol: |reader| Some(channel_self::read(reader)),
    }),
];

/// A row behind its name, as [`Reader::kind`] takes it.
const fn row(row: Type) -> (&'static str, Type) {
    (row.name, row)
}

/// `"host:port"`, without TLS unless there is a `tls`.
fn plain(text: &str) -> Result<Connect, Wrong> {
    if text.starts_with("serial:") || text.starts_with("/dev/") {
        let wrong = Wrong::new("a serial line is not connected to");
        return Err(wrong.hint("write `listen = \"serial:/dev/ttyUSB0?baud=9600\"`"));
    }
    Ok(Connect {
        target: address::target(text)?,
        tls: None,
        user: None,
        password: None,
    })
}

/// `"host:port"` or a URL: `"mqtt://user:password@host"`, `"mqtts://host"`.
fn broker(text: &str) -> Result<Connect, Wrong> {
    if !text.contains("://") {
        return plain(text);
    }
    let url = url::parse(text, &BROKER)?;
    if !matches!(url.path, "" | "/") {
        let wrong = Wrong::new("a broker has no path").at(url.path_at..text.len());
        return Err(wrong.hint("write what is subscribed to as `topic`"));
    }
    Ok(Connect {
        target: url.target,
        tls: url.tls.then(Tls::default),
        user: url.user,
        password: url.password,
    })
}

/// `ident_field` and `timestamp_field`, which every type of JSON has.
pub(super) fn names(reader: &mut Reader<'_>) -> Names {
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

/// One of gpsd's receivers, as gpsd calls it: a path, or the URL of a remote one.
fn device(text: &str) -> Result<String, Wrong> {
    let is_name = text.starts_with('/') || text.contains("://");
    match text {
        text if is_name && text.len() <= 128 => Ok(text.to_owned()),
        _ => Err(Wrong::new("not a device of gpsd").hint("write its path, as in \"/dev/ttyUSB0\"")),
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

/// What `speed` of `osmand` can count.
const SPEED_UNITS: [(&str, SpeedUnit); 3] = [
    ("knots", SpeedUnit::Knots),
    ("km/h", SpeedUnit::KilometresPerHour),
    ("m/s", SpeedUnit::MetresPerSecond),
];
