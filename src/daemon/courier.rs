//! A courier: carries bytes between one stream's link and its destination.

use super::hub::Hub;
use super::limit::Limiter;
use super::{first_of, sleep};
use crate::message::body::Body;
use crate::net::{self, Interest, Socket, Target};
use crate::ring::StreamId;
use crate::stream::engine::{Engine, Event, Limits};
use crate::stream::file::FileLink;
use crate::stream::settings::{Destination, Settings};
use crate::stream::{self, Link, Lost, Turn};
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// A stream as the rest of the daemon sees it.
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) settings: Settings,
    /// Given to the broker where the configuration gives none.
    pub(super) client_id: String,
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
}

impl Courier {
    pub(super) fn new(hub: Rc<Hub>, stream: Rc<Stream>) -> Self {
        let settings = &stream.settings;
        let (messages, bytes) = settings.window();
        let limits = Limits { messages, bytes, ttl: settings.ttl };
        let engine = Engine::new(stream.id, settings.delivery.clone(), limits);
        Self { hub, stream, engine, limiter: Limiter::default() }
    }

    /// Delivers for ever. Waits on: the ring, the pause after a failure, the connection.
    pub(super) async fn run(mut self) {
        let stream = Rc::clone(&self.stream);
        match &stream.settings.destination {
            Destination::File(settings) => self.run_file(FileLink::new(settings.clone())).await,
            Destination::Http(settings) => self.run_socket(&settings.target, Dial::WhenNeeded).await,
            Destination::Mqtt(settings) => self.run_socket(&settings.target, Dial::Always).await,
            Destination::WialonRetranslator(settings) => {
                self.run_socket(&settings.target, Dial::WhenNeeded).await;
            }
        }
    }

    async fn run_socket(&mut self, target: &Target, dial: Dial) {
        loop {
            let appended = self.hub.appended();
            self.serve();
            let now = self.hub.now();
            if let Some(until) = self.engine.paused_until(now) {
                sleep(Some(until - now.mono)).await;
            } else if dial == Dial::WhenNeeded && !self.engine.has_waiting() {
                appended.await;
            } else {
                let lost = match self.connect(target).await {
                    Ok(socket) => self.converse(socket).await,
                    Err(error) => Lost { code: -1, reason: error.to_string() },
                };
                self.disconnected(target, &lost);
            }
        }
    }

    async fn run_file(&mut self, mut link: FileLink) {
        loop {
            let appended = self.hub.appended();
            self.serve();
            let now = self.hub.now();
            if link.deliver(&mut self.engine, now, fastrand::u32(..)) {
                self.set_connected(link.is_ready());
                futures_lite::future::yield_now().await;
            } else {
                let due = self.engine.paused_until(now).or_else(|| self.engine.batch_due());
                first_of(appended, sleep(due.map(|due| due.saturating_sub(now.mono)))).await;
            }
        }
    }

    async fn connect(&self, target: &Target) -> io::Result<Socket> {
        let timeout = self.stream.settings.delivery.timeout;
        let mut last = io::ErrorKind::HostUnreachable.into();
        for address in net::resolve(target)? {
            match within(timeout, Socket::connect(address)).await {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// One connection from its first byte to its end. Waits on: the socket, the ring, the link's
    /// next time.
    async fn converse(&mut self, socket: Socket) -> Lost {
        let settings = &self.stream.settings;
        let mut link = stream::link(settings, &self.stream.client_id, self.hub.now());
        let (mut input, mut out) = (Vec::new(), Vec::new());
        loop {
            let appended = self.hub.appended();
            match self.turn(&socket, link.as_mut(), &mut input, &mut out) {
                Ok(Again::Now) => futures_lite::future::yield_now().await,
                Ok(Again::At(due)) => {
                    let interest = Interest::of(Some(()), (!out.is_empty()).then_some(()));
                    let wait = due.map(|due| due.saturating_sub(self.hub.now().mono));
                    first_of(socket.ready(interest), first_of(appended, sleep(wait))).await;
                }
                Err(lost) => return lost,
            }
        }
    }

    /// Reads, understands, settles, sends and writes what there is, once each. What has come is
    /// read before any time is judged: after a stall the answers are already there.
    fn turn(
        &mut self,
        socket: &Socket,
        link: &mut dyn Link,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Again, Lost> {
        let read = socket.try_read(input).map_err(|error| broken(&error))?;
        let now = self.hub.now();
        let random = fastrand::u32(..);
        loop {
            let mut turn = Turn { engine: &mut self.engine, now, out, random };
            match link.receive(input, &mut turn)? {
                0 => break,
                used => drop(input.drain(..used.min(input.len()))),
            }
        }
        if read == Some(0) {
            return Err(Lost { code: 0, reason: "closed by the destination".to_owned() });
        }
        self.serve();
        self.set_connected(link.is_ready());
        let mut turn = Turn { engine: &mut self.engine, now, out, random };
        if turn.out.is_empty() {
            link.send(&mut turn)?;
        }
        if link.wake_at(turn.engine).is_some_and(|due| due <= now.mono) {
            link.wake(&mut turn)?;
        }
        let wrote = socket.try_write(out).map_err(|error| broken(&error))?;
        self.serve();
        Ok(if read.is_some() || wrote > 0 { Again::Now } else { Again::At(self.due(link)) })
    }

    /// When the next turn has something to do, if nothing comes before.
    fn due(&self, link: &dyn Link) -> Option<Duration> {
        let now = self.hub.now();
        let paused = self.engine.paused_until(now);
        let batch = self.engine.batch_due().filter(|due| *due > now.mono);
        [paused, batch, link.wake_at(&self.engine)].into_iter().flatten().min()
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
        let (name, now) = (&self.stream.settings.name, self.hub.now());
        let events: Vec<_> = self.engine.events().collect();
        for event in events {
            let (kind, text) = match event {
                Event::GivenUp { seq, reason } => {
                    ("given up", format!("message {} given up, refused: {reason}", seq.0))
                }
                Event::Skipped { seq, reason } => {
                    ("skipped", format!("message {} skipped: {reason}", seq.0))
                }
                Event::AtFault { reason } => {
                    ("at fault", format!("the destination refuses all: {reason}; waiting"))
                }
            };
            if let Some(hidden) = self.limiter.admit(kind, now) {
                log::warn!("stream `{name}`: {text} ({hidden} more before)");
            }
        }
    }

    fn set_connected(&self, connected: bool) {
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
        let was_connected = self.stream.connected.get();
        self.set_connected(false);
        let now = self.hub.now();
        self.engine.lost(self.engine.epoch(), now, fastrand::u32(..));
        let kind = if was_connected { "connection lost" } else { "not connected" };
        if let Some(hidden) = self.limiter.admit(kind, now) {
            let name = &self.stream.settings.name;
            let wait = self.engine.paused_until(now).map_or(Duration::ZERO, |until| until - now.mono);
            log::warn!(
                "stream `{name}`: {kind}: {target}: {}; next try in {:.1} s ({hidden} more before)",
                lost.reason,
                wait.as_secs_f64()
            );
        }
    }
}

/// When a stream's connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dial {
    /// At once, and again when it is lost.
    Always,
    /// When there is something to send.
    WhenNeeded,
}

/// When a turn is followed by another.
enum Again {
    /// There may be more: after the other tasks.
    Now,
    /// When something comes, or at this time.
    At(Option<Duration>),
}

fn broken(error: &io::Error) -> Lost {
    Lost { code: -1, reason: error.to_string() }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    futures_lite::future::or(work, async {
        sleep(Some(limit)).await;
        Err(io::ErrorKind::TimedOut.into())
    })
    .await
}
