//! What befalls a gateway: reports, starts and ends, a clock that is set, hands that meddle, moods.

use super::balance::Ending;
use super::destination::Mood;
use super::network::Event;
use super::plan::KINDS;
use super::plan::one;
use super::sender;
use super::thinned::LastPassed;
use super::trace;
use super::world::Plan;
use super::world::Running;
use super::world::World;
use crate::api::Back;
use crate::api::Control;
use crate::api::Switch;
use crate::api::Wake;
use crate::clock::Clock;
use crate::daemon::Daemon;
use crate::ring::Ring;
use crate::ring::Settings;
use smol::LocalExecutor;
use std::rc::Rc;
use std::time::Duration;

impl World {
    /// All that happens again and again begins, and an end is set to it.
    pub(super) fn schedule_all(&mut self, life: Duration) {
        self.after(Duration::ZERO, Plan::Start);
        for plan in [
            Plan::Report,
            Plan::End,
            Plan::SetClock,
            Plan::Hand,
            Plan::Disk,
        ] {
            self.within(20 * DAY, plan);
        }
        for index in 0..KINDS.len() {
            let at = Duration::from_secs(self.random.next() % (30 * DAY));
            self.network.borrow_mut().schedule(at, Event::Mood(index));
        }
        if self.pauses.is_some() {
            self.after(Duration::from_secs(DAY), Plan::Pause);
        }
        if self.reloads.is_some() {
            self.after(Duration::from_secs(DAY), Plan::Reload);
        }
        self.after(life, Plan::Calm);
    }

    pub(super) fn carry_out(&mut self, plan: Plan) -> Result<(), String> {
        match plan {
            Plan::Report => self.report(),
            Plan::Resend => self.bring(),
            Plan::Start => return self.start(),
            Plan::End => self.end(),
            Plan::SetClock => self.step_clock(),
            Plan::Hand => self.meddle(),
            Plan::Pause => self.change_pause(),
            Plan::PauseEnds(index) => self.end_pause(index),
            Plan::Reload => self.reload(),
            Plan::Disk => self.fail_disk(),
            Plan::Calm => return self.calm_down(),
            Plan::Finish => return self.finish(),
        }
        Ok(())
    }

    fn report(&mut self) {
        if self.calm {
            return;
        }
        let t = self.t();
        let count = match self.random.below(400) {
            0 => 50 + self.random.below(200),
            1..8 => 10 + self.random.below(20),
            _ => 1 + self.random.below(2),
        };
        self.sender.report(t, count);
        self.bring();
        // on the road every few minutes, and then for a day or two not at all
        match self.random.once_in(4) {
            true => self.within(4 * DAY, Plan::Report),
            false => self.within(600, Plan::Report),
        }
    }

    fn bring(&mut self) {
        let Some(running) = &self.running else {
            return;
        };
        let before = self.network.borrow().oracle.instances.len();
        let room = self.sender.bring(&running.daemon, &self.network);
        let network = &mut *self.network.borrow_mut();
        for instance in &network.oracle.instances[before..] {
            for (index, books) in self.books.iter_mut().enumerate() {
                books.wanted += u64::from(instance.mask & 1 << index != 0);
            }
        }
        let again = network.t + Duration::from_secs(300);
        if !room || self.sender.has_more() {
            network.schedule(again, Event::Plan(Plan::Resend));
        }
    }

    fn start(&mut self) -> Result<(), String> {
        if self.running.is_some() {
            return Ok(());
        }
        let t = self.t();
        self.clock.is_met(t);
        self.set_clock();
        self.tally.starts += 1;
        let clock = Clock::new();
        let settings = Settings {
            size: self.disk_len,
            ..self.config.ring.settings.clone()
        };
        let storage = Box::new(self.disk.clone());
        let opened = Ring::open(storage, settings, clock.now(), self.random.next());
        let (ring, report) = opened.map_err(|error| format!("not opened: {error:?}"))?;
        clock.remember(ring.last_trusted());
        self.disk_failed |= ring.is_degraded();
        trace::tell(self.t(), 9, format_args!("starts: {report:?}"));
        let mut config = self.config.clone();
        for (index, stream) in config.streams.iter_mut().enumerate() {
            stream.enabled = self.network.borrow().oracle.streams[index].enabled;
        }
        let daemon = Daemon::new(config, clock, ring);
        let exact = self.tally.starts > 1 && self.failing == 0;
        if exact && self.ending == Ending::Stopped && !report.clean {
            return Err("stopped, and not clean".to_owned());
        }
        self.reopen(&daemon, exact)?;
        self.pause_again(&daemon);
        self.run_tasks(daemon);
        self.disk.set_failing(self.failing);
        self.bring();
        Ok(())
    }

    fn run_tasks(&mut self, daemon: Daemon) {
        let executor = Rc::new(LocalExecutor::new());
        let mut tasks = daemon.keep_working(&executor);
        let desk = self.sender.connect();
        tasks.push(executor.spawn(sender::acknowledge(Rc::clone(&daemon.shared), desk)));
        self.running = Some(Running {
            executor,
            tasks,
            daemon,
        });
    }

