//! The form that users see: a message as one flat JSON object.
//!
//! It knows the text of objects and arrays, not lines, requests or files, and it gives a message
//! no parameter that its sender did not.

#![deny(clippy::arithmetic_side_effects)]

use super::BODY_MAX;
use super::InvalidIdent;
use super::Message;
use super::Value;
use super::check_ident;
pub use super::json_write::write;
use super::timestamp;
use super::timestamp::SECONDS_MAX;
use super::timestamp::from_iso8601;
use serde::Deserialize;
use serde::de::Deserializer;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Under which names a sender has the two fields that every message has; they are renamed to
/// `ident` and `timestamp` in their place. An object without them may use the names themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The name of `ident`.
    pub ident: String,
    /// The name of `timestamp`.
    pub timestamp: String,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug)]
pub enum Sender<'a> {
    /// Who its text names.
    InText,
    /// This one, whoever the text names.
    Is(&'a str),
    /// This one where the text names nobody.
    Else(&'a str),
}

/// Why a text holds no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which element of an array, from 0; `None`: the text is one object, or the array itself is
    /// wrong.
    pub element: Option<usize>,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an object. Foreign text in it is printable and at most 64 characters long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Not UTF-8 from this byte on.
    Encoding(usize),
    /// Not JSON, and where.
    Syntax(Box<str>),
    /// This parameter's text has an escape for half a character.
    Escape(Box<str>),
    /// JSON, but no object.
    NotAnObject,
    /// More than [`PARAMETERS_MAX`].
    TooMany,
    /// A parameter's name is empty or has control characters.
    Name(Box<str>),
    /// There is no field of this name to say who sent it.
    NoIdent(Box<str>),
    /// Neither text nor an integer.
    IdentType,
    /// A text that is no ident.
    Ident(InvalidIdent),
    /// Not a time, or none that can be meant.
    Timestamp(&'static str),
    /// An integer beyond 64 bits, or a number too large for a float.
    Number(Box<str>),
    /// This parameter is nested deeper than [`DEPTH_MAX`].
    Depth(Box<str>),
}

/// Reads one object.
///
/// `timestamp` may be absent; as a number it is seconds, as text ISO 8601; it is kept to
/// microseconds. Of a repeated name the last value counts, at the place of the first. A message
/// that is too long to be stored is not noticed here.
///
/// # Errors
/// See [`Problem`].
pub fn parse(text: &[u8], names: &Names) -> Result<Message, Error> {
    one(utf8(text)?, names, Sender::InText).map_err(Error::whole)
}

/// Reads one object, or an array of them.
///
/// Costs up to 10 bytes of memory for each of the text.
///
/// # Errors
/// The first element that is wrong, and [`Problem`].
pub fn parse_many(text: &[u8], names: &Names) -> Result<Vec<Message>, Error> {
    parse_many_of(text, names, Sender::InText)
}

/// As [`parse_many`], where the text need not say who sent it.
///
/// # Errors
/// The first element that is wrong, and [`Problem`].
pub fn parse_many_of(
    text: &[u8],
    names: &Names,
    sender: Sender<'_>,
) -> Result<Vec<Message>, Error> {
    let text = utf8(text)?;
    if !text.trim_ascii_start().starts_with('[') {
        return Ok(vec![one(text, names, sender).map_err(Error::whole)?]);
    }
    let elements: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| Error::whole(syntax(&error)))?;
    let element = |(index, raw): (usize, &&RawValue)| {
        one(raw.get(), names, sender).map_err(|problem| Error {
            element: Some(index),
            problem,
        })
    };
    elements.iter().enumerate().map(element).collect()
}

/// Reads one value that stands alone.
///
/// # Errors
/// See [`Problem`].
pub fn parse_value(text: &[u8]) -> Result<Value, Error> {
    let raw: &RawValue =
        serde_json::from_str(utf8(text)?).map_err(|error| Error::whole(syntax(&error)))?;
    value("value", raw.get()).map_err(Error::whole)
}

/// Reads one object of which no field means anything here.
///
/// # Errors
/// See [`Problem`].
pub fn parse_fields(text: &[u8]) -> Result<Vec<(String, Value)>, Error> {
    let object: Object<'_> =
        serde_json::from_str(utf8(text)?).map_err(|error| Error::whole(syntax(&error)))?;
    if object.too_many {
        return Err(Error::whole(Problem::TooMany));
    }
    let field = |(name, raw): (&str, &RawValue)| Ok((own_name(name)?, value(name, raw.get())?));
    let fields = last_of_each_name(&object.entries).into_iter().map(field);
    fields.collect::<Result<_, _>>().map_err(Error::whole)
}

