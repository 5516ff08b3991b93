//! The rules that streams keep, by name, so that tests can break each of them and see that the
//! simulation notices. Outside of tests every rule is kept, at no cost.

#[cfg(test)]
use std::cell::Cell;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The cursor moves over a closed prefix only.
    CloseThePrefix,
    /// What was in flight when a connection was lost is sent again.
    SendLostAgain,
    /// The pause grows with each failure.
    GrowPauses,
    /// The pause is short again after success.
    ResetPauses,
    /// Nothing is sent before the destination wants to be asked again.
    HonourRetryAfter,
    /// What is the configuration's fault costs no message.
    KeepWhenMisconfigured,
    /// Of a batch that was refused both halves are tried.
    TryBothHalves,
    /// A message that is refused alone is skipped.
    SkipRefused,
    /// After eight skipped in a row nothing more is skipped.
    StopSkipping,
    /// One that is refused while the destination is at fault lets others be tried.
    TryOthers,
    /// A message expires when its time is over, not before.
    ExpireInTime,
    /// No more is in memory than the limits allow.
    BoundMemory,
    /// No more is without acknowledgement than the window allows.
    BoundWindow,
    /// A flight is accepted when all of it is acknowledged.
    CountAnswers,
    /// A connection without an answer is given up.
    MissAnswers,
    /// There is more to read when all that was read was passed over.
    ReadOnAfterSkipping,
    /// A stream that is woken tries at once.
    HearCalls,
    /// A stream whose cursor was moved by hand reads again.
    ReadAfterMoving,
    /// Cursors are told to the ring, and no more than once.
    SettleOnce,
}

/// Whether a rule is kept.
#[cfg(not(test))]
pub(crate) const fn kept(_: Rule) -> bool {
    true
}

/// Whether a rule is kept.
#[cfg(test)]
pub(crate) fn kept(rule: Rule) -> bool {
    BROKEN.get() != Some(rule)
}

#[cfg(test)]
thread_local! {
    /// The rule that this test breaks.
    pub(crate) static BROKEN: Cell<Option<Rule>> = const { Cell::new(None) };
}
