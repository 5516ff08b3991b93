//! `[[channel]]` of type `self`: how often weir reports of itself.

use crate::channel::settings::Protocol;
use crate::keys::reader::Reader;
use std::ops::RangeInclusive;
use std::time::Duration;

/// `every`. Nothing comes in between that `or_change` could let through.
pub(super) fn read(reader: &mut Reader<'_>) -> Protocol {
    if reader.take("or_change").is_some() {
        let message = "`self` looks at nothing between two reports";
        let hint = "leave `or_change` out";
        reader.error(reader.place_of("or_change"), message, hint);
    }
    let every = reader.period("every", EVERY);
    Protocol::Itself {
        every: every.unwrap_or(DEFAULT),
    }
}

/// Where nothing is said.
const DEFAULT: Duration = Duration::from_secs(15 * 60);

/// Each report wakes the machine, and costs as much as any message.
const EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
