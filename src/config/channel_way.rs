//! `[[channel]]`: how devices and weir come together: `listen` or `connect`, and `tls`.

use crate::channel::connect::Connect;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Way;
use crate::keys;
use crate::keys::address;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::source::Place;
use crate::net::Address;
use crate::net::SocketRights;
use crate::net::tls::ServerTls;

/// What `listen`, `connect` and `tls` say.
pub(super) struct Ways {
    pub(super) listen: Vec<Address>,
    /// Where each of `listen` stands.
    pub(super) places: Vec<Place>,
    /// Who may connect to Unix sockets.
    pub(super) socket: SocketRights,
    pub(super) connect: Option<Connect>,
    /// Of what is listened on.
    pub(super) tls: Option<ServerTls>,
}

/// Reads the three; one of the first two has to be there where the type needs it, not both.
pub(super) fn read(reader: &mut Reader<'_>, kind: &Kind) -> Ways {
    let (listens, connects) = (reader.has("listen"), reader.has("connect"));
    if listens && connects && kind.connect().is_some() {
        let message = "a channel has either `listen` or `connect`";
        let place = reader.place_of("connect");
        reader.error(place, message, "make two channels of it");
    }
    if !listens && !connects && !kind.ways.is_empty() {
        let key = kind.example.split(' ').next().unwrap_or("listen");
        reader.missing(key, kind.example);
    }
    let mut listen = listen(reader, kind);
    let mut connect = match kind.is_of_bus() && names_bus(reader) {
        true => {
            listen.extend(bus(reader));
            None
        }
        false => connect(reader, kind),
    };
    let (listen, places): (Vec<_>, Vec<_>) = listen.into_iter().unzip();
    let tls = tls(reader, kind, connect.as_mut());
    let is_unix = |address: &Address| matches!(address, Address::Unix(_));
    let socket = keys::socket_rights::read(reader, listen.iter().any(is_unix));
    name(reader, &listen, &places, &socket);
    if tls.is_some() {
        warn_of_plain(reader, &listen, &places);
    }
    Ways {
        listen,
        places,
        socket,
        connect,
        tls,
    }
}

/// Has it looked at whether the daemon may listen there.
fn name(reader: &Reader<'_>, listen: &[Address], places: &[Place], socket: &SocketRights) {
    let context = reader.context();
    for (address, place) in listen.iter().zip(places) {
        context.name(Named::Listen(address.clone(), *place));
    }
    if let Some(group) = &socket.group {
        context.name(Named::Group(group.clone(), reader.value_place("group")));
    }
}

/// Warns of each address that `tls` says nothing of.
fn warn_of_plain(reader: &Reader<'_>, listen: &[Address], places: &[Place]) {
    for (address, place) in listen.iter().zip(places) {
        let what = match address {
            Address::Tcp(_) | Address::Unix(_) => continue,
            Address::Udp(_) => "UDP is not wrapped in TLS",
            Address::Serial(_) => "a serial line is not wrapped in TLS",
            Address::Bus(_) => "a bus is not wrapped in TLS",
        };
        let hint = "make a channel of its own of it, without `tls`";
        let diagnostic = DiagnosticAt::warning(*place, what).hint(hint);
        reader.context().note(diagnostic);
    }
}

/// Of a type that is not known it is not known either what they mean.
pub(super) fn pass_over(reader: &mut Reader<'_>) {
    for key in ["listen", "connect", "tls", "mode", "group"] {
        reader.take(key);
    }
}

/// Notes that `ident` is not there where it has to be.
pub(super) fn demand_ident(reader: &Reader<'_>, kind: &Kind, ways: &Ways) {
    let serial = |address: &Address| matches!(address, Address::Serial(_));
    let needed = match kind.ident {
        Ident::Named => false,
        Ident::Sometimes => ways.connect.is_some() || ways.listen.iter().any(serial),
        Ident::Never => true,
    };
    if needed && !reader.has("ident") {
        reader.missing("ident", "ident = \"${hostname}\"");
    }
}

