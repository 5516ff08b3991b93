//! `weir check`: all that is wrong with the configuration.

use super::Exit;
use crate::config;
use std::path::PathBuf;

/// Reads the configuration and prints what is wrong with it.
pub(super) fn check(file: Option<PathBuf>) -> Exit {
    let loaded = config::load_from(file);
    print!("{}", config::render(&loaded.diagnostics));
    let (errors, warnings) = config::count(&loaded.diagnostics);
    if errors == 0 {
        println!("ok: {}, {warnings} warnings", loaded.config.summary());
        Exit::Done
    } else {
        println!("{errors} errors, {warnings} warnings");
        Exit::Usage
    }
}
