//! The checks: each takes a file and says what is wrong in it, as `FILE:LINE: TEXT`.
//! Which files they are shown is not decided here.

use super::EMPTY_WORDS;
use super::FILE_MAX;
use super::FUNCTION_MAX;
use super::FUNCTION_MEDIAN;
use super::FUNCTION_P90;
use super::LINE_MAX;
use super::MAY_NAME;
use super::source::Source;
use super::source::functions;
use super::source::grouped;
use super::source::without_tests;
use super::source::word;
use super::source::words;
use std::collections::HashMap;
use std::fmt;

pub(crate) fn imports(source: &Source) -> Vec<String> {
    let Some((module, allowed)) = row(&source.module()) else {
        return match source.module().as_str() {
            "main" | "lib" => vec![],
            module => vec![format!(
                "{}:1: `{module}` has no row in MAY_NAME",
                source.path
            )],
        };
    };
    let mut found = vec![];
    for (at, _) in source.code.match_indices("crate::") {
        let line = source.code[..at].matches('\n').count();
        for named in heads(&source.code[at + "crate::".len()..]) {
            if named != module && !allowed.contains(&named) && allowed != ["*"] {
                found.push(source.at(line, &format!("`{module}` may not name `{named}`")));
            }
        }
    }
    for (line, text) in source.code.lines().enumerate() {
        let leaves = source.is_root() && text.starts_with("use super::");
        if leaves || text.contains("super::super::") {
            found.push(source.at(line, "say `crate::` rather than climb"));
        }
    }
    found
}

/// What a path begins with; of a group in braces, each of its paths.
fn heads(path: &str) -> Vec<&str> {
    if !path.starts_with('{') {
        return vec![word(path)];
    }
    grouped(path).map(word).collect()
}

fn row(module: &str) -> Option<(&'static str, &'static [&'static str])> {
    MAY_NAME.iter().copied().find(|(name, _)| *name == module)
}

pub(crate) fn long(source: &Source) -> Vec<String> {
    let mut found = vec![];
    let count = source.text.lines().count();
    if count > FILE_MAX {
        found.push(source.at(
            FILE_MAX,
            &format!("{count} lines in one file, at most {FILE_MAX}"),
        ));
    }
    for (line, text) in source.text.lines().enumerate() {
        if text.chars().count() > LINE_MAX {
            found.push(source.at(line, &format!("longer than {LINE_MAX} columns")));
        }
    }
    for (line, len) in functions(&source.code) {
        if len > FUNCTION_MAX {
            found.push(source.at(line, &format!("{len} lines in one function")));
        }
    }
    found
}

/// The shape of a whole tree, its tests left out of the functions.
pub(crate) struct Shape {
    functions: usize,
    median: usize,
    p90: usize,
    files: usize,
    docs_percent: usize,
}

impl Shape {
    pub(crate) fn of(sources: &[&Source]) -> Self {
        let bare: Vec<_> = sources
            .iter()
            .map(|source| without_tests(&source.code))
            .collect();
        let all = bare.iter().flat_map(|code| functions(code));
        let mut lens: Vec<_> = all.map(|(_, len)| len).collect();
        lens.sort_unstable();
        let at = |tenths: usize| lens.get(lens.len() * tenths / 10).copied().unwrap_or(0);
        let lines = || {
            sources
                .iter()
                .flat_map(|source| source.text.lines())
                .map(str::trim_start)
        };
        let is_doc = |line: &&str| line.starts_with("///") || line.starts_with("//!");
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        let (docs, code) = (
            lines().filter(is_doc).count(),
            lines().filter(is_code).count(),
        );
        Self {
            functions: lens.len(),
            median: at(5),
            p90: at(9),
            files: sources.len(),
            docs_percent: 100 * docs / (docs + code).max(1),
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.median <= FUNCTION_MEDIAN && self.p90 <= FUNCTION_P90
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            functions,
            median,
            p90,
            files,
            docs_percent,
        } = self;
        write!(
            f,
            "shape: {functions} functions, median {median} lines (at most "
        )?;
        write!(f, "{FUNCTION_MEDIAN}), p90 {p90} ({FUNCTION_P90}); ")?;
        write!(f, "{files} files; docs {docs_percent} %")
    }
}

pub(crate) fn empty_names(source: &Source) -> Vec<String> {
    let mut found = vec![];
    for (line, text) in source.code.lines().enumerate() {
        for keyword in [
            "fn ", "struct ", "enum ", "trait ", "mod ", "type ", "const ", "static ",
        ] {
            for name in text.split(keyword).skip(1).map(word) {
                if words(name)
                    .iter()
                    .any(|part| EMPTY_WORDS.contains(&part.trim_end_matches('s')))
                {
                    found.push(source.at(line, &format!("`{name}` says nothing")));
                }
                if keyword == "fn " && name.starts_with("get_") {
                    found.push(source.at(line, &format!("`{name}`: leave out `get_`")));
                }
            }
        }
    }
    found
}

pub(crate) fn leftovers(source: &Source) -> Vec<String> {
    let marks = [
        "TO\u{44}O",
        "FIX\u{4d}E",
        "XX\u{58}",
        "todo\u{21}(",
        "unimplemented\u{21}(",
    ];
    let places = ["/\u{72}oot/", "/\u{77}ork/", "/\u{68}ome/"];
    let mut found = vec![];
    for (line, text) in source.text.lines().enumerate() {
        for mark in marks.iter().chain(&places) {
            if text.contains(mark) {
                found.push(source.at(line, &format!("`{mark}`")));
            }
        }
    }
    found
}

/// Names of several words that stand in the text with other joints, or none.
/// Types and constants have joints of their own.
pub(crate) fn misspelt(source: &Source, known: &[String]) -> Vec<String> {
    let bare = |name: &str| name.replace('_', "").to_lowercase();
    let known: HashMap<_, _> = known
        .iter()
        .map(|name| (bare(name), name.as_str()))
        .collect();
    let mut found = vec![];
    for (line, text) in source.text.lines().enumerate() {
        for name in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let own_joints = name.starts_with(|c: char| c.is_ascii_uppercase());
            let meant = known.get(&bare(name));
            if let Some(meant) = meant.filter(|meant| **meant != name && !own_joints) {
                found.push(source.at(line, &format!("`{name}`: spelled `{meant}`")));
            }
        }
    }
    found
}

