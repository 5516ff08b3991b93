//! `[[stream]]`: how the connection is made: `bind` and `tls`.

use crate::keys::bind::local;
use crate::keys::reader::Reader;
use crate::keys::tls;
use crate::net::Bind;
use crate::net::tls::Tls;
use crate::stream::settings::Destination;

/// `bind`; none for what makes no connection, and noted.
pub(super) fn bind(reader: &mut Reader<'_>, destination: Option<&Destination>) -> Option<Bind> {
    let bind = reader.parsed("bind", local);
    if let Some(Destination::File(_)) = destination {
        refuse(reader, "bind", "a file is not connected to");
    }
    bind
}

/// TLS where it is spoken, with the keys of `tls`.
pub(super) fn tls(reader: &mut Reader<'_>, destination: Option<&Destination>) -> Option<Tls> {
    let table = reader.table("tls");
    let has_table = table.is_some();
    let tls = table.map_or_else(Tls::default, tls::client);
    let speaks = match destination? {
        Destination::Http(http) => http.tls,
        Destination::Mqtt(mqtt) => mqtt.tls,
        Destination::WialonRetranslator(_) => return has_table.then_some(tls),
        Destination::File(_) => {
            refuse(reader, "tls", "a file is not connected to");
            false
        }
    };
    if has_table && !speaks && reader.has("url") {
        let scheme = match destination {
            Some(Destination::Mqtt(_)) => "mqtts://",
            _ => "https://",
        };
        let hint = format!("write `{scheme}` in `url`, or leave `tls` out");
        reader.error(reader.place_of("tls"), "`url` says no TLS", hint);
    }
    speaks.then_some(tls)
}

fn refuse(reader: &Reader<'_>, key: &'static str, why: &str) {
    if reader.has(key) {
        reader.error(reader.place_of(key), why, format!("leave `{key}` out"));
    }
}
