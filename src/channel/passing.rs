//! What passes, as a session sees it that tells it to subscribers. It keeps nothing itself: each
//! session has the number of the last thing that it saw, and a slow one misses what is not kept any
//! more.

/// What a session looks at of what passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Whether it sees messages.
    pub messages: bool,
    /// Whether it sees states, see [`Passing::states`].
    pub states: bool,
}

/// What passes, for one session: messages, and states that are reported when they change. Whoever
/// drops it looks no more.
pub trait Passing: std::fmt::Debug {
    /// What is looked at from now on; the rest costs nothing. What was looked at before.
    fn want(&self, looked: Looked) -> Looked;

    /// The number of the last message.
    fn last(&self) -> u64;

    /// Shows messages after this number, by ident and JSON object, oldest first, until one is not
    /// taken; moves the number on. How many of them are not kept any more.
    fn messages(&self, after: &mut u64, take: &mut dyn FnMut(&str, &str) -> bool) -> u64;

    /// The number of the last change of a state; none until all of them are known.
    fn last_change(&self) -> Option<u64>;

    /// Shows each state that has changed after this number: that of its last change, its path, and
    /// the JSON object as it is now, in the order of their changes, until one is not taken; moves
    /// the number on. A state that is there no more has an empty object.
    fn states(&self, after: &mut u64, take: &mut dyn FnMut(u64, &str, &str) -> bool);
}