pub(crate) fn unknown_commands(source: &Source, known: &[String]) -> Vec<String> {
    let mut found = vec![];
    for (line, text) in source.text.lines().enumerate() {
        // its service and its folder are no commands
        let text = text.replace("/init.d/weir ", "").replace("/etc/weir ", "");
        for start in ["`weir ", "/weir ", "  weir ", "Usage: weir "] {
            for name in text.split(start).skip(1).map(word) {
                let command = name.starts_with(|c: char| c.is_ascii_lowercase());
                if command && !known.iter().any(|known| known == name) {
                    found.push(source.at(line, &format!("there is no command `{name}`")));
                }
            }
        }
    }
    found
}

/// The names of several words that a page gives in backticks or in its TOML.
pub(crate) fn joined_words(page: &str) -> Vec<String> {
    let names = page.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let joined =
        |name: &&str| name.contains('_') && name.len() > 1 && !name.contains(char::is_uppercase);
    let mut all: Vec<_> = names.filter(joined).map(str::to_owned).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The words after `weir` in the rows of a page's table of commands.
pub(crate) fn commands(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| `weir "));
    let mut all: Vec<_> = rows
        .flat_map(|row| row.split("`weir ").skip(1).map(word))
        .map(str::to_owned)
        .collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Source {
        Source::new("src/ring/mod.rs", text)
    }

    #[test]
    fn an_import_from_above_is_found_and_one_from_below_is_not() {
        let text =
            "use crate::clock::Now;\nuse crate::stream::Link; // crate::config\n\"crate::cli\"";
        assert_eq!(
            imports(&ring(text)),
            ["src/ring/mod.rs:2: `ring` may not name `stream`"]
        );
        assert_eq!(
            imports(&ring(
                "use crate::{clock::{self, Now},\n    stream, units,\n};"
            ))
            .len(),
            1
        );
        assert_eq!(
            imports(&ring("fn f() { super::super::stream::go() }")).len(),
            1
        );
        assert_eq!(imports(&Source::new("src/news.rs", "")).len(), 1);
    }

    #[test]
    fn a_long_function_line_or_file_is_found() {
        let body = |lines: usize| {
            format!(
                "fn f(a: [u8; 2]) {{\n{}}}\nfn g();",
                "    {}\n".repeat(lines)
            )
        };
        assert_eq!(functions(&body(68)), [(0, 70), (70, 1)]);
        assert_eq!(long(&ring(&body(68))).len(), 0);
        assert_eq!(long(&ring(&body(69))).len(), 1);
        assert_eq!(long(&ring(&"\n".repeat(501))).len(), 1);
        assert_eq!(long(&ring(&format!("//{}", "é".repeat(99)))).len(), 1);
        assert!(!Shape::of(&[&ring(&body(26))]).is_good());
        assert!(Shape::of(&[&ring(&body(4))]).is_good());
    }

    #[test]
    fn an_empty_name_is_found_in_its_own_case() {
        assert_eq!(
            empty_names(&ring(
                "struct LinkManager;\nfn get_seq() {}\nfn manage() {}"
            ))
            .len(),
            2
        );
        assert_eq!(
            empty_names(&ring("const PACKET_HANDLERS: u8 = 0;\nfn utility() {}")).len(),
            1
        );
        assert_eq!(empty_names(&ring("mod utils;")).len(), 1);
    }

    #[test]
    fn what_was_left_behind_is_found() {
        let text = "// TO\u{44}O: later\nlet a = \"/\u{77}ork/a\";\nlet mastodon = \"/network/a\";";
        assert_eq!(leftovers(&ring(text)).len(), 2);
    }

    #[test]
    fn other_spellings_of_the_interface_are_found() {
        let words = joined_words("`max_messages` and 200 `timeout`\nclient_id = 1");
        assert_eq!(words, ["client_id", "max_messages"]);
        let text = "max_messages: u32, maxmessages, clientId: MaxMessages, MAX_MESSAGES";
        assert_eq!(misspelt(&ring(text), &words).len(), 2);
        let known = commands("| `weir run [-c FILE]` | `weir demo` |\nsee `weir not`");
        assert_eq!(known, ["run", "demo"]);
        let text = "`weir run` `weir start` `weir --help` /usr/bin/weir stop";
        assert_eq!(unknown_commands(&ring(text), &known).len(), 2);
    }
}
