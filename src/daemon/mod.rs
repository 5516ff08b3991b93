//! The daemon: opens the ring, then one task for each listening address, each connection and each
//! stream, all on one thread. The drivers of the sans-IO parts are here, and nothing of a protocol.
//!
//! ```text
//!  listening ─▶ accept ─┐                                ┌─▶ link_task ─▶ a connection or a file
//!  serial ──────────────┼▶ session_task ─▶ ingress ─▶ shared_ring      one for each stream
//!  source ──────────────┘    one for each       ▲
//!  datagram ──────▶ its sessions ───────────────┘
//!
//!  conditions, control (the API), reload, route_watch: look at all of these, or have them change
//! ```
//!
//! # Who owns a state
//! Some states are seen in several layers; one of them decides, and the others are told.
//!
//! - *enabled*: `Stream` decides, in its `enable` and `disable` alone. The settings give
//!   the first value; `changes` keeps what was switched by hand for the next start; the routes know
//!   only streams that are enabled.
//! - *paused*: the same, in `pause` and `resume`; `pauses` keeps it for the next start, and ends
//!   what is over. The routes know nothing of it: what comes is kept.
//! - *connected*: the link says whether it is ready, its task brings that to `Stream`, and that one
//!   tells the ring, which holds messages in memory while somebody takes them.
//! - *tally*: the ring's counters are the truth and survive; whatever is in a sum is in them. What
//!   the engine did since it was last asked goes into `Stream`, for what no sum has (`rejected`,
//!   `ack_latency`), and into the next event.
//! - *thinning*: `Thinned` of a stream decides before `ingress` appends, and the ring's bits are
//!   what was decided. A channel has its own. What was let through is handed on at a reload.
//! - *devices*: the configuration has them. The routes keep a copy for `device.name` and for who
//!   wants what, each stream's settings another for its templates; a reload replaces all three.

mod accept;
mod board;
mod budget;
mod by_hand;
mod change_over;
mod changes;
mod channel;
mod conditions;
mod connector;
mod control;
mod daemon_clock;
mod datagram;
mod devices;
mod durable_waits;
mod events_file;
mod feed;
mod figures;
mod ingress;
mod journals;
mod keeping;
mod kept;
mod limit;
mod link_task;
mod listen_state;
mod listening;
mod live;
mod lookers;
mod notes;
mod open;
mod open_connection;
mod open_files;
mod parts;
mod passing;
mod pause;
mod pauses;
mod peers;
mod rate;
mod read_failures;
mod read_room;
mod readers;
mod reload;
mod route_watch;
mod self_report;
mod serial;
mod serve_api;
mod session_end;
mod session_task;
mod shared;
mod shared_ring;
#[cfg(test)]
mod sim;
mod source;
mod status_line;
mod stream;
mod thinned;
mod timers;
mod traffic;
mod waits;
#[cfg(test)]
mod wake_tests;
mod waker_queue;

pub use link_task::Probe;
pub use link_task::try_destination;
pub use open::open_ring;
pub use timers::block_on;
pub use timers::when_woken;
pub use waits::minute;
pub use waits::sleep;

use crate::clock::Clock;
use crate::config;
use crate::config::Config;
use crate::ring::Counters;
use crate::ring::Ring;
use crate::ring::Stats;
use channel::Channel;
use conditions::Watch;
use event_listener::Event;
use events_file::Sync;
use notes::Notes;
use parts::Parts;
use parts::Running;
use parts::Work;
use rate::Rate;
use reload::Anew;
use shared::SharedState;
use smol::Task;
use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use stream::Stream;
use waits::Executor;

/// A daemon that is not running yet, or one that is, seen from beside.
#[derive(Clone)]
pub struct Daemon {
    shared: Rc<SharedState>,
    parts: Rc<RefCell<Parts>>,
    /// None: it does not run.
    work: Rc<RefCell<Option<Work>>>,
    /// The file that its configuration is from.
    main: Option<Rc<Path>>,
    /// Where it is kept what was changed by hand.
    changes: Option<Rc<Path>>,
    /// Notified when a stream is paused.
    pauses: Rc<Event>,
    rate: Rc<RefCell<Rate>>,
    anew: Rc<Anew>,
}

