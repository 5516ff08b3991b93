//! JSON lines: one object, or one array of them, a line; answered with how many are safe.
//!
//! It cuts lines and counts; what an object may hold is the business of [`crate::message::json`].
//!
//! ```text
//! in   {"ident":"a","n":1}⏎          out   {"acked":1}⏎
//!      [{"ident":"a"},{"ident":"b"}]⏎      {"acked":3}⏎
//!      {"n":1}⏎                            {"error":"`ident` is missing","line":3}⏎
//! ```

#![deny(clippy::arithmetic_side_effects)]

use super::BatchRefusal;
use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Refusal;
use super::Session;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
use super::kind::Way;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::message::Message;
use crate::message::ValueRef;
use crate::message::json;
use crate::message::json::Names;
use crate::message::json::Problem;
use crate::message::json::Sender;
use std::fmt;
use std::io::BufRead;
use std::rc::Rc;
use std::slice::from_mut;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "json",
    example: "listen = \"127.0.0.1:7000\"",
    ways: &[Way::Tcp],
    ident: Ident::Named,
    read: |reader| {
        Some(Rc::new(Keys {
            names: names(reader),
        }))
    },
};

/// The keys of this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Names of the two fields that every message has.
    pub names: Names,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(JsonLines::new(self.names.clone())))
    }
}

/// `ident_field` and `timestamp_field`, which every type of JSON has.
pub(super) fn names(reader: &mut Reader<'_>) -> Names {
    let name = |text: &str| match text {
        "" => Err(ValueError::new("the name of a field is empty")),
        name => Ok(name.to_owned()),
    };
    let mut field = |key, default: &str| {
        reader
            .parsed(key, name)
            .unwrap_or_else(|| default.to_owned())
    };
    let names = Names {
        ident: field("ident_field", "ident"),
        timestamp: field("timestamp_field", "timestamp"),
    };
    if names.ident == names.timestamp {
        let written = if reader.has("timestamp_field") {
            "timestamp_field"
        } else {
            "ident_field"
        };
        let place = reader.value_place(written);
        reader.error(
            place,
            "ident and timestamp are in one field",
            "name two fields",
        );
    }
    names
}

/// One connection. Its ack tokens are the numbers of messages that it has brought.
#[derive(Debug)]
pub struct JsonLines {
    names: Names,
    /// Whole lines seen.
    lines: u64,
    /// Messages taken.
    taken: u64,
    /// How much of the line that is under way is known to have no end in it.
    searched: usize,
    /// That of the last line, kept for its memory.
    message: Message,
}

impl JsonLines {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(names: Names) -> Self {
        Self {
            names,
            lines: 0,
            taken: 0,
            searched: 0,
            message: Message::room(),
        }
    }

    /// The whole lines of `input`, until too much had to be said of them.
    fn lines(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        let most = out.len().saturating_add(ANSWERS_MAX);
        while out.len() < most {
            let Some((line, behind)) = self.split(rest) else {
                break;
            };
            self.lines = self.lines.saturating_add(1);
            let line = line.ok_or_else(|| self.too_long(intake, out))?;
            self.line(line, intake, out);
            rest = behind;
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    /// The first line and what stands behind it; no line when it is too long to be one; `None`
    /// while it has no end.
    fn split<'a>(&mut self, input: &'a [u8]) -> Option<(Option<&'a [u8]>, &'a [u8])> {
        let mut new = input.get(self.searched..).unwrap_or_default();
        // the fastest search that there is; of memory it skips without an error
        let found = new.skip_until(b'\n').unwrap_or(0);
        let (line, behind) = input.split_at_checked(self.searched.saturating_add(found))?;
        let Some(line) = line.strip_suffix(b"\n") else {
            self.searched = input.len();
            return (input.len() > LINE_MAX.saturating_add(1)).then_some((None, input));
        };
        self.searched = 0;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let fits = line.len() <= LINE_MAX;
        Some((fits.then_some(line), behind))
    }

    fn line(&mut self, line: &[u8], intake: &mut dyn Intake, out: &mut Vec<u8>) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match take(line, &self.names, &mut self.message, intake) {
            Ok(count) => self.taken = self.taken.saturating_add(count),
            Err(reason) => self.push_error(&reason.to_string(), out),
        }
    }

