//! mosquitto, with certificates where they are wanted, and a subscriber that judges it.

use crate::certificates::Authority;
use crate::servers::Arrivals;
use crate::servers::subscribe;
use crate::weir::Folder;
use crate::weir::free_port;
use crate::weir::program::Program;
use crate::weir::program::SAYS_WHO_SUBSCRIBES;
use crate::weir::program::SUBSCRIBED;
use crate::weir::program::mosquitto;
use std::fs;

/// A broker that drops nothing on its way to the subscriber.
pub(crate) struct Broker {
    /// Of the subscriber, and of clients without TLS.
    pub(crate) port: u16,
    /// Of clients with a certificate.
    pub(crate) tls_port: u16,
    folder: Folder,
    broker: Program,
    _subscriber: Program,
}

impl Broker {
    /// With lines of its configuration.
    pub(crate) fn start(more: &str) -> Self {
        Self::new(|| (0, more.to_owned()))
    }

    /// One that wants certificates of its clients.
    pub(crate) fn with_tls(authority: &Authority) -> Self {
        let place = authority.folder.join("");
        let (place, _) = (place.display(), authority.issue("localhost"));
        Self::new(|| {
            let tls_port = free_port();
            let more = format!(
                "max_inflight_messages 1000\nlistener {tls_port} 127.0.0.1\ncafile {place}ca.pem\n\
                 certfile {place}localhost.pem\nkeyfile {place}localhost.key\n\
                 require_certificate true\n"
            );
            (tls_port, more)
        })
    }

    /// With the port for TLS, and lines of the configuration.
    fn new(more: impl Fn() -> (u16, String)) -> Self {
        let (folder, mut tls_port) = (Folder::new("mosquitto"), 0);
        let (broker, port) = Program::serve(|port| {
            let (other, more) = more();
            tls_port = other;
            let config = format!(
                "{SAYS_WHO_SUBSCRIBES}listener {port} 127.0.0.1\nallow_anonymous true\n\
                 persistence false\nmax_queued_messages 0\nuser root\n{more}"
            );
            mosquitto(&folder.write("mosquitto.conf", &config))
        });
        let subscriber = subscribe(port, &folder.join("received"));
        let mut this = Self {
            port,
            tls_port,
            folder,
            broker,
            _subscriber: subscriber,
        };
        this.broker.await_said(SUBSCRIBED, 1);
        this
    }

    /// Has the broker read again who may do what.
    pub(crate) fn reload(&self) {
        self.broker.signal("HUP");
    }

    /// Ends the broker, which forgets all, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.broker.kill();
        let config = self.folder.join("mosquitto.conf");
        self.broker = Program::serve_on(self.port, &mut mosquitto(&config));
        // it comes back by itself
        self.broker.await_said(SUBSCRIBED, 1);
    }

    /// What came, one `TOPIC PAYLOAD` a line.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.folder.join("received")).unwrap_or_default()
    }

    pub(crate) fn arrivals(&self) -> Arrivals {
        Arrivals::of([self.text()], "seq")
    }
}
