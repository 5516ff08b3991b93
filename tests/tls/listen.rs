//! TLS on a port that the daemon listens on, with curl before it.

use crate::certificates::Authority;
use crate::certificates::Pair;
use crate::server::connect;
use crate::server::trusting;
use crate::weir_run::Lines;
use crate::weir_run::Weir;
use crate::weir_run::eventually;
use crate::weir_run::free_port;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use weir::clock::Clock;
use weir::net::tls::Client;

/// A channel for HTTPS beside one without TLS, and a file where all goes.
struct Gateway {
    weir: Weir,
    port: u16,
    plain: u16,
    sent: u32,
}

impl Gateway {
    fn start(name: &str, pair: &Pair, client_ca: Option<&Path>) -> Self {
        let (port, plain) = (free_port(), free_port());
        let client_ca = client_ca.map(|path| format!(", client_ca = \"{}\"", path.display()));
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\ncommit = {{ delay = \"1ms\" }}\n\
             [api]\nlisten = \"unix:@/api\"\n\
             [[channel]]\nname = \"web\"\ntype = \"http\"\nlisten = \"127.0.0.1:{port}\"\n\
             max_connections = 1000\ntls = {{ certificate = \"{}\", key = \"{}\"{} }}\n\
             [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{plain}\"\n\
             [[stream]]\nname = \"out\"\ntype = \"file\"\npath = \"@/out\"\nchannels = [\"*\"]\n",
            pair.certificate.display(),
            pair.key.display(),
            client_ca.unwrap_or_default()
        );
        let weir = Weir::start(name, &config);
        Self {
            weir,
            port,
            plain,
            sent: 0,
        }
    }

    /// Posts a message with curl: whether it was taken, or what curl says.
    fn post(&mut self, scheme: &str, more: &[&Path]) -> Result<(), String> {
        let url = format!("{scheme}://localhost:{}/", self.port);
        let here = format!("localhost:{}:127.0.0.1", self.port);
        let message = format!("{{\"ident\":\"truck\",\"number\":{}}}", self.sent);
        let mut command = Command::new("curl");
        command.args([
            "-sS",
            "--max-time",
            "60",
            "--resolve",
            &here,
            "--json",
            &message,
        ]);
        let keys = ["--cacert", "--cert", "--key"];
        for (key, file) in keys.iter().zip(more) {
            command.arg(key).arg(file);
        }
        let output = command.arg(url).output().unwrap();
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        if said.trim() != "{\"accepted\":1}" {
            return Err(said);
        }
        self.sent += 1;
        Ok(())
    }

    /// What the channel counted as refused for this reason.
    fn refused(&self, reason: &str) -> u64 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        let config = self.weir.folder.join("weir.toml");
        command.arg("-c").arg(config).args(["status", "--json"]);
        let said = command.output().unwrap().stdout;
        let status: serde_json::Value = serde_json::from_slice(&said).unwrap();
        let refused = &status["channels"][0]["refused"][reason];
        refused.as_u64().unwrap_or(0)
    }

    /// All that was taken arrives, once, and nothing else.
    fn assert_arrived(&self) {
        let read = || fs::read_to_string(self.weir.folder.join("out")).unwrap_or_default();
        eventually("all arrive", || {
            read().lines().count() >= self.sent as usize
        });
        for (line, number) in read().lines().zip(0..) {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(message["number"], number, "{line}");
            assert_eq!(message["channel.name"], "web", "{line}");
        }
        assert_eq!(read().lines().count(), self.sent as usize);
    }
}

#[test]
fn curl_posts_over_https_and_plain_text_harms_nobody() {
    let authority = Authority::new("listen");
    let (ca, pair) = (authority.ca(), authority.issue("localhost"));
    let mut gateway = Gateway::start("listen", &pair, None);
    gateway.post("https", &[&ca]).unwrap();

    // one says nothing, one half a record, one something else
    let mut strangers = [
        &b""[..],
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\n\r\n",
    ]
    .map(|said| {
        let mut socket = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
        socket.write_all(said).unwrap();
        socket
    });
    let refusal = gateway.post("http", &[]).unwrap_err();
    assert!(!refusal.contains("accepted"), "{refusal}");
    eventually("both are counted", || gateway.refused("tls") >= 2);
    gateway.post("https", &[&ca]).unwrap();
    let mut lines = Lines::connect(gateway.plain);
    lines.send("not json");
    assert!(lines.answer().starts_with("{\"error\""));
    strangers[0].write_all(b"PROXY\r\n").unwrap();
    eventually("the third is counted", || gateway.refused("tls") >= 3);
    gateway.post("https", &[&ca]).unwrap();
    gateway.assert_arrived();
    let log = gateway.weir.log();
    assert!(!log.contains("PRIVATE"), "{log}");
}

