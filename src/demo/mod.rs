//! The demo: the whole job on loopback. Vehicles drive in Berlin and speak real protocols to a
//! real daemon, which forwards to a receiver that goes away and comes back; every message is
//! counted. Not a benchmark, and nothing of it is part of the daemon.
//!
//! ```text
//!  road ─▶ vehicle ─▶ tracker ─▶ daemon ─▶ receiver ─▶ sink ─▶ balance
//!          reports    socket     channels,  socket      HTTP    what came, what not
//!                                ring,
//!                                stream
//! ```

mod balance;
mod clock;
mod drawing;
mod encode;
mod fixture;
mod outage;
mod receiver;
mod road;
mod run;
mod screen;
mod sink;
mod snapshot;
mod tracker;
mod vehicle;

pub use balance::Balance;

use crate::clock::Clock;
use crate::daemon::Daemon;
use crate::ring::OpenError;
use crate::ring::Stats;
use async_signal::Signal;
use async_signal::Signals;
use fixture::Fixture;
use run::Run;
use screen::say;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no demo.
#[derive(Debug)]
pub enum Error {
    /// No address on loopback can be listened on.
    Address(io::Error),
    /// The folder for temporary files cannot be used.
    Folder(PathBuf, io::Error),
    /// The demo's own configuration has mistakes.
    Config(String),
    /// The ring cannot be made.
    Ring(OpenError),
    /// Signals cannot be received.
    Signals(io::Error),
}

/// Lets vehicles drive for `length`, or until a signal, shows it on standard output, waits at most
/// 15 s until all is delivered, and counts.
///
/// # Errors
/// When it cannot begin.
pub fn run(length: Option<Duration>) -> Result<Balance, Error> {
    let clock = Clock::new();
    let fixture = Fixture::new()?;
    let config = fixture.config()?;
    let ring = fixture.open(&config, &clock)?;
    let signals = Signals::new([Signal::Int, Signal::Term]).map_err(Error::Signals)?;
    let daemon = Daemon::new(config, clock.clone(), ring);
    let _unread = introduce(&fixture);
    let balance = Run::new(&fixture, clock, daemon.clone(), length).run(signals);
    let _unread = conclude(&balance, daemon.ring());
    Ok(balance)
}

/// Says what there is to see, and where it is.
fn introduce(fixture: &Fixture) -> io::Result<()> {
    let Fixture {
        trackers,
        programs,
        receiver,
        ..
    } = fixture;
    let ring = fixture.ring();
    say(&format!(
        "weir demo: vehicles drive in Berlin and speak Teltonika to {trackers} and"
    ))?;
    say(&format!(
        "JSON lines to {programs}, one on its CAN bus; a daemon keeps what they say in {},",
        ring.display()
    ))?;
    say(&format!(
        "and forwards it over HTTP to {receiver}, which is away a third of the time."
    ))
}

/// Says how it came out. The balance is last.
fn conclude(balance: &Balance, ring: Stats) -> io::Result<()> {
    let Stats {
        written,
        held,
        bytes_written,
        syncs,
        ..
    } = ring;
    let kib = bytes_written / 1024;
    say(&format!(
        "\ndisk: {written} messages were written, {kib} KiB in {syncs} syncs;"
    ))?;
    say(&format!(
        "      {held} were delivered before they had to be"
    ))?;
    if balance.duplicated > 0 {
        say("duplicated: sent again by a vehicle, or by weir, that was cut off before the answer")?;
    }
    if balance.unanswered > 0 {
        say("unanswered: neither acknowledged nor refused; the demo did not wait longer")?;
    }
    say(&balance.to_string())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => write!(f, "no address on loopback: {error}"),
            Self::Folder(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Config(mistakes) => write!(f, "the configuration of the demo:\n{mistakes}"),
            Self::Ring(error) => write!(f, "the ring of the demo: {error}"),
            Self::Signals(error) => write!(f, "signals cannot be received: {error}"),
        }
    }
}

impl std::error::Error for Error {}
