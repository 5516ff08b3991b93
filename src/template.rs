//! Templates: text in which `{name}` stands for a parameter of a message.
//!
//! Parsed when the configuration is read; rendering fails for one reason only, a parameter that
//! is not there and has no default. Where the parameters come from is the caller's business.
//!
//! ```text
//! template = ( text | "{{" | "}}" | "{" name [ ":-" default ] "}" )*
//! name     = ( letter | digit | "." | "_" )+      default = text without braces
//! ```
//! `{{` and `}}` are braces; a single `}` outside of a name is itself.

use crate::message::ValueRef;
use crate::message::json_write::Number;
use std::fmt;
use std::fmt::Write as _;

/// A text that is complete once a message is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// As it is.
    Text(String),
    /// The value of a parameter; of a message that lacks it the default, where there is one.
    Parameter {
        name: String,
        default: Option<String>,
    },
}

/// What a parameter is replaced by.
#[derive(Clone, Copy, Debug)]
pub enum Substitute<'a> {
    /// As it is.
    Text(&'a str),
    /// Text as it is, all else as in JSON.
    Value(ValueRef<'a>),
}

/// How substitutes are written; the template's own text and its defaults are always written as
/// they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As they are.
    None,
    /// As a segment of a URL: all but letters, digits, `-`, `.`, `_` and `~` as `%XX`.
    Url,
    /// As what stands between the quotes of a JSON string: `"`, `\` and control characters with a
    /// backslash. Numbers, `true` and the like are the same with quotes and without.
    Json,
    /// As a value of JSON: a text with its quotes.
    JsonValue,
}

/// The message lacks a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing<'a> {
    /// Which one.
    pub name: &'a str,
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Where, in bytes from the start of the text.
    pub at: usize,
    /// How many bytes are at fault.
    pub len: usize,
    /// What is wrong there.
    pub kind: ParseErrorKind,
}

/// What is wrong with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// A brace that is never closed.
    Unclosed,
    /// Nothing between the braces.
    Empty,
    /// A character that no name has.
    Character(char),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first brace that begins no name.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let (before, from_brace) = rest.split_at(brace);
            plain.push_str(before);
            let mut behind = from_brace.chars();
            let first = behind.next();
            let behind = behind.as_str();
            if first == Some('}') || behind.starts_with('{') {
                plain.extend(first);
                // of two braces that mean one
                let second = behind
                    .chars()
                    .next()
                    .filter(|second| Some(*second) == first);
                rest = behind
                    .get(second.map_or(0, char::len_utf8)..)
                    .unwrap_or_default();
                continue;
            }
            let at = text.len() - behind.len() - 1;
            let (name, default, after) = parameter(behind, at)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Parameter {
                name: name.to_owned(),
                default: default.map(str::to_owned),
            });
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// Appends the text to `out`. Allocates nothing but what `out` grows by.
    ///
    /// # Errors
    /// The first parameter without default that `lookup` does not know; `out` is as before.
    pub fn render<'v>(
        &self,
        escape: Escape,
        mut lookup: impl FnMut(&str) -> Option<Substitute<'v>>,
        out: &mut String,
    ) -> Result<(), Missing<'_>> {
        let start = out.len();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Parameter { name, default } => match (lookup(name), default) {
                    (Some(substitute), _) => substitute.write(escape, out),
                    (None, Some(default)) => out.push_str(default),
                    (None, None) => {
                        out.truncate(start);
                        return Err(Missing { name });
                    }
                },
            }
        }
        Ok(())
    }

    /// Whether every message gives the same text.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        !self
            .parts
            .iter()
            .any(|part| matches!(part, Part::Parameter { .. }))
    }

    /// The parameters that it names, in order; one that is named twice comes twice.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Parameter { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether it is one parameter and nothing else.
    #[must_use]
    pub fn is_one_parameter(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Parameter { .. }])
    }

    /// Its own texts, in order, defaults among them, without the parameters between them.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Parameter { default, .. } => default.as_deref(),
        })
    }
}

