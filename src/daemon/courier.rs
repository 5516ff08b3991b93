//! A courier: carries bytes between one stream's link and its destination.

use super::hub::Hub;
use super::limit::Limiter;
use super::{first_of, sleep};
use crate::clock::Date;
use crate::clock::Now;
use crate::message::body::Body;
use crate::net::tls::{Client, Fault, Tls};
use crate::net::{Connection, Dialling, Interest, Resolver, Target, dial};
use crate::ring::StreamId;
use crate::stream::engine::{Engine, Event, Limits};
use crate::stream::file::FileLink;
use crate::stream::settings::{Destination, Settings};
use crate::stream::{self, Link, Lost, Retry, Turn};
use event_listener::EventListener;
use futures_lite::future::{or, poll_once};
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// A stream as the rest of the daemon sees it.
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) settings: Settings,
    /// Given to the broker where the configuration gives none.
    client_id: String,
    /// Whether its destination would take something now.
    pub(super) connected: Cell<bool>,
    /// How often it was connected.
    pub(super) connects: Cell<u64>,
}

/// What carries one stream's messages.
pub(super) struct Courier {
    hub: Rc<Hub>,
    stream: Rc<Stream>,
    engine: Engine,
    limiter: Limiter,
    resolver: Resolver,
    /// None: without TLS.
    tls: Option<Client>,
    /// Connections that failed: the next begins with another address.
    failures: usize,
    /// Whether it waits for the clock, and has said so.
    awaits_date: bool,
}

/// One connection and what is on its way in it.
struct Line<'a> {
    connection: Connection,
    link: Box<dyn Link + 'a>,
    input: Vec<u8>,
    out: Vec<u8>,
}

impl Stream {
    pub(super) fn new(id: StreamId, settings: Settings, client_id: String) -> Self {
        let (connected, connects) = (Cell::new(false), Cell::new(0));
        Self {
            id,
            settings,
            client_id,
            connected,
            connects,
        }
    }
}

impl Courier {
    pub(super) fn new(hub: Rc<Hub>, stream: Rc<Stream>) -> Self {
        let settings = &stream.settings;
        let messages = settings.in_memory_max();
        let limits = Limits {
            messages,
            bytes: settings.delivery.max_bytes,
            ttl: settings.ttl,
        };
        let engine = Engine::new(stream.id, settings.delivery.clone(), limits);
        let tls = settings.tls.clone();
        let tls = tls.map(|tls| Client::new(tls, hub.clock()));
        Self {
            hub,
            stream,
            engine,
            limiter: Limiter::default(),
            resolver: Resolver::default(),
            tls,
            failures: 0,
            awaits_date: false,
        }
    }

    /// Delivers for ever. Waits on: the ring, the pause after a failure, the connection.
    pub(super) async fn run(mut self) {
        let stream = Rc::clone(&self.stream);
        match &stream.settings.destination {
            Destination::File(file) => self.run_file(FileLink::new(file.clone())).await,
            Destination::Http(http) => self.run_socket(&stream, &http.target).await,
            Destination::Mqtt(mqtt) => self.run_socket(&stream, &mqtt.target).await,
            Destination::WialonRetranslator(wialon) => {
                self.run_socket(&stream, &wialon.target).await;
            }
        }
    }

    async fn run_socket(&mut self, stream: &Stream, target: &Target) {
        loop {
            let (appended, woken) = (self.hub.appended(), self.hub.woken());
            self.serve();
            let now = self.hub.now();
            let Some(stays) = self.link(stream).map(|link| link.stays()) else {
                return;
            };
            if let Some(until) = self.engine.paused_until(now) {
                self.rest(until - now.mono, woken).await;
            } else if !stays && !self.engine.has_waiting() {
                appended.await;
            } else if self.lacks_date(now) {
                sleep(Some(DATE_EVERY)).await;
            } else {
                let lost = match self.connect(target).await {
                    Ok(connection) => self.converse(stream, connection).await,
                    Err(error) => broken(&error),
                };
                self.disconnected(target, &lost);
                if poll_once(woken).await.is_some() {
                    self.engine.wake();
                }
            }
        }
    }

