//! Part `jobs`: the whole job beside its peers, in turn, with a destination that answers.

use crate::contest::Contest;
use crate::contest::Cost;
use crate::options::Options;
use crate::peer::Peer;
use crate::peer::Queue;
use crate::peer::Saving;
use crate::peer::Setup;
use crate::program::Outcome;
use crate::receive::Output;
use crate::report::Bound;
use crate::report::Report;
use crate::send::Input;
use crate::table::Table;
use crate::table::short;
use crate::trial::Figures;
use crate::trial::Trial;

/// The yardstick.
pub const BRIDGE: &str = "mosquitto bridge";

/// weir's jobs, by what goes in and what comes out.
pub const JOBS: [(&str, Input, Output); 5] = [
    ("MQTT to MQTT", Input::Mqtt, Output::Mqtt),
    ("JSON lines to MQTT", Input::Lines, Output::Mqtt),
    ("JSON lines to HTTP", Input::Lines, Output::Http),
    ("HTTP to HTTP", Input::Http, Output::Http),
    ("Teltonika to Wialon", Input::Teltonika, Output::Wialon),
];

pub fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let contest = Contest::run(trials(options), options.rounds, |trial| {
        trial.live(&options.run_folder())
    });
    table(report, &contest);
    verdicts(report, &contest);
    Ok(())
}

/// All that is measured.
pub fn trials(options: &Options) -> Vec<Trial> {
    let peer = |name: &str, peer, input, output, count| {
        Trial::new(name, Setup::new(peer, input, output), count)
    };
    let mut all = vec![];
    let brokers = [
        (BRIDGE, Saving::Never, 1),
        ("mosquitto, each change saved", Saving::Always, 500),
    ];
    for (name, saving, part) in brokers {
        let who = Peer::Mosquitto(saving);
        let count = options.messages / part;
        all.push(peer(name, who, Input::Mqtt, Output::Mqtt, count));
    }
    let queues = [
        ("rsyslog, disk-assisted", Queue::Assisted, 1),
        ("rsyslog, disk queue synced", Queue::Synced, 500),
    ];
    for (name, queue, part) in queues {
        let who = Peer::Rsyslog(queue);
        let count = options.messages / part;
        all.push(peer(name, who, Input::SilentLines, Output::Lines, count));
    }
    for (job, input, output) in JOBS {
        for (name, program) in options.weirs() {
            let name = format!("{name}: {job}");
            let who = Peer::Weir(program);
            all.push(peer(&name, who, input, output, options.messages));
        }
    }
    all.retain(|trial| options.wants(&trial.name));
    all
}

fn table(report: &mut Report, contest: &Contest<Figures>) {
    let columns = [
        "destination up",
        "of the bridge's time",
        "us/message",
        "messages/s",
        "peak kB",
        "RssAnon kB",
        "PSS kB",
        "disk bytes/message",
        "waits/1000",
        "lost",
        "doubled",
        "late",
    ];
    let mut table = Table::new(
        "Processor time and all else, medians of rounds in turn.",
        &columns,
    );
    let bridge = contest.position(BRIDGE);
    for (index, trial) in contest.trials.iter().enumerate() {
        let per = |figure: fn(&Figures) -> f64| short(contest.median(index, figure));
        let ratio = bridge.map_or(f64::NAN, |base| contest.ratio(index, base, Figures::cpu_us));
        table.rows.push(vec![
            trial.name.clone(),
            short(ratio),
            per(Figures::cpu_us),
            per(Figures::rate),
            per(|one| one.memory.peak_kb as f64),
            per(|one| one.memory.anonymous_kb as f64),
            per(|one| one.memory.proportional_kb as f64),
            per(|one| one.usage.disk as f64 / one.count as f64),
            per(|one| one.usage.waits as f64 * 1e3 / one.count as f64),
            contest.sum(index, |one| one.lost).to_string(),
            contest.sum(index, |one| one.doubled).to_string(),
            contest.sum(index, |one| one.late).to_string(),
        ]);
    }
    report.table("jobs", &table);
}

fn verdicts(report: &mut Report, contest: &Contest<Figures>) {
    let of_job = |job: &str| contest.position(&format!("weir: {job}"));
    for (job, _, _) in &JOBS[..4] {
        if let (Some(one), Some(bridge)) = (of_job(job), contest.position(BRIDGE)) {
            let ratio = contest.ratio(one, bridge, Figures::cpu_us);
            report.judge(
                &format!("{job}, of the bridge's time"),
                ratio,
                Bound::AtMost(0.25),
            );
        }
    }
    let saved = contest.position("mosquitto, each change saved");
    if let (Some(one), Some(saved)) = (of_job(JOBS[0].0), saved) {
        let ratio = contest.ratio(one, saved, Figures::cpu_us);
        let promise = "MQTT to MQTT, of its time with each change saved";
        report.judge(promise, ratio, Bound::AtMost(0.01));
    }
    if let (Some(one), Some(lines)) = (of_job(JOBS[4].0), of_job(JOBS[1].0)) {
        let ratio = contest.ratio(one, lines, Figures::cpu_us);
        let promise = "Teltonika to Wialon, of JSON lines to MQTT";
        report.judge(promise, ratio, Bound::AtMost(1.5));
    }
    for (index, trial) in contest
        .trials
        .iter()
        .enumerate()
        .filter(|(_, one)| one.is_weir())
    {
        let written = contest.median(index, |one| one.usage.disk as f64 / one.bytes as f64);
        let promise = format!("{}, bytes to the disk of those that came", trial.name);
        report.judge(&promise, written, Bound::AtMost(0.01));
        let wrong = contest.sum(index, |one| one.lost + one.doubled);
        let late = contest.sum(index, |one| one.late);
        // of several trackers the order is each one's own
        let wrong = wrong
            + if trial.setup.input == Input::Teltonika {
                0
            } else {
                late
            };
        let wrong = wrong as f64 + contest.broken(index) as f64;
        let promise = format!("{}, lost, doubled, late or broken off", trial.name);
        report.judge(&promise, wrong, Bound::AtMost(0.0));
    }
}
