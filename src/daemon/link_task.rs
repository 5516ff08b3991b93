//! The task that drives a stream's link: between the engine, which has the messages, and the
//! connection, which has the bytes. Understands neither: what is sent and what answers mean is the
//! link's affair, what goes when is the engine's.
//!
//! ```text
//!           ┌────────────────────────── run: for ever ─────────────────────────┐
//!           │                                                                  │
//!   ring ◀──┼─▶ engine ◀── exchange ── drive: one connection ── link ─▶ bytes ─┼─▶ connection
//!           │               (settle,     turn: read, exchange,                 │
//!           │                fill)             send, write, exchange           │
//!           └──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! There is one such task for each stream that sends, and one loop for every destination: a
//! broker, a server, a file, and for `weir check`, which wants to know no more than whether a
//! connection comes to be, or one message is taken.

mod connected;
mod leaving;
mod probe;
mod report;
#[cfg(test)]
mod tests;

pub use probe::Probe;
pub use probe::try_destination;

use super::connector::CLOCK_POLL;
use super::connector::Connector;
use super::connector::ConnectorSettings;
use super::limit::Limiter;
use super::limit::LineLimiter;
use super::shared::SharedState;
use super::stream::Stream;
use super::traffic::Tap;
use super::waits::Waits;
use super::waits::Woke;
use crate::api::NOT_DELIVERED;
use crate::api::Wake;
use crate::clock::Now;
use crate::net::Connection;
use crate::net::FileConnection;
use crate::net::FileSeries;
use crate::net::Interest;
use crate::net::LineFile;
use crate::net::tls::TlsError;
use crate::stream;
use crate::stream::Disconnect;
use crate::stream::Endpoint;
use crate::stream::Link;
use crate::stream::engine::Engine;
use crate::stream::engine::Limits;
use crate::stream::engine::Tally;
use crate::stream::rejects;
use crate::stream::selection::Selection;
use connected::Connected;
use probe::Goal;
use smol::future::or;
use smol::future::yield_now;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// What drives one stream's link.
///
/// It owns the engine, so nobody else knows what is in memory and in flight. What others may see of
/// it is shown in [`Stream`] after each exchange, and what they want of it is left there.
pub(super) struct LinkTask {
    shared: Rc<SharedState>,
    stream: Rc<Stream>,
    engine: Engine,
    /// Where messages that are given up are kept.
    rejects: Option<LineFile>,
    connector: Connector,
    limiter: Limiter,
    lines: LineLimiter,
    /// What was done and is not told as an event yet, and when the last one was.
    untold: Tally,
    told_at: Option<Duration>,
    /// The last connection ended in good order, between two requests: the next is no news.
    comes_and_goes: bool,
}

impl LinkTask {
    pub(super) fn new(shared: Rc<SharedState>, stream: Rc<Stream>) -> Self {
        let settings = &stream.settings;
        let engine = Engine::new(stream.id, settings.delivery.clone(), Limits::of(settings));
        let connector = ConnectorSettings {
            who: format!("stream `{}`", settings.name),
            bind: settings.bind.clone(),
            tls: settings.tls.clone(),
            dated_login: settings
                .endpoint()
                .network()
                .is_some_and(|network| network.needs_date),
            timeout: settings.delivery.timeout,
            silence: settings.delivery.linger,
        };
        let connector = Connector::new(connector, shared.clock.source());
        let rejects = settings.rejects.as_ref();
        // one that was set aside beside it, so each may have half
        let rejects = rejects.map(|it| LineFile::new(it.file.clone(), Some(it.size / 2), 1));
        let engine = engine.behind(Selection::new(settings));
        Self {
            shared,
            stream,
            engine,
            rejects,
            connector,
            limiter: Limiter::default(),
            lines: LineLimiter::default(),
            untold: Tally::default(),
            told_at: None,
            comes_and_goes: false,
        }
    }

    /// Delivers as long as the stream sends: waits until there is a reason for a connection, makes
    /// one, drives it to its end. Waits on: the ring, the pause after a failure, the connection, a
    /// call.
    pub(super) async fn run(mut self) {
        let stream = Rc::clone(&self.stream);
        while stream.is_sending() {
            // it may have been halted, and told to go on, while a connection ended
            self.engine.hold(false);
            // listened for before the look: what comes in between ends the wait
            let (records, command) = (
                self.shared.ring.records_event(stream.id),
                stream.command_event(),
            );
            let now = self.shared.now();
            if self.exchange(now) {
                yield_now().await;
                continue;
            }
            let stays = self.link(&stream).stays();
            if let Some(until) = self.engine.paused_until(now) {
                let pause = Some(until - now.mono);
                Waits::on([command]).at_most(pause).end().await;
            } else if !stays && let Some(rest) = self.until_batch(now) {
                // a server that is asked for nothing closes the connection: none is made
                Waits::on([command, records]).at_most(rest).end().await;
            } else if let Some(no_date) = self.connector.lacks_date() {
                if no_date.is_new {
                    stream.note(&self.shared, NOT_DELIVERED, None, Some(&no_date.reason));
                }
                Waits::on([command]).at_most(Some(CLOCK_POLL)).end().await;
            } else {
                stream.shown.stays.set(stays);
                self.connect_once(&stream).await;
            }
        }
    }

