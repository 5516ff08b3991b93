//! The MQTT channel without a socket: devices of both versions, and a broker that is subscribed to.
//!
//! Packets and the answers to them are written out after the specifications (OASIS, MQTT 3.1.1 of
//! 2014 and 5.0 of 2019); the numbers in the comments are those of their statements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod broken;
mod connect;
mod generated;
mod listen;
mod payload;
mod subscribers;
mod wire;

#[path = "../support/mod.rs"]
mod support;

use std::rc::Rc;
use support::channel::Connection;
use weir::channel::mqtt::Broker;
use weir::channel::mqtt::Settings;
use weir::channel::mqtt::Topic;
use wire::Login;

const V4: u8 = 4;
const V5: u8 = 5;

/// CONNACK 0, no session.
const WELCOME_V4: [u8; 4] = [0x20, 2, 0, 0];

fn settings() -> Settings {
    Settings {
        topic: Topic::new("t/{ident}/up").unwrap(),
        ..Settings::default()
    }
}

fn stranger(settings: Settings) -> Connection<Broker> {
    Connection::new(Broker::new(Rc::new(settings)))
}

/// A device that has logged in.
fn device(level: u8) -> Connection<Broker> {
    device_of(level, settings())
}

fn device_of(level: u8, settings: Settings) -> Connection<Broker> {
    let mut device = stranger(settings);
    let answer = device.send(&Login::new(level).bytes());
    assert_eq!((answer[0], answer[3]), (0x20, 0), "{answer:x?}");
    device
}

/// PUBACK of 3.1.1, and of 5 for what was taken.
fn puback(id: u8) -> Vec<u8> {
    vec![0x40, 2, 0, id]
}

/// Why a connection ended; empty while it is open.
fn reason(connection: &Connection<impl weir::channel::Session>) -> &'static str {
    connection.closed.as_ref().map_or("", |close| close.reason)
}
