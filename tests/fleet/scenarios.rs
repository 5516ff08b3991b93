//! What happens to a fleet: an hour without its destination, and a moment in which all connections
//! are lost. Each claim of docs/fleet.md is asserted here, with a smaller fleet at each test run.

use crate::destination::Capacity;
use crate::destination::Turn;
use crate::gateway::Messages;
use crate::gateway::Modelled;
use crate::gateway::Sending;
use crate::retry::Retry;
use crate::sample::Real;
use crate::world::Outage;
use crate::world::Seen;
use crate::world::World;
use std::time::Duration;

#[test]
fn after_an_hour_a_fleet_comes_back_spread_out() {
    let [fixed, _, doubling, weir] = RETRIES.map(|retry| hour(SMALL, retry, Turn::Fair));
    let share = share_of_fleet(&weir);
    assert!(share < 1.5, "{share} %");
    assert_eq!(weir.wasted, 0);
    assert!(weir.all_back.unwrap() < Duration::from_secs(310));
    assert!(weir.caught_up.unwrap() < Duration::from_secs(950));
    assert_eq!((weir.given_up, weir.twice), (0, 0));
    // what it spares a destination
    assert!(share_of_fleet(&fixed) > 99.0);
    assert!(doubling.all_back.unwrap() > Duration::from_hours(1));
}

#[test]
fn who_lose_their_connections_at_once_do_not_come_back_at_once() {
    let alike = moment(SMALL, &Retry::first_alike());
    let weir = moment(SMALL, &Retry::weir());
    assert!(share_of_fleet(&alike) > 99.0);
    assert!(share_of_fleet(&weir) < 45.0);
    assert!(weir.wasted * 10 < alike.wasted * 7);
    assert!(weir.all_back.unwrap() < Duration::from_secs(350));
}

#[test]
fn a_rate_keeps_a_fleet_below_what_its_destination_takes() {
    let rated = first_come(SMALL, RATED);
    let takes = capacity(SMALL).messages;
    assert!(
        rated.peak_sent() <= takes + takes / 10,
        "{}",
        rated.peak_sent()
    );
    assert!(rated.peak_waiting() < u64::from(takes) / 10);
    assert_eq!((rated.given_up, rated.twice), (0, 0));
    assert!(rated.caught_up.unwrap() < Duration::from_secs(1_400));
    // without one, all that waits is in the hands of a destination that reads whatever comes
    let all = first_come(SMALL, WEIR);
    assert!(all.peak_waiting() > 20 * u64::from(takes) && all.twice > 0);
}

#[test]
fn the_model_does_as_the_engine_does() {
    for (sending, turn) in [
        (WEIR, Turn::Fair),
        (RATED, Turn::FirstCome),
        (WEIR, Turn::FirstCome),
    ] {
        let outage = Outage {
            capacity: Capacity {
                connections: 1,
                waiting: 4,
                messages: 20,
            },
            watched: Duration::from_secs(1_500),
            ..outage(SAMPLE, HOUR, turn)
        };
        let model = modelled(SAMPLE, &Retry::weir(), sending, outage);
        let all = (0..SAMPLE).map(|at| Real::new(sending, messages(at, SAMPLE)));
        let real = World::new(all.collect(), outage).live();
        assert_eq!(model.attempts, real.attempts);
        assert_eq!(model.sent, real.sent);
        assert_eq!(model.waiting, real.waiting);
        assert_eq!(model.caught_up, real.caught_up);
    }
}

/// The destination is away for an hour. Who knows no window sends all that waits at once.
pub(crate) fn hour(count: usize, retry: fn() -> Retry, turn: Turn) -> Seen {
    let retry = retry();
    let sending = match retry {
        Retry::Weir(_) => WEIR,
        _ => ALL_AT_ONCE,
    };
    let mut outage = outage(count, HOUR, turn);
    if turn == Turn::FirstCome {
        // that one never catches up: it does not get better
        outage.watched = HOUR / 2;
    }
    modelled(count, &retry, sending, outage)
}

/// All connections are lost, and the destination would take them again at once.
pub(crate) fn moment(count: usize, retry: &Retry) -> Seen {
    modelled(
        count,
        retry,
        WEIR,
        outage(count, Duration::ZERO, Turn::Fair),
    )
}

/// An hour, and a destination that reads all that comes.
pub(crate) fn first_come(count: usize, sending: Sending) -> Seen {
    let outage = outage(count, HOUR, Turn::FirstCome);
    modelled(count, &Retry::weir(), sending, outage)
}

fn modelled(count: usize, retry: &Retry, sending: Sending, outage: Outage) -> Seen {
    let one = |at| Modelled::new(retry.clone(), sending, messages(at, count));
    World::new((0..count).map(one).collect(), outage).live()
}

fn outage(count: usize, length: Duration, turn: Turn) -> Outage {
    Outage {
        length,
        capacity: capacity(count),
        turn,
        watched: 2 * HOUR,
    }
}

/// That of the whole fleet's destination, or a part of it.
fn capacity(count: usize) -> Capacity {
    let part = |of: usize| u32::try_from((of * count).div_ceil(WHOLE)).unwrap();
    Capacity {
        connections: part(2_000),
        waiting: part(4_096),
        messages: part(50_000),
    }
}

/// One each 10 seconds, each gateway at another moment.
fn messages(at: usize, count: usize) -> Messages {
    let every = Duration::from_secs(10);
    let phase = every.mul_f64(at as f64 / count as f64);
    Messages { every, phase }
}

/// The most attempts in a second, in percent of the fleet.
fn share_of_fleet(seen: &Seen) -> f64 {
    100.0 * f64::from(seen.peak()) / SMALL as f64
}

pub(crate) const RETRIES: [fn() -> Retry; 4] = [
    || Retry::Fixed(Duration::from_secs(1)),
    || Retry::Fixed(Duration::from_secs(5)),
    Retry::doubling,
    Retry::weir,
];

/// Who sends all that waits.
const ALL_AT_ONCE: Sending = Sending {
    window: u32::MAX,
    rate: None,
};

/// The defaults.
pub(crate) const WEIR: Sending = Sending {
    window: 100,
    rate: None,
};

/// What the destination takes, by the number of gateways.
pub(crate) const RATED: Sending = Sending {
    window: 100,
    rate: Some(0.5),
};

/// The fleet of the page.
pub(crate) const WHOLE: usize = 100_000;

/// One whose figures are the same to a percent or two.
const SMALL: usize = 5_000;

/// Gateways with weir's own engine.
const SAMPLE: usize = 40;

const HOUR: Duration = Duration::from_hours(1);
