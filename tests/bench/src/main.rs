//! Measures weir beside its peers; see [`options::USAGE`], and docs/testing.md.
//!
//! Trackers and destinations are threads of this program, on other processors than the program
//! that is measured, where there are others. All that is compared is run in turn, and what counts
//! are medians of ratios: they hold on a machine that others use too, as long as processor time is
//! compared and no wall time.

mod api;
mod backlog;
mod calls;
mod contest;
mod growth;
mod jobs;
mod json;
mod low;
mod message;
mod options;
mod peer;
mod plot;
mod program;
mod receive;
mod report;
mod send;
mod settings;
mod table;
mod trial;
mod usage;

use options::Options;
use program::Outcome;
use report::Report;
use std::fs;
use std::process::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok((held, broken)) => {
            println!("test result: {held} passed; {broken} failed; 0 ignored");
            ExitCode::from(u8::from(broken > 0))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Outcome<(usize, usize)> {
    let options = Options::read(std::env::args().skip(1))?;
    program::pin()?;
    let mut report = Report::default();
    report.machine(&machine());
    for part in &options.parts {
        let done = match part.as_str() {
            "jobs" => jobs::run(&options, &mut report),
            "backlog" => backlog::run(&options, &mut report),
            "calls" => calls::run(&options, &mut report),
            "low" => low::run(&options, &mut report),
            "api" => api::run(&options, &mut report),
            "growth" => growth::run(&options, &mut report),
            "settings" => settings::run(&options, &mut report),
            _ => Err(format!("no part {part}")),
        };
        done.map_err(|error| format!("{part}: {error}"))?;
        if let Some(page) = options.page() {
            report.record(&page).map_err(|error| error.to_string())?;
        }
    }
    let _ = fs::remove_dir_all(options.run_folder());
    report
        .finish(&options.folder())
        .map_err(|error| error.to_string())
}

/// What the figures are of.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models = cpus.lines().filter(|line| line.starts_with("model name"));
    let model = models
        .clone()
        .next()
        .and_then(|line| line.split(": ").nth(1));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let (own, others) = program::cpus();
    format!(
        "{}: {} processors, {}; programs on {own}, trackers and destinations on {others}; load \
         {load} at the start.",
        today(),
        models.count(),
        model.unwrap_or("of unknown kind"),
    )
}

fn today() -> String {
    let said = Command::new("date").arg("+%Y-%m-%d").output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    said.unwrap_or_default()
}
