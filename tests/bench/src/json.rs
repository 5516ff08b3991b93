//! Writes results as JSON, with as much of it as they need.

use std::fmt::Write;

/// A value of the results.
pub enum Json {
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The whole, each member of the outer two levels on a line of its own.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String, level: usize) {
        match self {
            Self::Number(number) if number.is_finite() => {
                let _ = write!(out, "{}", (number * 1e4).round() / 1e4);
            }
            Self::Number(_) => out.push_str("null"),
            Self::Text(text) => quoted(text, out),
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item));
                written('[', items, ']', out, level);
            }
            Self::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| (Some(name.as_str()), value));
                written('{', members, '}', out, level);
            }
        }
    }
}

fn written<'a>(
    open: char,
    items: impl Iterator<Item = (Option<&'a str>, &'a Json)>,
    close: char,
    out: &mut String,
    level: usize,
) {
    let apart = if level < 3 {
        format!("\n{}", "  ".repeat(level + 1))
    } else {
        String::new()
    };
    out.push(open);
    for (index, (name, value)) in items.enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        out.push_str(&apart);
        if let Some(name) = name {
            quoted(name, out);
            out.push(':');
        }
        value.write(out, level + 1);
    }
    if level < 3 {
        let _ = write!(out, "\n{}", "  ".repeat(level));
    }
    out.push(close);
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
