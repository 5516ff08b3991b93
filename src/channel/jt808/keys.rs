//! The row of type `jt808`, and its key.

use super::Jt808;
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
    name: "jt808",
    example: "listen = \"0.0.0.0:5015\"",
    ways: &[Way::Tcp, Way::Udp(Datagrams::BySender)],
    ident: Ident::Named,
    read: |reader| {
        let utc_offset = reader.utc_offset("utc_offset");
        let utc_offset = utc_offset.unwrap_or(OF_CHINA);
        Some(Rc::new(Keys { utc_offset }))
    },
};

/// The keys of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// By how much the times of its devices are ahead of UTC.
    pub utc_offset: UtcOffset,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            utc_offset: OF_CHINA,
        }
    }
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Jt808::new(*self, Units::Bytes)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(Box::new(Jt808::new(*self, Units::Datagram)))
    }
}

/// The protocol's.
const OF_CHINA: UtcOffset = UtcOffset(8 * 3600);
