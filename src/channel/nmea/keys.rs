//! The row of type `nmea`.

use super::Nmea;
use super::Ships;
use super::Units;
use crate::channel::Session;
use crate::channel::connect::Connect;
use crate::channel::kind::Datagrams;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "nmea",
    example: "listen = \"serial:/dev/ttyUSB0?baud=9600\"",
    ways: &[
        Way::Tcp,
        Way::Udp(Datagrams::BySender),
        Way::Serial,
        Way::Connect(Connect::read),
    ],
    ident: Ident::Sometimes,
    read: |reader| {
        let ident = reader.peek("ident");
        let ships = reader.choice("ais", &SHIPS).unwrap_or_default();
        Some(Rc::new(Keys { ident, ships }))
    },
};

/// The keys of this type, and the channel's `ident`.
#[derive(Debug, PartialEq)]
struct Keys {
    ident: Option<String>,
    ships: Ships,
}

impl Keys {
    fn begin(&self, units: Units) -> Box<dyn Session> {
        Box::new(Nmea::new(self.ident.clone(), units).of_ships(self.ships))
    }
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(self.begin(Units::Bytes))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(self.begin(Units::Datagram))
    }
}

/// The words of `ais`.
const SHIPS: [(&str, Ships); 3] = [
    ("own", Ships::Own),
    ("all", Ships::All),
    ("off", Ships::Off),
];
