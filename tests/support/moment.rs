//! A moment on a machine whose date can be believed.

use std::time::Duration;
use weir::clock::Now;
use weir::clock::Wall;

/// So long after the boot, on a day in 2027.
pub(crate) fn at(mono: Duration) -> Now {
    let wall = Wall {
        since_1970: Duration::from_secs(1_800_000_000) + mono,
        trusted: true,
    };
    Now {
        mono,
        wall,
        ages: true,
    }
}
