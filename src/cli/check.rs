//! `weir check`: all that is wrong with the configuration, and whether destinations answer.

use super::Exit;
use super::color::Color;
use super::color::Style;
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
        let text = config::render(&loaded.diagnostics);
        print!("{}", painted(&text, Color::of_stdout()));
    }
    let warnings = config::count(&loaded.diagnostics, Severity::Warning);
    if errors == 0 {
        let (channels, streams) = (loaded.config.channels.len(), loaded.config.streams.len());
        let parts = [
            (channels, "channel"),
            (streams, "stream"),
            (warnings, "warning"),
        ];
        say!(
            "ok: {}",
            parts.map(|(count, noun)| counted(count, noun)).join(", ")
        );
        probe.map_or(Exit::Done, |probe| try_all(loaded.config.streams, probe))
    } else {
        say!(
            "{}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        Exit::Usage
    }
}

/// What is wrong, as a terminal wants it.
fn painted(text: &str, color: Color) -> String {
    let (mut all, mut style) = (String::new(), Style::Red);
    for line in text.split_inclusive('\n') {
        let severities = [(": error: ", Style::Red), (": warning: ", Style::Yellow)];
        let is_excerpt = line.starts_with("    ");
        let heads = severities.into_iter().filter(|_| !is_excerpt);
        let heads = heads.filter_map(|(word, style)| Some((line.split_once(word)?, word, style)));
        let head = heads.min_by_key(|((place, _), ..)| place.len());
        if let Some(((place, message), word, of)) = head {
            style = of;
            all.push_str(&color.paint(Style::Bold, place));
            all.push_str(": ");
            all.push_str(&color.paint(style, word.trim_matches([':', ' '])));
            all.push_str(": ");
            all.push_str(message);
        } else if is_excerpt && line.trim_matches([' ', '\n']).chars().all(|it| it == '^') {
            all.push_str(&color.paint(style, line.trim_end()));
            all.push('\n');
        } else if let Some(hint) = line.strip_prefix("hint:") {
            all.push_str(&color.paint(Style::Cyan, "hint:"));
            all.push_str(hint);
        } else {
            all.push_str(line);
        }
    }
    all
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
                Ok(words) => say!("stream `{name}`: {words}"),
                Err(reason) => {
                    say!("stream `{name}`: failed: {reason}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_coloured_by_how_bad_they_are_and_excerpts_are_not_mistaken_for_them() {
        let text = "a.toml:1:2: error: one: error: two\n    x = \": error: \"\n        ^^\n\
                    hint: do\nb.toml: warning: old: error: no\n    y\n    ^\n";
        assert_eq!(painted(text, Color::Off), text);
        let painted = painted(text, Color::On);
        assert_eq!(
            painted,
            "\x1b[1ma.toml:1:2\x1b[0m: \x1b[1;31merror\x1b[0m: one: error: two\n    \
             x = \": error: \"\n\x1b[1;31m        ^^\x1b[0m\n\x1b[36mhint:\x1b[0m do\n\
             \x1b[1mb.toml\x1b[0m: \x1b[33mwarning\x1b[0m: old: error: no\n    y\n\
             \x1b[33m    ^\x1b[0m\n"
        );
    }
}
