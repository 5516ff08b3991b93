//! Streams against scripted destinations: the engine alone, then each link with the bytes of a
//! far end, in virtual time over a ring in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests"
)]

mod allocations;
mod amqp;
mod amqp_broker;
mod amqp_login;
mod amqp_refusals;
mod aws_iot;
mod azure_event_hubs;
mod azure_iot_hub;
mod batches;
mod chance;
mod engine;
mod file;
mod file_days;
mod google_pubsub;
mod http;
mod http_answer;
mod http_body;
mod http_profile;
mod keys;
#[path = "../support/moment.rs"]
mod moment;
mod mqtt;
mod mqtt_auto;
mod mqtt_both;
mod mqtt_profile;
mod mqtt_v5;
#[allow(
    dead_code,
    clippy::cast_precision_loss,
    reason = "not all of it is needed here"
)]
#[path = "../support/random.rs"]
mod random;
mod refusals;
mod selection;
mod talk;
mod template;
mod thingsboard;
mod too_long;
mod transform;
mod wialon;
mod wialon_ips;
mod world;
