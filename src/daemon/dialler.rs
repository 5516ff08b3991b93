//! A stream's connections: how the next one is made, and whether it can be. What goes through them
//! is the courier's work.

use super::sleep;
use super::stream::Stream;
use crate::clock::Clock;
use crate::clock::Date;
use crate::clock::Now;
use crate::net::Connection;
use crate::net::Dialling;
use crate::net::Resolver;
use crate::net::Target;
use crate::net::dial;
use crate::net::tls::Client;
use crate::net::tls::Tls;
use futures_lite::future::or;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// What one stream keeps between its connections.
pub(super) struct Dialler {
    stream: Rc<Stream>,
    resolver: Resolver,
    /// None: without TLS.
    tls: Option<Client>,
    /// Connections that failed: the next begins with another address.
    failures: usize,
    /// Whether it waits for the clock, and has said so.
    awaits_date: bool,
}

impl Dialler {
    pub(super) fn new(stream: &Rc<Stream>, clock: Clock) -> Self {
        let tls = stream.settings.tls.clone();
        Self {
            stream: Rc::clone(stream),
            resolver: Resolver::default(),
            tls: tls.map(|tls| Client::new(tls, clock)),
            failures: 0,
            awaits_date: false,
        }
    }

    /// Waits on: name servers, the sockets, TLS; on the last two for `timeout` each at most.
    pub(super) async fn connect(&mut self, target: &Target) -> io::Result<Connection> {
        #[cfg(test)]
        if let Some(dialled) = super::sim::dial(target, self.stream.settings.delivery.timeout) {
            return dialled.await;
        }
        let mut addresses = self.resolver.resolve(&target.host, target.port).await?;
        // one that takes connections and does nothing with them is not tried first for ever
        let first = self.failures.checked_rem(addresses.len()).unwrap_or(0);
        addresses.rotate_left(first);
        let dialling = Dialling {
            bind: self.stream.settings.bind.clone(),
            timeout: self.stream.settings.delivery.timeout,
        };
        let socket = dial(&addresses, &dialling).await?;
        match &mut self.tls {
            None => Ok(Connection::Plain(socket)),
            Some(tls) => {
                let shake_hands = tls.connect(socket, &target.host);
                let socket = within(dialling.timeout, shake_hands).await?;
                Ok(Connection::Tls(Box::new(socket)))
            }
        }
    }

    /// The last connection failed.
    pub(super) fn failed(&mut self) {
        self.failures = self.failures.wrapping_add(1);
    }

    /// Whether certificates cannot be judged for want of the date; says when that changes.
    pub(super) fn lacks_date(&mut self, now: Now) -> bool {
        let tls = self.stream.settings.tls.as_ref();
        let lacks = tls.is_some_and(Tls::needs_date) && !now.wall.trusted;
        if std::mem::replace(&mut self.awaits_date, lacks) != lacks {
            let (name, date) = (&self.stream.settings.name, Date(now.wall.since_1970));
            match lacks {
                true => log::warn!(
                    "stream `{name}`: waits: the clock says {date}, and a wrong clock checks no \
                     certificate"
                ),
                false => log::info!("stream `{name}`: the clock says {date}, certificates count"),
            }
        }
        lacks
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    or(work, async {
        sleep(Some(limit)).await;
        let seconds = limit.as_secs_f64();
        let message = format!("no answer to the TLS handshake within {seconds} s");
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
    .await
}