    /// The protocol's side of a connection that is just made.
    fn link<'a>(&self, stream: &'a Stream) -> Option<Box<dyn Link + 'a>> {
        let now = self.hub.now();
        stream::link(&stream.settings, &stream.client_id, &self.engine, now)
    }

    /// Waits for the next try, or to be woken.
    async fn rest(&mut self, wait: Duration, woken: EventListener) {
        let woken = async {
            woken.await;
            true
        };
        let slept = async {
            sleep(Some(wait)).await;
            false
        };
        if or(woken, slept).await {
            self.engine.wake();
        }
    }

    /// Whether certificates cannot be judged for want of the date; says when that changes.
    fn lacks_date(&mut self, now: Now) -> bool {
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

    async fn run_file(&mut self, mut link: FileLink) {
        loop {
            let appended = self.hub.appended();
            self.serve();
            let now = self.hub.now();
            let delivered = link.deliver(&mut self.engine, now, fastrand::u32(..));
            self.set_connected(link.is_ready());
            if delivered {
                futures_lite::future::yield_now().await;
            } else {
                let due = self
                    .engine
                    .paused_until(now)
                    .or_else(|| self.engine.batch_due());
                let wait = due.map(|due| due.saturating_sub(now.mono));
                first_of(appended, sleep(wait)).await;
            }
        }
    }

    /// Waits on: name servers, the sockets, TLS; each for `timeout` at most.
    async fn connect(&mut self, target: &Target) -> io::Result<Connection> {
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

    /// One connection from its first byte to its end. Waits on: the socket, the ring, the link's
    /// next time, being woken.
    async fn converse(&mut self, stream: &Stream, connection: Connection) -> Lost {
        let Some(link) = self.link(stream) else {
            return Lost::ended("there is nothing to say");
        };
        let mut line = Line::new(connection, link);
        let lost = self.carry(&mut line).await;
        // as far as it can still be said
        line.connection.finish().ok();
        lost
    }

    async fn carry(&mut self, line: &mut Line<'_>) -> Lost {
        loop {
            let (appended, woken) = (self.hub.appended(), self.hub.woken());
            match self.turn(line) {
                Ok(Again::Now) => futures_lite::future::yield_now().await,
                Ok(Again::At(due)) => {
                    let interest = Interest::of(Some(()), (!line.out.is_empty()).then_some(()));
                    let wait = due.map(|due| due.saturating_sub(self.hub.now().mono));
                    let ready = line.connection.ready(interest);
                    let due = first_of(appended, sleep(wait));
                    first_of(ready, or(due, self.rest(Duration::MAX, woken))).await;
                }
                Err(lost) => return lost,
            }
        }
    }

    /// Reads, understands, settles, sends and writes what there is, once each. What has come is
    /// read before any time is judged: after a stall the answers are already there.
    fn turn(&mut self, line: &mut Line<'_>) -> Result<Again, Lost> {
        let read = line.connection.try_read(&mut line.input);
        let now = self.hub.now();
        let engine = &mut self.engine;
        line.understand(engine, now)?;
        let read = match read {
            Ok(Some(0)) => {
                return Err(line.closed(engine, now, Lost::ended("closed by the destination")));
            }
            Ok(read) => read.is_some(),
            Err(error) => return Err(line.closed(engine, now, broken(&error))),
        };
        self.serve();
        self.set_connected(line.link.is_ready());
        let engine = &mut self.engine;
        line.send(engine, now)?;
        let wrote = line.connection.try_write(&mut line.out);
        let wrote = wrote.map_err(|error| line.closed(engine, now, broken(&error)))? > 0;
        self.serve();
        Ok(if read || wrote {
            Again::Now
        } else {
            Again::At(self.due(line.link.as_ref(), now))
        })
    }

    /// When the next turn has something to do, if nothing comes before.
    fn due(&self, link: &dyn Link, now: Now) -> Option<Duration> {
        let paused = self.engine.paused_until(now);
        let batch = self.engine.batch_due().filter(|due| *due > now.mono);
        [paused, batch, link.wake_at(&self.engine)]
            .into_iter()
            .flatten()
            .min()
    }

    fn serve(&mut self) {
        let (routes, stream) = (&self.hub.routes, self.stream.id);
        let wanted = |body: &[u8]| {
            Body::new(body).is_ok_and(|body| {
                routes.wants(stream, body.text("channel.name"), body.text("ident"))
            })
        };
        self.hub.serve(&mut self.engine, &wanted);
        self.tell_events();
    }

    fn tell_events(&mut self) {
        let events: Vec<_> = self.engine.events().collect();
        for event in events {
            let (kind, text) = match event {
                Event::NotDelivered(fault) => ("not delivered", fault.reason),
                Event::GivenUp { seq, reason } => {
                    ("given up", format!("message {}, refused: {reason}", seq.0))
                }
                Event::Skipped { seq, reason } => {
                    ("skipped", format!("message {}: {reason}", seq.0))
                }
                Event::AtFault { reason } => (
                    "at fault",
                    format!("everything is refused, nothing more is skipped: {reason}"),
                ),
            };
            self.warn(kind, &text);
        }
    }

    fn set_connected(&mut self, connected: bool) {
        if self.stream.connected.replace(connected) == connected {
            return;
        }
        self.hub.set_connected(self.stream.id, connected);
        if connected {
            self.stream.connects.set(self.stream.connects.get() + 1);
            log::info!("stream `{}`: connected", self.stream.settings.name);
        }
    }

    fn disconnected(&mut self, target: &Target, lost: &Lost) {
        let kind = if self.stream.connected.get() {
            "connection lost"
        } else {
            "not connected"
        };
        if lost.retry == Retry::Paused {
            self.failures = self.failures.wrapping_add(1);
        }
        self.set_connected(false);
        let now = self.hub.now();
        self.engine
            .lost(self.engine.epoch(), lost.retry, now, fastrand::u32(..));
        self.tell_events();
        let next = match self.engine.paused_until(now) {
            Some(until) => format!("next try in {:.1} s", (until - now.mono).as_secs_f64()),
            None => "next try at once".to_owned(),
        };
        let target = target.to_string();
        let reason = &lost.fault.reason;
        // of one address it is said once
        let reason = reason
            .strip_prefix(&format!("{target}: "))
            .unwrap_or(reason);
        self.warn(kind, &format!("{target}: {reason}; {next}"));
    }

    fn warn(&mut self, kind: &'static str, text: &str) {
        if let Some(hidden) = self.limiter.admit(kind, self.hub.now()) {
            let more = if hidden > 0 {
                format!(" ({hidden} more before)")
            } else {
                String::new()
            };
            log::warn!(
                "stream `{}`: {kind}: {text}{more}",
                self.stream.settings.name
            );
        }
    }
}

impl<'a> Line<'a> {
    fn new(connection: Connection, link: Box<dyn Link + 'a>) -> Self {
        Self {
            connection,
            link,
            input: Vec::new(),
            out: Vec::new(),
        }
    }

    fn understand(&mut self, engine: &mut Engine, now: Now) -> Result<(), Lost> {
        let mut taken = 0;
        loop {
            let mut turn = Turn {
                engine,
                now,
                out: &mut self.out,
                random: fastrand::u32(..),
            };
            let rest = self.input.get(taken..).unwrap_or_default();
            match self.link.receive(rest, &mut turn)? {
                0 => break,
                used => taken += used,
            }
        }
        self.input.drain(..taken.min(self.input.len()));
        Ok(())
    }

    /// Lets the link say more once all is written, and do what is due.
    fn send(&mut self, engine: &mut Engine, now: Now) -> Result<(), Lost> {
        let written = self.out.is_empty();
        let mut turn = Turn {
            engine,
            now,
            out: &mut self.out,
            random: fastrand::u32(..),
        };
        if written {
            self.link.send(&mut turn)?;
        }
        if self
            .link
            .wake_at(turn.engine)
            .is_some_and(|due| due <= now.mono)
        {
            self.link.wake(&mut turn)?;
        }
        Ok(())
    }

    fn closed(&mut self, engine: &mut Engine, now: Now, lost: Lost) -> Lost {
        let mut turn = Turn {
            engine,
            now,
            out: &mut self.out,
            random: fastrand::u32(..),
        };
        self.link.closed(lost, &mut turn)
    }
}

/// When a turn is followed by another.
enum Again {
    /// There may be more: after the other tasks.
    Now,
    /// When something comes, or at this time.
    At(Option<Duration>),
}

fn broken(error: &io::Error) -> Lost {
    let code = match Fault::is_certificate(error) {
        true => stream::CERTIFICATE,
        false => NO_CONNECTION,
    };
    Lost::new(code, error.to_string())
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    or(work, async {
        sleep(Some(limit)).await;
        let message = format!(
            "no answer to the TLS handshake within {} s",
            limit.as_secs_f64()
        );
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
    .await
}

/// How often a clock that is wrong is looked at.
const DATE_EVERY: Duration = Duration::from_secs(1);

/// flespi's code of a destination that could not be reached.
const NO_CONNECTION: i32 = -1;
