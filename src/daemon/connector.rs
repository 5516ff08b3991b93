//! The connections of a stream, or of a channel that connects: how the next one is made, and
//! whether it can be. What goes through them is the work of others.

use super::waits::within;
use crate::clock::Clock;
use crate::clock::Date;
use crate::clock::Doubt;
use crate::net::Bind;
use crate::net::Connection;
use crate::net::Dialling;
use crate::net::Resolver;
use crate::net::Target;
use crate::net::dial;
use crate::net::tls::Client;
use crate::net::tls::Tls;
use std::io;
use std::time::Duration;

/// How one stream or channel connects.
pub(super) struct ConnectorSettings {
    /// As log lines begin: "stream `cloud`".
    pub(super) who: String,
    pub(super) bind: Option<Bind>,
    pub(super) tls: Option<Tls>,
    pub(super) timeout: Duration,
}

/// What is kept between the connections of one stream or channel.
pub(super) struct Connector {
    settings: ConnectorSettings,
    resolver: Resolver,
    /// None: without TLS.
    tls: Option<Client>,
    /// By which certificates are judged.
    clock: Clock,
    /// Connections that failed: the next begins with another address.
    failures: usize,
    /// Whether it waits for the clock, and has said so.
    awaits_date: bool,
}

impl Connector {
    pub(super) fn new(settings: ConnectorSettings, clock: Clock) -> Self {
        let tls = settings.tls.clone();
        Self {
            settings,
            resolver: Resolver::default(),
            tls: tls.map(|tls| Client::new(tls, clock.clone())),
            clock,
            failures: 0,
            awaits_date: false,
        }
    }

    /// Waits on: name servers, the sockets, TLS; on the last two for `timeout` each at most.
    pub(super) async fn connect(&mut self, target: &Target) -> io::Result<Connection> {
        #[cfg(test)]
        if let Some(dialled) = super::sim::dial(target, self.settings.timeout) {
            return dialled.await;
        }
        let mut addresses = self.resolver.resolve(&target.host, target.port).await?;
        // one that takes connections and does nothing with them is not tried first for ever
        let first = self.failures.checked_rem(addresses.len()).unwrap_or(0);
        addresses.rotate_left(first);
        let dialling = Dialling {
            bind: self.settings.bind.clone(),
            timeout: self.settings.timeout,
        };
        let socket = dial(&addresses, &dialling).await?;
        match &mut self.tls {
            None => Ok(Connection::Plain(socket)),
            Some(tls) => {
                let shake_hands = tls.connect(socket, &target.host);
                let socket = within(dialling.timeout, HANDSHAKE, shake_hands).await?;
                Ok(Connection::Tls(Box::new(socket)))
            }
        }
    }

    /// The last connection failed.
    pub(super) fn failed(&mut self) {
        self.failures = self.failures.wrapping_add(1);
    }

    /// Whether certificates cannot be judged for want of the date; says when that changes.
    pub(super) fn lacks_date(&mut self) -> Option<NoDate> {
        let needs = self.settings.tls.as_ref().is_some_and(Tls::needs_date);
        let date = self.clock.usable_date();
        let lacks = needs && date.is_err();
        let is_new = std::mem::replace(&mut self.awaits_date, lacks) != lacks;
        let who = &self.settings.who;
        match date {
            Err((date, doubt)) if needs => {
                let reason = no_certificates(date, doubt);
                if is_new {
                    log::warn!("{who}: waits: {reason}");
                }
                Some(NoDate { reason, is_new })
            }
            Ok(date) if is_new => {
                let date = Date(date);
                log::info!("{who}: the clock says {date}, certificates count");
                None
            }
            _ => None,
        }
    }
}

/// Certificates cannot be judged.
pub(super) struct NoDate {
    /// With the dates that do not fit.
    pub(super) reason: String,
    /// It was not so before.
    pub(super) is_new: bool,
}

/// What is wrong with the date, and what ends that.
fn no_certificates(date: Date, doubt: Doubt) -> String {
    match doubt {
        Doubt::Insane => {
            format!("the clock says {date}, and a wrong clock checks no certificate")
        }
        Doubt::Before(remembered) => format!(
            "the clock says {date}, and it was {} before: no certificate is checked until the \
             kernel says that its clock is synchronised, or until it has run steadily for an hour",
            Date(remembered)
        ),
    }
}

/// What did not come in time.
pub(super) const HANDSHAKE: &str = "the TLS handshake";

/// How often a clock that is wrong is looked at.
pub(super) const CLOCK_POLL: Duration = Duration::from_secs(1);
