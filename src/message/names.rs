//! Known names.
