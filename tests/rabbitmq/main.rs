//! The real daemon and RabbitMQ, by AMQP and by its MQTT plugin. `tests/run` installs RabbitMQ and
//! pika, an AMQP client that others wrote.
//!
//! A broker takes as long to start as all the rest together, so there is one, and one test that
//! tries each thing on it; what it forgets and when it stops concerns all.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/asking.rs"]
mod asking;
mod broker;
mod cases;
mod outages;
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;

use broker::Broker;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::time::Instant;

/// What is tried, in words.
type Case = (&'static str, fn(&mut Broker));

#[test]
fn every_answer_of_rabbitmq_means_what_it_says() {
    let mut broker = Broker::start();
    let all = [cases::ALL, outages::ALL].concat();
    let failed: Vec<_> = all
        .into_iter()
        .filter(|(words, case)| {
            let start = Instant::now();
            let failed = catch_unwind(AssertUnwindSafe(|| case(&mut broker))).is_err();
            println!("{:5.1} s  {words}", start.elapsed().as_secs_f32());
            failed
        })
        .map(|(words, _)| words)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