fn utf8(text: &[u8]) -> Result<&str, Error> {
    str::from_utf8(text).map_err(|error| Error::whole(Problem::Encoding(error.valid_up_to())))
}

fn one(text: &str, names: &Names, sender: Sender<'_>) -> Result<Message, Problem> {
    let mut object: Object<'_> = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    if object.too_many {
        return Err(Problem::TooMany);
    }
    rename(&mut object.entries, &names.ident, "ident");
    rename(&mut object.entries, &names.timestamp, "timestamp");
    let mut fields = Vec::with_capacity(object.entries.len());
    let mut has_ident = false;
    for (name, raw) in last_of_each_name(&object.entries) {
        match name {
            "ident" if matches!(sender, Sender::Is(_)) => {}
            "ident" => {
                fields.push((Cow::Borrowed("ident"), ident(raw.get())?));
                has_ident = true;
            }
            "timestamp" => {
                let time = time(raw.get())?;
                fields.extend(time.map(|time| (Cow::Borrowed("timestamp"), time)));
            }
            _ => fields.push((Cow::Owned(own_name(name)?), value(name, raw.get())?)),
        }
    }
    match sender {
        _ if has_ident => {}
        Sender::InText => return Err(Problem::NoIdent(short(&names.ident))),
        Sender::Is(ident) | Sender::Else(ident) => {
            check_ident(ident).map_err(Problem::Ident)?;
            fields.insert(0, (Cow::Borrowed("ident"), Value::from(ident)));
        }
    }
    Ok(Message { fields })
}

/// A configured name goes before the name that it stands for.
fn rename(entries: &mut Vec<Entry<'_>>, from: &str, to: &'static str) {
    if from == to || !entries.iter().any(|(name, _)| name == from) {
        return;
    }
    entries.retain(|(name, _)| name != to);
    for (name, _) in entries.iter_mut().filter(|(name, _)| name == from) {
        *name = Cow::Borrowed(to);
    }
}

/// Of each name the place of the first and the value of the last, in O(n log n): senders choose
/// names.
fn last_of_each_name<'a>(entries: &'a [Entry<'a>]) -> Vec<(&'a str, &'a RawValue)> {
    let mut places = BTreeMap::new();
    let mut kept: Vec<(&str, &RawValue)> = Vec::with_capacity(entries.len());
    for (name, raw) in entries {
        let place = *places.entry(name.as_ref()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some((_, value)) => *value = raw,
            None => kept.push((name, raw)),
        }
    }
    kept
}

fn own_name(name: &str) -> Result<String, Problem> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Problem::Name(short(name)));
    }
    Ok(name.to_owned())
}

/// `raw` is valid JSON: its first byte says what it is.
fn value(name: &str, raw: &str) -> Result<Value, Problem> {
    Ok(match raw.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'"') => Value::Text(text(name, raw)?.into()),
        Some(b'[' | b'{') => Value::Json(
            compact(raw)
                .ok_or_else(|| Problem::Depth(short(name)))?
                .into(),
        ),
        _ => number(raw).ok_or_else(|| Problem::Number(short(name)))?,
    })
}

/// Syntax was checked with the whole; escapes are only now, and may name half a character.
fn text<'a>(name: &str, raw: &'a str) -> Result<Cow<'a, str>, Problem> {
    let Text(text) = serde_json::from_str(raw).map_err(|_| Problem::Escape(short(name)))?;
    Ok(text)
}

/// What has neither point nor exponent stays an integer.
fn number(raw: &str) -> Option<Value> {
    if raw.contains(['.', 'e', 'E']) {
        let number: f64 = raw.parse().ok()?;
        return number.is_finite().then_some(Value::F64(number));
    }
    if raw.starts_with('-') {
        return raw.parse::<i64>().ok().map(Value::from);
    }
    raw.parse().ok().map(Value::U64)
}

/// Takes out the white space between tokens; `None` when nested too deep.
fn compact(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for c in raw.chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            match c {
                '"' => in_text = true,
                '[' | '{' => depth = depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?,
                ']' | '}' => depth = depth.checked_sub(1)?,
                ' ' | '\t' | '\r' | '\n' => continue,
                _ => {}
            }
        }
        out.push(c);
    }
    Some(out)
}

fn ident(raw: &str) -> Result<Value, Problem> {
    let text = match raw.as_bytes().first() {
        Some(b'"') => text("ident", raw)?,
        Some(b'-' | b'0'..=b'9') if number(raw).is_some_and(is_integer) => raw.into(),
        _ => return Err(Problem::IdentType),
    };
    check_ident(&text).map_err(Problem::Ident)?;
    Ok(Value::Text(text.into()))
}

