//! `weir demo`: the whole job on loopback, with the balance at its end.

use super::Exit;
use crate::demo;
use crate::units::Period;
use std::time::Duration;

/// Lets the demo run for a length such as `30s`, or until a signal.
pub(super) fn run(length: Option<&str>) -> Exit {
    let length = match length.map(str::parse::<Period>).transpose() {
        Ok(Some(Period(Duration::ZERO))) => return wrong("is too short"),
        Ok(length) => length.map(|Period(length)| length),
        Err(error) => return wrong(&error.to_string()),
    };
    match demo::run(length) {
        Ok(balance) if balance.is_whole() => Exit::Done,
        Ok(_) => Exit::Failed,
        Err(error) => {
            eprintln!("error: {error}");
            Exit::Failed
        }
    }
}

fn wrong(what: &str) -> Exit {
    eprintln!("error: `--for`: {what}\nhint: write `--for 30s` or `--for 5m`");
    Exit::Usage
}
