//! The key `signals`.

use super::signal::Meaning;
use super::signal::Nothing;
use super::signal::Signal;
use super::signals::Entry;
use super::signals::Of;
use crate::hex;
use crate::keys::context::ValueError;
use crate::keys::phrase::shorten;
use crate::keys::reader::Reader;
use crate::keys::tree::Node;
use crate::keys::tree::Tree;
use crate::keys::value;
use crate::message::is_reserved;
use crate::wire::can::Id;
use crate::wire::can::bits::Bits;
use crate::wire::can::bits::Form;
use crate::wire::can::bits::Order;
use crate::wire::can::j1939::PGN_MAX;

/// `signals = [{ name = "can.speed", id = "0x201", start = 0, length = 16 }]`; what is wrong is
/// noted; none where that is so.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Vec<Entry>> {
    let Some(node) = reader.take("signals") else {
        return Some(Vec::new());
    };
    let Tree::List(list) = &node.tree else {
        let context = reader.context();
        context.expected("a list of tables", node, format!("write `{EXAMPLE}`"));
        return None;
    };
    if list.len() > SIGNALS_MAX {
        let message = format!("at most {SIGNALS_MAX} signals");
        reader.error(node.place, message, "make two channels of it");
        return None;
    }
    // all are read, so that all that is wrong is said
    let read: Vec<_> = list.iter().map(|node| one(reader, node)).collect();
    read.into_iter().collect()
}

/// One signal; none, and noted, if there is a mistake in it.
fn one(signals: &Reader<'_>, node: &Node) -> Option<Entry> {
    let context = signals.context();
    let Tree::Table(table) = &node.tree else {
        context.expected("a table", node, format!("write `{EXAMPLE}`"));
        return None;
    };
    let mut reader = Reader::new(context, table, "signal");
    let name = reader.required("name", "name = \"can.speed\"");
    let name = name.and_then(|name| reader.parse(&name, parameter).map(Box::from));
    let of = of(&mut reader);
    let bits = bits(&mut reader);
    let meaning = meaning(&mut reader, bits);
    let signal = bits.map(|bits| Signal::new(bits, meaning));
    if let Some(Err(error)) = &signal {
        reader.error(
            reader.value_place("scale"),
            error.text(),
            "write `scale = 0.1`",
        );
    }
    let is_clean = reader.finish();
    let found = Entry {
        of: of?,
        when: None,
        name: name?,
        signal: signal?.ok()?,
    };
    is_clean.then_some(found)
}

/// The name of a parameter that a bus may tell.
fn parameter(text: &str) -> Result<&str, ValueError> {
    match value::name(text)? {
        "ident" => Err(ValueError::new("a signal names no device").hint("choose another name")),
        name if is_reserved(name) => {
            let error = ValueError::new(format!("`{name}` is what weir itself says"));
            Err(error.hint("choose another name"))
        }
        name => Ok(name),
    }
}

/// `id`, or `pgn` and `source`.
fn of(reader: &mut Reader<'_>) -> Option<Of> {
    let id = reader.parsed("id", id);
    let pgn = reader.integer("pgn", 0..=PGN_MAX);
    let source = reader.integer("source", 0..=253_u8);
    match (reader.has("id"), reader.has("pgn")) {
        (true, true) => {
            let message = "a signal has either `id` or `pgn`";
            reader.error(reader.place_of("pgn"), message, "leave one of them out");
            None
        }
        (false, false) => {
            reader.missing("id", "id = \"0x201\"");
            None
        }
        (true, false) => {
            if reader.has("source") {
                let message = "`source` is for `pgn`: an `id` has its sender in it";
                reader.error(reader.place_of("source"), message, "leave it out");
            }
            id.map(Of::Id)
        }
        (false, true) => pgn.map(|pgn| Of::Pgn(pgn, source)),
    }
}

/// `"0x201"`, or 29 bits in eight digits: `"0x18FF1234"`.
fn id(text: &str) -> Result<Id, ValueError> {
    let hint = "write 11 bits like `0x201`, 29 bits like `0x18FF1234`";
    let error = || ValueError::new(format!("`{}` is not an id", shorten(text))).hint(hint);
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = digits.ok_or_else(error)?;
    let number = hex::number(digits).ok_or_else(error)?;
    let id = match digits.len() {
        0..=3 => Id::standard(number),
        _ => Id::extended(number),
    };
    id.ok_or_else(error)
}

/// Where it is in the data.
fn bits(reader: &mut Reader<'_>) -> Option<Bits> {
    let length = reader.integer("length", 1..=64_u8);
    if !reader.has("length") {
        reader.missing("length", "length = 16");
    }
    let orders = [("le", Order::LowFirst), ("be", Order::HighFirst)];
    let order = reader.choice("order", &orders).unwrap_or(Order::LowFirst);
    let (start, length) = (start(reader), length?);
    let bits = Bits::new(start?, length, order);
    if bits.is_none() {
        let message = "it reaches beyond the 64 bytes that a frame has at most";
        let hint = "bit 0 of the first byte is 0, of the second 8; with `order = \"be\"` it \
                    begins at its highest bit";
        reader.error(reader.value_place("length"), message, hint);
    }
    bits
}

/// What its numbers mean.
fn meaning(reader: &mut Reader<'_>, bits: Option<Bits>) -> Meaning {
    let is_signed = reader.flag("signed").unwrap_or(false);
    let is_switch = reader.flag("bool").unwrap_or(false);
    let most = if reader.has("pgn") { 2 } else { 1 };
    if is_switch && bits.is_some_and(|bits| bits.length() > most) {
        let message = "a switch has one bit, or with `pgn` two";
        reader.error(reader.value_place("bool"), message, "leave `bool` out");
    }
    Meaning {
        form: if is_signed {
            Form::Signed
        } else {
            Form::Unsigned
        },
        scale: reader.number("scale").unwrap_or(1.0),
        offset: reader.number("offset").unwrap_or(0.0),
        nothing: match reader.integers("not_available", NOT_MAX) {
            None if reader.has("pgn") => Nothing::J1939,
            listed => Nothing::Listed(listed.unwrap_or_default()),
        },
        switch: is_switch,
    }
}

/// `start`, from 0; or `byte` and `bit`, from 1 as J1939 counts.
fn start(reader: &mut Reader<'_>) -> Option<u16> {
    let start = reader.integer("start", 0..=511_u16);
    let byte = reader.integer("byte", 1..=64_u16);
    let bit = reader.integer("bit", 1..=8_u16);
    if reader.has("start") && (reader.has("byte") || reader.has("bit")) {
        let message = "a signal has either `start` or `byte` and `bit`";
        reader.error(reader.place_of("start"), message, "leave one of them out");
        return None;
    }
    if reader.has("start") {
        return start;
    }
    if !reader.has("byte") {
        reader.missing("start", "start = 0");
        return None;
    }
    if reader.has("bit") && bit.is_none() {
        return None;
    }
    Some((byte? - 1) * 8 + bit.unwrap_or(1) - 1)
}

const EXAMPLE: &str =
    "signals = [{ name = \"can.speed\", id = \"0x201\", start = 0, length = 16 }]";

/// Most signals that a configuration describes.
const SIGNALS_MAX: usize = 512;

/// Most numbers of a `not_available`.
const NOT_MAX: usize = 64;
