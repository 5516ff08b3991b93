//! Part `backlog`: the destination is away while messages come, and comes back while more do.

use crate::contest::Contest;
use crate::contest::Cost;
use crate::jobs::BRIDGE;
use crate::jobs::JOBS;
use crate::message::Maker;
use crate::options::Options;
use crate::peer::Peer;
use crate::peer::Places;
use crate::peer::Queue;
use crate::peer::Saving;
use crate::peer::Setup;
use crate::program::Outcome;
use crate::program::free_port;
use crate::program::settle;
use crate::receive::Output;
use crate::receive::Receiver;
use crate::report::Bound;
use crate::report::Report;
use crate::send::Input;
use crate::send::Sender;
use crate::table::Table;
use crate::table::short;
use crate::trial::Figures;
use crate::trial::Running;
use crate::trial::Trial;
use crate::usage::Memory;
use crate::usage::Usage;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// What an outage showed.
#[derive(Clone, Copy, Default)]
pub struct Outage {
    /// The way in; its memory is that with all of it waiting.
    pub stored: Figures,
    /// The way out, until the last that had waited has arrived; with the live ones on the way.
    pub drained: Figures,
    /// Live messages as fast as they go, right behind.
    pub live: Figures,
}

/// Live messages a second while the backlog drains.
const LIVE_RATE: u64 = 1000;

/// So many more are measured for the speed of live traffic.
const LIVE: u64 = 50_000;

impl Cost for Outage {
    fn cpu_us(&self) -> f64 {
        self.stored.cpu_us() + self.drained.cpu_us()
    }
}

impl Trial {
    /// An outage with so many messages; of a run with one destination.
    pub fn outage(&self, folder: &Path) -> Outcome<Outage> {
        let away = free_port();
        let places = Places {
            folder,
            port: free_port(),
            destinations: &[away],
        };
        let program = self.setup.start(&places)?;
        let mut sender = Sender::connect(self.setup.input, places.port, self.idents)?;
        let stored = self.store(program.pid(), &mut sender)?;
        let mut running = Running {
            program,
            receivers: vec![Receiver::start(self.setup.output, away)?],
            sender,
            next: self.count,
        };
        let drained = self.drain(&mut running)?;
        let mut live = Figures::default();
        if self.setup.output != Output::Lines {
            live = running.pass(LIVE.min(self.count))?;
        }
        Ok(Outage {
            stored,
            drained,
            live,
        })
    }

    /// The way in alone.
    pub fn stored(&self, folder: &Path) -> Outcome<Figures> {
        let places = Places {
            folder,
            port: free_port(),
            destinations: &[free_port()],
        };
        let program = self.setup.start(&places)?;
        let mut sender = Sender::connect(self.setup.input, places.port, self.idents)?;
        self.store(program.pid(), &mut sender)
    }

    /// All messages come while nothing is there that takes them.
    pub fn store(&self, pid: u32, sender: &mut Sender) -> Outcome<Figures> {
        let (usage, start) = (Usage::of(pid), Instant::now());
        sender.send(0, self.count)?;
        let span = start.elapsed();
        settle(pid);
        Ok(Figures {
            count: self.count,
            usage: Usage::of(pid) - usage,
            memory: Memory::of(pid),
            span,
            bytes: self.count * Maker::new(1).len(),
            ..Figures::default()
        })
    }

    fn drain(&self, running: &mut Running) -> Outcome<Figures> {
        let (pid, count) = (running.program.pid(), self.count);
        let (receiver, sender) = (&running.receivers[0], &mut running.sender);
        let (live, usage) = (AtomicBool::new(true), Usage::of(pid));
        let (result, usage, span, arrived) = thread::scope(|scope| {
            let live_traffic = scope
                .spawn(|| sender.send_steadily(count, LIVE_RATE, || live.load(Ordering::Relaxed)));
            receiver.wait_for(1);
            let first = Instant::now();
            receiver.wait_for(count);
            let (usage, span) = (Usage::of(pid) - usage, first.elapsed());
            let arrived = receiver.unique();
            live.store(false, Ordering::Relaxed);
            (live_traffic.join(), usage, span, arrived)
        });
        let sent = result.map_err(|_| "the live traffic broke off")??;
        running.next += sent;
        receiver.wait_for(count + sent);
        thread::sleep(Duration::from_millis(200));
        let counts = receiver.counts();
        Ok(Figures {
            count: arrived,
            usage,
            memory: Memory::of(pid),
            span,
            bytes: counts.bytes,
            lost: (count + sent).saturating_sub(counts.unique),
            doubled: counts.doubled,
            late: counts.late,
        })
    }
}

pub fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let rounds = options.rounds.div_ceil(2);
    let contest = Contest::run(trials(options), rounds, |trial| {
        trial.outage(&options.run_folder())
    });
    table(report, &contest);
    verdicts(report, &contest);
    Ok(())
}

fn name(job: &str, count: u64) -> String {
    format!("weir: {job}, {}", short(count as f64))
}

