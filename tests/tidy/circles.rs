//! Circles of imports between files: what can only be read all at once. A file and those below it
//! are one thing and may name each other.

use super::source::Source;
use super::source::grouped;
use super::source::without_tests;
use super::source::word;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// A file as a path of modules: `ring/table`; the crate itself is empty.
type Module = String;

/// What was found beside what is allowed.
#[derive(Debug)]
pub(crate) struct Circles {
    /// In words, those that nobody knows.
    pub(crate) unknown: Vec<String>,
    /// The entries of those that are allowed and are no circle, by their index.
    pub(crate) unused: Vec<usize>,
}

/// The circles in `sources`; an entry of `allowed` holds a circle if each file of it is one of the
/// entry or lies below.
pub(crate) fn circles(sources: &[&Source], allowed: &[&[&str]]) -> Circles {
    let named = imports(sources);
    let (mut unknown, mut used) = (vec![], BTreeSet::new());
    for circle in strongly_connected(&named) {
        match allowed.iter().position(|entry| holds(entry, &circle)) {
            Some(index) => {
                used.insert(index);
            }
            None => unknown.push(describe(&circle, &named)),
        }
    }
    let unused = (0..allowed.len()).filter(|index| !used.contains(index));
    Circles {
        unknown,
        unused: unused.collect(),
    }
}

fn holds(entry: &[&str], circle: &BTreeSet<Module>) -> bool {
    circle
        .iter()
        .all(|file| entry.iter().any(|known| is_at_or_below(file, known)))
}

fn describe(circle: &BTreeSet<Module>, named: &BTreeMap<Module, BTreeSet<Module>>) -> String {
    let mut text = format!("circle of {circle:?}:");
    for file in circle {
        for other in named[file].intersection(circle) {
            text += &format!("\n    {file} names {other}");
        }
    }
    text
}

/// What each file names, but for itself and what is above or below it.
fn imports(sources: &[&Source]) -> BTreeMap<Module, BTreeSet<Module>> {
    let modules: BTreeSet<Module> = sources.iter().map(|source| module(source)).collect();
    let of = |source: &&Source| {
        let own = module(source);
        let code = without_tests(&source.code);
        let paths = paths(&code, &own).into_iter();
        let named = paths.map(|path| longest(&path, &modules));
        let aside = |other: &Module| !is_at_or_below(other, &own) && !is_at_or_below(&own, other);
        (own.clone(), named.filter(aside).collect())
    };
    sources.iter().map(of).collect()
}

fn module(source: &Source) -> Module {
    let path = source.path.trim_start_matches("src/");
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" | "main" => String::new(),
        path => path.to_owned(),
    }
}

fn is_at_or_below(file: &str, other: &str) -> bool {
    let rest = file.strip_prefix(other);
    rest.is_some_and(|rest| other.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// The module that a path leads to: what follows is an item of it.
fn longest(path: &str, modules: &BTreeSet<Module>) -> Module {
    let mut path = path;
    while !modules.contains(path) {
        path = path.rsplit_once('/').map_or("", |(front, _)| front);
    }
    path.to_owned()
}

/// All paths in the code that begin with `crate::` or `super::`, from the crate on.
fn paths(code: &str, own: &str) -> Vec<String> {
    let mut found = vec![];
    for (at, _) in code.match_indices("crate::") {
        found.extend(branches("", &code[at + "crate::".len()..]));
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("::") {
            continue;
        }
        let (mut above, mut rest) = (own, &code[at..]);
        while let Some(further) = rest.strip_prefix("super::") {
            above = above.rsplit_once('/').map_or("", |(front, _)| front);
            rest = further;
        }
        found.extend(branches(above, rest));
    }
    found
}

/// A path behind `front`; of a group in braces, each of its paths.
fn branches(front: &str, path: &str) -> Vec<String> {
    let join = |name: &str| match front {
        "" => name.to_owned(),
        front => format!("{front}/{name}"),
    };
    if !path.starts_with('{') {
        let name = word(path);
        return match path[name.len()..].strip_prefix("::") {
            Some(rest) => branches(&join(name), rest),
            None => vec![join(name)],
        };
    }
    grouped(path)
        .flat_map(|path| branches(front, path))
        .collect()
}

/// Sets of files of which each leads to each other one.
fn strongly_connected(named: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<BTreeSet<Module>> {
    let reached = |from: &Module| {
        let (mut seen, mut ahead) = (BTreeSet::new(), vec![from]);
        while let Some(file) = ahead.pop() {
            for other in named.get(file).into_iter().flatten() {
                if seen.insert(other.clone()) {
                    ahead.push(other);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = named.keys().map(|file| (file, reached(file))).collect();
    let in_circle = named.keys().filter(|file| reached[file].contains(*file));
    let circle = |file: &Module| {
        let others = reached[file].iter();
        others
            .filter(|other| reached[other].contains(file))
            .cloned()
            .collect()
    };
    in_circle.map(circle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<Source> {
        [
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a/mod.rs", "mod one; mod two; use one::One;"),
            (
                "src/a/one.rs",
                "use super::{A, two::{Two, Three}};\n#[cfg(test)]\nuse crate::b::B;",
            ),
            ("src/a/two.rs", "fn f() { super::one::g() }"),
            ("src/b.rs", "use crate::{a::one::One, c};"),
        ]
        .map(|(path, text)| Source::new(path, text))
        .into()
    }

    #[test]
    fn a_circle_of_siblings_is_found_and_what_is_above_is_none() {
        let sources = sources();
        let all: Vec<_> = sources.iter().collect();
        let found = circles(&all, &[]).unknown;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("a/one names a/two"), "{}", found[0]);
    }

    #[test]
    fn a_circle_that_is_named_is_known_and_a_name_without_one_is_told() {
        let sources = sources();
        let all: Vec<_> = sources.iter().collect();
        let count = |allowed: &[&[&str]]| {
            let found = circles(&all, allowed);
            (found.unknown.len(), found.unused)
        };
        assert_eq!(count(&[&["a/one", "a/two"]]), (0, vec![]));
        assert_eq!(count(&[&["a"], &["b"]]), (0, vec![1]));
        assert_eq!(count(&[&["a/one", "b"]]), (1, vec![0]));
    }
}
