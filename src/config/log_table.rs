//! `[log]`: what is said, and where.

use super::Log;
use super::merge::Merged;
use crate::keys::context::Context;
use crate::keys::context::Text;
use crate::keys::context::ValueError;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::text::path;
use crate::keys::tree::Tree;
use crate::logging::LogFile;
use crate::logging::Target;
use crate::spelling::nearest;
use log::LevelFilter;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// `[log]`; defaults stand for what is wrong.
pub(super) fn log(context: &Context<'_>, merged: &Merged) -> Log {
    let mut log = Log {
        level: LevelFilter::Info,
        target: Target::Stderr,
        summary: Duration::from_secs(15 * 60),
    };
    if let Some(table) = &merged.log {
        let mut reader = Reader::new(context, table, "log");
        log.level = reader.choice("level", &LEVELS).unwrap_or(log.level);
        log.target = target(&mut reader).unwrap_or(log.target);
        log.summary = reader.period("summary", SUMMARY).unwrap_or(log.summary);
        reader.finish();
    }
    log
}

/// `target`: a word, or a table with one of two paths.
fn target(reader: &mut Reader<'_>) -> Option<Target> {
    let node = reader.take("target")?;
    if !matches!(node.tree, Tree::Table(_)) {
        let text = reader.loose_like("target", TARGET_HINT)?;
        return reader.parse(&text, |word| named(word, &text));
    }
    let mut table = reader.table_like("target", "{ file = \"/var/log/weir.log\" }")?;
    if table.has("syslog") {
        let path = table.parsed("syslog", absolute);
        let clean = table.finish();
        return path.filter(|_| clean).map(Target::Syslog);
    }
    table.take("syslog");
    if !table.has("file") {
        table.missing("file", "file = \"/var/log/weir.log\"");
    }
    let place = table.value_place("file");
    let path = table.parsed("file", absolute);
    let max_size = table.size("max_size", MAX_SIZE).unwrap_or(MAX_SIZE_DEFAULT);
    let keep = table.integer("keep", KEEP).unwrap_or(KEEP_DEFAULT);
    let clean = table.finish();
    let path = path.filter(|_| clean)?;
    let context = reader.context();
    context.name(Named::Written(path.clone(), place));
    Some(Target::File(LogFile {
        path,
        max_size,
        keep,
    }))
}

/// The target that a word stands for.
fn named(word: &str, text: &Text) -> Result<Target, ValueError> {
    match word {
        "stderr" => Ok(Target::Stderr),
        "syslog" => Ok(Target::Syslog(Target::SYSLOG.into())),
        word if word == "file" || word.starts_with('/') => {
            let path = Some(word).filter(|word| word.starts_with('/'));
            let path = path.unwrap_or("/var/log/weir.log");
            let error = ValueError::new("a file as `target` is a table");
            Err(error.hint(format!("write `target = {{ file = \"{path}\" }}`")))
        }
        word => {
            let error = ValueError::new(format!("unknown `target` {}", text.shown()));
            Err(match nearest(word, ["stderr", "syslog"]) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("{TARGET_HINT}; known are {KNOWN}")),
            })
        }
    }
}

/// Whoever is started in another folder would write elsewhere.
fn absolute(text: &str) -> Result<PathBuf, ValueError> {
    let path = path(text)?;
    match path.is_absolute() {
        true => Ok(path),
        false => Err(ValueError::new("this is not a path from the root")
            .hint("write it like `/var/log/weir.log`")),
    }
}

/// By name.
pub(super) const LEVELS: [(&str, LevelFilter); 5] = [
    ("error", LevelFilter::Error),
    ("warn", LevelFilter::Warn),
    ("info", LevelFilter::Info),
    ("debug", LevelFilter::Debug),
    ("trace", LevelFilter::Trace),
];

const TARGET_HINT: &str = "write `target = \"stderr\"`";
const KNOWN: &str = "`stderr`, `syslog`, `{ file = \"...\" }`";

/// Zero: none.
const SUMMARY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(7 * 86_400);

/// Less would be set aside with every few hundred lines.
const MAX_SIZE: RangeInclusive<u64> = 64 << 10..=1 << 30;
const MAX_SIZE_DEFAULT: u64 = 1 << 20;

/// Files that were set aside.
const KEEP: RangeInclusive<u32> = 0..=100;
const KEEP_DEFAULT: u32 = 3;
