//! The row of type `gpsd`, and its keys.

use super::Gpsd;
use crate::channel::Session;
use crate::channel::connect::Connect;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use crate::keys::context::ValueError;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "gpsd",
    example: "connect = \"127.0.0.1:2947\"",
    ways: &[Way::Connect(Connect::read)],
    ident: Ident::Never,
    read: |reader| {
        let device = reader.parsed("device", device);
        let ident = reader.peek("ident").unwrap_or_default();
        Some(Rc::new(Keys { ident, device }))
    },
};

/// The keys of this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The channel's.
    pub ident: String,
    /// The receiver to listen to, as gpsd calls it; none: all.
    pub device: Option<String>,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        let device = self.device.as_deref();
        Some(Box::new(Gpsd::new(&self.ident, device)))
    }
}

/// One of gpsd's receivers, as gpsd calls it: a path, or the URL of a remote one.
fn device(text: &str) -> Result<String, ValueError> {
    let is_name = text.starts_with('/') || text.contains("://");
    match text {
        text if is_name && text.len() <= 128 => Ok(text.to_owned()),
        _ => {
            Err(ValueError::new("not a device of gpsd")
                .hint("write its path, as in \"/dev/ttyUSB0\""))
        }
    }
}
