//! `weir ring`.
