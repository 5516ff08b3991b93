//! `[[stream]]`: the keys that say what happens to a message between the ring and the destination.

use super::context::Wrong;
use super::diagnostic::Mistake;
use super::reader::Reader;
use super::value;
use crate::convert::Convert;
use crate::filter::Filter;
use crate::pattern::Pattern;
use crate::stream::settings::Shape;

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

/// What the destination is shown of a message.
pub(super) fn shape(reader: &mut Reader<'_>) -> Shape {
    let convert = convert(reader).unwrap_or_default();
    Shape { convert }
}

/// `convert`.
fn convert(reader: &mut Reader<'_>) -> Option<Convert> {
    let mut table = reader.table("convert")?;
    let convert = Convert {
        fields: patterns(&mut table, "fields"),
        drop: patterns(&mut table, "drop").unwrap_or_default(),
        rename: rename(&mut table),
        set: value::parameters(&mut table, "set"),
        dots: table.parsed("dots", dots),
    };
    table.finish();
    Some(convert)
}

/// Names of parameters, with `*`.
fn patterns(reader: &mut Reader<'_>, key: &'static str) -> Option<Vec<Pattern>> {
    let texts = reader.texts(key)?;
    let parsed = texts.iter().filter_map(|text| reader.parse(text, pattern));
    Some(parsed.collect())
}

/// The name of a parameter, with `*`.
fn pattern(text: &str) -> Result<Pattern, Wrong> {
    name(text).map(Pattern::new)
}

/// The name of a parameter.
fn name(text: &str) -> Result<&str, Wrong> {
    match text.is_empty() || text.chars().any(char::is_control) {
        true => Err(Wrong::new("not the name of a parameter")),
        false => Ok(text),
    }
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
        let Some(new) = table.parse(&text, name) else {
            continue;
        };
        if pairs.iter().any(|(_, known)| known == new) {
            let message = format!("two parameters are renamed to {}", text.shown());
            let mistake = Mistake::error(entry.node.place, message);
            table
                .context()
                .note(mistake.hint("give each a name of its own"));
        }
        pairs.push((entry.key.clone(), new.to_owned()));
    }
    pairs
}

/// What stands for the dots of names.
fn dots(text: &str) -> Result<String, Wrong> {
    match text.len() > DOTS_MAX || text.chars().any(char::is_control) {
        true => Err(Wrong::new(format!(
            "`dots` has at most {DOTS_MAX} bytes and no control characters"
        ))
        .hint("write `dots = \"_\"`")),
        false => Ok(text.to_owned()),
    }
}

/// Bytes that a dot becomes.
const DOTS_MAX: usize = 8;
