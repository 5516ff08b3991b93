//! The page in a browser: Chromium from Debian, led by Playwright, judged by axe. These come from
//! npm into `target/page` by `tests/run page`, which asks for these tests; anybody else is told
//! that they are ignored. The pictures that they make stay there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use weir::Weir;
use weir::free_port;

/// Where `tests/run` puts what it installs.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/page")
}

/// A browser and its walk over the page.
struct Walk(Child);

impl Drop for Walk {
    fn drop(&mut self) {
        // the browser ends with who leads it
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a daemon and walks over its page; `more` is of its configuration.
fn walk(name: &str, api: &str, more: &str) {
    let (page, channel, destination) = (free_port(), free_port(), free_port());
    let config = format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"256 KiB\"\n\
         [api]\nlisten = \"127.0.0.1:{page}\"\n{api}\
         [[channel]]\nname = \"trackers\"\ntype = \"json\"\n\
         listen = \"127.0.0.1:{channel}\"\n{more}"
    );
    let weir = Weir::start(&format!("page-{name}"), &config);
    let pictures = installed().join("pictures");
    fs::create_dir_all(&pictures).unwrap();
    let told = serde_json::json!({
        "page": format!("http://127.0.0.1:{page}"),
        "channel": channel,
        "destination": destination,
        "token": "open-sesame",
        "folder": weir.folder.join(""),
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/page/{name}.js"));
    let mut command = Command::new("node");
    command.arg(script).env("WEIR_TEST", told.to_string());
    command.env("NODE_PATH", installed().join("node_modules"));
    command.env("WEIR_PICTURES", pictures);
    let mut walk = Walk(command.spawn().unwrap());
    assert!(walk.0.wait().unwrap().success(), "{name}: see above");
}

#[test]
#[ignore = "needs Chromium and npm, see tests/run"]
fn a_stream_is_made_by_its_form_and_its_backlog_is_seen_to_come_and_go() {
    walk("stream", "", "");
    for name in ["form", "light", "dark", "phone"] {
        let picture = installed().join(format!("pictures/{name}.png"));
        assert!(picture.metadata().unwrap().len() > 10_000, "{name}");
    }
}

/// A stream that nobody reaches, to have something to lead.
const FAR: &str = "[[stream]]\nname = \"far\"\ntype = \"http\"\nurl = \"http://127.0.0.1:9/\"\n\
                   channels = [\"*\"]\n";

#[test]
#[ignore = "needs Chromium and npm, see tests/run"]
fn all_can_be_done_by_the_keyboard_alone() {
    walk("keyboard", "", FAR);
}

#[test]
#[ignore = "needs Chromium and npm, see tests/run"]
fn a_token_is_asked_for_and_nothing_is_shown_without_it() {
    walk("token", "token = \"open-sesame\"\n", FAR);
}
