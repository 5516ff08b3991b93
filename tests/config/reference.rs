//! The pages in docs/ against the code: every key that is known stands in the reference, and every
//! key there is known and has the default that stands beside it.

use crate::recipes;
use crate::told::RIGHT;
use crate::told::Told;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use weir::channel::KINDS;
use weir::config::Severity;
use weir::config::count;
use weir::config::render;

/// Keys that stand under a heading of the reference, with the defaults of those that have one.
type Keys = BTreeMap<String, Option<String>>;

/// The headings of the reference under which keys stand.
fn reference() -> BTreeMap<String, Keys> {
    let text = fs::read_to_string(root().join("docs/reference.md")).unwrap();
    let mut found = BTreeMap::new();
    for section in text.split("\n## ").skip(1) {
        let (heading, rest) = section.split_once('\n').unwrap();
        let Some((_, rows)) = rest.split_once("| key | default | means |\n| --- | --- | --- |\n")
        else {
            continue;
        };
        let rows = rows.lines().take_while(|line| line.starts_with('|'));
        let keys = rows.map(|row| {
            let cells: Vec<_> = row.split(" | ").collect();
            assert!(cells.len() >= 3, "{row}");
            let bare = |cell: &str| cell.trim_matches(['|', ' ', '`']).to_owned();
            let default = Some(bare(cells[1])).filter(|default| default != "–");
            (bare(cells[0]), default)
        });
        let keys: Vec<_> = keys.collect();
        let count = keys.len();
        let keys = Keys::from_iter(keys);
        assert_eq!(keys.len(), count, "twice under {heading}");
        found.insert(heading.to_owned(), keys);
    }
    found
}

/// What the reader says it knows where `KEY` stands in a configuration.
fn known(text: &str) -> BTreeSet<String> {
    let said = told(whole(text).replace("KEY", &format!("{NO_KEY} = 1"))).said();
    let (_, after) = said
        .split_once(&format!("unknown key `{NO_KEY}`"))
        .expect(&said);
    let (_, after) = after.split_once("hint: known are ").expect(&said);
    let names = after.lines().next().unwrap_or_default().split(", ");
    names
        .map(|name| name.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn the_reference_has_every_key_that_is_known_and_no_other() {
    let reference = reference();
    for (headings, text) in TABLES {
        let written = headings
            .iter()
            .flat_map(|heading| reference[*heading].keys());
        let written: BTreeSet<String> = written.cloned().collect();
        assert_eq!(
            written,
            known(text),
            "left: under {headings:?}, right: known"
        );
    }
    let tried = TABLES.iter().flat_map(|(headings, _)| headings.iter());
    let tried: BTreeSet<&str> = tried.copied().collect();
    let all: BTreeSet<&str> = reference.keys().map(String::as_str).collect();
    assert_eq!(tried, all);
}

#[test]
fn what_is_left_out_is_the_default_of_the_reference() {
    let reference = reference();
    let mut tried = 0;
    for (headings, text) in TABLES {
        let last = headings.last().unwrap();
        let without = format!("{:?}", told(whole(text).replace("KEY", "")).right());
        for (key, default) in &reference[*last] {
            let Some(default) = default else {
                continue;
            };
            let written = whole(text).replace("KEY", &format!("{key} = {default}"));
            let with = format!("{:?}", told(written).right());
            assert_eq!(with, without, "`{key} = {default}` under {last}");
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn every_type_that_is_known_has_its_keys_tried() {
    for table in ["channel", "stream"] {
        let text = format!("[[{table}]]\nname = \"a\"\ntype = \"{NO_KEY}\"\n");
        let said = Told::new(text).said();
        let (_, after) = said.split_once("hint: known are ").expect(&said);
        for name in after.lines().next().unwrap_or_default().split(", ") {
            let line = format!("type = '{}'", name.trim_matches('`'));
            let start = format!("[[{table}]]");
            let is_tried = |text: &str| text.contains(&start) && text.contains(&line);
            assert!(TABLES.iter().any(|(_, text)| is_tried(text)), "{line}");
        }
    }
}

#[test]
fn the_configurations_on_the_pages_are_right() {
    let mut tried = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let told = recipes::FILES
                .iter()
                .fold(Told::new(block), |told, file| told.file(file, "secret"));
            let told = told
                .file("/etc/weir/cloud.password", "secret")
                .file("/etc/weir/hub.key", "c2VjcmV0")
                .file("/etc/weir/google.json", GOOGLE)
                .file("/proc/sys/kernel/hostname", "gateway");
            let loaded = told.load();
            let said = render(&loaded.diagnostics);
            let page = page.display();
            assert_eq!(
                count(&loaded.diagnostics, Severity::Error),
                0,
                "{page}: {said}"
            );
            assert_eq!(loaded.unusable, None, "{page}: {block}");
            tried += 1;
        }
    }
    assert!(tried > 7, "{tried}");
}

/// A warning in a recipe would be the first that an operator sees.
#[test]
fn the_recipes_of_the_readme_are_whole_and_without_a_warning() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, recipes) = readme.split_once("\n## Recipes\n").unwrap();
    let recipes = recipes.split("\n## ").next().unwrap();
    let blocks: Vec<_> = recipes.split("```toml\n").skip(1).collect();
    assert_eq!(blocks.len(), 4);
    for block in blocks {
        let told = Told::new(block.split("```").next().unwrap())
            .file("/etc/weir/cloud.password", "secret")
            .file("/proc/sys/kernel/hostname", "gateway");
        let config = told.right();
        assert!(
            !config.channels.is_empty() && !config.streams.is_empty(),
            "{block}"
        );
    }
}

/// What is there at all is seen on the first page.
#[test]
fn the_readme_has_a_row_for_each_type_of_channel() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, table) = readme.split_once("\n## Channels\n").unwrap();
    let table = table.split("\n## ").next().unwrap();
    for kind in KINDS {
        let name = format!("`{}`", kind.name);
        let has_row = |line: &str| line.starts_with("| `") && line.contains(&name);
        assert!(table.lines().any(has_row), "{name}");
    }
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    let mut followed = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", page.display());
            let is_there = anchor.is_empty() || {
                let text = fs::read_to_string(&target).unwrap();
                text.lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| self::anchor(line) == anchor)
            };
            assert!(is_there, "{}: {link}", page.display());
            followed += 1;
        }
    }
    assert!(followed > 20, "{followed}");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for page in pages().iter().skip(1) {
        let name = format!("(docs/{})", page.file_name().unwrap().to_str().unwrap());
        assert!(readme.contains(&name), "the README does not lead to {name}");
    }
}