impl Substitute<'_> {
    fn write(self, escape: Escape, out: &mut String) {
        let text = match self {
            // it is JSON, and stands where it stands without quotes
            Self::Value(ValueRef::Json(text))
                if matches!(escape, Escape::Json | Escape::JsonValue) =>
            {
                return out.push_str(text);
            }
            Self::Text(text) | Self::Value(ValueRef::Text(text)) if escape == Escape::JsonValue => {
                out.push('"');
                write_json(text, out);
                return out.push('"');
            }
            Self::Text(text) => text,
            Self::Value(ValueRef::Text(text) | ValueRef::Json(text)) => text,
            Self::Value(ValueRef::Null) => "null",
            Self::Value(ValueRef::Bool(true)) => "true",
            Self::Value(ValueRef::Bool(false)) => "false",
            Self::Value(ValueRef::U64(number)) => {
                let mut text = Number::default();
                text.integer(number);
                return out.push_str(text.as_str());
            }
            Self::Value(ValueRef::I64(number)) => return write_display(number, out),
            Self::Value(ValueRef::F64(number)) => {
                let mut text = Number::default();
                if text.short(number) {
                    return out.push_str(text.as_str());
                }
                match serde_json::Number::from_f64(number) {
                    Some(number) => return write_display(number, out),
                    None => "null",
                }
            }
        };
        match escape {
            Escape::None => out.push_str(text),
            Escape::Url => write_escaped(text, out),
            Escape::Json => write_json(text, out),
            // no text: those stand above
            Escape::JsonValue => out.push_str(text),
        }
    }
}

impl<'a> From<&'a str> for Substitute<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<ValueRef<'a>> for Substitute<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        Self::Value(value)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Parameter {
                name,
                default: None,
            } => write!(f, "{{{name}}}"),
            Part::Parameter {
                name,
                default: Some(default),
            } => write!(f, "{{{name}:-{default}}}"),
        })
    }
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message has no `{}`", self.name)
    }
}

impl std::error::Error for Missing<'_> {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ParseErrorKind::Unclosed => write!(f, "`{{` is never closed"),
            ParseErrorKind::Empty => write!(f, "`{{}}` names no parameter"),
            ParseErrorKind::Character('{') => write!(f, "a brace within the braces of a parameter"),
            ParseErrorKind::Character(bad) => {
                write!(f, "{bad:?} cannot be in the name of a parameter")
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// The name and the default at the head of `behind`, which follows the brace at `at`, and what
/// stands behind the closing brace.
fn parameter(behind: &str, at: usize) -> Result<(&str, Option<&str>, &str), ParseError> {
    let error = |offset: usize, len, kind| {
        Err(ParseError {
            at: at + offset,
            len,
            kind,
        })
    };
    let Some((inside, after)) = behind.split_once('}') else {
        let len = if behind.chars().all(is_of_name) {
            1 + behind.len()
        } else {
            1
        };
        return error(0, len, ParseErrorKind::Unclosed);
    };
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let bad_in = |text: &str, offset: usize, bad: fn(char) -> bool| {
        let found = text.char_indices().find(|(_, c)| bad(*c));
        found.map(|(place, c)| {
            error(
                1 + offset + place,
                c.len_utf8(),
                ParseErrorKind::Character(c),
            )
        })
    };
    if let Some(wrong) = bad_in(name, 0, |c| !is_of_name(c)) {
        return wrong;
    }
    if name.is_empty() {
        return error(0, 2 + inside.len(), ParseErrorKind::Empty);
    }
    let default_at = inside.len() - default.map_or(0, str::len);
    if let Some(wrong) = bad_in(default.unwrap_or_default(), default_at, |c| c == '{') {
        return wrong;
    }
    Ok((name, default, after))
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_')
}

fn write_display(what: impl fmt::Display, out: &mut String) {
    let written = write!(out, "{what}");
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

/// RFC 8259, section 7.
fn write_json(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\0'..='\x1f' => write_display(format_args!("\\u{:04x}", u32::from(letter)), out),
            _ => out.push(letter),
        }
    }
}

