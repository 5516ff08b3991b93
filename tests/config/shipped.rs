//! The configurations that weir ships: the default one and the README's.

use crate::told::Told;
use std::fs;
use std::path::Path;
use weir::config::Severity;
use weir::config::count;
use weir::config::render;

fn shipped(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Nothing but warnings is said of it.
fn assert_no_error(text: String) {
    let told = Told::new(text)
        .file("/etc/weir/cloud.password", "secret")
        .file("/proc/sys/kernel/hostname", "gateway");
    let loaded = told.load();
    let said = render(&loaded.diagnostics);
    assert_eq!(count(&loaded.diagnostics, Severity::Error), 0, "{said}");
    assert_eq!(loaded.unusable, None);
}

/// The text with every `# key = …` made a key.
fn uncommented(text: &str) -> String {
    let key = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        let (name, _) = rest.split_once(" = ")?;
        let named = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        named.then(|| rest.to_owned())
    };
    let lines: Vec<String> = text
        .lines()
        .map(|l| key(l).unwrap_or_else(|| l.to_owned()))
        .collect();
    lines.join("\n")
}

#[test]
fn the_default_configuration_is_right() {
    assert_no_error(shipped("systemd/weir.toml"));
}

#[test]
fn so_is_every_line_that_it_leaves_out() {
    let text = shipped("systemd/weir.toml");
    let all = uncommented(&text);
    assert!(all.len() + 10 < text.len(), "nothing was left out");
    assert_no_error(all);
}

#[test]
fn the_readmes_configuration_is_right() {
    let readme = shipped("README.md");
    let blocks: Vec<_> = readme.split("```toml\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        assert_no_error(block.split("```").next().unwrap().to_owned());
    }
}
