//! What is said of bad input, to the letter.

use crate::told::RIGHT;
use crate::told::Told;
use crate::told::with;
use weir::config::Severity;
use weir::config::count;

/// `mistakes.txt` and others: `=== title`, a file, `---`, what is said of it when a right channel
/// and a right stream stand behind it.
#[test]
fn every_mistake_of_the_table_is_told_to_the_letter() {
    let tables = [include_str!("mistakes.txt"), include_str!("clouds.txt")];
    let cases = tables.iter().flat_map(|table| table.split("=== ").skip(1));
    let mut count = 0;
    for case in cases {
        let (title, rest) = case.split_once('\n').unwrap();
        let (text, expected) = rest.split_once("---\n").unwrap();
        let said = Told::new(format!("{text}{RIGHT}")).said();
        assert!(
            said == expected,
            "{title}: expected\n{expected}\nbut got\n{said}"
        );
        count += 1;
    }
    assert!(count > 25, "{count}");
}

/// Each part of the hint stands between backticks and is a line of a stream.
#[test]
fn for_tollbg_a_stream_is_shown_that_is_right() {
    let stream = "[[stream]]\nname = \"toll\"\ntype = \"tollBG\"\nchannels = [\"*\"]\n";
    let said = Told::new(format!("{RIGHT}{stream}")).said();
    assert!(
        said.contains("was never public, and flespi gave it up in 2022"),
        "{said}"
    );
    let (_, hint) = said.split_once("hint: ").unwrap();
    let lines: Vec<_> = hint.split('`').skip(1).step_by(2).collect();
    assert_eq!(lines.len(), 3, "{hint}");
    let plate = "[[device]]\nname = \"truck\"\nident = \"1\"\ndata = { plate = \"A 1\" }\n";
    let stream = stream.replace("type = \"tollBG\"", &lines.join("\n"));
    let config = Told::new(format!("{RIGHT}{plate}{stream}")).right();
    assert_eq!(config.streams[1].type_name(), "http");
}

#[test]
fn five_mistakes_are_reported_at_once_each_at_its_place() {
    let text = r#"[ring]
size = "64MB"

[[channel]]
name = "trackers"
type = "teltonica"
listen = "0.0.0.0:5027"

[[stream]]
name = "cloud"
type = "mqtt"
url = "mqtt://localhost:18830000"
topik = "weir/{ident}"
topic = "weir/{ident"
channels = ["trackers"]
"#;
    let loaded = Told::new(text).load();
    let places: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|found| found.position.unwrap())
        .collect();
    let places: Vec<_> = places
        .iter()
        .map(|place| (place.line, place.column))
        .collect();
    assert_eq!(places, [(2, 8), (6, 8), (12, 25), (13, 1), (14, 15)]);
    assert_eq!(count(&loaded.diagnostics, Severity::Error), 5);
}

#[test]
fn a_channel_that_no_stream_wants_is_warned_of() {
    let text = with("", "enabled = false\n");
    let expected = "weir.toml:3:8: warning: no enabled stream wants what this channel takes\n    \
                    name = \"in\"\n           ^^^^\n\
                    hint: it refuses every message until one does\n";
    assert_eq!(Told::new(text).said(), expected);
    assert_eq!(
        Told::new(with("unwanted = \"accept\"", "enabled = false\n")).said(),
        ""
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_read_as_far_as_it_is() {
    let mut text = RIGHT.replace("\"out\"", "\"oXt\"").into_bytes();
    let at = text.iter().position(|byte| *byte == b'X').unwrap();
    text[at] = 0xfc;
    let expected = "weir.toml:8:10: error: not UTF-8\n    name = \"o t\"\n             ^\n\
                    hint: save the file as UTF-8\n";
    assert_eq!(Told::new(text).said(), expected);
}

#[test]
fn what_a_terminal_would_obey_is_not_printed() {
    let said = Told::new("[log]\n\"a\\u001b[31m\" = 1\n# \u{1b}[2J\n\u{1b}[2J = 1\n").said();
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_secret_from_a_file_is_not_in_any_message() {
    let text = with("", "").replace("mqtt://localhost", "mqtt://${file:/pw}");
    for secret in [
        "hunter 2",
        "h:unter2",
        "hunt$er2",
        "x://hunter2",
        "hunter2/x",
        "",
    ] {
        let said = Told::new(text.clone()).file("/pw", secret).said();
        assert!(secret.is_empty() || !said.contains(secret), "{said}");
        assert!(!said.contains("unter2"), "{said}");
        assert!(!said.is_empty());
    }
}

#[test]
fn mistakes_without_end_are_cut() {
    let text = "[[device]]\n".repeat(1_000);
    let said = Told::new(text + RIGHT).load().diagnostics;
    assert_eq!(said.len(), 101);
    let last = "weir.toml: error: 1900 more mistakes are not shown";
    assert_eq!(said.last().unwrap().to_string(), last);
}
