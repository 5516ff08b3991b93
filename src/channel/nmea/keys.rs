//! The row of type `nmea`.

use super::Nmea;
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
        Some(Rc::new(Keys { ident }))
    },
};

/// It has no keys of its own, only the channel's.
#[derive(Debug, PartialEq)]
struct Keys {
    ident: Option<String>,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Nmea::new(self.ident.clone(), Units::Bytes)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(Box::new(Nmea::new(self.ident.clone(), Units::Datagram)))
    }
}
