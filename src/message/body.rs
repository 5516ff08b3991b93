//! The form that the ring keeps.
