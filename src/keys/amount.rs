//! Durations and sizes of a table: numbers with a unit, and which one was meant where it is
//! missing or written in another way.

use super::context::Text;
use super::context::ValueError;
use super::examples;
use super::reader::Reader;
use crate::units::Period;
use crate::units::Size;
use crate::units::UtcOffset;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// A kind of amount.
#[derive(Clone, Copy)]
struct Kind {
    /// For messages.
    name: &'static str,
    /// The most usual first.
    units: &'static [&'static str],
    /// Any of it.
    usual: &'static str,
}

impl Reader<'_> {
    /// A duration within a range.
    pub(crate) fn period(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let range = Period(*range.start())..=Period(*range.end());
        let kind = Kind {
            name: "a duration",
            units: &["s", "ms", "m", "h", "d"],
            usual: "\"30s\"",
        };
        self.amount(key, kind, &range).map(|Period(t)| t)
    }

    /// A size within a range, in bytes.
    pub(crate) fn size(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let range = Size(*range.start())..=Size(*range.end());
        let kind = Kind {
            name: "a size",
            units: &[" KiB", " MiB", " B", " GiB"],
            usual: "\"1 MiB\"",
        };
        self.amount(key, kind, &range).map(|Size(bytes)| bytes)
    }

    /// How far a clock is ahead of UTC.
    pub(crate) fn utc_offset(&mut self, key: &'static str) -> Option<UtcOffset> {
        let hint = self.example(key, "\"+08:00\"");
        let text = self.loose_like(key, &hint)?;
        self.parse(&text, |value| {
            let error = || {
                let message = format!("{} is no distance from UTC", text.shown());
                ValueError::new(message).hint("write `+08:00` or `-03:30`, at most 14 hours")
            };
            UtcOffset::read(value).ok_or_else(error)
        })
    }

    /// A number with a unit within a range.
    fn amount<T>(&mut self, key: &'static str, kind: Kind, range: &RangeInclusive<T>) -> Option<T>
    where
        T: FromStr<Err: Display> + PartialOrd + Display,
    {
        let text = self.loose_like(key, &self.example(key, kind.usual))?;
        let example = examples::value(self.kind(), key).unwrap_or(kind.usual);
        let example = example.trim_matches('"');
        self.parse(&text, |value| {
            let nearest = |amount: &T| {
                let nearest = if amount < range.start() {
                    range.start()
                } else {
                    range.end()
                };
                format!("write `{key} = \"{nearest}\"`")
            };
            let error = match value.parse::<T>() {
                Ok(amount) if range.contains(&amount) => return Ok(amount),
                Ok(amount) => {
                    let (start, end) = (range.start(), range.end());
                    let message = format!("`{key}` is from `{start}` to `{end}`");
                    return Err(ValueError::new(message).hint(nearest(&amount)));
                }
                Err(_) if is_number(value) => ValueError::new(format!("{} has a unit", kind.name)),
                Err(error) => why(&text, kind, &error),
            };
            let mut meant = meant::<T>(value, kind, example);
            Err(error.hint(
                match meant.iter().position(|amount| range.contains(amount)) {
                    Some(at) => format!("write `{key} = \"{}\"`", meant.swap_remove(at)),
                    // of a number without a unit nobody knows how far off it is
                    None if meant.is_empty() || is_number(value) => {
                        format!("write it like `{key} = \"{example}\"`")
                    }
                    None => meant.first().map(nearest).unwrap_or_default(),
                },
            ))
        })
    }
}

/// That a text is no amount.
fn why(text: &Text, kind: Kind, error: &impl Display) -> ValueError {
    let found = match text.unquoted {
        Some(found) => format!("expected {}, found {found}", kind.name),
        None => format!("{} is not {}: {error}", text.shown(), kind.name),
    };
    ValueError::new(found)
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What somebody may have meant who left the unit out, the unit of the example first, or wrote it
/// in another way.
fn meant<T: FromStr>(value: &str, kind: Kind, example: &str) -> Vec<T> {
    let value = value.trim();
    let usual = example.trim_start_matches(|c: char| c.is_ascii_digit());
    let bare = is_number(value).then(|| std::iter::once(usual).chain(kind.units.iter().copied()));
    let bare = bare
        .into_iter()
        .flatten()
        .map(|unit| format!("{value}{unit}"));
    let lower = value.to_lowercase();
    let renamed = UNITS.iter().filter_map(|(written, unit)| {
        let number = lower.strip_suffix(written)?.trim_end();
        Some(format!("{number}{unit}"))
    });
    bare.chain(renamed)
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// Units as others write them, in small letters.
const UNITS: [(&str, &str); 22] = [
    ("kib", "KiB"),
    ("kb", "KiB"),
    ("k", "KiB"),
    ("mib", "MiB"),
    ("mb", "MiB"),
    ("m", "MiB"),
    ("gib", "GiB"),
    ("gb", "GiB"),
    ("g", "GiB"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("s", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minutes", "m"),
    ("h", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
];
