//! What happens in a life, told while it happens: `WEIR_TRACE=17148000` tells all from that second
//! on, the daemon's own log among it.

use crate::clock::SIMULATED;
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
        }
    }

    fn flush(&self) {}
}