fn trials(options: &Options) -> Vec<Trial> {
    let few = options.messages;
    let of = |name: &str, peer, input, output, count| {
        let mut setup = Setup::new(peer, input, output);
        // room for a million
        setup.ring = "size = \"512 MiB\"".into();
        Trial::new(name, setup, count)
    };
    let bridge = Peer::Mosquitto(Saving::Never);
    let always = Peer::Mosquitto(Saving::Always);
    let (assisted, synced) = (Peer::Rsyslog(Queue::Assisted), Peer::Rsyslog(Queue::Synced));
    let (mqtt, lines) = (Input::Mqtt, Input::SilentLines);
    let mut all = vec![
        of(BRIDGE, bridge, mqtt, Output::Mqtt, few),
        of(
            "mosquitto, each change saved",
            always,
            mqtt,
            Output::Mqtt,
            few / 500,
        ),
        of(
            "rsyslog, disk-assisted",
            assisted,
            lines,
            Output::Lines,
            few,
        ),
        of(
            "rsyslog, disk queue synced",
            synced,
            lines,
            Output::Lines,
            few / 500,
        ),
    ];
    for (job, input, output) in JOBS {
        let weir = Peer::Weir(options.weir());
        all.push(of(&name(job, few), weir, input, output, few));
    }
    let (job, input, output) = JOBS[0];
    let weir = Peer::Weir(options.weir());
    all.push(of(&name(job, few * 10), weir, input, output, few * 10));
    all.retain(|trial| options.wants(&trial.name));
    all
}

fn table(report: &mut Report, contest: &Contest<Outage>) {
    let columns = [
        "destination away, then back",
        "in: of the bridge",
        "in: us/message",
        "in: messages/s",
        "resident kB, all waiting",
        "PSS kB, all waiting",
        "peak kB",
        "disk bytes/byte that waits",
        "out: of the bridge",
        "out: us/message",
        "out: messages/s",
        "out/live speed",
        "lost",
        "doubled",
        "late",
    ];
    let title = "A backlog's way in, and its way out beside 1,000 live messages a second.";
    let mut table = Table::new(title, &columns);
    let bridge = contest.position(BRIDGE);
    for (index, trial) in contest.trials.iter().enumerate() {
        let per = |figure: fn(&Outage) -> f64| short(contest.median(index, figure));
        let ratio = |figure: fn(&Outage) -> f64| {
            short(bridge.map_or(f64::NAN, |base| contest.ratio(index, base, figure)))
        };
        table.rows.push(vec![
            trial.name.clone(),
            ratio(|one| one.stored.cpu_us()),
            per(|one| one.stored.cpu_us()),
            per(|one| one.stored.rate()),
            per(|one| one.stored.memory.resident_kb as f64),
            per(|one| one.stored.memory.proportional_kb as f64),
            per(|one| one.drained.memory.peak_kb as f64),
            per(|one| one.stored.usage.disk as f64 / one.stored.bytes as f64),
            ratio(|one| one.drained.cpu_us()),
            per(|one| one.drained.cpu_us()),
            per(|one| one.drained.rate()),
            per(|one| one.drained.rate() / one.live.rate()),
            contest.sum(index, |one| one.drained.lost).to_string(),
            contest.sum(index, |one| one.drained.doubled).to_string(),
            contest.sum(index, |one| one.drained.late).to_string(),
        ]);
    }
    report.table("backlog", &table);
}

fn verdicts(report: &mut Report, contest: &Contest<Outage>) {
    let resident = |one: &Outage| one.stored.memory.resident_kb as f64;
    let names: Vec<_> = contest
        .trials
        .iter()
        .map(|trial| trial.name.as_str())
        .collect();
    let find = |start: &str| names.iter().position(|name| name.starts_with(start));
    let few = find("weir: MQTT to MQTT, ");
    let many = names
        .iter()
        .rposition(|name| name.starts_with("weir: MQTT to MQTT, "));
    if let (Some(one), Some(bridge)) = (few, contest.position(BRIDGE)) {
        let own = |one: &Outage| one.stored.memory.proportional_kb as f64;
        for (what, ratio) in [
            ("resident", contest.ratio(one, bridge, resident)),
            ("shared pages by share", contest.ratio(one, bridge, own)),
        ] {
            let promise = format!("a backlog's memory, {what}, of the bridge's");
            report.judge(&promise, ratio, Bound::AtMost(1.0 / 15.0));
        }
    }
    if let (Some(few), Some(many)) = (few, many.filter(|many| Some(*many) != few)) {
        let ratio = contest.ratio(many, few, |one| one.drained.memory.peak_kb as f64);
        // the kernel counts in pages, and not to the last one
        report.judge(
            "memory with ten times as many waiting",
            ratio,
            Bound::AtMost(1.03),
        );
        let speed = contest.median(many, |one| one.drained.rate() / one.live.rate());
        let promise = "speed of draining the most, of live traffic's";
        report.judge(promise, speed, Bound::AtLeast(0.9));
    }
    for (index, trial) in contest
        .trials
        .iter()
        .enumerate()
        .filter(|(_, one)| one.is_weir())
    {
        let written = |one: &Outage| one.stored.usage.disk as f64 / one.stored.bytes as f64;
        if trial.setup.input != Input::Teltonika {
            let promise = format!("{}: bytes to the disk for each that waits", trial.name);
            report.judge(&promise, contest.median(index, written), Bound::AtMost(1.2));
        }
        let wrong = contest.sum(index, |one| one.drained.lost + one.drained.doubled);
        let late = contest.sum(index, |one| one.drained.late);
        let wrong = wrong
            + if trial.setup.input == Input::Teltonika {
                0
            } else {
                late
            };
        let promise = format!("{}: lost, doubled, late or broken off", trial.name);
        let wrong = wrong as f64 + contest.broken(index) as f64;
        report.judge(&promise, wrong, Bound::AtMost(0.0));
    }
}
