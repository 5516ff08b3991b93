//! A courier: carries bytes between one stream's link and its destination.

mod attempt;

pub use attempt::{Errand, attempt};

use super::dialler::{DATE_EVERY, Dialler, WayOut};
use super::hub::Hub;
use super::limit::{Limiter, left_out};
use super::stream::{Stream, Trouble};
use super::{first_of, sleep};
use crate::api::{CONNECTED, CONNECTION_LOST, NOT_DELIVERED, Wake};
use crate::clock::Now;
use crate::filter::REFUSED_MAX;
use crate::message::body::Body;
use crate::net::tls::Fault;
use crate::net::{Connection, Interest, Target};
use crate::stream::engine::{Engine, Event, Limits, Tally};
use crate::stream::file::FileLink;
use crate::stream::rejects::Rejects;
use crate::stream::rules::{Rule, kept};
use crate::stream::settings::Destination;
use crate::stream::sieve::Sieve;
use crate::stream::{self, Link, Lost, Retry, Turn};
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// What carries one stream's messages.
pub(super) struct Courier {
    hub: Rc<Hub>,
    stream: Rc<Stream>,
    engine: Engine,
    rejects: Option<Rejects>,
    limiter: Limiter,
    dialler: Dialler,
    /// What was done and is not told as an event yet, and when the last one was.
    untold: Tally,
    told_at: Option<Duration>,
    /// The last connection ended in good order, between two requests: the next is no news.
    comes_and_goes: bool,
}

/// One connection and what is on its way in it.
struct Line<'a> {
    connection: Connection,
    link: Box<dyn Link + 'a>,
    input: Vec<u8>,
    out: Vec<u8>,
}

impl Courier {
    pub(super) fn new(hub: Rc<Hub>, stream: Rc<Stream>) -> Self {
        let settings = &stream.settings;
        let messages = settings.in_memory_max();
        let limits = Limits {
            messages,
            bytes: settings.delivery.max_bytes,
            ttl: settings.ttl,
            max_age: settings.max_age,
            interval: settings.interval,
        };
        let engine = Engine::new(stream.id, settings.delivery.clone(), limits);
        let way = WayOut {
            who: format!("stream `{}`", settings.name),
            bind: settings.bind.clone(),
            tls: settings.tls.clone(),
            timeout: settings.delivery.timeout,
        };
        let dialler = Dialler::new(way, hub.clock());
        let engine = engine.behind(Sieve::new(settings));
        let rejects = settings.rejects.as_ref().map(Rejects::new);
        Self {
            hub,
            stream,
            engine,
            rejects,
            limiter: Limiter::default(),
            dialler,
            untold: Tally::default(),
            told_at: None,
            comes_and_goes: false,
        }
    }

    /// Delivers for ever. Waits on: the ring, the pause after a failure, the connection, a call.
    pub(super) async fn run(mut self) {
        let stream = Rc::clone(&self.stream);
        match &stream.settings.destination {
            Destination::File(file) => {
                self.run_file(FileLink::new(file.clone(), stream.settings.shape.clone()))
                    .await
            }
            Destination::Http(http) => self.run_socket(&stream, &http.target).await,
            Destination::Mqtt(mqtt) => self.run_socket(&stream, &mqtt.target).await,
            Destination::WialonRetranslator(wialon) => {
                self.run_socket(&stream, &wialon.target).await;
            }
        }
    }

    async fn run_socket(&mut self, stream: &Stream, target: &Target) {
        loop {
            let (appended, called) = (self.hub.appended(), stream.called());
            if self.serve() {
                futures_lite::future::yield_now().await;
                continue;
            }
            let now = self.hub.now();
            let Some(stays) = self.link(stream).map(|link| link.stays()) else {
                return;
            };
            if let Some(until) = self.engine.paused_until(now) {
                first_of(called, sleep(Some(until - now.mono))).await;
            } else if !stays && !self.engine.has_waiting() {
                first_of(called, appended).await;
            } else if let Some(no_date) = self.dialler.lacks_date() {
                if no_date.is_new {
                    let mut event = self.hub.event(NOT_DELIVERED);
                    event.reason = Some(no_date.reason.into());
                    stream.journal.borrow_mut().note(event);
                }
                first_of(called, sleep(Some(DATE_EVERY))).await;
            } else {
                stream.stays.set(stays);
                let (lost, was_reached) = match self.dialler.connect(target).await {
                    Ok(connection) => (self.converse(stream, connection).await, true),
                    Err(error) => (broken(&error), false),
                };
                // that it ended says less than what was said before
                let says_little = was_reached && matches!(lost.fault.code, 0 | NO_CONNECTION);
                self.disconnected(target, &lost, says_little);
            }
        }
    }