/// What a heading is linked by.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// A configuration with these lines behind a channel and a stream.
fn whole(lines: &str) -> String {
    format!("{RIGHT}{}\n", lines.replace("; ", "\n"))
}

/// The README, then all pages of docs/.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let mut pages: Vec<_> = docs.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages.insert(0, root().join("README.md"));
    pages
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The key of a service account that nobody has.
const GOOGLE: &str = include_str!("../support/service_account.json");

/// A configuration beside which the files lie that keys read.
fn told(text: String) -> Told {
    Told::new(text).file("/etc/weir/google.json", GOOGLE)
}

/// Near no key that there is.
const NO_KEY: &str = "zzzzzzzzzzzzzzzzzzzz";

/// The headings under which the keys of a table stand, and lines behind a whole configuration, of
/// which each `; ` is a new one, and in which `KEY` stands where one of them would. The defaults
/// under the last heading are tried there.
const TABLES: &[(&[&str], &str)] = &[
    (&["ring"], "[ring]; KEY"),
    (&["commit"], "[ring.commit]; KEY"),
    (&["log"], "[log]; KEY"),
    (
        &["target of the log"],
        "[log.target]; file = '/var/log/weir.log'; KEY",
    ),
    (&["api"], "[api]; KEY"),
    (
        &["json", "every channel"],
        "[[channel]]; name = 'own'; type = 'json'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "json"],
        "[[channel]]; name = 'own'; type = 'json'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "teltonika"],
        "[[channel]]; name = 'own'; type = 'teltonika'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "ruptela"],
        "[[channel]]; name = 'own'; type = 'ruptela'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "galileosky"],
        "[[channel]]; name = 'own'; type = 'galileosky'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["element of io"],
        "[[channel]]; name = 'own'; type = 'teltonika'; listen = '127.0.0.1:7001'; \
         [channel.io.72]; name = 'n'; KEY",
    ),
    (
        &["every channel", "gt06"],
        "[[channel]]; name = 'own'; type = 'gt06'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "jt808"],
        "[[channel]]; name = 'own'; type = 'jt808'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "http channel"],
        "[[channel]]; name = 'own'; type = 'http'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "mqtt channel"],
        "[[channel]]; name = 'own'; type = 'mqtt'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "mqtt channel"],
        "[[channel]]; name = 'own'; type = 'mqtt'; connect = 'mqtt://h'; topic = 't'; KEY",
    ),
    (
        &["every channel", "wialon-ips"],
        "[[channel]]; name = 'own'; type = 'wialon-ips'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel"],
        "[[channel]]; name = 'own'; type = 'wialon-retranslator'; \
         listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "osmand channel"],
        "[[channel]]; name = 'own'; type = 'osmand'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "queclink"],
        "[[channel]]; name = 'own'; type = 'queclink'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "owntracks"],
        "[[channel]]; name = 'own'; type = 'owntracks'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "nmea channel"],
        "[[channel]]; name = 'own'; type = 'nmea'; listen = '127.0.0.1:7001'; KEY",
    ),
    (
        &["every channel", "gpsd"],
        "[[channel]]; name = 'own'; type = 'gpsd'; connect = 'h:2947'; ident = 'i'; KEY",
    ),
    (
        &["every channel", "can"],
        "[[channel]]; name = 'own'; type = 'can'; connect = 'candump:/l'; ident = 'i'; \
         standard = ['j1939']; KEY",
    ),
    (
        &["signal of can"],
        "[[channel]]; name = 'own'; type = 'can'; connect = 'can:can0'; ident = 'i'; \
         [[channel.signals]]; name = 'n'; id = '0x1'; start = 0; length = 8; KEY",
    ),
    (
        &["every channel", "self"],
        "[[channel]]; name = 'own'; type = 'self'; ident = 'i'; KEY",
    ),
    (
        &["tls of a channel that listens"],
        "[[channel]]; name = 'own'; type = 'json'; listen = '127.0.0.1:7001'; \
         [channel.tls]; certificate = '/c'; key = '/k'; KEY",
    ),
    (
        &["tls"],
        "[[channel]]; name = 'own'; type = 'gpsd'; connect = 'h:2947'; ident = 'i'; \
         [channel.tls]; KEY",
    ),
    (&["device"], "[[device]]; name = 'd'; ident = '1'; KEY"),
    (
        &["group"],
        "[[device]]; name = 'd'; ident = '1'; [[group]]; name = 'g'; devices = ['d']; KEY",
    ),
    (
        &["mqtt stream", "every stream"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'mqtt'; url = 'mqtts://b'; \
         topic = 't'; KEY",
    ),
    (
        &["every stream", "mqtt stream"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'mqtt'; url = 'mqtts://b'; \
         topic = 't'; KEY",
    ),
    (
        &["every stream", "http stream"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'http'; url = 'https://b/'; \
         KEY",
    ),
    (
        &["every stream", "wialon-retranslator stream"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'wialon-retranslator'; \
         address = 'h:1'; KEY",
    ),
    (
        &["every stream", "wialon-ips stream"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'wialon-ips'; address = 'h:1'; KEY",
    ),
    (
        &["every stream", "file"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'file'; path = '/f'; \
         max_size = '1 MiB'; KEY",
    ),
    (
        &["every stream", "flespi"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'flespi'; url = 'https://b/'; KEY",
    ),
    (
        &["every stream", "thingsboard"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'thingsboard'; token = 't'; \
         url = 'mqtts://b'; KEY",
    ),
    (
        &["every stream", "aws-iot"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'aws-iot'; thing = 't'; \
         endpoint = 'h'; tls = { certificate = '/c', key = '/k' }; KEY",
    ),
    (
        &["every stream", "influxdb"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'influxdb'; url = 'https://b'; \
         database = 'd'; KEY",
    ),
    (
        &["every stream", "google-pubsub"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'google-pubsub'; \
         topic = 'projects/p/topics/abc'; credentials = '/etc/weir/google.json'; KEY",
    ),
    (
        &["every stream", "azure-event-hubs"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'azure-event-hubs'; \
         namespace = 'n'; hub = 'h'; policy = 'p'; key = 'k'; KEY",
    ),
    (
        &["every stream", "azure-iot-hub"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'azure-iot-hub'; \
         host = 'h'; device = 'd'; key = 'azE='; KEY",
    ),
    (
        &["every stream", "e-toll"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'e-toll'; url = 'https://b'; \
         fields = { a = '{ident}' }; tls = { certificate = '/c', key = '/k' }; KEY",
    ),
    (
        &["every stream", "gpsgate"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'gpsgate'; address = 'h:1'; KEY",
    ),
    (
        &["every stream", "osmand stream"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'osmand'; url = 'https://b'; KEY",
    ),
    (
        &["every stream", "amqp"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'amqp'; url = 'amqps://u:p@b'; \
         KEY",
    ),
    (&["will"], "[stream.will]; topic = 't'; payload = 'p'; KEY"),
    (
        &["auth"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'http'; url = 'https://b/'; \
         [stream.auth]; user = 'u'; password = 'p'; KEY",
    ),
    (&["convert"], "[stream.convert]; KEY"),
    (&["retry"], "[stream.retry]; KEY"),
    (&["rejects"], "[stream.rejects]; file = '/r'; KEY"),
    (&["stamp"], "[stream.stamp]; name = 's'; KEY"),
    (
        &["tls"],
        "[[stream]]; name = 'own'; channels = ['in']; type = 'mqtt'; url = 'mqtts://b'; \
         topic = 't'; [stream.tls]; KEY",
    ),
];
