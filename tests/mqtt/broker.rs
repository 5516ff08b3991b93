//! mosquitto, with certificates where they are wanted, and a subscriber that judges it.

use crate::certificates::Authority;
use crate::servers::Arrivals;
use crate::weir::{Folder, eventually, free_port};
use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A broker that drops nothing on its way to the subscriber.
pub(crate) struct Broker {
    /// Of the subscriber, and of clients without TLS.
    pub(crate) port: u16,
    /// Of clients with a certificate.
    pub(crate) tls_port: u16,
    folder: Folder,
    broker: Child,
    subscriber: Child,
}

impl Broker {
    /// With lines of its configuration.
    pub(crate) fn start(more: &str) -> Self {
        Self::new(Folder::new("mosquitto"), free_port(), 0, more)
    }

    /// One that wants certificates of its clients.
    pub(crate) fn with_tls(authority: &Authority) -> Self {
        let (tls_port, place) = (free_port(), authority.folder.join(""));
        let (place, _) = (place.display(), authority.issue("localhost"));
        let more = format!(
            "max_inflight_messages 1000\nlistener {tls_port} 127.0.0.1\ncafile {place}ca.pem\n\
             certfile {place}localhost.pem\nkeyfile {place}localhost.key\n\
             require_certificate true\n"
        );
        Self::new(Folder::new("mosquitto"), free_port(), tls_port, &more)
    }

    fn new(folder: Folder, port: u16, tls_port: u16, more: &str) -> Self {
        folder.write(
            "mosquitto.conf",
            &format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n\
                 max_queued_messages 0\nuser root\n{more}"
            ),
        );
        let broker = run(&folder, port);
        let received = fs::File::create(folder.join("received")).unwrap();
        let subscriber = Command::new("mosquitto_sub")
            .args(["-p", &port.to_string(), "-q", "1", "-t", "#", "-v"])
            .stdin(Stdio::null())
            .stdout(received)
            .stderr(Stdio::null())
            .spawn();
        let this = Self {
            port,
            tls_port,
            folder,
            broker,
            subscriber: subscriber.unwrap(),
        };
        this.await_subscriber();
        this
    }

    /// Until it hears what is published now.
    fn await_subscriber(&self) {
        let (port, before) = (self.port.to_string(), self.text().len());
        eventually("mosquitto_sub is subscribed", || {
            let probe = ["-p", &port, "-t", "probe", "-m", "x"];
            let probe = Command::new("mosquitto_pub").args(probe).status();
            probe.unwrap().success() && self.text().len() > before
        });
    }

    /// Has the broker read again who may do what.
    pub(crate) fn reload(&self) {
        let pid = self.broker.id().to_string();
        let told = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(told.unwrap().success());
    }

    /// Ends the broker, which forgets all, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.broker.kill().unwrap();
        self.broker.wait().unwrap();
        self.broker = run(&self.folder, self.port);
        self.await_subscriber();
    }

    /// What came, one `TOPIC PAYLOAD` a line.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.folder.join("received")).unwrap_or_default()
    }

    pub(crate) fn arrivals(&self) -> Arrivals {
        Arrivals::of([self.text()], "seq")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        for program in [&mut self.subscriber, &mut self.broker] {
            drop(program.kill());
            drop(program.wait());
        }
    }
}

fn run(folder: &Folder, port: u16) -> Child {
    let mut broker = Command::new("/usr/sbin/mosquitto");
    broker.arg("-c").arg(folder.join("mosquitto.conf"));
    let quiet = broker.stdin(Stdio::null()).stdout(Stdio::null());
    let broker = quiet.stderr(Stdio::null()).spawn().unwrap();
    eventually("mosquitto listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    broker
}
