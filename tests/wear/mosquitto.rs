//! The real mosquitto with an hour's messages queued for a subscriber that is away: the size of
//! the snapshot that it writes as a whole, every 30 minutes unless told otherwise.

use super::disk::Disk;
use super::traffic::BODY;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A broker that queues all and writes its snapshots on the disk.
pub(crate) struct Broker {
    child: Child,
    port: u16,
    database: PathBuf,
    publisher: TcpStream,
}

impl Broker {
    pub(crate) fn start(disk: &Disk) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let place = disk.folder.display();
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n\
             persistence_location {place}/\nautosave_interval 1800\nmax_queued_messages 0\n\
             max_queued_bytes 0\nlog_type none\n"
        );
        let path = disk.folder.join("mosquitto.conf");
        fs::write(&path, config).unwrap();
        let mut command = Command::new("/usr/sbin/mosquitto");
        command
            .arg("-c")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let mut subscriber = session(port, "away");
        ask(&mut subscriber, SUBSCRIBE_TO_ALL, 5);
        let publisher = session(port, "weir");
        let database = disk.folder.join("mosquitto.db");
        Self {
            child,
            port,
            database,
            publisher,
        }
    }

    /// Queues messages; returns once the broker has them all.
    pub(crate) fn publish(&mut self, count: u64) {
        for _ in 0..count {
            let mut packet = vec![0x32];
            let len = 2 + TOPIC.len() + 2 + BODY;
            packet.extend([
                (len % 128 + 128) as u8,
                (len / 128) as u8,
                0,
                TOPIC.len() as u8,
            ]);
            packet.extend(TOPIC.as_bytes());
            packet.extend([0, 1]);
            packet.extend([b'x'; BODY]);
            ask(&mut self.publisher, &packet, 4);
        }
    }

    /// Has it write its snapshot now; returns the bytes of it.
    pub(crate) fn save(&self) -> u64 {
        drop(fs::remove_file(&self.database));
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-USR1", &pid])
                .status()
                .unwrap()
                .success()
        );
        await_true(|| {
            // It sleeps until somebody speaks to it.
            drop(TcpStream::connect(("127.0.0.1", self.port)));
            self.database.exists()
        });
        fs::metadata(&self.database).unwrap().len()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A session that stays when its connection ends.
fn session(port: u16, name: &str) -> TcpStream {
    let mut socket = None;
    await_true(|| {
        socket = TcpStream::connect(("127.0.0.1", port)).ok();
        socket.is_some()
    });
    let mut socket = socket.unwrap();
    let mut packet = vec![0x10, 12 + name.len() as u8, 0, 4];
    packet.extend(b"MQTT\x04\x00\x00\x00\x00");
    packet.push(name.len() as u8);
    packet.extend(name.as_bytes());
    ask(&mut socket, &packet, 4);
    socket
}

fn ask(socket: &mut TcpStream, packet: &[u8], answer: usize) {
    socket.write_all(packet).unwrap();
    socket.read_exact(&mut vec![0; answer]).unwrap();
}

fn await_true(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "mosquitto does not answer"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

const SUBSCRIBE_TO_ALL: &[u8] = b"\x82\x06\x00\x01\x00\x01#\x01";
const TOPIC: &str = "weir/352093081234567";