#[test]
fn a_certificate_that_is_renewed_on_disk_is_shown_to_the_next_client() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let (shown, fresh) = (old.issue("localhost"), new.issue("localhost"));
    let mut gateway = Gateway::start("renewed", &shown, None);
    gateway.post("https", &[&old.ca()]).unwrap();
    gateway.post("https", &[&new.ca()]).unwrap_err();

    // as a client for ACME does it: beside, and moved into place
    for (from, to) in [
        (&fresh.key, &shown.key),
        (&fresh.certificate, &shown.certificate),
    ] {
        fs::rename(from, to).unwrap();
    }
    gateway.post("https", &[&new.ca()]).unwrap();
    gateway.post("https", &[&old.ca()]).unwrap_err();

    fs::write(&shown.certificate, "no certificate").unwrap();
    gateway.post("https", &[&new.ca()]).unwrap_err();
    assert!(gateway.refused("certificate") > 0, "{}", gateway.weir.log());
    gateway.assert_arrived();
}

#[test]
fn a_client_ca_lets_only_those_in_that_it_knows() {
    let (ours, other) = (Authority::new("known"), Authority::new("unknown"));
    let pair = ours.issue("localhost");
    let mut gateway = Gateway::start("clients", &pair, Some(&ours.ca()));
    let ca = ours.ca();
    let bare = gateway.post("https", &[&ca]).unwrap_err();
    eventually("one is counted", || gateway.refused("certificate") == 1);
    let known = ours.issue("tracker");
    for (count, wrong) in [
        (2, other.issue("tracker")),
        (3, ours.issue_for("tracker", (2020, 2021))),
    ] {
        let files = [&ca, &wrong.certificate, &wrong.key].map(|path| path.as_path());
        gateway.post("https", &files).unwrap_err();
        eventually("it is counted", || gateway.refused("certificate") == count);
    }
    let files = [&ca, &known.certificate, &known.key].map(|path| path.as_path());
    gateway
        .post("https", &files)
        .unwrap_or_else(|said| panic!("{said}; {bare}"));
    gateway.assert_arrived();
}

/// Half of them have shaken hands and are silent, half send a first message without an end.
#[test]
fn what_connections_cost_in_tls_is_bounded() {
    let authority = Authority::new("cost");
    let mut gateway = Gateway::start("cost", &authority.issue("localhost"), None);
    gateway.post("https", &[&authority.ca()]).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], gateway.port));
    let mut client = Client::new(trusting(&authority.ca()), Clock::new());
    let before = gateway.weir.memory_kib();
    let known: Vec<_> = (0..EACH)
        .map(|_| connect(&mut client, address).unwrap())
        .collect();
    let known_at = gateway.weir.memory_kib();
    // a message of 64 KiB is announced, as the first of many records
    let hello = [&b"\x16\x03\x01\x40\x00\x01\x00\xff\xff"[..], &[0; 0x3ffc]].concat();
    let say = |len: usize| {
        let mut socket = TcpStream::connect(address).unwrap();
        // one that is cut takes no more
        drop(socket.write_all(&hello.repeat(2)[..len]));
        socket
    };
    let unknown: Vec<_> = (0..EACH).map(|_| say(16_000)).collect();
    gateway.post("https", &[&authority.ca()]).unwrap();
    let costs = [known_at - before, gateway.weir.memory_kib() - known_at].map(|cost| cost / EACH);
    println!(
        "in TLS {} KiB each, {} KiB each that do not end their hello",
        costs[0], costs[1]
    );
    assert!(
        costs[0] <= KNOWN_KIB && costs[1] <= UNKNOWN_KIB,
        "{costs:?}"
    );
    let cut = gateway.refused("tls");
    let _longer = say(20_000);
    eventually("one that says more is cut", || {
        gateway.weir.log().contains("its TLS handshake is too long")
    });
    assert!(gateway.refused("tls") > cut);
    drop((known, unknown));
}

/// Of those who do the same.
const EACH: u64 = 100;

/// What docs/connections.md says of a connection in TLS; one that is not known yet takes less
/// than the worst.
const KNOWN_KIB: u64 = 20;
const UNKNOWN_KIB: u64 = 40;
