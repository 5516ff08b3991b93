//! `[[stream]]`: how the connection is made: `bind` and `tls`, and what of both a type wants.

use crate::keys::bind::local;
use crate::keys::reader::Reader;
use crate::keys::tls;
use crate::net::Bind;
use crate::net::tls::Tls;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::NetworkEndpoint;
use crate::stream::TlsUse;

/// `bind`; none for what makes no connection, and noted.
pub(super) fn bind(reader: &mut Reader<'_>, destination: Option<&dyn Destination>) -> Option<Bind> {
    let bind = reader.parsed("bind", local);
    if let Some(Endpoint::File(_)) = destination.map(Destination::endpoint) {
        refuse(reader, "bind");
    }
    bind
}

/// TLS where it is spoken, with the keys of `tls`.
pub(super) fn tls(reader: &mut Reader<'_>, destination: Option<&dyn Destination>) -> Option<Tls> {
    let table = reader.table("tls");
    let has_table = table.is_some();
    let mut tls = table.map_or_else(Tls::default, tls::client);
    let network = match destination?.endpoint() {
        Endpoint::Network(network) => network,
        Endpoint::File(_) => {
            refuse(reader, "tls");
            return None;
        }
    };
    match network.tls {
        TlsUse::Always => {}
        TlsUse::WhereConfigured if has_table => {}
        TlsUse::WhereConfigured => return None,
        TlsUse::Never { instead } => {
            if has_table {
                let hint = format!("write `{instead}` in `url`, or leave `tls` out");
                reader.error(reader.place_of("tls"), "`url` says no TLS", hint);
            }
            return None;
        }
    }
    complete(reader, &mut tls, &network);
    Some(tls)
}

/// What a platform wants of TLS, where the keys leave it out; notes what only they can say.
fn complete(reader: &Reader<'_>, tls: &mut Tls, network: &NetworkEndpoint<'_>) {
    if tls.alpn.is_empty() {
        let names = network.alpn.iter().copied();
        tls.alpn = names.map(str::to_owned).collect();
    }
    if network.needs_certificate && tls.identity.is_none() {
        let message = "this destination lets in only who shows a certificate";
        let hint = "write `tls = { certificate = \"/etc/weir/client.pem\", key = \
                    \"/etc/weir/client.key\" }`";
        reader.error(reader.place_of("tls"), message, hint);
    }
}

/// Notes a key of connections where none is made.
fn refuse(reader: &Reader<'_>, key: &'static str) {
    if reader.has(key) {
        let message = "a file is not connected to";
        reader.error(reader.place_of(key), message, format!("leave `{key}` out"));
    }
}