    /// The protocol's side of a connection that is made now.
    fn link<'a>(&self, stream: &'a Stream) -> Option<Box<dyn Link + 'a>> {
        let now = self.hub.now();
        stream::link(&stream.settings, &stream.client_id, &self.engine, now)
    }

    async fn run_file(&mut self, mut link: FileLink) {
        loop {
            let (appended, called) = (self.hub.appended(), self.stream.called());
            let mut more = self.serve();
            let now = self.hub.now();
            let delivered = link.deliver(&mut self.engine, now, fastrand::u32(..));
            self.set_connected(link.is_ready());
            more |= self.serve();
            if delivered || more {
                futures_lite::future::yield_now().await;
            } else {
                let due = self
                    .engine
                    .paused_until(now)
                    .or_else(|| self.engine.batch_due())
                    .into_iter()
                    .chain(self.tell_due())
                    .min();
                let wait = due.map(|due| due.saturating_sub(now.mono));
                first_of(called, first_of(appended, sleep(wait))).await;
            }
        }
    }

    /// One connection from its first byte to its end. Waits on: the socket, the ring, the link's
    /// next time.
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
            let (appended, called) = (self.hub.appended(), self.stream.called());
            match self.turn(line) {
                Ok(Again::Now) => futures_lite::future::yield_now().await,
                Ok(Again::At(due)) => {
                    let interest = Interest::of(Some(()), (!line.out.is_empty()).then_some(()));
                    let wait = due.map(|due| due.saturating_sub(self.hub.now().mono));
                    let news = first_of(called, appended);
                    let ready = line.connection.ready(interest);
                    first_of(ready, first_of(news, sleep(wait))).await;
                }
                Err(lost) => return lost,
            }
        }
    }

    /// Reads, understands, settles, sends and writes what there is, once each. What has come is
    /// read before any time is judged: after a stall the answers are already there.
    fn turn(&mut self, line: &mut Line<'_>) -> Result<Again, Lost> {
        let read = line.connection.try_read(&mut line.input);
        self.stream
            .count_bytes(0, read.as_ref().map_or(0, |read| read.unwrap_or(0)));
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
        let mut more = self.serve();
        self.set_connected(line.link.is_ready());
        let engine = &mut self.engine;
        line.send(engine, now)?;
        let wrote = line.connection.try_write(&mut line.out);
        let wrote = wrote.map_err(|error| line.closed(engine, now, broken(&error)))?;
        self.stream.count_bytes(wrote, 0);
        more |= self.serve();
        Ok(if read || wrote > 0 || more {
            Again::Now
        } else {
            Again::At(self.due(line.link.as_ref(), now))
        })
    }

    /// When the next turn has something to do, if nothing comes before.
    fn due(&self, link: &dyn Link, now: Now) -> Option<Duration> {
        let paused = self.engine.paused_until(now);
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
    /// more at once.
    fn serve(&mut self) -> bool {
        let rejects = self.rejects.as_mut();
        if let Some(Err(error)) = rejects.map(|rejects| rejects.keep(&mut self.engine)) {
            let text = format!("what was given up is not kept: {error}");
            self.warn("rejects", &text);
        }
        if self.stream.take_moved() && kept(Rule::ReadAfterMoving) {
            self.hub.restart(&mut self.engine);
        }
        let woken = self.stream.take_woken();
        match woken.filter(|_| kept(Rule::HearCalls)) {
            Some(Wake::UnlessAsked) => self.engine.wake(),
            Some(Wake::All) => self.engine.wake_now(),
            None => {}
        }
        let hub = Rc::clone(&self.hub);
        let (routes, stream) = (hub.routes.borrow(), self.stream.id);
        let wanted = |body: &[u8]| {
            Body::new(body).is_ok_and(|body| {
                routes.wants(stream, body.text("channel.name"), body.text("ident"))
            })
        };
        let more = hub.serve(&mut self.engine, &wanted);
        self.show();
        self.tell_events();
        more
    }

    /// Has the stream show where its engine is.
    fn show(&mut self) {
        let now = self.hub.now();
        let tally = self.engine.take_tally();
        let next_try = self.engine.paused_until(now);
        self.stream
            .show(&tally, self.engine.oldest_age(now), next_try, now);
        self.stream.asked_until.set(self.engine.asked_until(now));
        self.untold.add(&tally);
        if self.tell_due().is_some_and(|due| due <= now.mono) {
            self.tell_sent(now);
        }
    }

    /// When what was done is due to be told: single batches, but no more than one event a second.
    fn tell_due(&self) -> Option<Duration> {
        let due = self.told_at.map_or(Duration::ZERO, |at| at + TELL_EVERY);
        (!self.untold.is_empty()).then_some(due)
    }

    fn tell_sent(&mut self, now: Now) {
        let untold = std::mem::take(&mut self.untold);
        if !untold.is_empty() {
            self.told_at = Some(now.mono);
            self.stream.note_sent(&self.hub, &untold);
        }
    }

    fn tell_events(&mut self) {
        let events: Vec<_> = self.engine.events().collect();
        for event in events {
            let (kind, code, text) = match event {
                Event::NotDelivered(fault) => ("not delivered", fault.code, fault.reason),
                Event::GivenUp { seq, reason } => {
                    let text = format!("message {}, refused: {reason}", seq.0);
                    ("given up", 0, text)
                }
                Event::Skipped { seq, reason } => {
                    ("skipped", 0, format!("message {}: {reason}", seq.0))
                }
                Event::AtFault { reason } => {
                    let text = "everything is refused, nothing more is skipped";
                    ("at fault", 0, format!("{text}: {reason}"))
                }
                Event::Unheard => {
                    self.warn("accepted", "and nobody there has subscribed to it");
                    continue;
                }
                Event::NothingPasses { never_seen } => ("filter", 0, nothing_passes(&never_seen)),
            };
            let admitted = self.warn(kind, &text);
            if admitted || kind != "skipped" {
                let text = match kind {
                    "not delivered" => text,
                    _ => format!("{kind}: {text}"),
                };
                if matches!(kind, "not delivered" | "at fault") {
                    self.stream.set_trouble(&text, Trouble::OfMessages);
                }
                self.stream
                    .note(&self.hub, NOT_DELIVERED, Some(code), Some(&text));
            }
        }
    }

    fn set_connected(&self, connected: bool) {
        if self.stream.set_connected(&self.hub, connected) && connected && !self.comes_and_goes {
            self.stream.note(&self.hub, CONNECTED, None, None);
            log::info!("stream `{}`: connected", self.stream.settings.name);
        }
    }

    /// A connection that is not kept while there is nothing to send may end between two requests:
    /// that is said once, and counted. `says_little`: an earlier reason stays the last error.
    fn disconnected(&mut self, target: &Target, lost: &Lost, says_little: bool) {
        let stays = self.stream.stays.get();
        let was_connected = self.stream.connected.get();
        let (kind, event) = if was_connected {
            ("connection lost", CONNECTION_LOST)
        } else {
            ("not connected", NOT_DELIVERED)
        };
        if lost.retry == Retry::Paused {
            self.dialler.failed();
        }
        self.set_connected(false);
        let now = self.hub.now();
        self.engine
            .lost(self.engine.epoch(), lost.retry, now, fastrand::u32(..));
        self.show();
        self.tell_sent(now);
        self.tell_events();
        let paused = self.engine.paused_until(now).is_some();
        if was_connected && !stays && lost.retry == Retry::AtOnce && !paused {
            if !std::mem::replace(&mut self.comes_and_goes, true) {
                let name = &self.stream.settings.name;
                log::info!(
                    "stream `{name}`: {target} closes connections; that is only counted now"
                );
            }
            return;
        }
        self.comes_and_goes = false;
        let target = format!("{target}: ");
        let reason = &lost.fault.reason;
        // of one address it is said once
        let reason = reason.strip_prefix(&target).unwrap_or(reason);
        let text = format!("{target}{reason}");
        let trouble = match lost.fault.code {
            stream::NO_ANSWER => Trouble::OfMessages,
            _ if says_little => Trouble::AnyOther,
            _ => Trouble::OfConnection,
        };
        self.stream.set_trouble(&text, trouble);
        self.stream
            .note(&self.hub, event, Some(lost.fault.code), Some(&text));
        let next = match self.engine.paused_until(now) {
            Some(until) => format!("next try in {:.1} s", (until - now.mono).as_secs_f64()),
            None => "next try at once".to_owned(),
        };
        self.warn(kind, &format!("{text}; {next}"));
    }

    /// Says something now and then; whether it was said.
    fn warn(&mut self, kind: &'static str, text: &str) -> bool {
        let Some(hidden) = self.limiter.admit(kind, self.hub.now()) else {
            return false;
        };
        let (name, more) = (&self.stream.settings.name, left_out(hidden));
        log::warn!("stream `{name}`: {kind}: {text}{more}");
        true
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

/// What is said of a filter that has passed nothing for long.
fn nothing_passes(never_seen: &[String]) -> String {
    let text = format!("it passed none of the last {REFUSED_MAX} messages");
    match never_seen {
        [] => text,
        names => format!("{text}; never seen: `{}`", names.join("`, `")),
    }
}

fn broken(error: &io::Error) -> Lost {
    let code = match Fault::is_certificate(error) {
        true => stream::CERTIFICATE,
        false => NO_CONNECTION,
    };
    Lost::new(code, error.to_string())
}

/// flespi's code of a destination that could not be reached.
const NO_CONNECTION: i32 = -1;

/// Between two events that tell of batches.
const TELL_EVERY: Duration = Duration::from_secs(1);
