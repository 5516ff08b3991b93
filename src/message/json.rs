//! The form that users see: a message as one flat JSON object.
//!
//! It knows the text of objects and arrays, not lines, requests or files, and it gives a message
//! no parameter that its sender did not.

#![deny(clippy::arithmetic_side_effects)]

mod object;

use super::BODY_MAX;
use super::InvalidIdent;
use super::Message;
use super::Name;
use super::Value;
use super::ValueRef;
use super::check_ident;
pub use super::json_write::write;
use super::number;
use super::scan::Scanner;
use super::scan::behind_blanks;
use super::timestamp;
use super::timestamp::NO_DATE;
use super::timestamp::from_iso8601;
use super::timestamp::from_number;
use object::Object;
use object::Text;
use object::last_of_each_name;
use object::rename;
use serde_json::value::RawValue;
use std::borrow::Cow;
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

/// Reads one object in the place of what `message` was, and in its memory.
///
/// # Errors
/// See [`Problem`]; it is no message then.
pub(crate) fn parse_into(
    text: &[u8],
    names: &Names,
    sender: Sender<'_>,
    message: &mut Message,
) -> Result<(), Error> {
    one_into(utf8(text)?, names, sender, message).map_err(Error::whole)
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
    match common(text, names, sender) {
        Some(messages) => Ok(messages),
        None => each(text, names, sender, one),
    }
}

/// As [`parse_many_of`], without the short way: what that is compared with.
///
/// # Errors
/// As [`parse_many_of`].
#[doc(hidden)]
pub fn parse_many_thoroughly(
    text: &[u8],
    names: &Names,
    sender: Sender<'_>,
) -> Result<Vec<Message>, Error> {
    each(utf8(text)?, names, sender, thoroughly)
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
    let field = |(name, raw): (&str, &RawValue)| {
        check_name(name)?;
        Ok((name.to_owned(), value(name, raw.get())?))
    };
    let fields = last_of_each_name(&object.entries).into_iter().map(field);
    fields.collect::<Result<_, _>>().map_err(Error::whole)
}

fn utf8(text: &[u8]) -> Result<&str, Error> {
    str::from_utf8(text).map_err(|error| Error::whole(Problem::Encoding(error.valid_up_to())))
}

/// Reads one object, or an array of them, each by `one`.
fn each(
    text: &str,
    names: &Names,
    sender: Sender<'_>,
    one: fn(&str, &Names, Sender<'_>) -> Result<Message, Problem>,
) -> Result<Vec<Message>, Error> {
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

fn one(text: &str, names: &Names, sender: Sender<'_>) -> Result<Message, Problem> {
    let mut message = Message::room();
    one_into(text, names, sender, &mut message).map(|()| message)
}

fn one_into(
    text: &str,
    names: &Names,
    sender: Sender<'_>,
    message: &mut Message,
) -> Result<(), Problem> {
    message.clear();
    message.reserve(text.len().saturating_add(MORE_MAX));
    let rest = Scanner::of(names, sender).object(text, message);
    if rest.is_none_or(|rest| !behind_blanks(rest).is_empty() || !complete(message, sender)) {
        *message = thoroughly(text, names, sender)?;
    }
    Ok(())
}

/// All objects of an array, if each is a common one.
fn common(text: &str, names: &Names, sender: Sender<'_>) -> Option<Vec<Message>> {
    let scanner = Scanner::of(names, sender);
    let mut rest = behind_blanks(text).strip_prefix('[')?;
    let (mut messages, mut message) = (Vec::new(), Message::empty(0));
    loop {
        message.clear();
        rest = behind_blanks(scanner.object(rest, &mut message)?);
        if !complete(&mut message, sender) {
            return None;
        }
        messages.push(message.with_room(MORE_MAX));
        let Some(behind) = rest.strip_prefix(',') else {
            let behind = behind_blanks(rest.strip_prefix(']')?);
            return behind.is_empty().then_some(messages);
        };
        rest = behind;
    }
}

/// Names the sender where its text does not; false where nobody does.
fn complete(message: &mut Message, sender: Sender<'_>) -> bool {
    match sender {
        _ if message.has("ident") => true,
        Sender::InText => false,
        Sender::Is(ident) | Sender::Else(ident) => {
            let is_one = check_ident(ident).is_ok();
            if is_one {
                message.push_front(ident);
            }
            is_one
        }
    }
}

/// Reads any object, and says what is wrong with one.
fn thoroughly(text: &str, names: &Names, sender: Sender<'_>) -> Result<Message, Problem> {
    let mut object: Object<'_> = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    if object.too_many {
        return Err(Problem::TooMany);
    }
    rename(&mut object.entries, &names.ident, "ident");
    rename(&mut object.entries, &names.timestamp, "timestamp");
    let mut message = Message::empty(text.len().saturating_add(MORE_MAX));
    for (name, raw) in last_of_each_name(&object.entries) {
        match name {
            "ident" if matches!(sender, Sender::Is(_)) => {}
            "ident" => message.push(Name::of(name), ValueRef::Text(&ident(raw.get())?)),
            "timestamp" => {
                if let Some(micros) = time(raw.get())? {
                    message.push(Name::of(name), timestamp(micros));
                }
            }
            _ => {
                check_name(name)?;
                message.push(Name::of(name), value(name, raw.get())?.as_ref());
            }
        }
    }
    match sender {
        _ if message.has("ident") => {}
        Sender::InText => return Err(Problem::NoIdent(short(&names.ident))),
        Sender::Is(ident) | Sender::Else(ident) => {
            check_ident(ident).map_err(Problem::Ident)?;
            message.push_front(ident);
        }
    }
    Ok(message)
}

fn check_name(name: &str) -> Result<(), Problem> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Problem::Name(short(name)));
    }
    Ok(())
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
        _ => number::parse(raw)
            .ok_or_else(|| Problem::Number(short(name)))?
            .into(),
    })
}

/// Syntax was checked with the whole; escapes are only now, and may name half a character.
fn text<'a>(name: &str, raw: &'a str) -> Result<Cow<'a, str>, Problem> {
    let Text(text) = serde_json::from_str(raw).map_err(|_| Problem::Escape(short(name)))?;
    Ok(text)
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

fn ident(raw: &str) -> Result<Cow<'_, str>, Problem> {
    let text = match raw.as_bytes().first() {
        Some(b'"') => text("ident", raw)?,
        Some(b'-' | b'0'..=b'9') if number::parse(raw).is_some_and(is_integer) => raw.into(),
        _ => return Err(Problem::IdentType),
    };
    check_ident(&text).map_err(Problem::Ident)?;
    Ok(text)
}

fn is_integer(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::U64(_) | ValueRef::I64(_))
}

/// `None` for `null`, which says as much as no timestamp.
fn time(raw: &str) -> Result<Option<u64>, Problem> {
    let micros = match raw.as_bytes().first() {
        Some(b'n') => return Ok(None),
        Some(b'"') => from_iso8601(&text("timestamp", raw)?).ok_or(NO_DATE),
        _ => number::parse(raw).ok_or(NO_DATE).and_then(from_number),
    };
    micros.map(Some).map_err(Problem::Timestamp)
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

impl<'n> Scanner<'n> {
    fn of(names: &'n Names, sender: Sender<'_>) -> Self {
        Self::new(
            &names.ident,
            &names.timestamp,
            matches!(sender, Sender::Is(_)),
        )
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

/// What a channel adds to a message, in bytes, unless its names are long ones.
const MORE_MAX: usize = 64;
