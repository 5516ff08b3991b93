//! JSON out: a message as one object, without white space.

use super::ValueRef;

/// Appends one JSON object without white space; floats in their shortest form, with a point or an
/// exponent, so that they stay floats.
pub fn write<'a>(fields: impl Iterator<Item = (&'a str, ValueRef<'a>)>, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (name, value) in fields {
        if !first {
            out.push(b',');
        }
        first = false;
        put(name, out);
        out.push(b':');
        match value {
            ValueRef::Null => out.extend_from_slice(b"null"),
            ValueRef::Bool(state) => put(state, out),
            ValueRef::U64(number) => put(number, out),
            ValueRef::I64(number) => put(number, out),
            ValueRef::F64(number) => put(number, out),
            ValueRef::Text(text) => put(text, out),
            ValueRef::Json(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
    out.push(b'}');
}

fn put(value: impl serde::Serialize, out: &mut Vec<u8>) {
    let written = serde_json::to_writer(out, &value);
    debug_assert!(written.is_ok(), "a plain value written to memory");
}
