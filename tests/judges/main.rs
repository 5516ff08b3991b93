//! What weir signs and says, before libraries of those that it is for and programs of others. They
//! come from PyPI and npm into `target/judges` by `tests/run judges`, which asks for these tests;
//! anybody else is told that they are ignored.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod ais;
mod api;
mod azure_sas;
#[allow(dead_code, reason = "shared with the tests of TLS")]
#[path = "../tls/certificates.rs"]
mod certificates;
mod dbc;
mod event_hubs;
mod iot_hub;
mod lines;
mod pubsub;
mod told;
mod truck;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;

use ::weir as library;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use weir as weir_run;

/// Where `tests/run` puts what it installs.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges")
}

/// A Python program of this folder.
fn program(name: &str) -> Command {
    let mut command = Command::new(installed().join("python/bin/python"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges");
    command.arg(folder.join(name));
    command
}

/// What a Python program of this folder says.
fn python(name: &str, arguments: &[&str]) -> String {
    let said = program(name).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{name}: {errors}");
    String::from_utf8(said.stdout).unwrap()
}
