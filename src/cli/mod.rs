//! The command line: arguments to one of the commands, and the exit code that says how it went.

/// Prints a line; who has stopped reading (`weir status | head -1`) has had enough of it.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        drop(writeln!(std::io::stdout(), $($text)*));
    }};
}

mod added;
mod arguments;
mod check;
mod client;
mod color;
mod date;
#[cfg(feature = "demo")]
mod demo;
mod devices;
mod figures_text;
mod help;
mod log_level;
mod logs;
mod manual;
mod named;
#[cfg(not(feature = "demo"))]
mod no_demo;
mod notify;
mod reload;
mod ring;
mod run;
mod send;
mod sentence;
mod status;
mod stream;
mod table;
mod tail;

use crate::config;
use crate::config::Loaded;
use arguments::Arguments;
use arguments::Command;
use client::Target;
use date::date;
#[cfg(not(feature = "demo"))]
use no_demo as demo;
use std::ffi::OsString;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

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
    let (config, api) = (arguments.config, arguments.api);
    let target = |config| Target { config, api };
    match arguments.command {
        Command::Help(topic) => help::print(topic.as_deref()),
        Command::Version => {
            say!("weir {}", env!("CARGO_PKG_VERSION"));
            Exit::Done
        }
        Command::Run => run::run(config),
        Command::Check { probe, shown, user } => {
            check::check(config, probe, shown, user.as_deref())
        }
        Command::StreamTest { name } => check::test(config, &name),
        Command::Demo { length } => demo::run(length.as_deref()),
        Command::Status { form, times } => status::status(target(config), form, times),
        Command::Logs(asked) => logs::logs(target(config), &asked),
        Command::Devices { ident, form } => {
            devices::devices(target(config), ident.as_deref(), form)
        }
        Command::LogLevel { level } => log_level::set(target(config), &level),
        Command::Tail(subject) => tail::tail(target(config), &subject),
        Command::Stream(action) => stream::act(target(config), &action),
        Command::Reload => reload::reload(target(config)),
        Command::Send { channel } => send::send(target(config), &channel),
        Command::Completions { shell } => manual::completions(shell),
        Command::Manual => manual::page(),
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

/// Where a socket that listens everywhere is reached.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

/// Waits: a command has nothing else to do.
#[expect(
    clippy::disallowed_methods,
    reason = "a command has nothing else to do"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
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
    /// 2: the daemon does so badly that somebody should look at once.
    Critical,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::Usage | Exit::Critical => Self::from(2),
        }
    }
}