    /// How long it is, if at all, until a connection is wanted for a batch: some seconds before it
    /// goes, so that a short `linger` is over with the connection already there; none while nothing
    /// waits.
    fn until_batch(&self, now: Now) -> Option<Option<Duration>> {
        let due = self.engine.batch_due();
        let wanted = due.map(|due| due.saturating_sub(CONNECT_AHEAD));
        let rest = wanted.map(|wanted| wanted.saturating_sub(now.mono));
        (rest != Some(Duration::ZERO)).then_some(rest)
    }

    /// One connection, or the failure to make one, and what is told of its end.
    async fn connect_once(&mut self, stream: &Stream) {
        let halted = async {
            stream.halted().await;
            None
        };
        let connected = or(halted, async { Some(self.connect(stream).await) }).await;
        let (disconnect, was_reached) = match connected {
            None => return,
            Some(Ok(connection)) => match self.run_connection(stream, connection, Goal::None).await
            {
                Ok(()) => return,
                Err(disconnect) => (disconnect, true),
            },
            Some(Err(error)) => (broken(&error), false),
        };
        // that it ended says less than what was said before
        let says_little = was_reached && matches!(disconnect.error.code, 0 | NO_CONNECTION);
        self.disconnected(&disconnect, says_little);
    }

    /// Waits on: what [`Connector::connect`] does. A file is opened by its first write.
    async fn connect(&mut self, stream: &Stream) -> io::Result<Connection> {
        match stream.settings.endpoint() {
            Endpoint::Network(network) => self.connector.connect(network.target).await,
            Endpoint::File(file) => {
                let files = FileSeries::new(file.path.clone(), file.rotation);
                let connection = FileConnection::new(files, self.shared.clock.source());
                Ok(Connection::File(Box::new(connection)))
            }
        }
    }

