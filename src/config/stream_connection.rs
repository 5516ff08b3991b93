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
    if cfg!(not(feature = "tls")) {
        let place = reader.place_of(if has_table { "tls" } else { "url" });
        reader.error(place, tls::LEFT_OUT, tls::INSTEAD);
        return None;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::context::Context;
    use crate::keys::document;
    use crate::keys::environment::Machine;
    use crate::keys::source::Sources;
    use crate::net::Target;
    use crate::stream::Kind;
    use crate::stream::Link;
    use crate::stream::Open;
    use crate::stream::http::Http;
    use std::path::PathBuf;

    /// A platform that lets in who shows a certificate, by a protocol of TLS.
    #[derive(Debug, PartialEq)]
    struct Platform(Http);

    static KIND: Kind = Kind::new("platform", |_| None);

    impl Destination for Platform {
        fn kind(&self) -> &'static Kind {
            &KIND
        }

        fn endpoint(&self) -> Endpoint<'_> {
            Endpoint::Network(NetworkEndpoint {
                alpn: &["x-mqtt-ca"],
                needs_certificate: true,
                ..NetworkEndpoint::new(&self.0.target, TlsUse::Always)
            })
        }

        fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
            self.0.link(open)
        }
    }

    /// TLS to that platform by these lines, and what is wrong with them.
    fn read(text: &str) -> (Option<Tls>, Vec<String>) {
        let host = "h".to_owned();
        let platform = Platform(Http::new(Target { host, port: 443 }));
        let (mut sources, mut diagnostics) = (Sources::default(), Vec::new());
        sources.add(PathBuf::from("weir.toml"), Some(text.to_owned()));
        let table = document::parse(&mut sources, 0, &mut diagnostics).root;
        let context = Context::new(&Machine, &sources, diagnostics);
        let read = tls(
            &mut Reader::new(&context, &table, "stream"),
            Some(&platform),
        );
        let diagnostics = context.into_diagnostics().into_iter();
        (
            read,
            diagnostics.map(|diagnostic| diagnostic.message).collect(),
        )
    }

    #[test]
    fn a_platform_that_asks_for_a_certificate_is_not_used_without() {
        let (_, diagnostics) = read("");
        assert_eq!(diagnostics.len(), 1);
        assert!(
            diagnostics[0].contains("shows a certificate"),
            "{diagnostics:?}"
        );
        let (tls, diagnostics) = read("tls = { certificate = '/c', key = '/k' }");
        assert_eq!(diagnostics, [""; 0]);
        assert_eq!(tls.unwrap().alpn, ["x-mqtt-ca"]);
    }

    #[test]
    fn what_a_platform_offers_in_tls_gives_way_to_what_is_written() {
        let (tls, _) = read("tls = { certificate = '/c', key = '/k', alpn = ['mqtt'] }");
        assert_eq!(tls.unwrap().alpn, ["mqtt"]);
    }
}
