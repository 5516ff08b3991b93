//! The form that users see.
