//! Time that goes when it is told to, for all that runs on this thread.

pub(in crate::daemon) use crate::daemon::timers::due;
pub(in crate::daemon) use crate::daemon::timers::wake;

use crate::clock::SIMULATED;
use crate::clock::SYNCHRONISED;
use crate::daemon::timers;
use std::time::Duration;

/// From here on the clocks show this.
pub(in crate::daemon) fn set(mono: Duration, date: Duration, synchronised: bool) {
    if SIMULATED.replace(Some((mono, date))).is_none() {
        timers::set_woken(true);
    }
    SYNCHRONISED.set(synchronised);
}

/// The machine's own clocks hold again.
pub(in crate::daemon) fn end() {
    SIMULATED.set(None);
    timers::set_woken(false);
}