    fn too_long(&self, intake: &mut dyn Intake, out: &mut Vec<u8>) -> Disconnect {
        let reason = "line over 64 KiB";
        intake.malformed(InputError::Length, reason);
        self.push_error(reason, out);
        Disconnect { reason }
    }

    fn push_error(&self, reason: &str, out: &mut Vec<u8>) {
        let fields = [
            ("error", ValueRef::Text(reason)),
            ("line", ValueRef::U64(self.lines)),
        ];
        json::write(fields.into_iter(), out);
        out.push(b'\n');
    }
}

impl Session for JsonLines {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let before = self.taken;
        let used = self.lines(input, intake, out);
        if self.taken > before {
            intake.ack_when_durable(self.taken);
        }
        used
    }

    fn on_durable(&mut self, ack_token: u64, out: &mut Vec<u8>) {
        json::write([("acked", ValueRef::U64(ack_token))].into_iter(), out);
        out.push(b'\n');
    }

    fn acks_cumulatively(&self) -> bool {
        true
    }
}

/// Brings one JSON text to the intake: an object, which needs `room`, or an array that is taken
/// whole or not at all. Returns how many messages were in it.
///
/// # Errors
/// Why nothing of it was taken; already counted and logged.
pub(super) fn take(
    text: &[u8],
    names: &Names,
    room: &mut Message,
    intake: &mut dyn Intake,
) -> Result<u64, TextRefusal> {
    let malformed = |error: json::Error, intake: &mut dyn Intake| {
        intake.malformed(InputError::from(&error.problem), &error.to_string());
        TextRefusal::Malformed(error)
    };
    if !text.trim_ascii_start().starts_with(b"[") {
        let read = json::parse_into(text, names, Sender::InText, room);
        read.map_err(|error| malformed(error, intake))?;
        let taken = intake.submit(from_mut(room));
        room.forget_room();
        return taken
            .map(|()| 1)
            .map_err(|refused| TextRefusal::Object(refused.reason));
    }
    let mut batch = json::parse_many(text, names).map_err(|error| malformed(error, intake))?;
    if !batch.is_empty() {
        intake.submit(&mut batch).map_err(TextRefusal::Element)?;
    }
    Ok(u64::try_from(batch.len()).unwrap_or(u64::MAX))
}

/// Why nothing of a JSON text was taken.
#[derive(Debug)]
pub(super) enum TextRefusal {
    /// It holds no messages.
    Malformed(json::Error),
    /// The intake refused the message.
    Object(Refusal),
    /// The intake refused a message of the array.
    Element(BatchRefusal),
}

impl TextRefusal {
    /// What the intake said.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Malformed(_) => None,
            Self::Object(reason) => Some(*reason),
            Self::Element(refused) => Some(refused.reason),
        }
    }
}

impl fmt::Display for TextRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Object(reason) => reason.fmt(f),
            Self::Element(refused) => write!(f, "element {}: {}", refused.index, refused.reason),
        }
    }
}

impl From<&Problem> for InputError {
    fn from(problem: &Problem) -> Self {
        match problem {
            Problem::Encoding(_) | Problem::Syntax(_) | Problem::Escape(_) => Self::Syntax,
            Problem::NotAnObject => Self::Unsupported,
            Problem::TooMany => Self::Length,
            Problem::NoIdent(_) | Problem::IdentType | Problem::Ident(_) => Self::Ident,
            Problem::Name(_) | Problem::Timestamp(_) | Problem::Number(_) | Problem::Depth(_) => {
                Self::Value
            }
        }
    }
}

/// Longest line, in bytes, without its end. The driver's buffer must hold it and two bytes more.
pub const LINE_MAX: usize = 64 * 1024;

/// After so many bytes of answers a call ends: a buffer full of nonsense must not become a hundred
/// times as much of complaints. A client that reads no answers is still read on.
const ANSWERS_MAX: usize = 16 * 1024;