/// What a daemon leaves to the one that begins after it: counters, events, uptime.
pub struct Legacy {
    parts: Rc<RefCell<Parts>>,
    shared: shared::Legacy,
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
        let streams = config.streams.iter().cloned();
        let attached = streams.map(|settings| parts::attach(&mut ring, settings, &clock));
        let said = |error: &String| log::error!("{error}; it is left out");
        let attached = attached.filter_map(|stream| stream.inspect_err(said).ok());
        let attached = attached.collect();
        let notes = Rc::new(Notes::beside(config.ring.file.clone()));
        let parts = Parts::new(config, &clock, attached, notes);
        let shared = Rc::new(SharedState::new(clock, ring, parts.routes()));
        shared.thinned.replace(parts.thinned());
        Self {
            shared,
            parts: Rc::new(RefCell::new(parts)),
            work: Rc::default(),
            main: None,
            changes: None,
            pauses: Rc::default(),
            rate: Rc::default(),
            anew: Rc::default(),
        }
    }

    /// What it leaves to the next one; holds no file of it.
    #[must_use]
    pub fn legacy(&self) -> Legacy {
        Legacy {
            parts: Rc::clone(&self.parts),
            shared: self.shared.legacy(),
        }
    }

    /// Goes on with the counters, the events and the uptime of one before.
    #[must_use]
    pub fn continuing(self, legacy: Legacy) -> Self {
        self.parts
            .borrow_mut()
            .continue_after(&legacy.parts.borrow());
        self.shared.continue_from(legacy.shared);
        self
    }

    /// Keeps what is changed by hand in this folder, which is one of the configuration's.
    #[must_use]
    pub fn keeping_changes_in(mut self, folder: &Path) -> Self {
        self.changes = Some(folder.into());
        self.continue_pauses();
        self
    }

    /// Takes over what waits in the ring of another daemon, which has ended, and its counters.
    pub fn take_over(&self, other: &Self) {
        let take = |mine: &mut Ring, now| {
            other
                .shared
                .ring
                .change(|theirs, _| mine.migrate_from(theirs, now))
        };
        self.shared.ring.change(take);
    }

    /// Whether its ring has to be opened elsewhere and told what this one holds: it is in memory,
    /// or its file is gone.
    #[must_use]
    pub fn is_homeless(&self) -> bool {
        self.shared
            .ring
            .read(|ring| ring.is_in_memory() || ring.is_gone())
    }

    /// Ends when its ring is homeless, and can be in the file that the configuration names. Waits
    /// on: the disk, the time.
    pub async fn ring_comes_home(&self, config: &config::Ring, clock: &Clock) -> Ring {
        if !self.is_homeless() {
            self.shared.ring.gone().await;
        }
        let soon = self
            .shared
            .ring
            .read(|ring| ring.is_gone() || ring.stats().read_failures > 0);
        let failed = |error| self.shared.ring.change(|ring, _| ring.note_failure(error));
        open::ring_in_its_file(config, clock, soon, &failed).await
    }

    /// Works until `stop` ends, then writes what is left. `ready` is called once every address is
    /// bound or has said why not.
    pub async fn run(
        &self,
        executor: &Executor,
        ready: impl FnOnce(),
        stop: impl Future<Output = ()>,
    ) {
        open_files::allow(&self.config());
        self.work.replace(Some(Work::new(executor)));
        self.begin_missing();
        let mut rest = vec![self.commit(executor)];
        let (passing, clock) = (
            Rc::clone(&self.shared.passing),
            Rc::clone(&self.shared.clock),
        );
        rest.push(executor.spawn(passing::keep_ending(Rc::clone(&passing), clock)));
        rest.push(executor.spawn(passing::keep_reporting(passing, Rc::new(self.clone()))));
        rest.push(executor.spawn(route_watch::watch(self.clone())));
        rest.push(executor.spawn(route_watch::watch_addresses(self.clone())));
        rest.extend(self.keep_looking(executor));
        ready();
        stop.await;
        drop((rest, self.work.take()));
        self.shared.ring.close();
        self.write_events(Sync::Now);
    }

    /// Looks now and then at what is in this process, for ever.
    fn keep_looking(&self, executor: &Executor) -> Vec<Task<()>> {
        let mut watch = Watch::begin(self);
        self.look(&mut watch);
        vec![
            executor.spawn(self.clone().keep_rating()),
            executor.spawn(self.clone().keep_ending_pauses()),
            executor.spawn(self.clone().keep_forgetting()),
            executor.spawn(self.clone().keep_watching(watch)),
            executor.spawn(self.clone().keep_writing_events()),
        ]
    }

    /// Begins to serve what is named and not served yet, unless what is there yet is in its way.
    fn begin_missing(&self) {
        let (parts, mut work) = (self.parts.borrow(), self.work.borrow_mut());
        let Some(work) = work.as_mut() else { return };
        let executor = Rc::clone(&work.executor);
        if work.closing == 0 {
            self.begin_listening(&parts, work);
        }
        for stream in &parts.streams {
            let name = &stream.settings.name;
            if !work.ending.contains_key(name) {
                let running = work.streams.entry(name.clone());
                running.or_insert_with(|| self.deliver(&executor, stream));
            }
        }
        let period = parts.config.log.summary;
        if work.summary.is_none() && !period.is_zero() {
            work.summary = Some(executor.spawn(self.clone().keep_summing_up(period)));
        }
    }

    fn begin_listening(&self, parts: &Parts, work: &mut Work) {
        let executor = Rc::clone(&work.executor);
        // it makes the folder that sockets of channels may lie in
        if work.api.is_none() {
            work.api = serve_api::listen(
                &executor,
                Rc::new(self.clone()),
                &self.shared.clock,
                &parts.config.api,
            );
        }
        for channel in &parts.channels {
            let serve = || self.serve_channel(&executor, channel);
            let tasks = work.channels.entry(channel.name().to_owned());
            tasks.or_insert_with(serve);
        }
    }

    fn serve_channel(&self, executor: &Executor, channel: &Rc<Channel>) -> Vec<Task<()>> {
        let mut tasks = listening::listen(executor, &self.shared, channel);
        tasks.extend(source::connect(executor, &self.shared, channel));
        tasks.extend(self_report::begin(
            executor,
            Rc::new(self.clone()),
            &self.shared,
            channel,
        ));
        tasks
    }

    fn deliver(&self, executor: &Executor, stream: &Rc<Stream>) -> Running {
        stream.begin_sum(&self.shared);
        let (daemon, served) = (self.clone(), Rc::clone(stream));
        let task = executor.spawn(async move {
            link_task::keep_delivering(Rc::clone(&daemon.shared), Rc::clone(&served)).await;
            daemon.has_ended(&served);
        });
        Running {
            stream: Rc::clone(stream),
            task,
        }
    }

    fn commit(&self, executor: &Executor) -> Task<()> {
        let shared = Rc::clone(&self.shared);
        executor.spawn(async move { shared.ring.keep_committing().await })
    }

    /// Delivers and commits, for ever, and listens nowhere.
    #[cfg(test)]
    fn keep_working(&self, executor: &Executor) -> Vec<Task<()>> {
        let mut work = Work::new(executor);
        work.closing = 1;
        self.work.replace(Some(work));
        self.begin_missing();
        let mut tasks = vec![self.commit(executor)];
        tasks.push(executor.spawn(self.clone().keep_ending_pauses()));
        tasks
    }

    /// Says in one line, for each stream, what it did; for ever. Waits on: the time.
    async fn keep_summing_up(self, period: Duration) {
        loop {
            sleep(Some(period)).await;
            let streams = self.all_streams();
            streams
                .iter()
                .for_each(|stream| stream.sum_up(&self.shared));
        }
    }

    fn all_streams(&self) -> Vec<Rc<Stream>> {
        self.parts.borrow().streams.clone()
    }

    fn all_channels(&self) -> Vec<Rc<Channel>> {
        self.parts.borrow().channels.clone()
    }

    /// Notes for ever how much has come. Waits on: the minute.
    async fn keep_rating(self) {
        loop {
            let (bytes, now) = (self.shared.ring.stats().taken_bytes, self.shared.now().mono);
            self.rate.borrow_mut().note(bytes, now);
            minute().await;
        }
    }

    /// How each stream stands.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamStatus> {
        let status = |stream: &Rc<Stream>| StreamStatus {
            name: stream.settings.name.clone(),
            counters: self.shared.ring.counters(stream.id),
            connected: stream.shown.connected.get(),
            connects: stream.shown.connects.get(),
        };
        self.all_streams().iter().map(status).collect()
    }

    /// What the ring did with its file.
    #[must_use]
    pub fn ring(&self) -> Stats {
        self.shared.ring.stats()
    }

    /// Messages that a channel took, by its name.
    #[must_use]
    pub fn received(&self, channel: &str) -> u64 {
        let channels = self.all_channels();
        let mut named = channels.iter().filter(|known| known.name() == channel);
        named.next().map_or(0, |channel| channel.received.get())
    }
}
