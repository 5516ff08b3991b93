//! The rules that keep the ring whole, by name, so that tests can break each of them and see that
//! the simulation notices. Outside of tests every rule is kept, at no cost.

#[cfg(test)]
use std::cell::Cell;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// After a failed sync the records go to the next segment; nothing is synced again.
    NeverSyncAgain,
    /// Opening keeps what validates behind a hole.
    KeepBehindHoles,
    /// Opening goes on behind the numbers that were reserved.
    SkipReserved,
    /// A slot says nothing of a cursor beyond what was durable before it.
    ClampCursors,
    /// Of records that stand in two segments the later ones count.
    DropOverlaps,
    /// Segments whose headers were lost are found by their records.
    InferHeaders,
    /// With a slot lost numbers go on behind what that slot may have reserved.
    JumpOverLostSlot,
    /// With a slot lost both are written before anything else.
    RewriteBothSlots,
    /// Slots are written in turn.
    AlternateSlots,
    /// Opening writes the last commit once more.
    WriteAgain,
    /// Torn holes are covered by pads.
    CoverTornHoles,
    /// Only what was synced is safe.
    SafeWhenSynced,
    /// The mask on disk leaves out the streams that had settled the record.
    FixMasks,
    /// The header of a segment leaves out what was written without success before it.
    CountDurable,
    /// Cursors are on disk before what they have passed is given up.
    SaveBeforeGivingUp,
    /// What a stream has in flight, and only that, is read again after a crash or an epoch.
    CountHolesOnce,
    /// What waits is written before a stream is attached that reads from the oldest record on.
    WriteForOlder,
    /// What cannot be read is neither damaged nor absent.
    FailedReadIsNoHole,
    /// Check sums begin with the generation of the segment.
    SeedByGeneration,
}

/// Whether a rule is kept.
#[cfg(not(test))]
pub(super) const fn kept(_: Rule) -> bool {
    true
}

/// Whether a rule is kept.
#[cfg(test)]
pub(super) fn kept(rule: Rule) -> bool {
    BROKEN.get() != Some(rule)
}

#[cfg(test)]
thread_local! {
    /// The rule that this test breaks.
    pub(super) static BROKEN: Cell<Option<Rule>> = const { Cell::new(None) };
}
