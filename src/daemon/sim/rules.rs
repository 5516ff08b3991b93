//! Every rule, broken: the simulation has to notice.

use super::world::live;
use crate::stream::rules::BROKEN;
use crate::stream::rules::Rule;
use std::panic;

fn is_noticed(rule: Rule) {
    BROKEN.set(Some(rule));
    let noticed = (0..TRIES).find(|seed| {
        let life = panic::catch_unwind(|| live(*seed, DAYS));
        !matches!(life, Ok(Ok(_)))
    });
    BROKEN.set(None);
    let seed = noticed.unwrap_or_else(|| panic!("{rule:?} was broken and nothing happened"));
    println!("{rule:?}: {:?}", seed);
}

macro_rules! rules {
    ($($name:ident: $rule:ident;)*) => {$(
        #[test]
        fn $name() {
            is_noticed(Rule::$rule);
        }
    )*};
}

rules! {
    a_cursor_over_what_is_in_flight_is_noticed: CloseThePrefix;
    what_was_lost_and_is_not_sent_again_is_noticed: SendLostAgain;
    pauses_that_do_not_grow_are_noticed: GrowPauses;
    pauses_that_stay_long_are_noticed: ResetPauses;
    asking_before_it_is_time_is_noticed: HonourRetryAfter;
    giving_up_for_a_wrong_password_is_noticed: KeepWhenMisconfigured;
    dropping_the_other_half_is_noticed: TryBothHalves;
    a_message_that_blocks_the_rest_is_noticed: SkipRefused;
    skipping_on_and_on_is_noticed: StopSkipping;
    expiring_too_early_is_noticed: ExpireInTime;
    reading_without_bound_is_noticed: BoundMemory;
    more_packets_than_the_window_are_noticed: BoundWindow;
    accepting_with_an_answer_too_few_is_noticed: CountAnswers;
    waiting_for_an_answer_for_ever_is_noticed: MissAnswers;
    stopping_after_what_was_passed_over_is_noticed: ReadOnAfterSkipping;
    not_hearing_that_a_route_is_there_is_noticed: HearCalls;
    not_reading_again_after_a_skip_is_noticed: ReadAfterMoving;
    settling_twice_is_noticed: SettleOnce;
}

/// Lives that may pass before a broken rule shows, and how long each is.
const TRIES: u64 = 120;
const DAYS: u64 = 365;
