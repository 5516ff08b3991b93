//! The key `io` of a channel.

use super::ElementError;
use super::Io;
use super::IoTable;
use crate::keys::context::Text;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::phrase::shorten;
use crate::keys::reader::Reader;
use crate::keys::tree::Entry;
use crate::keys::tree::Tree;
use std::collections::BTreeMap;

/// `io = { 72 = { name = "sensor.temperature.1", scale = 0.1, signed = true } }`; what is wrong
/// is noted and left out.
pub(crate) fn read(reader: &mut Reader<'_>) -> IoTable {
    let Some(table) = reader.table("io") else {
        return IoTable::default();
    };
    let elements = table
        .entries()
        .iter()
        .filter_map(|entry| element(&table, entry));
    IoTable::new(elements.collect()).unwrap_or_default()
}

/// One element; none, and noted, if there is a mistake in it.
fn element(io: &Reader<'_>, entry: &Entry) -> Option<(u16, Io)> {
    let context = io.context();
    let id: Option<u16> = entry.key.parse().ok();
    if id.is_none() {
        let message = format!("`{}` is not the id of an element", shorten(&entry.key));
        let diagnostic = DiagnosticAt::error(entry.key_place, message);
        context.note(diagnostic.hint("an id is from 0 to 65535"));
    }
    let Tree::Table(table) = &entry.node.tree else {
        let hint = format!("write `{} = {{ name = \"...\" }}`", shorten(&entry.key));
        context.expected("a table", &entry.node, hint);
        return None;
    };
    let mut reader = Reader::new(context, table, "element");
    let name = reader.required("name", "name = \"sensor.temperature.1\"");
    let scale = reader.number("scale").unwrap_or(1.0);
    let signed = reader.flag("signed").unwrap_or(false);
    let text = reader.flag("text").unwrap_or(false);
    let not = reader.integers("not", NOT_MAX).unwrap_or_default();
    let io = name.map(|name| {
        let io = Io {
            name: name.value.clone(),
            scale,
            signed,
            text,
            not: not.clone(),
        };
        check(&reader, &name, &io);
        io
    });
    let clean = reader.finish();
    id.zip(io).filter(|_| clean)
}

/// Notes what the channel would not take.
fn check(reader: &Reader<'_>, name: &Text, io: &Io) {
    match IoTable::new(BTreeMap::from([(0, io.clone())])) {
        Ok(_) => {}
        Err(ElementError::Name(_)) => {
            let message = format!("a parameter cannot be named {}", name.shown());
            reader.context().wrong(name, ValueError::new(message));
        }
        Err(ElementError::Scale(_)) => {
            let message = "a scale is a number, and not zero";
            reader.error(reader.value_place("scale"), message, "write `scale = 0.1`");
        }
        Err(ElementError::Text(_)) => {
            let message = "what is text has no `scale`, `signed` or `not`";
            let hint = "leave them out, or `text`";
            reader.error(reader.value_place("text"), message, hint);
        }
    }
}

/// Most codes in a `not`.
const NOT_MAX: usize = 64;
