//! What the frames of a CAN bus mean as messages.
//!
//! What frames are is said in [`crate::wire::can`]; how a signal becomes a value, in `signal`;
//! which frames have which signals, in `signals` for those that somebody names, in `j1939` for
//! those that are built in.

pub mod j1939;
pub mod signal;
pub mod signals;
