//! The keys `request`, `request_every` and `request_source`.

use super::request::Settings;
use super::signals::Of;
use crate::keys::context::ValueError;
use crate::keys::phrase::shorten;
use crate::keys::reader::Reader;
use crate::wire::can::j1939::Address;
use crate::wire::can::j1939::is_pgn;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What is asked for, where something is; what is wrong is noted. `heard` is what tells something,
/// where that is known.
pub(super) fn read(reader: &mut Reader<'_>, heard: Option<&[Of]>) -> Option<Settings> {
    let texts = reader.texts("request");
    let every = reader.period("request_every", EVERY);
    let source = reader.integer("request_source", 0..=253_u8);
    let texts = texts?;
    if texts.len() > REQUESTS_MAX {
        let message = format!("at most {REQUESTS_MAX} requests");
        let hint = "ask for what is not told by itself";
        reader.error(reader.value_place("request"), message, hint);
    }
    let mut pgns = Vec::new();
    for text in &texts {
        pgns.extend(reader.parse(text, |text| pgn(text, heard)));
    }
    pgns.sort_unstable();
    pgns.dedup();
    (!pgns.is_empty()).then(|| Settings {
        pgns,
        every: every.unwrap_or(EVERY_DEFAULT),
        source: source.unwrap_or(OFF_BOARD),
    })
}

fn pgn(text: &str, heard: Option<&[Of]>) -> Result<u32, ValueError> {
    let number = text.parse().ok().filter(|pgn| is_pgn(*pgn));
    let is_heard = |pgn| heard.is_none_or(|heard| heard.iter().any(|of| tells(*of, pgn)));
    let (message, hint) = match number {
        Some(pgn) if CLEARING.contains(&pgn) => {
            let message = format!("a request for PGN {pgn} clears trouble codes");
            (message, "leave it out")
        }
        Some(pgn) if is_heard(pgn) => return Ok(pgn),
        Some(pgn) => {
            let message = format!("nothing here reads what PGN {pgn} tells");
            (
                message,
                "add `standard = [\"j1939\"]`, or a signal of this `pgn`",
            )
        }
        None => {
            let message = format!("`{}` is not a PGN", shorten(text));
            (message, "write it like `65257`")
        }
    };
    Err(ValueError::new(message).hint(hint))
}

fn tells(of: Of, pgn: u32) -> bool {
    match of {
        Of::Id(id) => Address::of(id).is_some_and(|address| address.pgn == pgn),
        Of::Pgn(told, _) => told == pgn,
    }
}

/// DM3 and DM11: to be asked for them is to be told to do it.
const CLEARING: [u32; 2] = [65_228, 65_235];

/// Most PGNs that are asked for.
const REQUESTS_MAX: usize = 16;

/// More often would fill a bus that is slow.
const EVERY: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(86_400);

const EVERY_DEFAULT: Duration = Duration::from_secs(60);

/// The address of the first off-board tool.
const OFF_BOARD: u8 = 0xF9;
