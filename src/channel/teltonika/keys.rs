//! The row of type `teltonika`, and its key `io`.

use super::ElementError;
use super::Io;
use super::Settings;
use super::Tcp;
use super::Udp;
use crate::channel::Session;
use crate::channel::kind::Datagrams;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use crate::keys::context::Text;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::phrase::shorten;
use crate::keys::reader::Reader;
use crate::keys::tree::Entry;
use crate::keys::tree::Tree;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "teltonika",
    example: "listen = \"0.0.0.0:5027\"",
    ways: &[Way::Tcp, Way::Udp(Datagrams::Whole)],
    ident: Ident::Named,
    read: |reader| Some(Rc::new(read(reader))),
};

impl Protocol for Settings {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Tcp::new(self)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        Some(Box::new(Udp::new(self)))
    }
}

/// `io = { 72 = { name = "sensor.temperature.1", scale = 0.1, signed = true } }`; what is wrong
/// is noted and left out.
fn read(reader: &mut Reader<'_>) -> Settings {
    let Some(table) = reader.table("io") else {
        return Settings::default();
    };
    let elements = table
        .entries()
        .iter()
        .filter_map(|entry| element(&table, entry));
    Settings::new(elements.collect()).unwrap_or_default()
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
    match Settings::new(BTreeMap::from([(0, io.clone())])) {
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
