//! The life of the daemon: what systemd is told of it, and that it ends when it is asked to.

use crate::config;
use crate::http;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

/// What is told next, but for signs of life.
fn told(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 1024];
    loop {
        let length = socket.recv(&mut buffer).expect("something is told");
        let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
        if text != "WATCHDOG=1" {
            return text;
        }
    }
}

/// The next that begins so; what is told before is passed over.
fn told_that(socket: &UnixDatagram, begin: &str) -> String {
    loop {
        let text = told(socket);
        if text.starts_with(begin) {
            return text;
        }
    }
}

#[test]
fn systemd_is_told_how_it_stands_from_the_beginning_to_the_end() {
    let (port, mut socket) = (free_port(), None);
    let config = config(port, &http("cloud", free_port(), ""));
    let mut weir = Weir::start_with("told", &config, |command, folder| {
        let path = folder.join("notify");
        let bound = UnixDatagram::bind(&path).unwrap();
        bound.set_read_timeout(Some(PATIENCE)).unwrap();
        command.env("NOTIFY_SOCKET", path);
        socket = Some(bound);
    });
    let socket = socket.unwrap();
    told_that(&socket, "READY=1");
    let mut lines = Lines::connect(port);
    (0..3).for_each(|_| lines.send("{\"ident\":\"gw-1\"}"));
    lines.await_acked(3);
    let wanted = "STATUS=1 channel listening, 0 of 1 stream connected, 3 wait";
    assert_eq!(told_that(&socket, wanted), wanted);
    weir.signal("-HUP");
    let reloading = told_that(&socket, "RELOADING=1");
    let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    assert!(since.unwrap().parse::<u64>().unwrap() > 0, "{reloading}");
    told_that(&socket, "READY=1");
    assert_eq!(weir.stop(), Some(0));
    told_that(&socket, "STOPPING=1");
}

/// Streams to `port`, where everything is taken and nothing answered, and to a name for which no
/// server has an answer.
fn hanging(port: u16) -> String {
    let stream = |name: &str, kind: &str, more: &str| {
        format!("[[stream]]\nname = \"{name}\"\ntype = \"{kind}\"\nchannels = [\"*\"]\n{more}\n")
    };
    let address = format!("127.0.0.1:{port}");
    http("plain", port, "")
        + &stream("tls", "http", &format!("url = \"https://{address}/\""))
        + &stream(
            "mqtt",
            "mqtt",
            &format!("url = \"mqtt://{address}\"\ntopic = \"a\""),
        )
        + &stream(
            "wialon",
            "wialon-retranslator",
            &format!("address = \"{address}\""),
        )
        + &stream("amqp", "amqp", &format!("url = \"amqp://{address}\""))
        + &stream("unnamed", "http", "url = \"http://never.example.com/\"")
        + &stream("far", "http", "url = \"http://192.0.2.1/\"")
}

fn channel(name: &str, port: u16, more: &str) -> String {
    format!(
        "[[channel]]\nname = \"{name}\"\ntype = \"{name}\"\nlisten = \"127.0.0.1:{port}\"\n{more}"
    )
}

/// Has the daemon ask this name server alone, where this machine lets a test do so.
fn with_name_server(command: &mut Command, folder: &Folder, server: &UdpSocket) -> bool {
    let can = Command::new("unshare").args(["-m", "true"]).output();
    if !can.is_ok_and(|done| done.status.success()) {
        println!("skipped: no name server of its own");
        return false;
    }
    let address = server.local_addr().unwrap();
    let text = format!("nameserver [127.0.0.1]:{}\n", address.port());
    let file = folder.write("resolv.conf", &text);
    let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let mut inside = Command::new("unshare");
    inside.args(["-m", "sh", "-c", script]).arg(file);
    inside.arg(command.get_program()).args(command.get_args());
    let log = std::fs::File::options()
        .append(true)
        .open(folder.join("log"));
    inside.stderr(log.unwrap());
    *command = inside;
    true
}

/// How long it takes to end, with everybody hanging.
fn time_to_end(first: bool) -> Duration {
    let (json, port) = (free_port(), free_port());
    let ports = [free_port(), free_port(), free_port(), free_port()];
    let silent = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let names = UdpSocket::bind("127.0.0.1:0").unwrap();
    let streams = hanging(port)
        + &channel("teltonika", ports[0], "")
        + &channel("http", ports[1], "")
        + &channel("mqtt", ports[2], "topic = \"{ident}\"\n")
        + &channel("nmea", ports[3], "ident = \"a\"\n");
    let mut is_asked = false;
    let mut weir = Weir::start_with("stops", &config(json, &streams), |command, folder| {
        is_asked = with_name_server(command, folder, &names);
    });
    let mut held: Vec<TcpStream> = Vec::new();
    for (port, begun) in [
        (json, &b"{\"ident\":"[..]),
        (json, b""),
        (ports[0], b"\x00\x0f3520930812"),
        (ports[0], b""),
        (
            ports[1],
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        ),
        (ports[2], b"\x10\x20"),
        (ports[3], b"$GPGGA,"),
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.write_all(begun).unwrap();
        held.push(socket);
    }
    let mut asks = UnixStream::connect(weir.folder.join("api")).unwrap();
    asks.write_all(b"GET /status HTT").unwrap();
    let mut lines = Lines::connect(json);
    (0..100).for_each(|_| lines.send("{\"ident\":\"gw-1\"}"));
    lines.await_acked(100);
    silent.set_nonblocking(true).unwrap();
    eventually("the destination is called", || {
        held.extend(silent.accept().ok().map(|(socket, _)| socket));
        held.len() > 7
    });
    names.set_nonblocking(true).unwrap();
    eventually("the name server is asked", || {
        !is_asked || names.recv(&mut [0; 512]).is_ok()
    });
    if first {
        weir.signal("-HUP");
    }
    let began = Instant::now();
    assert_eq!(weir.stop(), Some(0));
    drop((held, asks));
    began.elapsed()
}

/// The shortest of some times: others may have the processor.
#[test]
fn it_ends_within_a_second_whatever_its_peers_do() {
    let mut times = Vec::new();
    while times.len() < 5 && times.iter().all(|time| *time >= SECOND) {
        times.push(time_to_end(times.is_empty()));
    }
    assert!(times.iter().any(|time| *time < SECOND), "{times:?}");
    println!("{times:?}");
}

const SECOND: Duration = Duration::from_secs(1);
