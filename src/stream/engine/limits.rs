//! What an engine may hold and for how long. Holds nothing.

use crate::stream::settings::Settings;
use std::time::Duration;

/// What an engine holds in memory at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages read and not settled.
    pub messages: usize,
    /// Their bytes in memory, what is kept beside them included, one message excepted.
    pub bytes: usize,
    /// Older than this since it was received: expired.
    pub ttl: Option<Duration>,
    /// Older than this by its own timestamp: expired.
    pub max_age: Option<Duration>,
    /// Between two messages that are sent, on the average.
    pub interval: Option<Duration>,
}

impl Limits {
    /// Those that the configuration of a stream sets.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            messages: settings.in_memory_max(),
            bytes: settings.delivery.max_bytes,
            ttl: settings.ttl,
            max_age: settings.max_age,
            interval: settings.interval,
        }
    }

    /// The same while a message is looked for that the destination takes: what small limits hold
    /// may all be of a device that is forbidden, and would stand in the way of all others.
    #[must_use]
    pub fn for_search(self) -> Self {
        Self {
            messages: self.messages.max(SEARCH_MESSAGES),
            bytes: self.bytes.max(SEARCH_BYTES),
            ..self
        }
    }
}

/// Messages read and not settled at most while one is looked for that the destination takes.
pub const SEARCH_MESSAGES: usize = 64;

/// Their bytes in memory at most, one message excepted.
pub const SEARCH_BYTES: usize = 64 * 1024;
