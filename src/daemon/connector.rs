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
    /// Whether the login is made from the date.
    pub(super) dated_login: bool,
    pub(super) timeout: Duration,
    /// See [`Dialling::silence`].
    pub(super) silence: Duration,
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
            silence: self.settings.silence,
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

    /// Whether no connection can be made for want of the date; says when that changes.
    pub(super) fn lacks_date(&mut self) -> Option<NoDate> {
        let needs = self.needs_date();
        let date = self.clock.usable_date();
        let lacks = needs.is_some() && date.is_err();
        let is_new = std::mem::replace(&mut self.awaits_date, lacks) != lacks;
        let who = &self.settings.who;
        match (needs, date) {
            (Some(dated), Err((date, doubt))) => {
                let reason = dated.lacks(date, doubt);
                if is_new {
                    log::warn!("{who}: waits: {reason}");
                }
                Some(NoDate { reason, is_new })
            }
            (Some(dated), Ok(date)) if is_new => {
                let (date, goes_on) = (Date(date), dated.goes_on());
                log::info!("{who}: the clock says {date}, {goes_on}");
                None
            }
            _ => None,
        }
    }

    /// What the date is needed for. Where it is both the certificates come first.
    fn needs_date(&self) -> Option<Dated> {
        let has_certificates = self.settings.tls.as_ref().is_some_and(Tls::needs_date);
        let login = self.settings.dated_login.then_some(Dated::Login);
        has_certificates.then_some(Dated::Certificates).or(login)
    }
}

/// What the date is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dated {
    /// To judge the certificates of the far end.
    Certificates,
    /// To make a login that the far end takes until then.
    Login,
}

/// There is no date that can be used.
pub(super) struct NoDate {
    /// With the dates that do not fit.
    pub(super) reason: String,
    /// It was not so before.
    pub(super) is_new: bool,
}

impl Dated {
    /// What is wrong with the date, and what ends that.
    fn lacks(self, date: Date, doubt: Doubt) -> String {
        let (does_not, is_not) = match self {
            Self::Certificates => ("checks no certificate", "no certificate is checked"),
            Self::Login => ("makes no login", "no login is made"),
        };
        match doubt {
            Doubt::Insane => format!("the clock says {date}, and a wrong clock {does_not}"),
            Doubt::Before(remembered) => format!(
                "the clock says {date}, and it was {} before: {is_not} until the kernel says that \
                 its clock is synchronised, or until it has run steadily for an hour",
                Date(remembered)
            ),
        }
    }

    /// What is so once the date is there.
    fn goes_on(self) -> &'static str {
        match self {
            Self::Certificates => "certificates count",
            Self::Login => "logins are made",
        }
    }
}

/// What did not come in time.
pub(super) const HANDSHAKE: &str = "the TLS handshake";

/// How often a clock that is wrong is looked at.
pub(super) const CLOCK_POLL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SIMULATED;

    fn connector(dated_login: bool) -> Connector {
        let settings = ConnectorSettings {
            who: "stream `cloud`".into(),
            bind: None,
            tls: None,
            dated_login,
            timeout: Duration::from_secs(30),
            silence: Duration::ZERO,
        };
        Connector::new(settings, Clock::new())
    }

    #[test]
    fn a_login_that_is_made_from_the_date_waits_for_one_that_can_be_used() {
        let of_boot = Duration::from_secs(100);
        SIMULATED.set(Some((of_boot, of_boot)));
        assert!(connector(false).lacks_date().is_none());
        let mut dated = connector(true);
        let no_date = dated.lacks_date().unwrap();
        assert!(no_date.is_new);
        let words = "the clock says 1970-01-01, and a wrong clock makes no login";
        assert_eq!(no_date.reason, words);
        assert!(!dated.lacks_date().unwrap().is_new, "said once");
        SIMULATED.set(Some((2 * of_boot, Duration::from_secs(1_800_000_000))));
        assert!(dated.lacks_date().is_none());
        SIMULATED.set(None);
    }
}
