//! `[[stream]]`: the keys that say what happens to a message between the ring and the destination.

use super::context::Wrong;
use super::reader::Reader;
use crate::filter::Filter;

/// `filter`; every mistake of the expression is noted at its own place.
pub(super) fn filter(reader: &mut Reader<'_>) -> Option<Filter> {
    let text = reader.text("filter")?;
    let mistakes = match Filter::parse(&text.value) {
        Ok(filter) => return Some(filter),
        Err(mistakes) => mistakes,
    };
    for mistake in mistakes {
        let wrong = Wrong {
            at: Some(mistake.range),
            message: mistake.message,
            hint: mistake.hint,
        };
        reader.context().wrong(&text, wrong);
    }
    None
}
