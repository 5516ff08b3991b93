//! The files, and as much of Rust's grammar as the checks need. No opinion on what is in them.

use std::fs;
use std::path::Path;

/// The project's folder.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file: its text, and the same with comments and literals blanked.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") {
            code(text)
        } else {
            String::new()
        };
        Self {
            path: path.into(),
            text: text.into(),
            code,
        }
    }

    /// The module right below the crate that the file belongs to.
    pub(crate) fn module(&self) -> String {
        let below = self.path.trim_start_matches("src/");
        word(below).to_owned()
    }

    /// Whether what is above the file is the crate itself.
    pub(crate) fn is_root(&self) -> bool {
        self.path.trim_end_matches("/mod.rs").matches('/').count() == 1
    }

    pub(crate) fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, line + 1)
    }
}

/// Every text file of the project that somebody wrote.
pub(crate) fn all() -> Vec<Source> {
    let mut all = vec![];
    read(Path::new(ROOT), &mut all);
    all
}

/// The Rust files below a folder.
pub(crate) fn rust<'a>(all: &'a [Source], folder: &str) -> Vec<&'a Source> {
    let inside = |file: &&Source| file.path.starts_with(folder) && file.path.ends_with(".rs");
    let found: Vec<_> = all.iter().filter(inside).collect();
    assert!(!found.is_empty(), "no source in {folder}");
    found
}

fn read(folder: &Path, all: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a folder's entry").path();
        let name = path
            .strip_prefix(ROOT)
            .expect("a path below")
            .to_string_lossy();
        if NOT_WRITTEN.contains(&&*name) {
            continue;
        } else if path.is_dir() {
            read(&path, all);
        } else if let Ok(text) = fs::read_to_string(&path) {
            all.push(Source::new(&name, &text));
        }
    }
}

/// The identifier that a text begins with.
pub(crate) fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The words of an identifier, in lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if c == '_' || c.is_uppercase() && before.is_lowercase() {
            all.push(String::new());
        }
        let last = all.len() - 1;
        all[last].extend(c.to_lowercase().filter(|c| *c != '_'));
        before = c;
    }
    all
}

/// The line of each function and how many it has, to the closing brace.
pub(crate) fn functions(code: &str) -> Vec<(usize, usize)> {
    let starts = code.match_indices("fn ").filter(|(at, _)| {
        let before = code[..*at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    });
    let lines = |text: &str| text.matches('\n').count();
    starts
        .map(|(at, _)| (lines(&code[..at]), lines(&code[at..end(code, at)]) + 1))
        .collect()
}

/// The code with what is compiled for tests alone taken out.
pub(crate) fn without_tests(code: &str) -> String {
    let mut left = code.to_owned();
    while let Some(at) = left.find("#[cfg(test)]") {
        left.replace_range(at..end(&left, at + "#[cfg(test)]".len()), "");
    }
    left
}

/// Where the item that begins at `from` ends: after its body, or its semicolon.
pub(crate) fn end(code: &str, from: usize) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code[from..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth <= 0 && matches!(c, '}' | ';') {
            return from + at + 1;
        }
    }
    code.len()
}

/// Rust with every comment and literal blanked; lines stay where they are.
fn code(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let len = passive(rest);
        let (head, tail) = rest.split_at(len.max(first.len_utf8()));
        let blank = |c: char| if c == '\n' || len == 0 { c } else { ' ' };
        out.extend(head.chars().map(blank));
        rest = tail;
    }
    out
}

/// The length of the comment or literal that `rest` begins with; 0 when there is none.
fn passive(rest: &str) -> usize {
    let to = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at);
    if rest.starts_with("//") {
        return to("\n", 0);
    }
    if rest.starts_with("/*") {
        return (to("*/", 2) + 2).min(rest.len());
    }
    let hashes = rest[1.min(rest.len())..]
        .bytes()
        .take_while(|byte| *byte == b'#')
        .count();
    if rest.starts_with('r') && rest[hashes + 1..].starts_with('"') {
        let close = format!("\"{}", "#".repeat(hashes));
        return (to(&close, hashes + 2) + close.len()).min(rest.len());
    }
    match rest.as_bytes()[0] {
        b'"' => closed(rest, b'"'),
        b'\'' if rest[1..].starts_with('\\') => closed(rest, b'\''),
        b'\'' => rest
            .chars()
            .nth(2)
            .filter(|c| *c == '\'')
            .map_or(0, |_| to("'", 1) + 1),
        _ => 0,
    }
}

/// The length of a literal to its closing quote, escapes minded.
fn closed(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// What is in the folder beside what somebody wrote.
const NOT_WRITTEN: &[&str] = &[
    ".git",
    "Cargo.lock",
    "src/api/page/made",
    "target",
    "tests/bench/Cargo.lock",
    "tests/bench/target",
    "tests/counts/Cargo.lock",
    "tests/fuzz/Cargo.lock",
];

/// The paths of a group in braces, with which `group` begins.
pub(crate) fn grouped(group: &str) -> impl Iterator<Item = &str> {
    let group = &group[1..end(group, 0) - 1];
    let (mut depth, mut starts) = (0, vec![0]);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    let paths = starts.into_iter().map(|start| group[start..].trim_start());
    paths.filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count_as_functions() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}";
        assert_eq!(functions(&without_tests(&code(text))).len(), 2);
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = "a('\\'', '\"', \"\\\"//{\", r#\"}\"{\"#) // {\n/* { */ <'a> b'{'";
        let left: String = code(text).split_whitespace().collect();
        assert_eq!(left, "a(,,,)<'a>b");
    }
}
