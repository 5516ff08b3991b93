//! weir's report of itself. Nobody sends here: the daemon brings the reports in, so that there is
//! no session, only how often one comes.

use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
use crate::keys::reader::Reader;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "self",
    example: "",
    ways: &[],
    ident: Ident::Never,
    read: |reader| Some(Rc::new(Keys::read(reader))),
};

/// The keys of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// From one report to the next.
    pub every: Duration,
}

impl Keys {
    /// `every`. Nothing comes in between that `or_change` could let through.
    fn read(reader: &mut Reader<'_>) -> Self {
        if reader.take("or_change").is_some() {
            let message = "`self` looks at nothing between two reports";
            let hint = "leave `or_change` out";
            reader.error(reader.place_of("or_change"), message, hint);
        }
        let every = reader.period("every", EVERY);
        Self {
            every: every.unwrap_or(DEFAULT),
        }
    }
}

impl Protocol for Keys {}

/// Where nothing is said.
const DEFAULT: Duration = Duration::from_secs(15 * 60);

/// Each report wakes the machine, and costs as much as any message.
const EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
