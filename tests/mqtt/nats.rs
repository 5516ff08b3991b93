//! NATS's door for MQTT, with JetStream. It speaks 3.1.1 alone: the version is left to weir.

use crate::asking;
use crate::config;
use crate::send;
use crate::servers::Arrivals;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::program::Program;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

/// A server, and somebody who hears all subjects under `weir`.
struct Nats {
    port: u16,
    heard: Arc<Mutex<Vec<(String, String)>>>,
    _folder: Folder,
    _program: Program,
}

impl Nats {
    fn start() -> Self {
        let (folder, mut clients) = (Folder::new("nats"), 0);
        let (program, port) = Program::serve(|port| {
            clients = free_port();
            let store = folder.join("store");
            let config = format!(
                "server_name: weir\nhost: 127.0.0.1\nport: {clients}\n\
                 mqtt {{ host: 127.0.0.1, port: {port} }}\n\
                 jetstream {{ store_dir: \"{}\" }}\n",
                store.display()
            );
            let mut command = Command::new("/usr/sbin/nats-server");
            command.arg("-c").arg(folder.write("nats.conf", &config));
            command
        });
        let heard = Arc::<Mutex<Vec<_>>>::default();
        let of_thread = Arc::clone(&heard);
        let mut lines = BufReader::new(TcpStream::connect(("127.0.0.1", clients)).unwrap());
        let hello = b"CONNECT {\"verbose\":false}\r\nSUB weir.> 1\r\nPING\r\n";
        lines.get_mut().write_all(hello).unwrap();
        let mut line = String::new();
        while line != "PONG\r\n" {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        thread::spawn(move || while hear(&mut lines, &of_thread).is_some() {});
        Self {
            port,
            heard,
            _folder: folder,
            _program: program,
        }
    }
}

/// Takes one line of the server and what belongs to it; none at the end.
fn hear(lines: &mut BufReader<TcpStream>, heard: &Mutex<Vec<(String, String)>>) -> Option<()> {
    let mut line = String::new();
    lines.read_line(&mut line).ok().filter(|len| *len > 0)?;
    if line == "PING\r\n" {
        lines.get_mut().write_all(b"PONG\r\n").ok()?;
    }
    if let Some(message) = line.strip_prefix("MSG ") {
        let words: Vec<_> = message.split_whitespace().collect();
        let len: usize = words.last()?.parse().ok()?;
        let mut payload = vec![0; len + 2];
        lines.read_exact(&mut payload).ok()?;
        payload.truncate(len);
        let payload = String::from_utf8(payload).ok()?;
        heard.lock().unwrap().push((words[0].to_owned(), payload));
    }
    Some(())
}

#[test]
fn all_arrives_at_nats_under_the_subject_of_the_topic() {
    let (nats, port) = (Nats::start(), free_port());
    let stream = format!("url = \"mqtt://127.0.0.1:{}\"", nats.port);
    let weir = Weir::start("nats", &config(port, &stream));
    send(port, 0..1_000);
    eventually("all is settled", || {
        asking::count(&weir, "cloud", "backlog") == 0
    });
    assert_eq!(asking::count(&weir, "cloud", "accepted"), 1_000);
    eventually("all is heard", || nats.heard.lock().unwrap().len() >= 1_000);
    let heard = nats.heard.lock().unwrap();
    assert!(
        heard
            .iter()
            .all(|(subject, _)| subject.starts_with("weir."))
    );
    let texts = heard.iter().map(|(_, payload)| payload);
    Arrivals::of(texts, "seq").assert_complete(1_000);
    assert!(weir.log().contains("3.1.1 is spoken"), "{}", weir.log());
}