    /// Compares what the daemon knows after a start with what it knew before.
    fn reopen(&mut self, daemon: &Daemon, exact: bool) -> Result<(), String> {
        let how = (exact, self.refuses());
        let network = &mut *self.network.borrow_mut();
        let (t, oracle) = (network.t, &mut network.oracle);
        for (index, books) in self.books.iter_mut().enumerate() {
            let lost =
                |it: &&super::oracle::Instance| !it.acknowledged && it.mask & (1 << index) != 0;
            let unsafe_count = oracle.instances[self.first..].iter().filter(lost).count() as u64;
            let counters = daemon.shared.ring.counters(daemon.all_streams()[index].id);
            let truth = &mut oracle.streams[index];
            truth.renewed(t);
            truth.last_passed = LastPassed::default();
            trace::tell(t, index, format_args!("has {counters:?}"));
            let wrong = books.reopened(truth, counters, (self.ending, unsafe_count), how);
            if let Some(wrong) = wrong {
                return Err(format!("stream {index}: {wrong}"));
            }
        }
        self.first = oracle.instances.len();
        oracle.run = self.first;
        Ok(())
    }

    fn end(&mut self) {
        if self.calm {
            return;
        }
        let ending = match self.random.below(4) {
            0 => Ending::Killed,
            1 => Ending::Stopped,
            _ => Ending::PowerCut,
        };
        self.end_as(ending);
        let away = match self.random.below(10) {
            0 => 5 * DAY,
            1..5 => 3600,
            _ => 60,
        };
        self.within(away, Plan::Start);
        let until = if self.random.once_in(5) {
            600
        } else {
            16 * DAY
        };
        self.within(away + until, Plan::End);
    }

    pub(super) fn end_as(&mut self, ending: Ending) {
        self.count_attempts(None);
        let Some(mut running) = self.running.take() else {
            return;
        };
        self.ending = ending;
        trace::tell(self.t(), 9, format_args!("ends: {ending:?}"));
        if ending == Ending::Stopped {
            running.tasks.clear();
            running.daemon.work.take();
            running.daemon.shared.ring.close();
            for (stream, books) in running.daemon.all_streams().iter().zip(&mut self.books) {
                books.closed = running.daemon.shared.ring.counters(stream.id);
                books.in_flight = running.daemon.shared.ring.unsettled(stream.id);
            }
        } else if self.random.once_in(2) {
            // in the middle of a commit
            let writes = u32::try_from(self.random.below(4)).unwrap_or(0);
            self.disk.cut_after(Some(writes));
            let now = running.daemon.shared.now();
            running.daemon.shared.ring.commit(now);
        }
        drop(running);
        self.disk.cut_after(None);
        self.disk.set_failing(0);
        if ending == Ending::PowerCut {
            self.tally.power_cuts += 1;
            self.disk.cut_power(None);
            self.booted = self.t();
            self.network.borrow_mut().oracle.boot += 1;
            self.boot_clock();
        }
    }

    fn fail_disk(&mut self) {
        if self.failing > 0 && !self.calm {
            let dead = self.random.once_in(2);
            self.disk.set_dead(dead);
            self.disk_failed = true;
            self.within(if dead { 6 * 3600 } else { 60 * DAY }, Plan::Disk);
        }
    }

    fn meddle(&mut self) {
        if self.calm {
            return;
        }
        let index = self.random.below(KINDS.len());
        self.tally.by_hand += 1;
        match self.random.below(8) {
            0..3 => self.skip(index),
            3 => self.rewind(index),
            4..6 => self.switch(index),
            _ => self.wake(),
        }
        self.within(60 * DAY, Plan::Hand);
    }

    fn skip(&mut self, index: usize) {
        let count = 1 + self.random.next() % 20;
        if let Some(running) = &self.running {
            let name = format!("s{index}");
            let skipped = running.daemon.skip(&name, count).unwrap_or(0);
            self.books[index].by_hand += skipped;
            let truth = &mut self.network.borrow_mut().oracle.streams[index];
            truth.engine += 1;
        }
    }

    fn rewind(&mut self, index: usize) {
        if let Some(running) = &self.running {
            let name = format!("s{index}");
            let back = match self.random.once_in(2) {
                true => Back::Oldest,
                false => Back::To(super::world::date(self.t()) - Duration::from_secs(5 * DAY)),
            };
            running.daemon.rewind(&name, back).unwrap_or(0);
            let id = running.daemon.all_streams()[index].id;
            self.books[index].rewound = true;
            self.books[index].open(running.daemon.shared.ring.counters(id));
            let truth = &mut self.network.borrow_mut().oracle.streams[index];
            truth.engine += 1;
            truth.heard = false;
            truth.rewound();
            truth.begin_period();
        }
    }

    fn switch(&mut self, index: usize) {
        self.count_attempts(Some(index));
        let Some(running) = &self.running else {
            return;
        };
        let t = self.t();
        let truth = &mut self.network.borrow_mut().oracle.streams[index];
        truth.enabled = !truth.enabled;
        truth.renewed(t);
        let to = if truth.enabled {
            Switch::On
        } else {
            Switch::Off
        };
        // there is no folder to keep it in
        running
            .daemon
            .switch(&format!("s{index}"), to)
            .unwrap_or(());
    }

