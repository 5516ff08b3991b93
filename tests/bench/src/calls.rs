//! Part `calls`: system calls and syncs of each, counted by strace in runs of their own, which are
//! too slow to be timed.

use crate::jobs;
use crate::options::Options;
use crate::peer::Places;
use crate::program::Outcome;
use crate::program::PATIENCE;
use crate::program::free_port;
use crate::receive::Output;
use crate::report::Report;
use crate::send::Sender;
use crate::table::Table;
use crate::table::short;
use crate::trial::Trial;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// Calls by name.
type Calls = BTreeMap<String, u64>;

/// Messages of a run; a twentieth of those of the others.
const PART: u64 = 20;

const SYNCS: [&str; 4] = ["fsync", "fdatasync", "sync_file_range", "msync"];

pub fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let columns = [
        "for 1,000 messages",
        "up: calls",
        "up: syncs",
        "away: calls",
        "away: syncs",
        "most of them, up",
    ];
    let title = "System calls, by strace; the destination answers, or is away.";
    let mut table = Table::new(title, &columns);
    for mut trial in jobs::trials(options) {
        trial.count = (trial.count / PART).max(100);
        let up = of_live(&trial, &options.run_folder());
        let away = of_outage(&trial, &options.run_folder());
        let cells = |calls: &Outcome<Calls>, which: fn(&str) -> bool| match calls {
            Ok(calls) => {
                let all = calls.iter().filter(|(name, _)| which(name));
                let sum: u64 = all.map(|(_, count)| count).sum();
                short(sum as f64 * 1e3 / trial.count as f64)
            }
            Err(error) => error.clone(),
        };
        table.rows.push(vec![
            trial.name.clone(),
            cells(&up, |_| true),
            cells(&up, |name| SYNCS.contains(&name)),
            cells(&away, |_| true),
            cells(&away, |name| SYNCS.contains(&name)),
            most(&up),
        ]);
        eprintln!("calls {}", trial.name);
    }
    report.table("calls", &table);
    Ok(())
}

fn most(calls: &Outcome<Calls>) -> String {
    let mut all: Vec<_> = calls.iter().flatten().collect();
    all.sort_by_key(|(_, count)| u64::MAX - **count);
    let names: Vec<_> = all.iter().take(4).map(|(name, _)| name.as_str()).collect();
    names.join(" ")
}

fn of_live(trial: &Trial, folder: &Path) -> Outcome<Calls> {
    let mut running = trial.start(folder)?;
    running.pass(trial.count / 10)?;
    let trace = Trace::start(running.program.pid(), folder)?;
    running.pass(trial.count)?;
    trace.end()
}

fn of_outage(trial: &Trial, folder: &Path) -> Outcome<Calls> {
    let away = free_port();
    let places = Places {
        folder,
        port: free_port(),
        destinations: &[away],
    };
    let program = trial.setup.start(&places)?;
    let mut sender = Sender::connect(trial.setup.input, places.port, trial.idents)?;
    let trace = Trace::start(program.pid(), folder)?;
    trial.store(program.pid(), &mut sender)?;
    if trial.setup.output == Output::Lines {
        thread::sleep(Duration::from_secs(1));
    }
    trace.end()
}

/// strace, while it counts.
struct Trace {
    child: Child,
    file: std::path::PathBuf,
}

impl Trace {
    fn start(pid: u32, folder: &Path) -> Outcome<Self> {
        let file = folder.join("calls");
        let said = fs::File::create(folder.join("strace")).map_err(|error| error.to_string())?;
        let child = Command::new("strace")
            .args(["-f", "-c", "-p", &pid.to_string(), "-o"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(said)
            .spawn()
            .map_err(|error| format!("strace: {error}"))?;
        let trace = Self { child, file };
        let start = Instant::now();
        // it says so of each thread
        while !fs::read_to_string(folder.join("strace")).is_ok_and(|said| said.contains("attached"))
        {
            if start.elapsed() > PATIENCE {
                return Err("strace does not attach".into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(300));
        Ok(trace)
    }

    fn end(mut self) -> Outcome<Calls> {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        self.child.wait().map_err(|error| error.to_string())?;
        let text = fs::read_to_string(&self.file).map_err(|error| error.to_string())?;
        let rows = text.lines().filter_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let count = words.get(3)?.parse().ok()?;
            Some((words.last()?.to_string(), count))
        });
        Ok(rows.filter(|(name, _)| name != "total").collect())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
