//! MQTT, two ways: devices publish straight to the gateway ([`Broker`]), or what they publish to
//! a broker that is there already is subscribed to ([`Subscriber`]).
//!
//! Packets of 3.1.1 and 5 are read and written by rumqttc; what it does not check is checked in
//! `packet`. The specifications are OASIS "MQTT Version 3.1.1" and "MQTT Version 5.0". What a
//! message becomes is in `report` and `topic`.
//!
//! # Answers to a device
//! | what came | 3.1.1 | 5 |
//! |---|---|---|
//! | login, right or not asked for | CONNACK 0 | CONNACK 0 with what is allowed |
//! | login, wrong or missing | CONNACK 4 or 5, ends | CONNACK 86 or 87, ends |
//! | login with properties that cannot be | | CONNACK 81, 82 or 95, ends |
//! | login under a name that another connection has | that one ends | DISCONNECT 8E to that one |
//! | another version | CONNACK 1, ends | |
//! | message, QoS 0 | none | none |
//! | message, QoS 1 | PUBACK once it is safe | PUBACK once it is safe |
//! | of a topic that is not taken, or empty | PUBACK in its turn | PUBACK 10 in its turn |
//! | that will never be taken, QoS 1 | PUBACK in its turn | PUBACK 87, 90, 97 or 99 |
//! | wanted by no stream, QoS 1 | ends, once the ones before are answered | PUBACK 83 |
//! | while the ring is full, QoS 1 | ends | DISCONNECT 89 |
//! | QoS 2 | ends | DISCONNECT 9B |
//! | SUBSCRIBE | SUBACK 80 | SUBACK 87 |
//! | SUBSCRIBE where it is allowed | SUBACK 0 or 80 | SUBACK 0, 87, 8F, 97 or 9E |
//! | UNSUBSCRIBE | UNSUBACK | UNSUBACK 11 |
//! | PINGREQ | PINGRESP | PINGRESP |
//! | silent for 1.5 times its keep alive | ends | DISCONNECT 8D |
//! | a packet too long, damaged, out of turn | ends | DISCONNECT 95, 81, 82 |
//!
//! In 3.1.1 a message can be acknowledged or the connection closed, and nothing else (3.3.5). What
//! will never be taken is counted and acknowledged: the device would send it for ever, and nothing
//! behind it would come. What may be taken later (a full ring, a stream that is added) ends the
//! connection, so that the device keeps it.
//!
//! Sessions are not kept, so a client that was away sends again what has no acknowledgement. Wills
//! are not looked at.

mod broker;
mod ending;
mod filter;
mod keys;
mod packet;
mod properties;
mod report;
mod retained;
mod subscribe;
mod subscriber;
mod subscriptions;
mod topic;
mod v311;
mod v5;

use crate::message::json::Names;
pub use broker::Broker;
pub use keys::KIND;
pub use packet::PACKET_MAX;
use packet::Packet;
pub use retained::LastOfTopics;
use std::fmt;
use std::rc::Rc;
pub use subscriber::Subscriber;
pub use topic::InvalidTopic;
pub use topic::Topic;

/// What the configuration says of a channel of this type.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Names of the two fields that every message has.
    pub names: Names,
    /// Who sent what neither topic nor payload say.
    pub ident: Option<String>,
    /// What is taken, or subscribed to.
    pub topic: Topic,
    /// Who may log in: name and password; empty: everybody.
    pub users: Vec<(String, String)>,
    /// Whether who logs in may subscribe to what passes.
    pub subscribe: bool,
    /// How this side is called at a broker.
    pub client_id: Option<String>,
    /// What it logs in with.
    pub username: Option<String>,
    /// See `username`.
    pub password: Option<String>,
    /// What was taken from a broker, so that what it retains is taken once.
    pub last_of_topics: Rc<LastOfTopics>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Settings");
        all.field("names", &self.names);
        all.field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// 3.1.1, of 2014.
    V311,
    /// 5.0, of 2019.
    V5,
}

impl Version {
    /// What a whole packet says.
    ///
    /// # Errors
    /// Why it says nothing.
    fn read(self, packet: &[u8]) -> Result<Packet<'_>, String> {
        let said = match self {
            Self::V311 => v311::read(packet),
            Self::V5 => v5::read(packet),
        }?;
        match &said {
            Packet::Publish(publish) if publish.topic.contains('\0') => {
                Err("a topic with a NUL".into())
            }
            Packet::Subscribe(0, _) | Packet::Unsubscribe(0, _) => {
                Err("a packet without id".into())
            }
            Packet::Unsubscribe(_, 0) => Err("no filter to give up".into()),
            _ => Ok(said),
        }
    }
}

/// So many messages a client of MQTT 5 may send before the first is acknowledged.
pub const RECEIVE_MAX: u16 = 256;

/// So many acknowledgements wait on one connection; then nothing more is read from it.
const OWED_MAX: usize = 1024;

/// The ack token of every acknowledgement: they come back in order, so it is that of the oldest.
const OLDEST_OWED: u64 = 0;

const _: () = assert!(RECEIVE_MAX as usize <= OWED_MAX);
