//! The resolver against name servers on loopback, played by the test's own thread.

use crate::A;
use crate::NXDOMAIN;
use crate::OK;
use crate::QUESTION;
use crate::SERVFAIL;
use crate::TRUNCATED;
use crate::answer;
use crate::kind;
use crate::weir_run::PATIENCE;
use crate::weir_run::free_port;
use crate::weir_run::program::Program;
use smol::block_on;
use smol::future::zip;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;
use weir::net::Files;
use weir::net::Resolver;

/// A folder with the machine's two files, removed at the end.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str, hosts: &str, resolv_conf: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("weir-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("hosts"), hosts).unwrap();
        std::fs::write(folder.join("resolv.conf"), resolv_conf).unwrap();
        Self(folder)
    }

    fn resolver(&self) -> Resolver {
        let (hosts, resolv_conf) = (self.0.join("hosts"), self.0.join("resolv.conf"));
        Resolver::new(Files { hosts, resolv_conf })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A name server that answers so many queries with `flags`, and 10.0.0.7 where that is no error.
async fn serve(server: &smol::Async<UdpSocket>, count: usize, flags: u16) {
    for _ in 0..count {
        let mut buffer = [0; 512];
        let (len, peer) = server.recv_from(&mut buffer).await.unwrap();
        let query = &buffer[..len];
        let record = (QUESTION.to_vec(), A, &[10, 0, 0, 7][..]);
        let is_known = flags == OK && kind(query) == A;
        let records = is_known.then_some(record);
        server
            .send_to(&answer(query, flags, records.as_slice()), peer)
            .await
            .unwrap();
    }
}

fn name_server() -> (smol::Async<UdpSocket>, String) {
    let server = smol::Async::<UdpSocket>::bind(([127, 0, 0, 1], 0)).unwrap();
    let port = server.get_ref().local_addr().unwrap().port();
    (server, format!("nameserver [127.0.0.1]:{port}\n"))
}

fn address(text: &str) -> Vec<SocketAddr> {
    vec![text.parse().unwrap()]
}

#[test]
fn a_name_server_on_loopback_is_asked() {
    let (server, conf) = name_server();
    let machine = Machine::new("asked", "", &conf);
    let mut resolver = machine.resolver();
    let (found, ()) = block_on(zip(
        resolver.resolve("a.example", 1883),
        serve(&server, 2, OK),
    ));
    assert_eq!(found.unwrap(), address("10.0.0.7:1883"));
}

#[test]
fn the_last_answer_stands_in_for_a_broken_name_server() {
    let (server, conf) = name_server();
    let machine = Machine::new("last", "", &conf);
    let mut resolver = machine.resolver();
    block_on(zip(resolver.resolve("a.example", 1), serve(&server, 2, OK)))
        .0
        .unwrap();
    let broken = serve(&server, 2, SERVFAIL);
    let (found, ()) = block_on(zip(resolver.resolve("a.example", 2), broken));
    assert_eq!(found.unwrap(), address("10.0.0.7:2"));
    let (found, ()) = block_on(zip(
        resolver.resolve("a.example", 2),
        serve(&server, 2, NXDOMAIN),
    ));
    assert_eq!(found.unwrap_err().kind(), ErrorKind::NotFound);
    let broken = serve(&server, 2, SERVFAIL);
    let (found, ()) = block_on(zip(resolver.resolve("b.example", 2), broken));
    assert_eq!(found.unwrap_err().kind(), ErrorKind::HostUnreachable);
}

#[test]
fn a_closed_port_is_found_out_without_waiting() {
    let (server, conf) = name_server();
    drop(server);
    let machine = Machine::new("closed", "", &conf);
    let error = block_on(machine.resolver().resolve("a.example", 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HostUnreachable);
    assert!(
        error.to_string().contains("` cannot be reached; "),
        "{error}"
    );
}

#[test]
fn a_server_that_goes_away_is_found_out_by_the_next_try() {
    let (server, conf) = name_server();
    let machine = Machine::new("away", "", &(conf + "options timeout:1\n"));
    let mut resolver = machine.resolver();
    let answers_one = async {
        serve(&server, 1, OK).await;
        drop(server);
    };
    let (found, ()) = block_on(zip(resolver.resolve("a.example", 1), answers_one));
    assert_eq!(found.unwrap_err().kind(), ErrorKind::HostUnreachable);
}

#[test]
fn the_first_server_that_is_closed_gives_way_to_the_second() {
    let (closed, first) = name_server();
    drop(closed);
    let (server, second) = name_server();
    let machine = Machine::new("second", "", &(first + &second));
    let mut resolver = machine.resolver();
    let (found, ()) = block_on(zip(resolver.resolve("a.example", 1), serve(&server, 2, OK)));
    assert_eq!(found.unwrap(), address("10.0.0.7:1"));
}

/// A name server whose datagrams are all too short for its answers; each question over TCP is
/// answered as `serve` says, with what was asked.
fn truncating(serve: fn(TcpStream, Vec<u8>)) -> String {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let udp = UdpSocket::bind(address).unwrap();
    let tcp = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((len, peer)) = udp.recv_from(&mut buffer) {
            let message = answer(&buffer[..len], TRUNCATED, &[]);
            udp.send_to(&message, peer).unwrap();
        }
    });
    std::thread::spawn(move || {
        for socket in tcp.incoming() {
            let mut socket = socket.unwrap();
            let mut query = [0; 2];
            socket.read_exact(&mut query).unwrap();
            let mut query = vec![0; u16::from_be_bytes(query).into()];
            socket.read_exact(&mut query).unwrap();
            std::thread::spawn(move || serve(socket, query));
        }
    });
    format!(
        "nameserver [127.0.0.1]:{}\noptions timeout:1\n",
        address.port()
    )
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

#[test]
fn an_answer_that_is_too_long_for_a_datagram_comes_over_tcp() {
    // in pieces, as a network may deliver it
    let conf = truncating(|mut socket, query| {
        let records: Vec<_> = (0..100)
            .map(|last| (QUESTION.to_vec(), A, vec![10, 0, 1, last]))
            .collect();
        let records: Vec<_> = records
            .iter()
            .map(|(name, kind, data)| (name.clone(), *kind, &data[..]))
            .collect();
        let records = if kind(&query) == A { &records[..] } else { &[] };
        for piece in framed(&answer(&query, OK, records)).chunks(700) {
            socket.write_all(piece).unwrap();
            socket.flush().unwrap();
        }
    });
    let machine = Machine::new("tcp", "", &conf);
    let found = block_on(machine.resolver().resolve("a.example", 1)).unwrap();
    assert_eq!(found.len(), 8, "{found:?}");
    assert_eq!(found[0], "10.0.1.0:1".parse().unwrap());
}

/// A server that closes, lies about its length, says nothing, or speaks of something else.
#[test]
fn a_connection_that_brings_nothing_ends_in_time() {
    let faults: [fn(TcpStream, Vec<u8>); 4] = [
        |_, _| (),
        |mut socket, _| drop(socket.write_all(&[0xFF, 0xFF, 0, 0])),
        |socket, _| {
            std::thread::sleep(PATIENCE);
            drop(socket);
        },
        |mut socket, _| drop(socket.write_all(&framed(b"nonsense"))),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let machine = Machine::new(&format!("tcp-{number}"), "", &truncating(fault));
        let began = std::time::Instant::now();
        let error = block_on(machine.resolver().resolve("a.example", 1)).unwrap_err();
        let kinds = [ErrorKind::HostUnreachable, ErrorKind::TimedOut];
        assert!(kinds.contains(&error.kind()), "{number}: {error}");
        assert!(began.elapsed() < PATIENCE, "{number}");
    }
}

/// The name server of most routers, with a chain of aliases that no datagram holds, as clouds have
/// them.
#[test]
fn dnsmasq_is_asked_over_tcp() {
    let label = |letter: char| letter.to_string().repeat(60);
    let name = |step: u8| {
        let [a, b, c] = [b'a' + step, b'i' + step, b'q' + step].map(|byte| label(byte.into()));
        format!("{a}.{b}.{c}.example")
    };
    let aliases = (0..7).map(|step| format!("--cname={},{}", name(step), name(step + 1)));
    // no file: dnsmasq gives up the rights to read what only root may
    let hosts = [
        (name(7), "10.0.2.1"),
        ("one.example".to_owned(), "10.0.3.7"),
    ];
    let hosts = hosts.map(|(host, address)| format!("--host-record={host},{address}"));
    let (_server, port) = Program::serve(|port| {
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command
            .args(["--keep-in-foreground", "--no-resolv", "--no-hosts"])
            .args(["--pid-file=", "--conf-file=/dev/null", "--bind-interfaces"])
            .arg("--listen-address=127.0.0.1")
            .arg(format!("--port={port}"))
            .args(&hosts)
            .args(aliases.clone());
        command
    });
    let conf = format!("nameserver [127.0.0.1]:{port}\n");
    let machine = Machine::new("dnsmasq", "", &conf);
    let mut resolver = machine.resolver();
    let mut find = |host: &str| block_on(resolver.resolve(host, 1)).unwrap();
    assert_eq!(find("one.example"), address("10.0.3.7:1"));
    assert_eq!(find(&name(0)), address("10.0.2.1:1"));
}

#[test]
fn what_this_machine_knows_itself_is_not_asked_for() {
    let machine = Machine::new("known", "10.0.0.9 broker.lan\n", "nameserver 192.0.2.1\n");
    let mut resolver = machine.resolver();
    let mut resolve = |host: &str| block_on(resolver.resolve(host, 80)).unwrap();
    assert_eq!(resolve("10.0.0.1"), address("10.0.0.1:80"));
    assert_eq!(resolve("fd00::1"), address("[fd00::1]:80"));
    assert_eq!(resolve("Broker.LAN"), address("10.0.0.9:80"));
    assert_eq!(resolve("localhost").len(), 2);
    assert_eq!(resolve("weir.localhost."), resolve("localhost"));
}

#[test]
fn what_cannot_be_a_name_is_an_error() {
    let machine = Machine::new("wrong", "", "");
    let error = block_on(machine.resolver().resolve("a..b", 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "not a host name: `a..b`");
}

#[test]
fn a_blocked_name_is_not_asked_for() {
    let machine = Machine::new("blocked", "0.0.0.0 a.example\n", "nameserver 192.0.2.1\n");
    let error = block_on(machine.resolver().resolve("a.example", 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_line_that_is_cut_by_the_bound_is_not_believed() {
    let lines = "10.0.0.1 other.example\n".repeat(3_000);
    let cut_at = 64 * 1024 - "10.0.0.9 broker".len();
    let hosts = format!("{}\n10.0.0.9 broker.lan\n", &lines[..cut_at - 1]);
    let (server, conf) = name_server();
    drop(server);
    let machine = Machine::new("cut", &hosts, &conf);
    let error = block_on(machine.resolver().resolve("broker", 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HostUnreachable);
}
