//! Addresses and sockets: the only place that opens one. Knows no protocol.

pub mod dns;
mod resolve;

pub use resolve::{Files, Resolver, resolve};
