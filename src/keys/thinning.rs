//! `every` and `or_change`, which channels and streams have.

use super::reader::Reader;
use super::value;
use crate::thinning::Settings;
use std::ops::RangeInclusive;
use std::time::Duration;

/// None: nothing is thinned.
pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Settings> {
    let every = reader.period("every", EVERY);
    let or_change = value::patterns(reader, "or_change").unwrap_or_default();
    if reader.has("or_change") && !reader.has("every") {
        let message = "without `every` all messages pass";
        let hint = "write `every = \"10s\"` as well";
        reader.error(reader.place_of("or_change"), message, hint);
    }
    let every = every.filter(|every| !every.is_zero())?;
    Some(Settings { every, or_change })
}

/// Zero: nothing is thinned.
const EVERY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(30 * 86_400);
