//! Line protocol: one line a message.
//!
//! ```text
//! measurement,tag=value,tag=value field=1,field="text",field=true 1700000000000000000
//! ```
//! Outside of quotes `,`, `=` and blanks get a backslash, in the name of the measurement `=` does
//! not; within quotes `"` and `\` do. Other backslashes are themselves, and none may stand before
//! one of these signs or at the end: there it is written as `/`. A line break outside of quotes
//! has no form at all, `#` at the head makes the line a comment, and a field `time` is dropped by
//! the database without a word: these are written as `_`, `_` and `time_`.

use crate::message::ValueRef;
use std::fmt::Write as _;

/// How numbers without a fraction are written. A field keeps the type of its first value for ever,
/// and the same parameter may be 12 now and 12.4 later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// `12`: a float, exact up to 2^53.
    Floats,
    /// `12i`: an integer; one over 2^63 - 1 is a float.
    AsTheyAre,
}

/// Appends a line without its end. `null` is left out, arrays and objects are texts; so are tags
/// that have no text.
///
/// # Errors
/// Without a field there is no line.
pub(super) fn write<'a>(
    measurement: &str,
    tags: impl Iterator<Item = (&'a str, ValueRef<'a>)>,
    (fields, numbers): (impl Iterator<Item = (&'a str, ValueRef<'a>)>, Numbers),
    nanoseconds: u64,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let mut line = String::new();
    match measurement.strip_prefix('#') {
        Some(rest) => word(&format!("_{rest}"), IN_MEASUREMENT, &mut line),
        None => word(measurement, IN_MEASUREMENT, &mut line),
    }
    if line.is_empty() {
        return Err("`measurement` is empty".to_owned());
    }
    for (name, value) in tags {
        let mut text = String::new();
        match value {
            ValueRef::Null | ValueRef::Json(_) => continue,
            ValueRef::Text(value) => word(value, IN_TAG, &mut text),
            other => number(other, Numbers::Floats, &mut text),
        }
        if !text.is_empty() {
            line.push(',');
            key(name, &mut line);
            line.push('=');
            line.push_str(&text);
        }
    }
    let mut separator = ' ';
    for (name, value) in fields {
        if value == ValueRef::Null {
            continue;
        }
        line.push(separator);
        separator = ',';
        key(name, &mut line);
        line.push('=');
        match value {
            ValueRef::Text(text) | ValueRef::Json(text) => quoted(text, &mut line),
            other => number(other, numbers, &mut line),
        }
    }
    if separator == ' ' {
        return Err("the message has no field for a line".to_owned());
    }
    put(format_args!(" {nanoseconds}"), &mut line);
    out.extend_from_slice(line.as_bytes());
    Ok(())
}

/// The name of a tag or a field.
fn key(name: &str, out: &mut String) {
    match name {
        "time" => out.push_str("time_"),
        name => word(name, IN_TAG, out),
    }
}

/// A number, or a switch.
fn number(value: ValueRef<'_>, numbers: Numbers, out: &mut String) {
    match (value, numbers) {
        (ValueRef::U64(number), Numbers::AsTheyAre) if i64::try_from(number).is_ok() => {
            put(format_args!("{number}i"), out);
        }
        (ValueRef::I64(number), Numbers::AsTheyAre) => put(format_args!("{number}i"), out),
        (ValueRef::U64(number), _) => put(number, out),
        (ValueRef::I64(number), _) => put(number, out),
        // the shortest form, with an exponent where that is shorter
        (ValueRef::F64(number), _) => put(format_args!("{number:?}"), out),
        (ValueRef::Bool(state), _) => put(state, out),
        (ValueRef::Null | ValueRef::Text(_) | ValueRef::Json(_), _) => {}
    }
}

/// A text without quotes; `special` get a backslash.
fn word(text: &str, special: &[char], out: &mut String) {
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut before_special = || special.contains(letters.peek().unwrap_or(&' '));
        match letter {
            '\\' if before_special() => out.push('/'),
            letter if letter.is_control() => out.push('_'),
            letter if special.contains(&letter) => out.extend(['\\', letter]),
            letter => out.push(letter),
        }
    }
}

