//! One life of a gateway: the daemon as it is shipped, on a disk that fails, with a sender and
//! three destinations that do as well, in virtual time.

use super::balance::Books;
use super::balance::Ending;
use super::balance::Sight;
use super::clock::Clock;
use super::destination::Destination;
use super::destination::Mood;
use super::network;
use super::network::Event;
use super::network::Network;
use super::network::Shared;
use super::oracle::Oracle;
use super::oracle::Truth;
use super::plan;
use super::sender::Sender;
use super::time;
use super::trace;
use crate::config::Config;
use crate::daemon::Daemon;
use crate::ring::Full;
use crate::ring::sim::disk::Disk;
use crate::ring::sim::random::Random;
use smol::LocalExecutor;
use smol::Task;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What happens beside the network.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plan {
    /// Something is measured.
    Report,
    /// The sender tries again.
    Resend,
    /// The daemon starts.
    Start,
    /// It ends, in one of three ways.
    End,
    /// The clock is set.
    SetClock,
    /// Somebody does something by hand.
    Hand,
    /// Somebody pauses a stream, or resumes it.
    Pause,
    /// A pause of this stream may be over.
    PauseEnds(usize),
    /// The configuration of a stream changes, and is read again.
    Reload,
    /// The disk fails, or recovers.
    Disk,
    /// Nothing bad happens any more.
    Calm,
    /// All has to have arrived.
    Finish,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) lives: u64,
    pub(super) messages: u64,
    pub(super) accepted: u64,
    pub(super) given_up: u64,
    pub(super) excused: u64,
    pub(super) starts: u64,
    pub(super) power_cuts: u64,
    pub(super) outages: u64,
    pub(super) attempts: u64,
    pub(super) by_hand: u64,
    pub(super) steps: u64,
}

pub(super) struct World {
    pub(super) random: Random,
    /// Where streams are paused.
    pub(super) pauses: Option<Random>,
    /// Where configurations change.
    pub(super) reloads: Option<Random>,
    pub(super) network: Shared,
    pub(super) config: Config,
    pub(super) disk: Disk,
    pub(super) disk_len: u64,
    /// Of 1000 syncs so many fail.
    pub(super) failing: u64,
    pub(super) running: Option<Running>,
    pub(super) sender: Sender,
    pub(super) books: Vec<Books>,
    /// When the machine was started.
    pub(super) booted: Duration,
    pub(super) clock: Clock,
    pub(super) ending: Ending,
    /// The first message of this run of the daemon.
    pub(super) first: usize,
    /// The disk did not do what it has to since the last start but one.
    pub(super) disk_failed: bool,
    pub(super) calm: bool,
    pub(super) finished: bool,
    pub(super) tally: Tally,
}

/// A daemon that runs.
pub(super) struct Running {
    pub(super) executor: Rc<LocalExecutor<'static>>,
    pub(super) tasks: Vec<Task<()>>,
    pub(super) daemon: Daemon,
}

impl Drop for Running {
    fn drop(&mut self) {
        // the tasks have the daemon, and the daemon has its tasks
        self.daemon.work.take();
    }
}

/// Lives one life of so many days; what was wrong, if something was.
pub(super) fn live(seed: u64, days: u64) -> Result<Tally, String> {
    fastrand::seed(seed);
    time::set(Duration::ZERO, Duration::ZERO, false);
    let mut world = World::new(seed, days);
    network::enter(Some(Rc::clone(&world.network)));
    let result = world.run();
    world.running = None;
    network::enter(None);
    time::end();
    let t = world.network.borrow().t;
    let days = t.as_secs() / 86_400;
    result.map_err(|wrong| format!("day {days}, {t:?}: {wrong}"))?;
    Ok(world.tally)
}