/// Appends a text as [`Escape::Url`] has it.
pub(crate) fn write_escaped(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write_display(format_args!("%{byte:02X}"), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Value;

    fn render(template: &str, escape: Escape) -> Result<String, String> {
        let (plate, speed) = (Value::from("AB 1/2"), Value::F64(54.5));
        let template = Template::parse(template).unwrap();
        let mut out = String::from(">");
        let lookup = |name: &str| match name {
            "ident" => Some(Substitute::Text("3520")),
            "device.data.plate" => Some(Substitute::Value(plate.as_ref())),
            "position.speed" => Some(Substitute::Value(speed.as_ref())),
            "din.1" => Some(Substitute::Value(ValueRef::Bool(true))),
            "ain" => Some(Substitute::Value(ValueRef::I64(-7))),
            _ => None,
        };
        let result = template
            .render(escape, lookup, &mut out)
            .map_err(|missing| missing.to_string());
        assert!(result.is_ok() || out == ">", "{out}");
        result.map(|()| out)
    }

    #[test]
    fn parameters_are_replaced() {
        assert_eq!(render("weir/{ident}", Escape::None).unwrap(), ">weir/3520");
        assert_eq!(
            render("{position.speed},{din.1},{ain}", Escape::None).unwrap(),
            ">54.5,true,-7"
        );
        assert_eq!(render("{{{ident}}}", Escape::None).unwrap(), ">{3520}");
        assert_eq!(render("", Escape::None).unwrap(), ">");
    }

    #[test]
    fn two_braces_are_one_and_a_closing_one_alone_is_itself() {
        let rendered = |text| render(text, Escape::None).unwrap();
        assert_eq!(rendered("{{}}"), ">{}");
        assert_eq!(rendered("{{{{}}}}}"), ">{{}}}");
        assert_eq!(rendered("}a} }}{ident}}"), ">}a} }3520}");
        assert_eq!(rendered("{{ident}}"), ">{ident}");
    }

    #[test]
    fn a_message_without_a_parameter_gets_the_default() {
        let rendered = |text| render(text, Escape::Url).unwrap();
        assert_eq!(rendered("/{nope:-none}/{ident:-x}"), ">/none/3520");
        assert_eq!(rendered("/{nope:-}/"), ">//");
        assert_eq!(rendered("{nope:-a/b:-c}"), ">a/b:-c");
        assert!(render("{nope:-a}{nope}", Escape::None).is_err());
    }

    #[test]
    fn only_substitutes_are_escaped_for_a_url() {
        assert_eq!(
            render("/a b/{device.data.plate}", Escape::Url).unwrap(),
            ">/a b/AB%201%2F2"
        );
    }

    #[test]
    fn in_json_text_stays_one_string_and_json_stays_json() {
        let said = |text| {
            let lookup = |_: &str| Some(Substitute::Value(text));
            let mut out = String::new();
            let template = Template::parse("{x}").unwrap();
            template.render(Escape::Json, lookup, &mut out).unwrap();
            out
        };
        let hostile = "a\"b\\c\n\u{1}é";
        let written = said(ValueRef::Text(hostile));
        let read: String = serde_json::from_str(&format!("\"{written}\"")).unwrap();
        assert_eq!(read, hostile);
        assert_eq!(said(ValueRef::Json("[1,\"a\"]")), "[1,\"a\"]");
        assert_eq!(said(ValueRef::U64(7)), "7");
    }

    #[test]
    fn a_parameter_that_is_not_there_is_named_and_leaves_nothing_behind() {
        assert_eq!(
            render("a{ident}{nope}", Escape::None).unwrap_err(),
            "the message has no `nope`"
        );
    }

    #[test]
    fn a_mistake_is_found_at_its_place() {
        for (text, at, len, kind) in [
            ("a{", 1, 1, ParseErrorKind::Unclosed),
            ("a{ident", 1, 6, ParseErrorKind::Unclosed),
            ("ab{}", 2, 2, ParseErrorKind::Empty),
            ("é{id ent}", 5, 1, ParseErrorKind::Character(' ')),
            ("{a{{b}", 2, 1, ParseErrorKind::Character('{')),
            ("{a:-b", 0, 1, ParseErrorKind::Unclosed),
            ("{:-b}", 0, 5, ParseErrorKind::Empty),
            ("{a:b}", 2, 1, ParseErrorKind::Character(':')),
            ("{a:-b{c}", 5, 1, ParseErrorKind::Character('{')),
        ] {
            assert_eq!(
                Template::parse(text),
                Err(ParseError { at, len, kind }),
                "{text}"
            );
        }
    }

    #[test]
    fn it_prints_as_it_was_written() {
        for text in ["", "weir/{ident}", "{{a}}{b.c}", "}}", "{a:-b c}{a:-}"] {
            assert_eq!(Template::parse(text).unwrap().to_string(), text);
        }
    }
}
