//! What opening finds damaged in the active segment, and by what.

/// Bytes of the active segment that are no sound record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) from: u32,
    pub(super) to: u32,
    /// The number of the next sound record, or of the damaged one.
    pub(super) before: u64,
    /// The streams that wanted it, if only its body is damaged.
    pub(super) mask: u32,
    pub(super) kind: Damage,
}

/// What made a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// A power cut in the middle of the last commit: nothing in it was acknowledged.
    Torn,
    /// The medium.
    Rot,
}
