//! Values of TOML as parameters of a message.

use super::context::Context;
use super::context::ValueError;
use super::diagnostic::DiagnosticAt;
use super::reader::Reader;
use super::tree::Node;
use super::tree::Tree;
use crate::message::Value;
use crate::pattern::Pattern;

/// The table of a key as parameters, in their order; nothing where there is none.
pub(crate) fn parameters(reader: &mut Reader<'_>, key: &'static str) -> Vec<(String, Value)> {
    let table = reader.table(key);
    table.map_or_else(Vec::new, |table| parameters_of(&table))
}

/// All of a table, as names and values of parameters.
pub(crate) fn parameters_of(table: &Reader<'_>) -> Vec<(String, Value)> {
    let context = table.context();
    let entries = table.entries().iter();
    entries
        .filter_map(|entry| {
            check_name(context, entry);
            value(context, &entry.node).map(|value| (entry.key.clone(), value))
        })
        .collect()
}

/// Notes what cannot be the name of a parameter.
pub(crate) fn check_name(context: &Context<'_>, entry: &super::tree::Entry) {
    if entry.key.is_empty() || entry.key.chars().any(char::is_control) {
        context.note(DiagnosticAt::error(
            entry.key_place,
            "not the name of a parameter",
        ));
    } else if let Tree::Table(_) = entry.node.tree
        && !context.sources.text(entry.node.place).starts_with('{')
    {
        // `a.b = 1` in TOML is a table `a`; nobody who sets a parameter means that
        let message = format!("`{}` is a table here", entry.key);
        let hint = "put a name with dots in quotes: `\"gateway.name\" = \"...\"`";
        context.note(DiagnosticAt::error(entry.key_place, message).hint(hint));
    }
}

/// Names of parameters, with `*`.
pub(crate) fn patterns(reader: &mut Reader<'_>, key: &'static str) -> Option<Vec<Pattern>> {
    let texts = reader.texts(key)?;
    let parsed = texts.iter().filter_map(|text| reader.parse(text, pattern));
    Some(parsed.collect())
}

/// The name of a parameter, with `*`.
fn pattern(text: &str) -> Result<Pattern, ValueError> {
    name(text).map(Pattern::new)
}

/// The name of a parameter.
pub(crate) fn name(text: &str) -> Result<&str, ValueError> {
    match text.is_empty() || text.chars().any(char::is_control) {
        true => Err(ValueError::new("not the name of a parameter")),
        false => Ok(text),
    }
}

/// A value; none, and noted, if it is not one.
fn value(context: &Context<'_>, node: &Node) -> Option<Value> {
    Some(match &node.tree {
        Tree::Text(_) | Tree::Bare(_) => Value::Text(context.text(node)?.value.into()),
        Tree::Flag(flag) => Value::Bool(*flag),
        Tree::Integer(number) => integer(context, node, *number)?,
        Tree::Float(number) if number.is_finite() => Value::F64(*number),
        Tree::Float(_) => return refuse(context, node, "JSON has no such number"),
        Tree::Date(date) => Value::Text(date.as_str().into()),
        Tree::List(_) | Tree::Table(_) => Value::Json(json(context, node, 1)?.to_string().into()),
    })
}

/// An integer of at most 64 bits.
fn integer(context: &Context<'_>, node: &Node, number: i128) -> Option<Value> {
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(number), _) => Some(Value::U64(number)),
        (_, Ok(number)) => Some(Value::I64(number)),
        _ => refuse(context, node, "an integer has at most 64 bits"),
    }
}

/// A list or table as JSON, at most [`LEVELS_MAX`] deep.
fn json(context: &Context<'_>, node: &Node, level: usize) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    if level > LEVELS_MAX {
        return refuse(context, node, "nested too deeply");
    }
    match &node.tree {
        Tree::List(list) => list
            .iter()
            .map(|node| json(context, node, level + 1))
            .collect::<Option<_>>()
            .map(Json::Array),
        Tree::Table(table) => table
            .entries
            .iter()
            .map(|entry| Some((entry.key.clone(), json(context, &entry.node, level + 1)?)))
            .collect::<Option<_>>()
            .map(Json::Object),
        _ => Some(match value(context, node)? {
            Value::Text(text) | Value::Json(text) => Json::from(&*text),
            Value::Bool(flag) => Json::from(flag),
            Value::U64(number) => Json::from(number),
            Value::I64(number) => Json::from(number),
            Value::F64(number) => Json::from(number),
            Value::Null => Json::Null,
        }),
    }
}

/// Notes that a node is no value.
fn refuse<T>(context: &Context<'_>, node: &Node, message: &str) -> Option<T> {
    let written = match context.sources.hides(node.place) {
        true => "...",
        false => context.sources.text(node.place),
    };
    let written = context.assigned(node.place, &format!("\"{written}\""));
    let hint = format!("put it in quotes to make it text: `{written}`");
    context.note(DiagnosticAt::error(node.place, message).hint(hint));
    None
}

/// Deepest nesting that a message carries.
const LEVELS_MAX: usize = 32;
