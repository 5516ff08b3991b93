//! The simulation: rings live on a disk that fails in every way, and an oracle that knows what
//! was promised watches them. For every rule of the design there is a test that breaks it and
//! wants the oracle to notice.
//!
//! `WEIR_SEEDS=100000 cargo test --release ring::sim` lives so many lives of each mode;
//! `WEIR_SEED=7 WEIR_MODE=3` lives one again.

mod crash;
mod disk;
mod oracle;
mod random;
// A broken rule may also be noticed by an assertion, which has to be caught.
#[cfg(panic = "unwind")]
mod rules;
mod world;

use world::Faults;
use world::Tally;
use world::live;

#[test]
fn nothing_that_was_safe_is_lost() {
    let seeds = number("WEIR_SEEDS").unwrap_or(SEEDS);
    let one = number("WEIR_SEED");
    let mut sum = Tally::default();
    for mode in number("WEIR_MODE").map_or(0..8, |mode| mode..mode + 1) {
        for seed in one.map_or(0..seeds, |seed| seed..seed + 1) {
            let tally = life(seed, mode).unwrap_or_else(|violation| {
                panic!("{violation}\nagain: WEIR_SEED={seed} WEIR_MODE={mode} cargo test ring::sim")
            });
            sum = add(sum, tally);
        }
    }
    println!("{sum:?}");
}

/// Lives the life of a seed, with the faults of a mode.
fn life(seed: u64, mode: u64) -> Result<Tally, oracle::Violation> {
    live(seed * 8 + mode, Faults::of(mode))
}

fn add(one: Tally, other: Tally) -> Tally {
    Tally {
        crashes: one.crashes + other.crashes,
        appended: one.appended + other.appended,
        failures: one.failures + other.failures,
        held: one.held + other.held,
        inferred: one.inferred + other.inferred,
        rots: one.rots + other.rots,
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Lives of each mode in an ordinary test run.
const SEEDS: u64 = 20;
