//! What happens in a life, told while it happens: `WEIR_TRACE=17148000` tells all from that second
//! on, the daemon's own log among it.

use crate::clock::SIMULATED;
use std::cell::RefCell;
use std::fmt;
use std::sync::OnceLock;

/// Tells something of a stream.
pub(super) fn tell(t: std::time::Duration, index: usize, what: fmt::Arguments<'_>) {
    if from().is_some_and(|from| t.as_secs() >= from) {
        println!("{:.3} stream {index} {what}", t.as_secs_f64());
    }
}

/// Has the daemon's log told as well.
pub(super) fn begin() {
    if from().is_some() && log::set_logger(&Log).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

thread_local! {
    /// What the daemon of this thread has logged, where somebody listens.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Remembers from now on what is logged on this thread.
pub(super) fn listen() {
    log::set_logger(&Log).ok();
    log::set_max_level(log::max_level().max(log::LevelFilter::Info));
    HEARD.set(Some(Vec::new()));
}

/// What was logged since.
pub(super) fn heard() -> Vec<String> {
    HEARD.take().unwrap_or_default()
}

fn from() -> Option<u64> {
    static FROM: OnceLock<Option<u64>> = OnceLock::new();
    *FROM.get_or_init(|| super::number("WEIR_TRACE"))
}

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        SIMULATED.get().is_some() && super::network::t().is_some()
    }

    fn log(&self, record: &log::Record<'_>) {
        if let Some(t) = super::network::t().filter(|_| self.enabled(record.metadata())) {
            tell(t, 9, format_args!("{}", record.args()));
            HEARD.with_borrow_mut(|heard| {
                if let Some(heard) = heard
                    .as_mut()
                    .filter(|_| record.level() <= log::Level::Info)
                {
                    heard.push(record.args().to_string());
                }
            });
        }
    }

    fn flush(&self) {}
}