impl World {
    fn new(seed: u64, days: u64) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let is_five = seed >= FIVE_FROM;
        let (config, promised) = plan::draw(&mut random, is_five);
        let len = match random.once_in(3) {
            true => 8192 + 8192 * (8 + random.below(6)),
            false => 8192 + 8192 * 64,
        };
        let unit = if random.once_in(2) { 512 } else { 4096 };
        let disk = Disk::new(len, unit, Random::new(random.next()));
        let failing = if random.once_in(4) { 15 } else { 0 };
        let destination = |(index, kind): (usize, &_)| {
            let random = Random::new(seed << 3 | index as u64);
            let destination = Destination::new(index, *kind, random);
            match is_five {
                true => destination.with_mqtt_5(),
                false => destination,
            }
        };
        let destinations = plan::KINDS.iter().enumerate().map(destination).collect();
        let oracle = Oracle::new(promised.into_iter().map(Truth::new).collect());
        let network = Network::new(destinations, oracle, Random::new(random.next()));
        let mut world = Self {
            pauses: (PAUSED_FROM..RELOADED_FROM)
                .contains(&seed)
                .then(|| Random::new(seed ^ 0xba05)),
            reloads: (seed >= RELOADED_FROM).then(|| Random::new(seed ^ 0x4e10)),
            sender: Sender::new(Random::new(random.next())),
            books: plan::KINDS.iter().map(|_| Books::default()).collect(),
            network: Rc::new(RefCell::new(network)),
            config,
            disk,
            disk_len: len as u64,
            failing,
            running: None,
            booted: Duration::ZERO,
            clock: Clock::new(Random::new(seed ^ 0xc10c)),
            ending: Ending::Stopped,
            first: 0,
            disk_failed: false,
            calm: false,
            finished: false,
            tally: Tally::default(),
            random,
        };
        world.schedule_all(Duration::from_secs(days * 86_400));
        world
    }

    fn run(&mut self) -> Result<(), String> {
        while !self.finished {
            self.run_ready()?;
            self.observe()?;
            self.advance()?;
            self.tally.steps += 1;
        }
        Ok(())
    }

    /// Lets all tasks do what they can now.
    fn run_ready(&mut self) -> Result<(), String> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        for _ in 0..TICKS_MAX {
            if !running.executor.try_tick() {
                return Ok(());
            }
        }
        Err("it runs and runs and no time passes".to_owned())
    }

    /// What must hold after whatever happened.
    fn observe(&mut self) -> Result<(), String> {
        self.sender.hear(&self.network);
        self.see_changes_end();
        let network = &mut *self.network.borrow_mut();
        if let Some(violation) = network.oracle.violation.take() {
            return Err(violation);
        }
        let Some(running) = &self.running else {
            return Ok(());
        };
        for (index, books) in self.books.iter_mut().enumerate() {
            let id = running.daemon.all_streams()[index].id;
            let counters = running.daemon.shared.ring.counters(id);
            let in_memory = running.daemon.shared.ring.unsettled(id);
            let sight = Sight {
                t: network.t,
                counters,
                in_memory,
                good: network.destinations[index].mood == Mood::Good,
                tries: network.tries_max(index),
                served: !network.oracle.streams[index].promised.dated
                    || self.clock.serves(network.t),
                proofless: network.lacks_proof(index, counters.backlog),
            };
            if counters != books.before {
                trace::tell(network.t, index, format_args!("counts {counters:?}"));
            }
            let (truth, expired) = (&mut network.oracle.streams[index], books.expired);
            let wrong = books.check(truth, sight);
            if books.expired != expired {
                network
                    .oracle
                    .check_expired(index, books, network.t, self.disk_failed);
            }
            if let Some(wrong) = wrong {
                let mood = network.destinations[index].mood;
                return Err(format!("stream {index}, {mood:?}: {wrong}"));
            }
        }
        self.check_sender(network.t)
    }

    /// A sender hears soon that its messages are safe, where the disk and the ring allow it.
    fn check_sender(&self, t: Duration) -> Result<(), String> {
        let waits = self
            .sender
            .waits_since()
            .map(|since| t.saturating_sub(since));
        match waits {
            Some(waits) if waits > ANSWER_MAX && !self.disk_failed && !self.refuses() => {
                Err(format!("a sender waits since {waits:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the ring takes nothing while it is full.
    pub(super) fn refuses(&self) -> bool {
        self.config.ring.settings.full == Full::Refuse
    }

    /// Goes on to the next moment in which something happens.
    fn advance(&mut self) -> Result<(), String> {
        let event = self.network.borrow().next_event();
        let sleep = time::due().map(|due| due + self.booted);
        let next = [event, sleep].into_iter().flatten().min();
        let next = next.ok_or("nothing happens any more")?;
        let t = next.max(self.network.borrow().t);
        self.network.borrow_mut().t = t;
        self.set_clock();
        time::wake();
        loop {
            let event = self.network.borrow_mut().take_event();
            match event {
                None => return Ok(()),
                Some(Event::Plan(plan)) => self.carry_out(plan)?,
                Some(Event::Mood(index)) => self.change_mood(index)?,
                Some(event) => self.network.borrow_mut().happen(event),
            }
        }
    }

    pub(super) fn t(&self) -> Duration {
        self.network.borrow().t
    }

    /// Schedules something, so many seconds from now at most.
    pub(super) fn within(&mut self, seconds: u64, plan: Plan) {
        let wait = Duration::from_millis(self.random.next() % (1 + seconds * 1000));
        self.after(wait, plan);
    }

    pub(super) fn after(&mut self, wait: Duration, plan: Plan) {
        let network = &mut *self.network.borrow_mut();
        let at = network.t + wait;
        network.schedule(at, Event::Plan(plan));
    }
}

/// From this seed on MQTT is spoken in version 5.
pub(super) const FIVE_FROM: u64 = 1_000_000;

/// From this seed on streams are paused by hand as well.
pub(super) const PAUSED_FROM: u64 = 2_000_000;

/// From this seed on configurations change as well, and streams are not paused.
pub(super) const RELOADED_FROM: u64 = 3_000_000;

/// The true date.
pub(super) fn date(t: Duration) -> Duration {
    BEGIN + t
}

/// 2027-01-01.
const BEGIN: Duration = Duration::from_secs(1_798_761_600);

/// Turns of all tasks together while no time passes.
const TICKS_MAX: u32 = 50_000;

/// A sender is answered within this.
const ANSWER_MAX: Duration = Duration::from_secs(10);
