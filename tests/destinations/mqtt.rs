//! `mqtt`: mosquitto with passwords, an access list and a limit, in MQTT 5, where it says which. A
//! subscriber whose session outlives the broker writes down what is published.

use crate::contract::numbers;
use crate::row::Counterpart;
use crate::row::Has;
use crate::row::Limit;
use crate::row::Login;
use crate::row::REFUSED;
use crate::row::Refusal;
use crate::row::Row;
use crate::weir::Folder;
use crate::weir::program::Program;
use crate::weir::program::SAYS_WHO_SUBSCRIBES;
use crate::weir::program::SUBSCRIBED;
use crate::weir::program::mosquitto;
use std::fs;
use std::process::Command;

pub(crate) const ROW: Row = Row {
    name: "mqtt",
    start: || Box::new(Mqtt::start()),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "not authorized (0x87); look at `username` and `password`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "the broker refused a publish: not authorized (0x87)",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(PACKET_MAX)),
        said: "the broker takes at most 2000",
    }),
    login_seen: Has::Yes("\0\u{4}****\0\u{c}************"),
};

struct Mqtt {
    port: u16,
    folder: Folder,
    broker: Program,
    _subscriber: Program,
}

impl Mqtt {
    fn start() -> Self {
        let folder = Folder::new("mqtt");
        let place = folder.join("").display().to_string();
        for (name, password) in [("weir", "right-secret"), ("all", "all")] {
            let mut make = Command::new("mosquitto_passwd");
            let file = folder.write(name, &format!("{name}:{password}\n"));
            assert!(make.arg("-U").arg(&file).status().unwrap().success());
        }
        let passwords = ["weir", "all"].map(|name| fs::read_to_string(folder.join(name)).unwrap());
        folder.write("passwords", &passwords.concat());
        let deny = format!("topic deny weir/{REFUSED}\ntopic write weir/#\n");
        folder.write("access", &format!("user all\ntopic read #\nuser weir\n{deny}"));
        let (mut broker, port) = Program::serve(|port| {
            let config = format!(
                "{SAYS_WHO_SUBSCRIBES}listener {port} 127.0.0.1\nallow_anonymous false\nuser root\n\
                 password_file {place}passwords\nacl_file {place}access\npersistence true\n\
                 persistence_location {place}\nmax_queued_messages 0\n\
                 max_packet_size {PACKET_MAX}\n"
            );
            mosquitto(&folder.write("mosquitto.conf", &config))
        });
        let mut subscriber = Command::new("mosquitto_sub");
        subscriber.args(["-c", "-i", "all", "-u", "all", "-P", "all", "-q", "1", "-t", "#"]);
        let received = fs::File::create(folder.join("received")).unwrap();
        let subscriber = subscriber.args(["-p", &port.to_string()]).stdout(received);
        let subscriber = Program::start(subscriber);
        broker.await_said(SUBSCRIBED, 1);
        Self {
            port,
            folder,
            broker,
            _subscriber: subscriber,
        }
    }
}

impl Counterpart for Mqtt {
    fn keys(&self) -> String {
        format!(
            "url = \"mqtt://127.0.0.1:{}\"\nversion = \"5\"\ntopic = \"weir/{{ident}}\"\n\
             username = \"weir\"\npassword = \"right-secret\"",
            self.port
        )
    }

    fn leave(&mut self) {
        // in good order: it writes down what the subscriber has not got yet
        self.broker.stop();
    }

    fn come_back(&mut self) {
        let config = self.folder.join("mosquitto.conf");
        self.broker = Program::serve_on(self.port, &mut mosquitto(&config));
    }

    fn taken(&self) -> Vec<u64> {
        numbers(&fs::read_to_string(self.folder.join("received")).unwrap_or_default())
    }
}

/// Bytes of a packet at most.
const PACKET_MAX: usize = 2000;
