//! Why the connection of a channel ended, in words.

use crate::channel::Disconnect;
use std::fmt;
use std::io;

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum SessionEnd {
    /// The far end closed it.
    Closed,
    /// The session did.
    Session(Disconnect),
    /// It said nothing for too long.
    Idle,
    /// It did not read what it was answered.
    Slow,
    /// The network did.
    Io(io::Error),
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the far end"),
            Self::Session(close) => f.write_str(close.reason),
            Self::Idle => f.write_str("idle"),
            Self::Slow => f.write_str("reads no answers"),
            Self::Io(error) => error.fmt(f),
        }
    }
}
