//! What weir does to flash, in bytes: at the default policy, beside other ways to keep messages.
//! The normal run counts in virtual time. The table of docs/flash.md is made on a file system of
//! its own, as root, with mosquitto and mkfs.ext4 installed:
//!
//! ```text
//! cargo test --test wear -- --ignored --nocapture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod disk;
#[path = "../support/moment.rs"]
mod moment;
mod mosquitto;
mod recovery;
mod storage;
mod table;
mod traffic;
#[path = "../end_to_end/weir.rs"]
#[allow(dead_code, unused_imports, reason = "other tests need more of it")]
mod weir_run;

use std::rc::Rc;
use std::time::Duration;
use storage::Counted;
use storage::Counts;
use traffic::BODY;
use traffic::Destination;
use traffic::Traffic;
use traffic::settings;
use weir::ring::Memory;
use weir::ring::Settings;

const HOUR: u64 = 3600;

#[test]
fn reachable_under_one_percent_of_what_came_in_is_written() {
    for hours in [1, 24] {
        let counts = run(Destination::Reachable, hours * HOUR, settings(RING));
        let (came, written) = (hours * HOUR * BODY as u64, counts.synced.get());
        println!("{hours} h reachable: {came} bytes came in, {written} were written");
        assert!(written * 100 < came, "{written} of {came} bytes");
    }
}

#[test]
fn away_each_message_costs_little_more_than_one_block() {
    let counts = run(Destination::Away, HOUR, settings(RING));
    let written = counts.synced.get();
    println!("1 h away: {written} bytes in {} syncs", counts.syncs.get());
    assert_eq!(counts.syncs.get(), HOUR);
    assert!(written < HOUR * 4096 * 5 / 4, "{written} bytes");
}

#[test]
fn a_longer_delay_saves_syncs_though_hold_is_shorter() {
    let delay = Duration::from_secs(10);
    let counts = run(
        Destination::Away,
        HOUR,
        Settings {
            delay,
            ..settings(RING)
        },
    );
    // The message at which the delay ends goes along.
    assert!(
        counts.syncs.get() <= HOUR / 10,
        "{} syncs",
        counts.syncs.get()
    );
}

/// What so many seconds of traffic make the disk do; making the ring not counted.
fn run(destination: Destination, seconds: u64, settings: Settings) -> Rc<Counts> {
    let (storage, counts) = Counted::new(Memory::new(settings.size as usize));
    let mut traffic = Traffic::new(storage, settings, destination);
    counts.reset();
    traffic.run(seconds);
    counts
}

const RING: u64 = 4 << 20;
