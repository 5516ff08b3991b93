//! The configurations that weir ships: the default one, the examples and the README's.

use crate::told::Told;
use std::fs;
use std::path::Path;
use weir::config::Severity;
use weir::config::count;
use weir::config::render;

fn shipped(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// On a machine that has what it names.
fn told(text: String) -> Told {
    let told = Told::new(text).file("/etc/weir/cloud.password", "secret");
    let told = told.file("/etc/weir/office.token", "secret");
    told.file("/proc/sys/kernel/hostname", "gateway")
}

/// Nothing but warnings is said of it.
fn assert_no_error(text: String) {
    let loaded = told(text).load();
    let said = render(&loaded.diagnostics);
    assert_eq!(count(&loaded.diagnostics, Severity::Error), 0, "{said}");
    assert_eq!(loaded.unusable, None);
}

/// The text with every `# key = …` made a key.
fn uncommented(text: &str) -> String {
    let key = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        if rest.starts_with('[') {
            return Some(rest.to_owned());
        }
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

/// One a use, as packages bring them.
const EXAMPLES: [&str; 4] = [
    "trackers-to-wialon",
    "programs-to-mqtt",
    "phones-to-http",
    "truck-bus-to-mqtt",
];

#[test]
fn nothing_at_all_is_said_of_the_examples_and_no_error_of_what_they_leave_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/examples");
    assert_eq!(fs::read_dir(folder).unwrap().count(), EXAMPLES.len());
    for name in EXAMPLES {
        let text = shipped(&format!("systemd/examples/{name}.toml"));
        let loaded = told(text.clone()).load();
        assert_eq!(render(&loaded.diagnostics), "", "{name}");
        let config = &loaded.config;
        assert_eq!(
            (config.channels.len(), config.streams.len()),
            (1, 1),
            "{name}"
        );
        assert!(config.streams[0].enabled, "{name} sends nothing");
        let all = uncommented(&text);
        assert!(
            all.len() + 10 < text.len(),
            "nothing was left out of {name}"
        );
        assert_no_error(all);
    }
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
