//! Codecs that channels and streams share: bytes in, bytes out.
//!
//! Nothing here knows a socket, a clock or a ring, and nothing panics on what a peer sends.

pub mod retranslator;
