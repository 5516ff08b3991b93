//! Part `settings`: what a configuration may hold without making each message dear.

use crate::contest::Contest;
use crate::contest::Cost;
use crate::options::Options;
use crate::peer::Peer;
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
use std::fmt::Write;

/// A setting, and the run without it whose traffic is the same.
const COMPARED: [(&str, &str); 7] = [
    ("10,000 devices in the configuration", "10,000 idents"),
    ("10,000 devices, named in the topic", "10,000 idents"),
    ("`every` with 10,000 idents", "10,000 idents"),
    ("`convert`: rename, drop and dots", "one ident"),
    ("a filter of two terms", "one ident"),
    ("`set` on the channel", "one ident"),
    ("10,000 idents", "one ident"),
];

/// What must hold for them.
const BOUND: f64 = 1.3;

pub fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let contest = Contest::run(trials(options), options.rounds, |trial| {
        trial.live(&options.run_folder())
    });
    let columns = [
        "JSON lines to MQTT with",
        "of the time without",
        "us/message",
        "peak kB",
        "lost",
    ];
    let title = "What a configuration holds; each beside the same traffic without it.";
    let mut table = Table::new(title, &columns);
    let mut ratios = vec![];
    for (index, trial) in contest.trials.iter().enumerate() {
        let base = base_of(&trial.name).and_then(|base| contest.position(base));
        let ratio = base.map_or(1.0, |base| contest.ratio(index, base, Figures::cpu_us));
        ratios.push((trial.name.clone(), ratio));
        table.rows.push(vec![
            trial.name.clone(),
            short(ratio),
            short(contest.median(index, Figures::cpu_us)),
            short(contest.median(index, |one| one.memory.peak_kb as f64)),
            contest.sum(index, |one| one.lost).to_string(),
        ]);
    }
    report.table("settings", &table);
    for (name, ratio) in ratios.iter().filter(|(name, _)| base_of(name).is_some()) {
        let promise = format!("{name}, of the time without");
        report.judge(&promise, *ratio, Bound::AtMost(BOUND));
    }
    Ok(())
}

fn base_of(name: &str) -> Option<&'static str> {
    let row = COMPARED.iter().find(|(setting, _)| *setting == name);
    row.map(|(_, base)| *base)
}

fn trials(options: &Options) -> Vec<Trial> {
    let of = |name: &str, idents, change: fn(&mut Setup)| {
        let weir = Peer::Weir(options.weir());
        let mut setup = Setup::new(weir, Input::Lines, Output::Mqtt);
        change(&mut setup);
        let mut trial = Trial::new(name, setup, options.messages);
        trial.idents = idents;
        trial
    };
    let many = 10_000;
    vec![
        of("one ident", 1, |_| ()),
        of(COMPARED[3].0, 1, |setup| {
            setup.stream = "convert = { rename = { \"position.speed\" = \"speed\" }, \
                            drop = [\"gsm.*\"], dots = \"_\" }"
                .into();
        }),
        of(COMPARED[4].0, 1, |setup| {
            setup.stream = "filter = \"position.speed >= 0 && exists('position.latitude')\"".into();
        }),
        of(COMPARED[5].0, 1, |setup| {
            setup.channel = "set = { \"gateway.name\" = \"gate 7\" }".into();
        }),
        of("10,000 idents", many, |_| ()),
        of(COMPARED[0].0, many, |setup| setup.tables = devices(10_000)),
        of(COMPARED[1].0, many, |setup| {
            setup.tables = devices(10_000);
            setup.topic = "trackers/{device.name}".into();
        }),
        of(COMPARED[2].0, many, |setup| {
            setup.stream = "every = \"500ms\"".into()
        }),
    ]
}

/// Tables of so many devices, with the idents that trackers have.
pub fn devices(count: u64) -> String {
    let mut tables = String::new();
    for index in 0..count {
        let _ = writeln!(
            tables,
            "[[device]]\nname = \"truck {index}\"\nident = \"35209308{index:07}\""
        );
    }
    tables
}
