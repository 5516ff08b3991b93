//! The real mosquitto with an hour's messages queued for a subscriber that is away: the size of
//! the snapshot that it writes as a whole, every 30 minutes unless told otherwise.

use super::disk::Disk;
use super::traffic::BODY;
use super::weir_run::eventually;
use super::weir_run::program::Program;
use super::weir_run::program::mosquitto;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;

/// A broker that queues all and writes its snapshots on the disk.
pub(crate) struct Broker {
    program: Program,
    port: u16,
    database: PathBuf,
    publisher: TcpStream,
}

impl Broker {
    pub(crate) fn start(disk: &Disk) -> Self {
        let place = disk.folder.display();
        let (program, port) = Program::serve(|port| {
            let config = format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n\
                 persistence_location {place}/\nautosave_interval 1800\nmax_queued_messages 0\n\
                 max_queued_bytes 0\nlog_type none\n"
            );
            let path = disk.folder.join("mosquitto.conf");
            fs::write(&path, config).unwrap();
            mosquitto(&path)
        });
        let mut subscriber = session(port, "away");
        ask(&mut subscriber, SUBSCRIBE_TO_ALL, 5);
        let publisher = session(port, "weir");
        let database = disk.folder.join("mosquitto.db");
        Self {
            program,
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
        self.program.signal("USR1");
        eventually("it has written its snapshot", || {
            // It sleeps until somebody speaks to it.
            drop(TcpStream::connect(("127.0.0.1", self.port)));
            self.database.exists()
        });
        fs::metadata(&self.database).unwrap().len()
    }
}

/// A session that stays when its connection ends.
fn session(port: u16, name: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
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

const SUBSCRIBE_TO_ALL: &[u8] = b"\x82\x06\x00\x01\x00\x01#\x01";
const TOPIC: &str = "weir/352093081234567";
