//! How the addresses of a channel stand. Opens none: that is [`super::listening`].

use std::cell::RefCell;

/// How the addresses of a channel stand, in the order of the configuration.
#[derive(Debug, Default)]
pub(super) struct ListenState(RefCell<Vec<AddressState>>);

/// How one address stands.
#[derive(Clone, Debug)]
pub(super) enum AddressState {
    Bound,
    Not(Box<str>),
}

impl ListenState {
    /// Why an address is not bound, each such with the address before it.
    pub(super) fn error(&self) -> Option<String> {
        let states = self.0.borrow();
        let errors: Vec<&str> = states
            .iter()
            .filter_map(|state| match state {
                AddressState::Bound => None,
                AddressState::Not(why) => Some(&**why),
            })
            .collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    pub(super) fn set(&self, index: usize, state: AddressState) {
        let mut states = self.0.borrow_mut();
        if states.len() <= index {
            states.resize(index + 1, AddressState::Bound);
        }
        if let Some(known) = states.get_mut(index) {
            *known = state;
        }
    }
}
