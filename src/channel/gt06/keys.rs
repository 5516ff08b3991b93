//! The row of type `gt06`, and its key.

use super::Gt06;
use super::Units;
use crate::channel::Session;
use crate::channel::kind::Datagrams;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use crate::units::UtcOffset;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "gt06",
    example: "listen = \"0.0.0.0:5023\"",
    ways: &[Way::Tcp, Way::Udp(Datagrams::BySender)],
    ident: Ident::Named,
    read: |reader| {
        let utc_offset = reader.utc_offset("utc_offset");
        Some(Rc::new(Keys { utc_offset }))
    },
};

/// The keys of this type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// By how much all times of its devices are ahead of UTC; none: as the protocol says.
    pub utc_offset: Option<UtcOffset>,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Gt06::new(*self, Units::Bytes)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(Box::new(Gt06::new(*self, Units::Datagram)))
    }
}
