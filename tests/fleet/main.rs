//! A fleet whose destination comes back: how many connections and messages arrive a second, with
//! weir's own waits and beside those of others; and 200 daemons before one RabbitMQ. `tests/run
//! fleet` lives the whole fleet and draws the pictures of docs/fleet.md.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/asking.rs"]
mod asking;
mod crowd;
mod destination;
mod gateway;
#[path = "../support/moment.rs"]
mod moment;
mod pictures;
#[path = "../support/plot.rs"]
mod plot;
#[allow(dead_code, reason = "shared with the tests of RabbitMQ")]
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
#[allow(dead_code, reason = "not all of it is needed here")]
#[path = "../support/random.rs"]
mod random;
mod retry;
mod sample;
mod scenarios;
mod storm;
mod watch;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;
mod world;
