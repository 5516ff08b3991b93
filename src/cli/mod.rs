//! The command line: arguments to one of the commands, and the exit code that says how it went.

mod arguments;
mod check;
mod demo;
mod help;
mod ring;
mod run;
mod send;

use crate::config::{self, Loaded};
use arguments::{Arguments, Command};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Does what the arguments say, the program's own name not among them.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Arguments::parse(arguments) {
        Ok(arguments) => execute(arguments).into(),
        Err(error) => {
            eprintln!("error: {error}\nhint: `weir --help` lists the commands");
            Exit::Usage.into()
        }
    }
}

fn execute(arguments: Arguments) -> Exit {
    let config = arguments.config;
    match arguments.command {
        Command::Help(topic) => help::print(topic.as_deref()),
        Command::Version => {
            println!("weir {}", env!("CARGO_PKG_VERSION"));
            Exit::Done
        }
        Command::Run => run::run(config),
        Command::Check => check::check(config),
        Command::Demo { length } => demo::run(length.as_deref()),
        Command::Send { channel } => send::send(config, &channel),
        Command::RingInfo { file } => ring::info(&file),
        Command::RingDump { file } => ring::dump(&file),
        Command::RingVerify { file } => ring::verify(&file),
        Command::RingRepair { file, fresh } => ring::repair(&file, &fresh),
    }
}

/// The configuration in `file`, or in the default one.
fn load(file: Option<PathBuf>) -> Loaded {
    let main = file.unwrap_or_else(|| config::DEFAULT_FILE.into());
    config::load(&main, &config::Machine)
}

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// 0
    Done,
    /// 1
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::Usage => Self::from(2),
        }
    }
}
