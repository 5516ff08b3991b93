//! Whether two types, of which one sees only traits, were read from the same keys: by that a reload
//! knows what has changed.

use std::any::Any;

/// What can be compared with anything. Every type that is `PartialEq` has it.
pub trait Same: Any {
    /// Whether `other` is of the same type and equal.
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: Any + PartialEq> Same for T {
    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}
