//! Part `low`: few messages, and none: processor time and wake-ups. All run at once, since that is
//! how little they do.

use crate::options::Options;
use crate::peer::Peer;
use crate::peer::Saving;
use crate::peer::Setup;
use crate::program::Outcome;
use crate::receive::Output;
use crate::report::Bound;
use crate::report::Report;
use crate::send::Input;
use crate::table::Table;
use crate::table::short;
use crate::trial::Running;
use crate::trial::Trial;
use crate::usage::Memory;
use crate::usage::Usage;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// Messages a second.
const RATE: u64 = 10;

/// How long they come.
const BUSY: Duration = Duration::from_secs(30);

/// How long none comes: as long as the streams' keep-alive.
const IDLE: Duration = Duration::from_secs(60);

const WEIR: &str = "weir";
const COMPARABLE: &str = "mosquitto, each change saved";

/// Of one program, by the second.
struct Rates {
    busy_ms: f64,
    busy_waits: f64,
    idle_ms: f64,
    idle_waits: f64,
    lost: u64,
}

pub fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let trials = trials(options);
    let mut all = vec![];
    for (index, trial) in trials.iter().enumerate() {
        all.push(trial.start(&options.run_folder().join(index.to_string()))?);
    }
    thread::sleep(Duration::from_secs(2));
    let mut rates = busy(&mut all)?;
    // the trackers are gone, the streams stay
    for running in &mut all {
        running.sender.leave();
    }
    thread::sleep(Duration::from_secs(5));
    let before: Vec<_> = all.iter().map(usage).collect();
    thread::sleep(IDLE);
    for ((running, before), rates) in all.iter().zip(before).zip(&mut rates) {
        let used = usage(running) - before;
        rates.idle_ms = used.cpu_ns as f64 / 1e6 / IDLE.as_secs_f64();
        rates.idle_waits = (used.waits + used.pushed) as f64 / IDLE.as_secs_f64();
    }
    table(report, &trials, &all, &rates);
    verdicts(report, &trials, &rates);
    Ok(())
}

fn trials(options: &Options) -> Vec<Trial> {
    let bridge = |saving| Setup::new(Peer::Mosquitto(saving), Input::Mqtt, Output::Mqtt);
    let mut all = vec![
        Trial::new("mosquitto bridge", bridge(Saving::Never), 0),
        Trial::new("mosquitto, saves each half hour", bridge(Saving::Seldom), 0),
        Trial::new(COMPARABLE, bridge(Saving::Always), 0),
    ];
    for (name, weir) in options.weirs() {
        let setup = Setup::new(Peer::Weir(weir), Input::Mqtt, Output::Mqtt);
        all.push(Trial::new(&name, setup, 0));
    }
    all
}

fn busy(all: &mut [Running]) -> Outcome<Vec<Rates>> {
    let before: Vec<_> = all.iter().map(usage).collect();
    let start = Instant::now();
    let sent: Vec<Outcome<u64>> = thread::scope(|scope| {
        let traffic = all.iter_mut().map(|running| {
            let wanted = move || start.elapsed() < BUSY;
            let sender = &mut running.sender;
            scope.spawn(move || sender.send_steadily(0, RATE, wanted))
        });
        let traffic: Vec<_> = traffic.collect();
        let ended = traffic.into_iter().map(|one| match one.join() {
            Ok(sent) => sent,
            Err(_) => Err("the traffic broke off".into()),
        });
        ended.collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut rates = vec![];
    for ((running, before), sent) in all.iter().zip(before).zip(sent) {
        let (used, sent) = (usage(running) - before, sent?);
        running.receivers[0].wait_for(sent);
        rates.push(Rates {
            busy_ms: used.cpu_ns as f64 / 1e6 / seconds,
            busy_waits: (used.waits + used.pushed) as f64 / seconds,
            idle_ms: 0.0,
            idle_waits: 0.0,
            lost: sent - running.receivers[0].unique().min(sent),
        });
    }
    Ok(rates)
}

fn usage(running: &Running) -> Usage {
    Usage::of(running.program.pid())
}

fn table(report: &mut Report, trials: &[Trial], all: &[Running], rates: &[Rates]) {
    let columns = [
        "10 messages a second, MQTT to MQTT",
        "of the bridge's time",
        "ms of processor/s",
        "wake-ups/s",
        "idle: ms/s",
        "idle: wake-ups/s",
        "resident kB",
        "lost",
    ];
    let title = "The low end: 30 s with ten messages each, then a minute with none.";
    let mut table = Table::new(title, &columns);
    let bridge = rates.first().map_or(f64::NAN, |rates| rates.busy_ms);
    for ((trial, running), rates) in trials.iter().zip(all).zip(rates) {
        table.rows.push(vec![
            trial.name.clone(),
            short(rates.busy_ms / bridge),
            short(rates.busy_ms),
            short(rates.busy_waits),
            short(rates.idle_ms),
            short(rates.idle_waits),
            short(Memory::of(running.program.pid()).resident_kb as f64),
            rates.lost.to_string(),
        ]);
    }
    report.table("low", &table);
}

fn verdicts(report: &mut Report, trials: &[Trial], rates: &[Rates]) {
    let find = |name: &str| {
        let at = trials.iter().position(|trial| trial.name == name);
        at.and_then(|at| rates.get(at))
    };
    if let (Some(weir), Some(other)) = (find(WEIR), find(COMPARABLE)) {
        let promise = "10 messages a second, of mosquitto's time with each change saved";
        report.judge(promise, weir.busy_ms / other.busy_ms, Bound::AtMost(1.0));
        let promise = "idle with one MQTT stream, wake-ups in 10 s";
        report.judge(promise, weir.idle_waits * 10.0, Bound::AtMost(1.0));
        report.judge("few messages, lost", weir.lost as f64, Bound::AtMost(0.0));
    }
}
