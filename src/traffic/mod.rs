//! Raw traffic without its secrets: bytes of a connection go in, the same bytes come out, with `*`
//! for each byte that must not be seen.
//!
//! Lengths stay, so that what is binary can still be taken apart. Three nets, each of them laid
//! over all traffic, whatever a channel or stream is meant to speak: a tracker that logs in at the
//! wrong port is the one that is looked at.
//!
//! 1. `known`: what the configuration holds of secrets, in every form in which it travels.
//! 2. `text`: where lines, headers, queries, forms and JSON have secrets, also those of a stranger.
//! 3. `packet`: where MQTT, AMQP and compressed Wialon IPS have them.
//!
//! A secret may come in pieces: what begins one and is not whole yet is not shown.

mod close;
mod known;
mod packet;
mod text;
mod veil;

pub use known::Forms;
pub use known::Secrets;
pub use veil::Veil;
