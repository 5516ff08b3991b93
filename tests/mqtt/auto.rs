//! The version is left to weir: mosquitto as it is, and behind a door that lets in only 3.1.1.

use crate::asking;
use crate::broker::Broker;
use crate::config;
use crate::send;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

/// What a door does with a login of MQTT 5.
#[derive(Clone, Copy)]
enum Five {
    Passes,
    Closes,
    Answers(&'static [u8]),
}

/// A line to a broker that looks at the level of each login.
struct Door {
    port: u16,
    levels: Arc<Mutex<Vec<u8>>>,
}

impl Door {
    fn before(broker: u16, five: Five) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let levels = Arc::<Mutex<Vec<u8>>>::default();
        let of_thread = Arc::clone(&levels);
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, levels) = (near.unwrap(), Arc::clone(&of_thread));
                thread::spawn(move || pass(near, broker, five, &levels));
            }
        });
        Self { port, levels }
    }

    fn levels(&self) -> Vec<u8> {
        self.levels.lock().unwrap().clone()
    }
}

fn pass(mut near: TcpStream, broker: u16, five: Five, levels: &Mutex<Vec<u8>>) {
    let mut login = [0; 9];
    if near.read_exact(&mut login).is_err() {
        return;
    }
    levels.lock().unwrap().push(login[8]);
    match (login[8], five) {
        (5, Five::Closes) => return,
        (5, Five::Answers(answer)) => return drop(near.write_all(answer)),
        _ => {}
    }
    let mut far = TcpStream::connect(("127.0.0.1", broker)).unwrap();
    far.write_all(&login).unwrap();
    let (mut back, mut to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
    let answers = thread::spawn(move || {
        drop(std::io::copy(&mut back, &mut to));
        drop(to.shutdown(Shutdown::Both));
    });
    drop(std::io::copy(&mut near, &mut far));
    drop(far.shutdown(Shutdown::Both));
    drop(answers.join());
}

fn stream(port: u16) -> String {
    format!("url = \"mqtt://127.0.0.1:{port}\"\nclean_session = false")
}

#[test]
fn five_is_spoken_where_the_broker_does_and_3_1_1_where_it_does_not() {
    for (five, first) in [
        (Five::Passes, &[5][..]),
        (Five::Closes, &[5, 4]),
        (Five::Answers(&[0x20, 2, 0, 1]), &[5, 4]),
        (Five::Answers(&[0x20, 3, 0, 0x84, 0]), &[5, 4]),
    ] {
        let mut broker = Broker::start("max_inflight_messages 1000\n");
        let (door, port) = (Door::before(broker.port, five), free_port());
        let mut weir = Weir::start("auto", &config(port, &stream(door.port)));
        send(port, 0..500);
        eventually("all arrive", || broker.arrivals().first.len() == 500);
        assert_eq!(door.levels(), first, "and no pause, no third login");
        let log = weir.log();
        assert_eq!(log.contains("3.1.1 is spoken"), first.len() > 1, "{log}");
        assert!(log.contains("stream `cloud`: connected"), "{log}");
        // and so again after a start, with what has no acknowledgement
        weir.kill();
        broker.restart();
        weir.restart();
        send(port, 500..1_000);
        eventually("all is settled", || {
            asking::count(&weir, "cloud", "backlog") == 0
        });
        assert_eq!(asking::count(&weir, "cloud", "accepted"), 1_000);
        let again: Vec<_> = door.levels().split_off(first.len());
        assert_eq!(again, first);
    }
}

#[test]
fn a_broker_of_3_1_1_passes_the_check_at_once() {
    for five in [Five::Passes, Five::Closes] {
        let broker = Broker::start("");
        let door = Door::before(broker.port, five);
        let weir = Weir::start("door", &config(free_port(), &stream(door.port)));
        for more in ["--connect", "--send"] {
            let file = weir.folder.join("weir.toml");
            let mut check = Command::new(env!("CARGO_BIN_EXE_weir"));
            let output = check.arg("-c").arg(file).args(["check", more]);
            let output = output.output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(0), "{said}");
        }
    }
}
