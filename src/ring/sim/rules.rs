//! Every rule, broken: the simulation has to notice.

use super::super::rules::BROKEN;
use super::super::rules::Rule;
use super::life;
use std::panic;

fn is_noticed(rule: Rule, modes: &[u64]) {
    BROKEN.set(Some(rule));
    let noticed = (0..TRIES).any(|seed| {
        let lives = |mode: &u64| panic::catch_unwind(|| life(seed, *mode));
        modes.iter().any(|mode| !matches!(lives(mode), Ok(Ok(_))))
    });
    BROKEN.set(None);
    assert!(noticed, "{rule:?} was broken and nothing happened");
}

macro_rules! rules {
    ($($name:ident: $rule:ident in $modes:expr;)*) => {$(
        #[test]
        fn $name() {
            is_noticed(Rule::$rule, &$modes);
        }
    )*};
}

rules! {
    syncing_again_after_a_failure_is_noticed: NeverSyncAgain in [1];
    cutting_at_the_first_hole_is_noticed: KeepBehindHoles in [2];
    forgetting_the_reservation_is_noticed: SkipReserved in [0];
    cursors_ahead_of_their_records_are_noticed: ClampCursors in [0, 1];
    counting_records_twice_is_noticed: DropOverlaps in [1];
    giving_up_segments_without_header_is_noticed: InferHeaders in [2];
    numbers_after_a_lost_slot_are_noticed: JumpOverLostSlot in [2, 4, 6];
    one_slot_left_lost_is_noticed: RewriteBothSlots in [2, 4, 6];
    one_slot_alone_is_noticed: AlternateSlots in [0, 4];
    reading_what_is_only_in_the_cache_is_noticed: SyncBeforeReading in [0, 1];
    torn_holes_left_open_are_noticed: CoverTornHoles in [0];
    safe_before_the_sync_is_noticed: SafeWhenSynced in [0, 1];
    masks_of_settled_streams_are_noticed: FixMasks in [0];
    counting_what_was_not_written_is_noticed: CountDurable in [1];
    giving_up_before_the_cursors_are_saved_is_noticed: SaveBeforeGivingUp in [0];
    counting_holes_twice_is_noticed: CountHolesOnce in [2];
}

/// Lives that may pass before a broken rule shows.
const TRIES: u64 = 400;