/// A text in quotes, which may have line breaks.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
}

fn put(what: impl std::fmt::Display, out: &mut String) {
    let written = write!(out, "{what}");
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

const IN_MEASUREMENT: &[char] = &[',', ' '];

const IN_TAG: &[char] = &[',', '=', ' '];

#[cfg(test)]
mod tests {
    use super::*;

    type Fields<'a> = &'a [(&'a str, ValueRef<'a>)];

    fn line(measurement: &str, tags: Fields<'_>, fields: Fields<'_>, numbers: Numbers) -> String {
        let mut out = Vec::new();
        let (tags, fields) = (tags.iter().copied(), fields.iter().copied());
        match write(measurement, tags, (fields, numbers), 17, &mut out) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(reason) => reason,
        }
    }

    #[test]
    fn numbers_are_floats_unless_integers_are_asked_for() {
        let fields = &[
            ("a", ValueRef::U64(12)),
            ("b", ValueRef::I64(-3)),
            ("c", ValueRef::F64(12.5)),
            ("d", ValueRef::F64(1e300)),
            ("e", ValueRef::U64(u64::MAX)),
            ("f", ValueRef::Bool(true)),
            ("g", ValueRef::F64(-0.0000001)),
        ];
        assert_eq!(
            line("p", &[], fields, Numbers::Floats),
            "p a=12,b=-3,c=12.5,d=1e300,e=18446744073709551615,f=true,g=-1e-7 17"
        );
        assert_eq!(
            line("p", &[], fields, Numbers::AsTheyAre),
            "p a=12i,b=-3i,c=12.5,d=1e300,e=18446744073709551615,f=true,g=-1e-7 17"
        );
    }

    #[test]
    fn each_place_has_its_own_signs_with_a_backslash() {
        let field = &[("f,= \"x", ValueRef::Text("a\"b\\c\nd, e=é"))];
        let tag = &[("t, =g", ValueRef::Text("v, =\"é"))];
        assert_eq!(
            line("m, =x", tag, field, Numbers::Floats),
            "m\\,\\ =x,t\\,\\ \\=g=v\\,\\ \\=\"é f\\,\\=\\ \"x=\"a\\\"b\\\\c\nd, e=é\" 17"
        );
    }

    #[test]
    fn what_has_no_form_outside_of_quotes_is_written_as_something_else() {
        let one = &[("x", ValueRef::Bool(false))];
        for (value, wanted) in [
            ("a\\b", "a\\b"),
            ("a\\", "a/"),
            ("a\\,b", "a/\\,b"),
            ("\\\\", "\\/"),
            ("a\nb\r\0", "a_b__"),
        ] {
            let tag = &[("t", ValueRef::Text(value))];
            let wanted = format!("m,t={wanted} x=false 17");
            assert_eq!(line("m", tag, one, Numbers::Floats), wanted, "{value:?}");
        }
        assert_eq!(line("#m", &[], one, Numbers::Floats), "_m x=false 17");
        let time = &[("time", ValueRef::U64(1))];
        assert_eq!(line("m", &[], time, Numbers::Floats), "m time_=1 17");
    }

    #[test]
    fn what_is_nothing_is_left_out_and_a_line_of_nothing_is_none() {
        let fields = &[
            ("a", ValueRef::Null),
            ("b", ValueRef::Json("[1,\"x\"]")),
            ("c", ValueRef::Text("")),
        ];
        let tags = &[
            ("a", ValueRef::Null),
            ("b", ValueRef::Text("")),
            ("c", ValueRef::Json("{}")),
            ("d", ValueRef::U64(7)),
            ("e", ValueRef::Bool(true)),
        ];
        assert_eq!(
            line("m", tags, fields, Numbers::AsTheyAre),
            "m,d=7,e=true b=\"[1,\\\"x\\\"]\",c=\"\" 17"
        );
        let none = line("m", tags, &fields[..1], Numbers::Floats);
        assert!(none.contains("no field"), "{none}");
        assert!(line("", &[], fields, Numbers::Floats).contains("`measurement`"));
    }
}
