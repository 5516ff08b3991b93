//! Codecs that channels and streams share: bytes in, bytes out.
//!
//! Nothing here knows a socket, a clock or a ring, and nothing panics on what a peer sends.

#![deny(clippy::arithmetic_side_effects)]

pub mod ais;
pub mod can;
pub mod charset;
pub(crate) mod checksum;
mod cursor;
mod decimals;
pub mod element;
pub mod form;
pub mod galileosky;
pub mod gt06;
pub mod http;
pub mod ips;
pub mod jt808;
pub mod nmea;
pub mod queclink;
pub mod retranslator;
pub mod ruptela;
pub(crate) mod sign;
pub mod teltonika;
pub(crate) mod values;