    /// A route appears.
    pub(super) fn wake(&mut self) {
        self.count_attempts(None);
        let t = self.t();
        if let Some(running) = &self.running {
            for (stream, books) in running.daemon.all_streams().iter().zip(&mut self.books) {
                stream.wake(Wake::UnlessAsked);
                books.woken(t);
            }
        }
    }

    pub(super) fn change_mood(&mut self, index: usize) -> Result<(), String> {
        if self.calm {
            return Ok(());
        }
        self.count_attempts(Some(index));
        let (good, seconds) = self.next_mood(index);
        self.set_mood(index, good);
        let wait = Duration::from_millis(self.random.next() % (1 + seconds * 1000));
        let at = self.t() + wait;
        self.network.borrow_mut().schedule(at, Event::Mood(index));
        Ok(())
    }

    fn next_mood(&mut self, index: usize) -> (Mood, u64) {
        let now = self.network.borrow().destinations[index].mood;
        if now != Mood::Good && !self.random.once_in(6) {
            return (Mood::Good, 50 * DAY);
        }
        self.tally.outages += 1;
        let mood = *one(&mut self.random, &MOODS);
        let longest = match self.random.below(10) {
            0 => 21 * DAY,
            1..4 => DAY,
            _ => 7200,
        };
        (mood, longest)
    }

    fn set_mood(&mut self, index: usize, mood: Mood) {
        let before = self.network.borrow().destinations[index].mood;
        trace::tell(self.t(), index, format_args!("{before:?} becomes {mood:?}"));
        {
            let network = &mut *self.network.borrow_mut();
            let of = &mut network.destinations[index];
            of.mood = mood.of(of.kind, of.is_five);
            if before == Mood::Small {
                // It did not even hear of what was not sent: the pause may be the longest by now,
                // and what was in memory was set aside, whichever of it goes first then.
                let backlog = self.books[index].before.backlog;
                let end = network.oracle.end_of_memory(index, backlog);
                let truth = &mut network.oracle.streams[index];
                truth.failures += 20;
                truth.set_aside_below = end;
            }
            if !mood.lets_through() {
                network.cut_lines(index);
            }
        }
        if before == Mood::NoRoute {
            self.wake();
        }
    }

    /// How often a destination was asked that was hopeless: as the pauses allow.
    pub(super) fn count_attempts(&mut self, only: Option<usize>) {
        let network = &mut *self.network.borrow_mut();
        let t = network.t;
        for index in only.map_or(0..KINDS.len(), |only| only..only + 1) {
            let (oracle, mood) = (&mut network.oracle, network.destinations[index].mood);
            let truth = &mut oracle.streams[index];
            let (attempts, since) = (truth.attempts, t.saturating_sub(truth.counted_from));
            let most = 250 + 8 * since.as_secs() / truth.promised.retry_max.as_secs();
            self.tally.attempts += attempts;
            truth.count_from(t);
            if mood.is_hopeless() && attempts > most {
                let text = format!("stream {index} tries {attempts} times in {since:?}, {mood:?}");
                oracle.violation(&text);
            }
        }
    }

    /// All is well from here on, and all has to arrive.
    fn calm_down(&mut self) -> Result<(), String> {
        self.calm = true;
        self.disk.set_dead(false);
        self.disk.set_failing(0);
        self.failing = self.failing.min(1);
        self.start()?;
        self.step_clock();
        self.resume_all();
        for index in 0..KINDS.len() {
            self.set_mood(index, Mood::Good);
            if !self.network.borrow().oracle.streams[index].enabled {
                self.switch(index);
            }
        }
        self.bring();
        self.after(Duration::from_secs(30 * DAY), Plan::Finish);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), String> {
        for (index, books) in self.books.iter().enumerate() {
            let stuck = books.stuck;
            if books.before.backlog > 0 && !stuck {
                return Err(format!("stream {index} never ends: {:?}", books.before));
            }
            self.tally.accepted += books.before.accepted;
            self.tally.given_up += books.given_up;
            self.tally.excused += books.excused;
        }
        self.count_attempts(None);
        self.network.borrow_mut().oracle.finish(&self.books);
        self.tally.lives = 1;
        self.tally.messages = self.sender.reported;
        self.end_as(Ending::Stopped);
        self.start()?;
        self.observe_end()?;
        self.finished = true;
        Ok(())
    }

    fn observe_end(&mut self) -> Result<(), String> {
        let violation = self.network.borrow_mut().oracle.violation.take();
        violation.map_or(Ok(()), Err)
    }
}

const MOODS: [Mood; 12] = [
    Mood::Flaky,
    Mood::Late,
    Mood::Dead,
    Mood::NoRoute,
    Mood::Refusing,
    Mood::Busy,
    Mood::Misconfigured,
    Mood::RefuseAll,
    Mood::Stall,
    Mood::Full,
    Mood::TakenOver,
    Mood::Small,
];

/// Seconds.
const DAY: u64 = 86_400;
