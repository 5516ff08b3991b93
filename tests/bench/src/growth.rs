//! Part `growth`: what a message costs with ever more of something: messages, space in the ring,
//! streams, idents, devices. Draws it; a line that is level says that nothing grows.

use crate::contest::Contest;
use crate::contest::Cost;
use crate::options::Options;
use crate::peer::Peer;
use crate::peer::Setup;
use crate::plot::Line;
use crate::plot::Plot;
use crate::program::Outcome;
use crate::receive::Output;
use crate::report::Report;
use crate::send::Input;
use crate::settings::devices;
use crate::table::Table;
use crate::table::short;
use crate::trial::Figures;
use crate::trial::Trial;
use std::fs;

/// One kind of growth.
struct Growth {
    /// Names the picture's file.
    name: &'static str,
    title: &'static str,
    across: &'static str,
    steps: Vec<u64>,
    /// What stands at a step.
    label: fn(u64) -> String,
    lines: Vec<(&'static str, Kind, Change)>,
}

/// What is measured of a run.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Live,
    Stored,
    Drained,
}

/// Makes the run of a step.
type Change = fn(&mut Trial, u64);

/// Messages of a run where their number is not what grows, of those of other parts.
const PART: u64 = 2;

pub fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    for growth in growths(options) {
        if options.wants(growth.name) {
            one(options, report, &growth)?;
        }
    }
    Ok(())
}

fn growths(options: &Options) -> Vec<Growth> {
    let most = if options.long { 7 } else { 6 };
    vec![
        Growth {
            name: "messages",
            title: "Processor time of a message, by messages of a run",
            across: "messages",
            steps: (3..=most).map(|power| 10_u64.pow(power)).collect(),
            label: count,
            lines: vec![
                ("passed on at once", Kind::Live, |_, _| ()),
                ("stored", Kind::Stored, |_, _| ()),
                ("drained", Kind::Drained, |_, _| ()),
            ],
        },
        Growth {
            name: "ring",
            title: "Processor time of a message, by the size of the ring",
            across: "size of the ring",
            steps: (0..8).map(|step| 256 << (2 * step)).collect(),
            label: size,
            lines: vec![
                ("passed on at once", Kind::Live, ring),
                ("stored", Kind::Stored, ring),
            ],
        },
        Growth {
            name: "streams",
            title: "Processor time of a message, by streams that each deliver it",
            across: "streams",
            steps: vec![1, 2, 4, 8, 16],
            label: count,
            lines: vec![
                ("MQTT", Kind::Live, |trial, step| {
                    trial.destinations = step as usize
                }),
                ("HTTP", Kind::Live, |trial, step| {
                    trial.destinations = step as usize;
                    trial.setup.output = Output::Http;
                }),
            ],
        },
        Growth {
            name: "idents",
            title: "Processor time of a message, by idents that send",
            across: "idents",
            steps: (0..=5).map(|power| 10_u64.pow(power)).collect(),
            label: count,
            lines: vec![
                ("plain", Kind::Live, |trial, step| trial.idents = step),
                ("with every = \"500ms\"", Kind::Live, |trial, step| {
                    trial.idents = step;
                    trial.setup.stream = "every = \"500ms\"".into();
                }),
            ],
        },
        Growth {
            name: "devices",
            title: "Processor time of a message, by [[device]] tables, all of them sending",
            across: "devices in the configuration",
            steps: (0..=4).map(|power| 10_u64.pow(power)).collect(),
            label: count,
            lines: vec![("with device tables", Kind::Live, |trial, step| {
                trial.idents = step;
                trial.setup.tables = devices(step);
            })],
        },
    ]
}

fn ring(trial: &mut Trial, step: u64) {
    trial.setup.ring = format!("size = \"{step} KiB\"");
}

fn one(options: &Options, report: &mut Report, growth: &Growth) -> Outcome<()> {
    let trials = trials(options, growth);
    let rounds = options.rounds.div_ceil(3);
    let contest = Contest::run(trials, rounds, |trial| {
        let of = |line: &&(&str, Kind, Change)| trial.name.starts_with(line.0);
        let kind = growth.lines.iter().find(of).map(|line| line.1);
        measure(options, trial, kind.unwrap_or(Kind::Live))
    });
    let mut columns = vec![growth.across];
    columns.extend(growth.lines.iter().map(|line| line.0));
    columns.push("peak kB");
    let mut table = Table::new(&format!("{} [us].", growth.title), &columns);
    let mut lines: Vec<_> = growth.lines.iter().map(|line| named(line.0)).collect();
    for (place, step) in growth.steps.iter().enumerate() {
        let mut row = vec![(growth.label)(*step)];
        let mut peak = 0.0;
        for (number, line) in lines.iter_mut().enumerate() {
            let index = place * growth.lines.len() + number;
            let cost = contest.median(index, Figures::cpu_us);
            line.points.push((*step as f64, cost));
            row.push(short(cost));
            peak = contest
                .median(index, |one| one.memory.peak_kb as f64)
                .max(peak);
        }
        row.push(short(peak));
        table.rows.push(row);
    }
    report.table(&format!("growth by {}", growth.name), &table);
    draw(options, growth, lines)
}

fn named(name: &str) -> Line {
    Line {
        name: name.into(),
        points: vec![],
    }
}

fn draw(options: &Options, growth: &Growth, lines: Vec<Line>) -> Outcome<()> {
    let marks = growth
        .steps
        .iter()
        .map(|step| (*step as f64, (growth.label)(*step)));
    let plot = Plot {
        title: growth.title.into(),
        across: growth.across.into(),
        up: "processor time a message [µs]".into(),
        marks: marks.collect(),
        lines,
    };
    for folder in options.picture_folders() {
        let file = folder.join(format!("growth-{}.svg", growth.name));
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(file, plot.svg()))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A size in KiB.
fn size(step: u64) -> String {
    match step {
        step if step >= 1 << 20 => format!("{} GiB", step >> 20),
        step if step >= 1 << 10 => format!("{} MiB", step >> 10),
        _ => format!("{step} KiB"),
    }
}

fn count(step: u64) -> String {
    short(step as f64)
}

fn trials(options: &Options, growth: &Growth) -> Vec<Trial> {
    let mut trials = vec![];
    for step in &growth.steps {
        for (name, _, change) in &growth.lines {
            let setup = Setup::new(Peer::Weir(options.weir()), Input::Lines, Output::Mqtt);
            let mut trial = Trial::new(&format!("{name}, {step}"), setup, options.messages / PART);
            // room for the most messages
            trial.setup.ring = "size = \"4 GiB\"".into();
            if growth.name == "messages" {
                trial.count = *step;
            }
            change(&mut trial, *step);
            trials.push(trial);
        }
    }
    trials
}

fn measure(options: &Options, trial: &Trial, kind: Kind) -> Outcome<Figures> {
    let folder = options.run_folder();
    match kind {
        Kind::Live => trial.live(&folder),
        Kind::Stored => trial.stored(&folder),
        Kind::Drained => Ok(trial.outage(&folder)?.drained),
    }
}
