//! `weir check`: all that is wrong with the configuration, and whether destinations answer.

use super::Exit;
use crate::clock::Clock;
use crate::config;
use crate::config::Severity;
use crate::daemon::Probe;
use crate::daemon::try_destination;
use crate::stream::settings::Settings;
use smol::LocalExecutor;
use std::path::Path;
use std::path::PathBuf;

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// What is wrong, if anything.
    Mistakes,
    /// The configuration in effect; what is wrong goes to standard error.
    Configuration,
}

/// Reads the configuration and prints what is wrong with it; where nothing is, every stream's
/// destination is tried, if that is asked for.
pub(super) fn check(
    file: Option<PathBuf>,
    probe: Option<Probe>,
    shown: Shown,
    user: Option<&str>,
) -> Exit {
    let main = file.unwrap_or_else(|| config::DEFAULT_FILE.into());
    let Some(loaded) = inspect(&main, user) else {
        let user = user.unwrap_or_default();
        eprintln!("error: there is no user `{user}` here");
        return Exit::Usage;
    };
    let errors = config::count(&loaded.diagnostics, Severity::Error);
    if shown == Shown::Configuration {
        print!("{}", config::show(&main, &config::Machine));
        eprint!("{}", config::render(&loaded.diagnostics));
        if probe.is_none() {
            return if errors == 0 { Exit::Done } else { Exit::Usage };
        }
    } else {
        print!("{}", config::render(&loaded.diagnostics));
    }
    let warnings = config::count(&loaded.diagnostics, Severity::Warning);
    if errors == 0 {
        let (channels, streams) = (loaded.config.channels.len(), loaded.config.streams.len());
        let parts = [
            (channels, "channel"),
            (streams, "stream"),
            (warnings, "warning"),
        ];
        println!(
            "ok: {}",
            parts.map(|(count, noun)| counted(count, noun)).join(", ")
        );
        probe.map_or(Exit::Done, |probe| try_all(loaded.config.streams, probe))
    } else {
        println!(
            "{}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        Exit::Usage
    }
}

/// With what this user may not do; none where there is no such user.
fn inspect(main: &Path, user: Option<&str>) -> Option<config::Loaded> {
    match user {
        Some(user) => config::inspect_as(main, &config::Machine, user),
        None => Some(config::inspect(main, &config::Machine)),
    }
}

/// Sends one message through one stream, beside the daemon.
pub(super) fn test(file: Option<PathBuf>, name: &str) -> Exit {
    let mut streams = super::load(file).config.streams;
    streams.retain(|stream| stream.name == name);
    if streams.is_empty() {
        eprintln!("error: no stream `{name}` in the configuration, or a mistake in it");
        return Exit::Usage;
    }
    try_all(streams, Probe::Deliver)
}

/// Tries all at once; one line for each, in their order.
fn try_all(streams: Vec<Settings>, probe: Probe) -> Exit {
    let (executor, clock) = (LocalExecutor::new(), Clock::new());
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|settings| {
            let name = settings.name.clone();
            let tried = try_destination(settings, probe, clock.clone());
            (name, executor.spawn(tried))
        })
        .collect();
    let mut exit = Exit::Done;
    let all = async {
        for (name, tried) in tasks {
            match tried.await {
                Ok(words) => println!("stream `{name}`: {words}"),
                Err(reason) => {
                    println!("stream `{name}`: failed: {reason}");
                    exit = Exit::Failed;
                }
            }
        }
    };
    smol::block_on(executor.run(all));
    exit
}

/// `1 error`, `2 errors`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