/// The addresses and where they stand.
fn listen(reader: &mut Reader<'_>, kind: &Kind) -> Vec<(Address, Place)> {
    let place = reader.place_of("listen");
    let errors = reader.context().errors();
    let texts = reader.texts("listen").unwrap_or_default();
    if !reader.has("listen") {
        return Vec::new();
    }
    if !kind.listens() {
        let message = format!("`{}` does not listen", kind.name);
        reader.error(place, message, instead(kind, "listen"));
        return Vec::new();
    }
    if texts.is_empty() && reader.context().errors() == errors {
        let place = reader.value_place("listen");
        reader.error(place, "there is no address", instead(kind, "connect"));
    }
    let found = texts.iter();
    let found = found.filter_map(|text| {
        let fits = |text: &str| fitting(address::listen(text)?, kind);
        Some((reader.parse(text, fits)?, text.place))
    });
    found.collect()
}

/// The address, if the type can listen there.
fn fitting(address: Address, kind: &Kind) -> Result<Address, ValueError> {
    let is_way = |way: &Way| match address {
        Address::Tcp(_) | Address::Unix(_) => matches!(way, Way::Tcp),
        Address::Udp(_) => matches!(way, Way::Udp(_)),
        Address::Serial(_) => matches!(way, Way::Serial),
        Address::Bus(_) => matches!(way, Way::Bus),
    };
    if kind.ways.iter().any(is_way) {
        return Ok(address);
    }
    let (what, len) = match address {
        Address::Tcp(_) | Address::Unix(_) => ("does not listen on sockets", None),
        Address::Udp(_) => ("does not listen on UDP", Some("udp:".len())),
        Address::Serial(_) => ("does not read serial lines", Some("serial:".len())),
        Address::Bus(_) => ("does not listen to a bus", None),
    };
    let error = ValueError::new(format!("`{}` {what}", kind.name)).hint(instead(kind, "connect"));
    Err(match len {
        Some(len) => error.at(0..len),
        None => error,
    })
}

/// `connect`.
fn connect(reader: &mut Reader<'_>, kind: &Kind) -> Option<Connect> {
    let Some(read) = kind.connect() else {
        if reader.take("connect").is_some() {
            let message = format!("`{}` does not connect", kind.name);
            let place = reader.place_of("connect");
            reader.error(place, message, instead(kind, "connect"));
        }
        return None;
    };
    reader.parsed("connect", read)
}

/// Whether `connect` names a bus.
fn names_bus(reader: &Reader<'_>) -> bool {
    let text = reader.peek("connect").unwrap_or_default();
    address::BUS.iter().any(|prefix| text.starts_with(prefix))
}

/// `connect`, where it names a bus, and where it stands.
fn bus(reader: &mut Reader<'_>) -> Option<(Address, Place)> {
    let place = reader.value_place("connect");
    if reader.has("tls") {
        let hint = "leave `tls` out";
        reader.error(reader.place_of("tls"), "a bus is not wrapped in TLS", hint);
    }
    let bus = reader.parsed("connect", address::bus)?;
    Some((Address::Bus(bus), place))
}

/// What to do instead of writing `key`.
fn instead(kind: &Kind, key: &str) -> String {
    match kind.example {
        "" => format!("leave `{key}` out"),
        example => format!("write `{example}`"),
    }
}

/// `tls`: of who connects it says whom to trust, of who listens what to show.
fn tls(reader: &mut Reader<'_>, kind: &Kind, connect: Option<&mut Connect>) -> Option<ServerTls> {
    let connects = reader.has("connect");
    if kind.ways.is_empty() && reader.has("tls") {
        let message = format!("`{}` has no connections", kind.name);
        reader.error(reader.place_of("tls"), message, instead(kind, "tls"));
        reader.take("tls");
        return None;
    }
    if cfg!(not(feature = "tls")) && reader.has("tls") {
        reader.error(
            reader.place_of("tls"),
            keys::tls::LEFT_OUT,
            keys::tls::INSTEAD,
        );
    }
    let mut table = reader.table("tls")?;
    if connects {
        let tls = keys::tls::client(table);
        if let Some(connect) = connect {
            connect.tls = Some(tls);
        }
        return None;
    }
    if !table.has("certificate") && !table.has("key") {
        let hint = "certificate = \"/etc/weir/server.pem\"`, `key = \"/etc/weir/server.key\"";
        table.missing("certificate", hint);
    }
    let identity = keys::tls::identity(&mut table, "server");
    let client_ca = keys::tls::issuers(&mut table, "client_ca");
    table.finish();
    Some(ServerTls {
        identity: identity?,
        client_ca,
    })
}