    /// The protocol's side of a connection that is made now.
    fn link<'a>(&self, stream: &'a Stream) -> Box<dyn Link + 'a> {
        let now = self.shared.now();
        stream::link(&stream.settings, &stream.client_id, &self.engine, now)
    }

    /// One connection from its first byte to its end; Ok: the goal is reached, or it was left.
    async fn run_connection(
        &mut self,
        stream: &Stream,
        connection: Connection,
        goal: Goal,
    ) -> Result<(), Disconnect> {
        let seen_as = (
            Tap::new(&self.shared),
            stream.settings.endpoint().to_string(),
        );
        let mut connected = Connected::new(connection, self.link(stream), seen_as);
        let ended = self.drive(&mut connected, goal).await;
        // as far as it can still be said
        connected.connection.finish().ok();
        ended
    }

    /// Turn after turn, with a rest where there is nothing to do. Waits on: the connection, the
    /// ring, a call, the next time that something is due.
    async fn drive(&mut self, connected: &mut Connected<'_>, goal: Goal) -> Result<(), Disconnect> {
        loop {
            // listened for before the turn: what comes while it works ends the wait
            let stream = &self.stream;
            let (records, command) = (
                self.shared.ring.records_event(stream.id),
                stream.command_event(),
            );
            self.engine.hold(!stream.is_sending());
            let next = self.turn(connected)?;
            if self.has_reached(goal, connected) {
                return Ok(());
            }
            if self.has_to_leave() {
                self.leave(connected);
                return Ok(());
            }
            match next {
                // there are other tasks on this thread
                Next::Again => {
                    connected.may_read = true;
                    yield_now().await;
                }
                Next::Wait(due, now) => {
                    let others = [goal.looks_at(), self.stream.halts_at()];
                    let due = due.into_iter().chain(others.into_iter().flatten()).min();
                    let wait = due.map(|due| due.saturating_sub(now.mono));
                    // while nothing is left to write a socket is always ready for more
                    let writes = (!connected.out.is_empty()).then_some(());
                    let interest = Interest::of(Some(()), writes);
                    let waits = Waits::on([command, records]).at_most(wait);
                    let woke = waits.or_ready(connected.connection.ready(interest)).await;
                    connected.may_read = woke != Woke::Event;
                    connected.due = due;
                }
            }
        }
    }

    /// Reads, understands, settles, sends and writes what there is, once each; never waits.
    ///
    /// Reading comes first: after a stall of this machine the answers are already there, and an
    /// answer that is read only after the time was judged would be one that is missing.
    fn turn(&mut self, connected: &mut Connected<'_>) -> Result<Next, Disconnect> {
        let now = self.shared.now();
        let is_due = connected.due.is_some_and(|due| due <= now.mono);
        let read = (connected.may_read || is_due) && self.read(connected, now)?;
        // what was answered makes room, and what came since fills it before anything is sent
        let mut more = self.exchange(now);
        self.set_connected(connected.link.is_ready());
        connected.send(&mut self.engine, now)?;
        let wrote = self.write(connected, now)?;
        if connected.connection.has_answered() {
            // a stop between the write and its answer would have the batch written twice
            more |= self.read(connected, now)?;
            self.set_connected(connected.link.is_ready());
        }
        // what was skipped while it was made ready, what was answered by itself
        more |= self.exchange(now);
        Ok(if read || wrote || more {
            Next::Again
        } else {
            Next::Wait(self.due(connected.link.as_ref(), now), now)
        })
    }

    /// Whether something came. What came before an end is understood before the end is: it may be
    /// the answer to all that was sent.
    fn read(&mut self, connected: &mut Connected<'_>, now: Now) -> Result<bool, Disconnect> {
        let room = &self.shared.read_room;
        let read = room.read(&mut connected.connection, &mut connected.input);
        let count = read.as_ref().map_or(0, |read| read.unwrap_or(0));
        self.count_bytes(connected, 0, count);
        let came = (connected.input.as_slice(), count);
        let traffic = &self.stream.traffic;
        connected
            .tap
            .came(traffic, &self.shared, &connected.peer, came);
        let engine = &mut self.engine;
        connected.understand(engine, now)?;
        room.take_back(&mut connected.input);
        match read {
            Ok(Some(0)) => {
                let disconnect = Disconnect::ended("closed by the destination");
                Err(connected.closed(engine, now, disconnect))
            }
            Ok(read) => Ok(read.is_some()),
            Err(error) => Err(connected.closed(engine, now, broken(&error))),
        }
    }

    /// Whether something was written.
    fn write(&mut self, connected: &mut Connected<'_>, now: Now) -> Result<bool, Disconnect> {
        let (traffic, shared) = (&self.stream.traffic, &self.shared);
        connected
            .tap
            .goes(traffic, shared, &connected.peer, &connected.out);
        let wrote = connected.connection.try_write(&mut connected.out);
        connected.tap.left(connected.out.len());
        let wrote =
            wrote.map_err(|error| connected.closed(&mut self.engine, now, broken(&error)))?;
        self.count_bytes(connected, wrote, 0);
        Ok(wrote > 0)
    }

    fn count_bytes(&self, connected: &Connected<'_>, sent: usize, received: usize) {
        if connected.connection.is_network() {
            self.stream.count_bytes(sent, received);
        }
    }

    /// When the next turn has something to do, if nothing comes before.
    fn due(&self, link: &dyn Link, now: Now) -> Option<Duration> {
        let paused = self.engine.paused_until(now);
        // a batch that is due and did not go waits for an answer: that ends the rest
        let batch = self.engine.batch_due().filter(|due| *due > now.mono);
        let waits = [
            paused,
            batch,
            self.engine.rate_due(now),
            link.wake_at(&self.engine),
            self.tell_due(),
        ];
        waits.into_iter().flatten().min()
    }

    /// Lets the ring and the engine exchange what they have for each other; whether there may be
    /// more at once. What others asked for meanwhile comes first, and is seen by all that follows.
    fn exchange(&mut self, now: Now) -> bool {
        // before the cursor passes them: no power cut takes away unseen what was given up
        self.keep_rejects();
        if self.shared.ring.readers.take_moved(self.stream.id) {
            self.shared.ring.restart(&mut self.engine);
        }
        match self.stream.take_woken() {
            Some(Wake::UnlessAsked) => self.engine.wake(),
            Some(Wake::All) => self.engine.wake_now(),
            None => {}
        }
        let shared = Rc::clone(&self.shared);
        let (routes, stream) = (shared.routes.borrow(), self.stream.id);
        let wanted = |body: &[u8]| routes.wants_body(stream, body);
        let more = shared.ring.exchange(&mut self.engine, now, &wanted);
        self.show(now);
        self.tell_events();
        more
    }

    fn keep_rejects(&mut self) {
        let Some(file) = &mut self.rejects else {
            return;
        };
        let lines = rejects::take_lines(&mut self.engine);
        if lines.is_empty() {
            return;
        }
        if let Err(error) = file.append(&lines) {
            self.warn(
                "rejects",
                &format!("what was given up is not kept: {error}"),
            );
        }
    }
}

/// A connection that is not kept is made so long before its batch goes.
const CONNECT_AHEAD: Duration = Duration::from_secs(5);

/// Delivers whenever the stream is enabled and not paused, until it ends. Waits on: its task, a
/// call.
pub(super) async fn keep_delivering(shared: Rc<SharedState>, stream: Rc<Stream>) {
    while !stream.has_ended() {
        let command = stream.command_event();
        if stream.is_sending() {
            shared.ring.begin_reading(stream.id);
            let task = LinkTask::new(Rc::clone(&shared), Rc::clone(&stream));
            Box::pin(task.run()).await;
            stream.has_halted(&shared);
        } else {
            command.await;
        }
    }
}

/// What follows a turn.
enum Next {
    /// Another one, after the other tasks: there may be more.
    Again,
    /// A rest until something comes, or this time; it is now.
    Wait(Option<Duration>, Now),
}

fn broken(error: &io::Error) -> Disconnect {
    let code = match TlsError::is_certificate(error) {
        true => stream::CERTIFICATE,
        false => NO_CONNECTION,
    };
    Disconnect::new(code, error.to_string())
}

/// flespi's code of a destination that could not be reached.
const NO_CONNECTION: i32 = -1;
