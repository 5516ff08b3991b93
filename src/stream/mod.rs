//! Streams: outputs. Each reads the ring in order, sends batches to one destination, and moves
//! its cursor when the destination acknowledges.

pub mod settings;