fn is_integer(value: Value) -> bool {
    matches!(value, Value::U64(_) | Value::I64(_))
}

/// `None` for `null`, which says as much as no timestamp.
fn time(raw: &str) -> Result<Option<Value>, Problem> {
    let micros = match raw.as_bytes().first() {
        Some(b'n') => return Ok(None),
        Some(b'"') => from_iso8601(&text("timestamp", raw)?).ok_or(Problem::Timestamp(NO_DATE))?,
        _ => match number(raw) {
            Some(Value::U64(seconds)) if seconds <= SECONDS_MAX => {
                seconds.saturating_mul(1_000_000)
            }
            Some(Value::F64(seconds)) if (0.0..=LATEST).contains(&seconds) => micros(seconds),
            Some(Value::I64(_) | Value::F64(..0.0)) => return Err(Problem::Timestamp(TOO_EARLY)),
            Some(Value::U64(_) | Value::F64(_)) => return Err(Problem::Timestamp(TOO_LATE)),
            _ => return Err(Problem::Timestamp(NO_DATE)),
        },
    };
    Ok(Some(timestamp(micros)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to the year 9999"
)]
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

/// What serde_json says, without its position, which counts from the element; then the position.
fn syntax(error: &serde_json::Error) -> Problem {
    if error.is_data() {
        return Problem::NotAnObject;
    }
    let said = error.to_string();
    let (what, _) = said.rsplit_once(" at line ").unwrap_or((&said, ""));
    Problem::Syntax(match error.line() {
        0 | 1 => format!("{what} at column {}", error.column()).into(),
        line => format!("{what} at line {line} column {}", error.column()).into(),
    })
}

/// Foreign text made fit for a line of a log.
fn short(text: &str) -> Box<str> {
    let printable = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let head: String = text.chars().take(SHORT_CHARS).map(printable).collect();
    if head.len() < text.len() {
        format!("{head}…").into()
    } else {
        head.into()
    }
}

/// A parameter as it stands in the text.
type Entry<'a> = (Cow<'a, str>, &'a RawValue);

/// An object as it stands in the text.
struct Object<'a> {
    entries: Vec<Entry<'a>>,
    too_many: bool,
}

/// A JSON text, lent where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object {
            entries: Vec::new(),
            too_many: false,
        };
        while let Some(Text(name)) = map.next_key()? {
            if object.entries.len() < PARAMETERS_MAX {
                object.entries.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
                object.too_many = true;
            }
        }
        Ok(object)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            ident: "ident".into(),
            timestamp: "timestamp".into(),
        }
    }
}

impl Error {
    /// Nobody is named.
    #[must_use]
    pub fn no_ident(names: &Names) -> Self {
        Self::whole(Problem::NoIdent(short(&names.ident)))
    }

    fn whole(problem: Problem) -> Self {
        Self {
            element: None,
            problem,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.element {
            write!(f, "element {index}: ")?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(at) => write!(f, "not UTF-8 from byte {at} on"),
            Self::Syntax(what) => write!(f, "not JSON: {what}"),
            Self::Escape(name) => write!(f, "`{name}` has an escape that is no character"),
            Self::NotAnObject => f.write_str("not an object"),
            Self::TooMany => write!(f, "more than {PARAMETERS_MAX} parameters"),
            Self::Name(name) if name.is_empty() => f.write_str("a parameter without a name"),
            Self::Name(name) => write!(f, "control character in the name `{name}`"),
            Self::NoIdent(name) => write!(f, "`{name}` is missing"),
            Self::IdentType => f.write_str("`ident` must be text or an integer"),
            Self::Ident(problem) => problem.fmt(f),
            Self::Timestamp(what) => write!(f, "`timestamp` is {what}"),
            Self::Number(name) => write!(f, "`{name}` is a number too large"),
            Self::Depth(name) => write!(f, "`{name}` is nested deeper than {DEPTH_MAX} levels"),
        }
    }
}

impl std::error::Error for Error {}

/// Most parameters of one message: more have no room in [`BODY_MAX`], whatever they are called.
pub const PARAMETERS_MAX: usize = BODY_MAX / 4;

/// Deepest nesting of an array or object that is a parameter's value.
pub const DEPTH_MAX: usize = 32;

/// How much of a foreign text an error repeats, in characters.
const SHORT_CHARS: usize = 64;

/// [`SECONDS_MAX`] as a float, which it is exactly.
const LATEST: f64 = 253_402_300_799.0;

const NO_DATE: &str = "neither a number of seconds nor a date in ISO 8601";
const TOO_EARLY: &str = "before 1970";
const TOO_LATE: &str = "after the year 9999, it counts seconds";
