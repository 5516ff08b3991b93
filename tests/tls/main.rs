//! TLS towards destinations and the life of their connections, against real servers on loopback:
//! rustls for what is wrong, mosquitto and nginx for what has to work.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod certificates;
mod check;
mod daemon;
mod dial;
mod listen;
mod server;
#[path = "../end_to_end/weir.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod weir_run;

use certificates::Authority;
use rustls::HandshakeKind;
use server::Server;
use server::Then;
use server::connect;
use server::exchange;
use server::read;
use server::refusal;
use server::trusting;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::thread;
use weir::clock::Clock;
use weir::net::tls::Client;
use weir::net::tls::Identity;
use weir::net::tls::Tls;
use weir::net::tls::TlsError;

#[test]
fn bytes_go_both_ways_and_the_session_is_resumed() {
    let authority = Authority::new("resumed");
    let server = Server::start(&authority.issue("localhost"), Then::Echo);
    let mut client = Client::new(trusting(&authority.ca()), Clock::new());
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut connection = connect(&mut client, server.address).unwrap();
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
        assert!(exchange(&mut connection, &bytes) == bytes);
        assert_eq!(server.handshakes.recv().unwrap().0, expected);
    }
}

#[test]
fn a_certificate_is_refused_as_what_it_is() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    for (pair, words) in [
        (
            ours.issue_for("localhost", (2020, 2021)),
            "expired on 2021-01-01; the clock here",
        ),
        (
            ours.issue_for("localhost", (2050, 2060)),
            "valid from 2050-01-01 on",
        ),
        (
            ours.issue("broker.example.com"),
            "is for `broker.example.com`, not for `localhost`",
        ),
        (
            other.issue("localhost"),
            "the issuer of the destination's certificate is unknown",
        ),
        (ours.own(), "that of an issuer and not one for servers"),
    ] {
        let server = Server::start(&pair, Then::Echo);
        let said = refusal(trusting(&ours.ca()), server.address);
        assert!(said.contains(words), "{said}");
        assert_eq!(
            said.contains("the clock is the likely cause"),
            words.contains("2050")
        );
    }
}

#[test]
fn another_name_is_right_where_the_configuration_says_so() {
    let authority = Authority::new("name");
    let server = Server::start(&authority.issue("broker.example.com"), Then::Echo);
    let tls = Tls {
        server_name: Some("broker.example.com".into()),
        ..trusting(&authority.ca())
    };
    connect(&mut Client::new(tls, Clock::new()), server.address).unwrap();
}

#[test]
fn a_fingerprint_alone_is_enough_and_another_one_is_told() {
    let authority = Authority::new("pinned");
    let expired = authority.issue_for("broker", (2020, 2021));
    let server = Server::start(&expired, Then::Echo);
    let tls = |fingerprint| Tls {
        fingerprint: Some(fingerprint),
        ..Tls::default()
    };
    let mut client = Client::new(tls(expired.fingerprint()), Clock::new());
    connect(&mut client, server.address).unwrap();
    let said = refusal(tls([7; 32]), server.address);
    let hex: String = expired
        .fingerprint()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(said.contains(&format!("SHA-256 is `{hex}`")), "{said}");
    let both = Tls {
        ca: Some(authority.ca()),
        ..tls(expired.fingerprint())
    };
    assert!(refusal(both, server.address).contains("expired"));
}

#[test]
fn a_wrong_clock_checks_no_certificate_but_a_pinned_one() {
    let authority = Authority::new("clock");
    let pair = authority.issue("localhost");
    let server = Server::start(&pair, Then::Echo);
    let clock = Clock::new();
    clock.remember(std::time::Duration::from_secs(2_400_000_000));
    assert!(!clock.now().wall.trusted);
    let mut client = Client::new(trusting(&authority.ca()), clock.clone());
    let error = connect(&mut client, server.address).unwrap_err();
    assert!(error.to_string().contains("the clock is wrong"), "{error}");
    let pinned = Tls {
        fingerprint: Some(pair.fingerprint()),
        ..Tls::default()
    };
    connect(&mut Client::new(pinned, clock), server.address).unwrap();
}

