//! `weir logs --level`: how much a running daemon logs.

use super::Exit;
use super::client::Client;
use super::client::Target;
use crate::api::LogReport;
use serde_json::json;

/// Sets the level until the next start, and says what holds.
pub(super) fn set(target: Target, level: &str) -> Exit {
    let level = Some(level).filter(|level| *level != CONFIGURED);
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let change = json!({ "level": level });
    match client.ask::<LogReport>("PATCH", "/log", Some(&change)) {
        Ok(reports) => {
            for report in reports {
                say!("{}", text(&report));
            }
            Exit::Done
        }
        Err(trouble) => client.explain(&trouble),
    }
}

/// A level as it came, if there is such a one; else what there is, in words.
pub(super) fn checked(level: String) -> Result<String, String> {
    if level == CONFIGURED || level.parse::<log::Level>().is_ok() {
        return Ok(level);
    }
    Err(format!(
        "`{level}` is no level: error, warn, info, debug, trace or {CONFIGURED}"
    ))
}

fn text(report: &LogReport) -> String {
    let LogReport {
        level,
        configured,
        target,
        lost,
    } = report;
    let until = match level == configured {
        true => "as configured".to_owned(),
        false => format!("until the next start, then `{configured}`"),
    };
    let lost = match lost {
        0 => String::new(),
        lost => format!("; {lost} lines were lost"),
    };
    format!("log level `{level}`, {until}; it goes to {target}{lost}")
}

/// What takes a level back.
const CONFIGURED: &str = "configured";
