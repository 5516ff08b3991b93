//! `[[stream]]`: the keys that say what happens to a message between the ring and the destination.

use crate::convert::Convert;
use crate::filter::Filter;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::text::path;
use crate::keys::value;
use crate::stream::Defaults;
use crate::stream::settings::Rejects;
use crate::stream::settings::Stamp;
use crate::stream::settings::StampOf;
use crate::stream::settings::Transform;
use crate::stream::texts::SharedTexts;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

/// `filter`; every mistake of the expression is noted at its own place.
pub(super) fn filter(reader: &mut Reader<'_>) -> Option<Filter> {
    let text = reader.loose("filter")?;
    let errors = match Filter::parse(&text.value) {
        Ok(filter) if text.unquoted.is_none() => return Some(filter),
        Ok(filter) => return reader.parse(&text, |_| Ok(filter)),
        Err(errors) => errors,
    };
    if text.unquoted.is_some() {
        let error = ValueError::new("not a filter").hint(reader.example("filter", "\"...\""));
        reader.context().wrong(&text, error);
        return None;
    }
    for found in errors {
        let error = ValueError {
            at: Some(found.range),
            message: found.message,
            hint: found.hint,
        };
        reader.context().wrong(&text, error);
    }
    None
}

/// The time between two messages that `rate` leaves, of so many a second.
pub(super) fn interval(reader: &mut Reader<'_>, defaults: &Defaults) -> Option<Duration> {
    let rate = reader.number("rate").or(defaults.rate)?;
    if !RATE.contains(&rate) {
        let (place, (least, most)) = (reader.value_place("rate"), (RATE.start(), RATE.end()));
        let message = format!("`rate` is from {least} to {most} messages a second");
        reader.error(place, message, "write `rate = 10`");
        return None;
    }
    Some(Duration::from_secs_f64(1.0 / rate))
}

/// What the destination is shown of a message; the devices come when all tables are read.
pub(super) fn transform(reader: &mut Reader<'_>) -> Transform {
    Transform {
        convert: convert(reader).unwrap_or_default(),
        stamp: stamp(reader),
        devices: Rc::default(),
        texts: SharedTexts::default(),
    }
}

/// `stamp`.
fn stamp(reader: &mut Reader<'_>) -> Option<Stamp> {
    let mut table = reader.table("stamp")?;
    let text = table.required("name", "name = \"message.id\"");
    let name = text.and_then(|text| table.parse(&text, value::name).map(str::to_owned));
    let of = [("record", StampOf::Record), ("content", StampOf::Content)];
    let of = table.choice("of", &of).unwrap_or(StampOf::Record);
    table.finish();
    Some(Stamp { name: name?, of })
}

/// `rejects`.
pub(super) fn rejects(reader: &mut Reader<'_>) -> Option<Rejects> {
    let mut table = reader.table("rejects")?;
    let file = table.required("file", "file = \"/var/lib/weir/rejects.jsonl\"");
    let file = file.and_then(|text| table.parse(&text, path));
    if let Some(file) = &file {
        let place = table.value_place("file");
        table.context().name(Named::Written(file.clone(), place));
    }
    let size = table.size("size", REJECTS).unwrap_or(1 << 20);
    table.finish();
    Some(Rejects { file: file?, size })
}

/// `convert`.
fn convert(reader: &mut Reader<'_>) -> Option<Convert> {
    let mut table = reader.table("convert")?;
    let convert = Convert {
        fields: value::patterns(&mut table, "fields"),
        drop: value::patterns(&mut table, "drop").unwrap_or_default(),
        rename: rename(&mut table),
        set: value::parameters(&mut table, "set"),
        dots: table.parsed("dots", dots),
    };
    table.finish();
    Some(convert)
}

/// `rename = { old = "new" }`; two cannot get one name.
fn rename(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(table) = reader.table("rename") else {
        return Vec::new();
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for entry in table.entries() {
        value::check_name(table.context(), entry);
        let Some(text) = table.context().text(&entry.node) else {
            continue;
        };
        let Some(new) = table.parse(&text, value::name) else {
            continue;
        };
        if pairs.iter().any(|(_, known)| known == new) {
            let message = format!("two parameters are renamed to {}", text.shown());
            let diagnostic = DiagnosticAt::error(entry.node.place, message);
            table
                .context()
                .note(diagnostic.hint("give each a name of its own"));
        }
        pairs.push((entry.key.clone(), new.to_owned()));
    }
    pairs
}

/// What stands for the dots of names.
fn dots(text: &str) -> Result<String, ValueError> {
    match text.len() > DOTS_MAX || text.chars().any(char::is_control) {
        true => Err(ValueError::new(format!(
            "`dots` has at most {DOTS_MAX} bytes and no control characters"
        ))
        .hint("write `dots = \"_\"`")),
        false => Ok(text.to_owned()),
    }
}

/// Bytes that a dot becomes.
const DOTS_MAX: usize = 8;

/// Messages a second.
const RATE: RangeInclusive<f64> = 0.001..=100_000.0;

/// Bytes of both files of rejects; a message and its reason fit into each.
const REJECTS: RangeInclusive<u64> = 256 << 10..=1 << 30;