#[test]
fn a_client_certificate_is_shown_and_its_lack_is_named() {
    let authority = Authority::new("client");
    let (server_pair, client_pair) = (authority.issue("localhost"), authority.issue("gateway"));
    let server = Server::asking(&server_pair, &authority.ca(), Then::Echo);
    let tls = |key| Tls {
        identity: Some(Identity {
            certificate: client_pair.certificate.clone(),
            key,
        }),
        ..trusting(&authority.ca())
    };
    let mut client = Client::new(tls(client_pair.key.clone()), Clock::new());
    let mut connection = connect(&mut client, server.address).unwrap();
    assert_eq!(exchange(&mut connection, b"hello"), b"hello");
    assert!(server.handshakes.recv().unwrap().1, "it was shown");
    let said = refusal(trusting(&authority.ca()), server.address);
    assert!(said.contains("wants a client certificate: write"), "{said}");
    let said = refusal(tls(server_pair.key), server.address);
    assert!(
        said.contains("`tls.key` is not the key of `tls.certificate`"),
        "{said}"
    );
    let said = refusal(tls(authority.ca()), server.address);
    assert!(
        said.contains("a certificate in it and no private key"),
        "{said}"
    );
    let said = refusal(tls("/nowhere".into()), server.address);
    assert!(
        said.contains("`tls.key`, `/nowhere`: there is no such file"),
        "{said}"
    );
}

#[test]
fn files_are_read_again_when_they_have_changed() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let server = Server::start(&old.issue("localhost"), Then::Echo);
    let ca = old.folder.join("trusted.pem");
    fs::copy(old.ca(), &ca).unwrap();
    let mut client = Client::new(trusting(&ca), Clock::new());
    connect(&mut client, server.address).unwrap();
    server.show(&new.issue("localhost"));
    let error = connect(&mut client, server.address).unwrap_err();
    assert!(TlsError::is_certificate(&error), "{error}");
    fs::copy(new.ca(), &ca).unwrap();
    connect(&mut client, server.address).unwrap();
    fs::write(&ca, "no certificate").unwrap();
    let error = connect(&mut client, server.address)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`: there is no certificate in it"),
        "{error}"
    );
}

/// Certificates of devices are renewed while the daemon runs.
#[test]
fn a_client_certificate_is_read_again_when_it_was_renewed() {
    let (ours, foreign) = (Authority::new("renewed"), Authority::new("foreign"));
    let server = Server::asking(&ours.issue("localhost"), &ours.ca(), Then::Echo);
    let file = |name| ours.folder.join(name);
    let (certificate, key) = (file("client.pem"), file("client.key"));
    let put = |pair: &certificates::Pair| {
        fs::copy(&pair.certificate, &certificate).unwrap();
        fs::copy(&pair.key, &key).unwrap();
    };
    put(&foreign.issue("gateway"));
    let identity = Identity {
        certificate: certificate.clone(),
        key: key.clone(),
    };
    let tls = Tls {
        identity: Some(identity),
        ..trusting(&ours.ca())
    };
    let mut client = Client::new(tls, Clock::new());
    let refused = connect(&mut client, server.address).and_then(|mut socket| read(&mut socket));
    assert!(TlsError::is_certificate(&refused.unwrap_err()));
    put(&ours.issue("gateway"));
    let mut socket = connect(&mut client, server.address).unwrap();
    assert_eq!(exchange(&mut socket, b"hello"), b"hello");
}

#[test]
fn a_protocol_is_agreed_on_or_its_lack_is_named() {
    let authority = Authority::new("alpn");
    let pair = authority.issue("localhost");
    let server = Server::speaking(&pair, "x-amzn-mqtt-ca", Then::Echo);
    let tls = |alpn: &str| Tls {
        alpn: vec![alpn.into()],
        ..trusting(&authority.ca())
    };
    let mut client = Client::new(tls("x-amzn-mqtt-ca"), Clock::new());
    let mut socket = connect(&mut client, server.address).unwrap();
    assert_eq!(exchange(&mut socket, b"hello"), b"hello");
    let said = refusal(tls("mqtt"), server.address);
    assert!(said.contains("none of `tls.alpn`"), "{said}");
}

#[test]
fn an_end_is_an_end_whether_tls_says_so_or_not() {
    let authority = Authority::new("end");
    for then in [Then::Drop, Then::Close] {
        let server = Server::start(&authority.issue("localhost"), then);
        let mut client = Client::new(trusting(&authority.ca()), Clock::new());
        let mut connection = connect(&mut client, server.address).unwrap();
        assert_eq!(read(&mut connection).unwrap(), b"word");
        assert_eq!(read(&mut connection).unwrap(), b"");
    }
}

#[test]
fn a_handshake_that_is_none_is_named() {
    for (answer, words) in [
        (
            "",
            "closed by the destination in the middle of the TLS handshake",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "does not speak TLS there; look at the port",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut hello = [0; 8192];
            assert!(socket.read(&mut hello).unwrap() > 0);
            socket.write_all(answer.as_bytes()).unwrap();
        });
        let said = refusal(Tls::default(), address);
        assert!(said.contains(words), "{said}");
    }
}
