//! `type = "wialon-retranslator"`: its keys, and what they make of it.

use crate::keys::address;
use crate::keys::reader::Reader;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::NetworkEndpoint;
use crate::stream::Open;
use crate::stream::TlsUse;
use crate::stream::for_window;
use crate::stream::settings::Ack;
use crate::stream::settings::Delivery;
use crate::stream::settings::WINDOW;
use crate::stream::settings::WialonRetranslator;
use std::rc::Rc;

/// Its row.
pub(crate) static KIND: Kind =
    Kind::new("wialon-retranslator", |reader| Some(Rc::new(read(reader)?)));

impl Destination for WialonRetranslator {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::WhereConfigured;
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        let link = super::WialonRetranslator::new(self, open.view, open.delivery, open.epoch);
        Box::new(link)
    }

    fn in_memory_max(&self, _delivery: &Delivery) -> usize {
        for_window(self.window)
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<WialonRetranslator> {
    let target = reader.required("address", "address = \"193.193.165.165:20332\"");
    let target = target.and_then(|text| reader.parse(&text, address::target));
    let window = reader.integer("window", WINDOW);
    let ack = reader.choice("ack", &[("0x11", Ack::Byte), ("none", Ack::None)]);
    let attempts = reader.integer("attempts", 1..=1_000);
    let defaults = WialonRetranslator::new(target?);
    Some(WialonRetranslator {
        window: window.unwrap_or(defaults.window),
        ack: ack.unwrap_or(defaults.ack),
        attempts: attempts.unwrap_or(defaults.attempts),
        ..defaults
    })
}
