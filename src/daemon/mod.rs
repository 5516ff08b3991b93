//! The daemon: opens the ring, then one task for each listening address, each connection and each
//! stream, all on one thread.

mod accept;
mod budget;
mod changes;
mod connection;
mod courier;
mod datagram;
mod dialler;
mod gateway;
mod hub;
mod intake;
mod itself;
mod limit;
mod listening;
mod open;
mod rate;
mod serial;
mod serve_api;
#[cfg(test)]
mod sim;
mod source;
mod stream;
mod uplink;

pub use courier::{Errand, attempt};
pub use open::{open_ring, ring_in_its_file};

use crate::clock::Clock;
use crate::config::{Api, Config};
use crate::ring::{Counters, Ring, Stats};
use crate::route::Routes;
use async_executor::LocalExecutor;
use async_executor::Task;
use hub::Hub;
use intake::Channel;
use rate::Rate;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use stream::Stream;

/// A daemon that is not running yet, or one that is, seen from beside.
#[derive(Clone)]
pub struct Daemon {
    hub: Rc<Hub>,
    channels: Rc<[Rc<Channel>]>,
    streams: Rc<[Rc<Stream>]>,
    api: Rc<Api>,
    /// Between two lines that sum up a stream; zero: there are none.
    summary: Duration,
    /// Where it is kept what was changed by hand.
    changes: Option<Rc<Path>>,
    rate: Rc<RefCell<Rate>>,
}

/// How a stream stands.
#[derive(Clone, Debug)]
pub struct StreamStatus {
    /// Its name.
    pub name: String,
    /// What became of what it wanted.
    pub counters: Counters,
    /// Whether its destination would take something now.
    pub connected: bool,
    /// How often it was connected.
    pub connects: u64,
}

impl Daemon {
    /// A daemon over an open ring. What cannot be attached is left out, loudly.
    #[must_use]
    pub fn new(config: Config, clock: Clock, mut ring: Ring) -> Self {
        let mut routes = Routes::new(config.devices, config.groups);
        let mut streams = Vec::new();
        for settings in config.streams {
            match ring.attach(&settings.name, settings.from, clock.now()) {
                Ok(id) => {
                    if settings.enabled {
                        routes.subscribe(id, settings.subscription.clone());
                    }
                    let client_id = format!("weir-{:016x}-{}", ring.id(), settings.name);
                    streams.push(Rc::new(Stream::new(id, settings, client_id)));
                }
                Err(error) => log::error!("stream `{}` is left out: {error}", settings.name),
            }
        }
        let channels = config
            .channels
            .into_iter()
            .map(|channel| Rc::new(Channel::new(channel, clock.clone())));
        let channels = channels.collect();
        Self {
            hub: Rc::new(Hub::new(clock, ring, routes)),
            channels,
            streams: streams.into(),
            api: Rc::new(config.api),
            summary: config.log.summary,
            changes: None,
            rate: Rc::default(),
        }
    }

    /// Keeps what is changed by hand in this folder, which is one of the configuration's.
    #[must_use]
    pub fn keeping_changes_in(mut self, folder: &Path) -> Self {
        self.changes = Some(folder.into());
        self
    }

    /// Takes over what waits in the ring of another daemon, which has ended, and its counters.
    pub fn take_over(&self, other: &Self) {
        let take =
            |mine: &mut Ring, now| other.hub.with_ring(|theirs, _| mine.take_from(theirs, now));
        self.hub.with_ring(take);
    }

    /// Works until `stop` ends, then writes what is left. `ready` is called once every address is
    /// bound or has said why not.
    pub async fn run(
        &self,
        executor: &Rc<LocalExecutor<'static>>,
        ready: impl FnOnce(),
        stop: impl Future<Output = ()>,
    ) {
        // it makes the folder that sockets of channels may lie in
        let api = serve_api::listen(executor, self);
        let mut tasks = Vec::new();
        for channel in self.channels.iter() {
            tasks.extend(listening::listen(executor, &self.hub, channel));
            tasks.extend(source::connect(executor, &self.hub, channel));
            tasks.extend(itself::report(executor, self, channel));
        }
        for stream in self.streams.iter() {
            if !self.summary.is_zero() {
                let (hub, stream) = (Rc::clone(&self.hub), Rc::clone(stream));
                tasks.push(executor.spawn(stream.summarize(hub, self.summary)));
            }
        }
        tasks.extend(self.keep_working(executor));
        tasks.push(executor.spawn(uplink::watch(self.clone())));
        tasks.push(executor.spawn(self.clone().keep_rating()));
        tasks.push(executor.spawn(uplink::watch_addresses(self.clone())));
        ready();
        stop.await;
        drop((tasks, api));
        self.hub.close();
    }

    /// Delivers and commits, for ever.
    fn keep_working(&self, executor: &LocalExecutor<'static>) -> Vec<Task<()>> {
        let deliver = |stream: &Rc<Stream>| {
            executor.spawn(stream::keep_delivering(
                Rc::clone(&self.hub),
                Rc::clone(stream),
            ))
        };
        let mut tasks: Vec<_> = self.streams.iter().map(deliver).collect();
        let hub = Rc::clone(&self.hub);
        tasks.push(executor.spawn(async move { hub.keep_committing().await }));
        tasks
    }

    /// Notes for ever how much has come. Waits on: the minute.
    async fn keep_rating(self) {
        loop {
            let (bytes, now) = (self.hub.stats().taken_bytes, self.hub.now().mono);
            self.rate.borrow_mut().note(bytes, now);
            sleep(Some(rate::EVERY)).await;
        }
    }

    /// How each stream stands.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamStatus> {
        let status = |stream: &Rc<Stream>| StreamStatus {
            name: stream.settings.name.clone(),
            counters: self.hub.counters(stream.id),
            connected: stream.connected.get(),
            connects: stream.connects.get(),
        };
        self.streams.iter().map(status).collect()
    }

    /// What the ring did with its file.
    #[must_use]
    pub fn ring(&self) -> Stats {
        self.hub.stats()
    }

    /// Messages that a channel took, by its name.
    #[must_use]
    pub fn received(&self, channel: &str) -> u64 {
        let mut named = self.channels.iter().filter(|known| known.name() == channel);
        named.next().map_or(0, |channel| channel.received.get())
    }
}

/// Ends with the first of two; what they give is thrown away.
async fn first_of<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) {
    let a = async {
        a.await;
    };
    let b = async {
        b.await;
    };
    futures_lite::future::or(a, b).await;
}

/// Ends with an error if `work` has not ended in this time; `what` is then missing.
async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    futures_lite::future::or(work, async {
        sleep(Some(limit)).await;
        let seconds = limit.as_secs_f64();
        let message = format!("no answer to {what} within {seconds} s");
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
    .await
}

/// Sleeps; without a time, for ever.
async fn sleep(time: Option<Duration>) {
    match time {
        #[cfg(test)]
        Some(time) if sim::is_simulated() => sim::sleep(time).await,
        Some(time) => {
            async_io::Timer::after(time).await;
        }
        None => std::future::pending().await,
    }
}

/// The wait after an error that would only come again at once.
const PAUSE: Duration = Duration::from_millis(100);
