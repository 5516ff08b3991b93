//! The row of type `teltonika`.

use super::Tcp;
use super::Udp;
use crate::channel::Session;
use crate::channel::io;
use crate::channel::io::IoTable;
use crate::channel::kind::Datagrams;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "teltonika",
    example: "listen = \"0.0.0.0:5027\"",
    ways: &[Way::Tcp, Way::Udp(Datagrams::Whole)],
    ident: Ident::Named,
    read: |reader| {
        Some(Rc::new(Keys {
            io: io::keys::read(reader),
        }))
    },
};

/// The keys of this type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// Names for elements beyond those that are built in.
    pub io: IoTable,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Tcp::new(self)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(Box::new(Udp::new(self)))
    }
}
