//! MQTT where the version is left to weir: 5 first, 3.1.1 where the broker refuses that.

use crate::mqtt::settings;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use std::time::Duration;
use weir::stream::Disconnect;
use weir::stream::Retry;
use weir::stream::mqtt::profile::Version;
use weir::stream::settings::Settings;

const HOUR: Duration = Duration::from_secs(3_600);

fn auto() -> Settings {
    settings(|mqtt| {
        mqtt.version = Version::Auto;
        mqtt.clean_session = false;
        mqtt.keep_alive = Duration::ZERO;
    })
}

/// What a broker does with logins, by the level that they name; none: it closes the connection.
type Door = fn(u8) -> Option<&'static [u8]>;

const OPEN_4: &[u8] = &[0x20, 2, 0, 0];
const OPEN_5: &[u8] = &[0x20, 3, 0, 0, 0];

const FIVE: Door = |level| Some(if level == 5 { OPEN_5 } else { OPEN_4 });
const CLOSES_AT_FIVE: Door = |level| (level == 4).then_some(OPEN_4);
const CLOSES: Door = |_| None;

/// One login: the level that it names, and how it went.
fn log_in<'a>(
    world: &mut World,
    settings: &'a Settings,
    door: Door,
) -> (u8, Result<Talk<'a>, Disconnect>) {
    let mut talk = Talk::new(world, settings);
    let login = talk.sent(world).unwrap();
    let level = login
        .windows(5)
        .find(|part| part.starts_with(b"MQTT"))
        .unwrap();
    let level = level[4];
    let went = match door(level) {
        None => Err(talk.closes(world)),
        Some(answer) => talk.hears(world, answer).map(|_| talk),
    };
    (level, went)
}

/// Logs in again and again until it is let in; the levels, and how long that took.
fn levels<'a>(
    world: &mut World,
    settings: &'a Settings,
    door: Door,
) -> (Vec<u8>, Duration, Talk<'a>) {
    let (mut levels, began) = (Vec::new(), world.now.mono);
    loop {
        let (level, went) = log_in(world, settings, door);
        levels.push(level);
        match went {
            Ok(talk) => {
                assert!(talk.is_ready());
                return (levels, world.now.mono - began, talk);
            }
            Err(disconnect) => lose(world, &disconnect),
        }
    }
}

fn ends(world: &mut World, talk: Talk<'_>) {
    let disconnect = talk.ends(world);
    lose(world, &disconnect);
}

#[test]
fn a_broker_that_speaks_5_is_spoken_to_in_5() {
    let (mut world, settings) = (World::new(), auto());
    for _ in 0..3 {
        let (levels, _, talk) = levels(&mut world, &settings, FIVE);
        assert_eq!(levels, [5]);
        ends(&mut world, talk);
    }
}

#[test]
fn a_broker_that_refuses_5_is_spoken_to_in_3_1_1_at_once_and_from_then_on() {
    let doors: [Door; 4] = [
        CLOSES_AT_FIVE,
        |level| {
            Some(if level == 5 {
                &[0x20, 3, 0, 0x84, 0]
            } else {
                OPEN_4
            })
        },
        |level| Some(if level == 5 { &[0x20, 2, 0, 1] } else { OPEN_4 }),
        // it did not look at the level
        |_| Some(OPEN_4),
    ];
    for door in doors {
        let (mut world, settings) = (World::new(), auto());
        let (first, took, talk) = levels(&mut world, &settings, door);
        assert_eq!((first, took), (vec![5, 4], Duration::ZERO));
        ends(&mut world, talk);
        let (again, ..) = levels(&mut world, &settings, door);
        assert_eq!(again, [4]);
    }
}

#[test]
fn what_has_no_acknowledgement_is_sent_again_when_the_version_changes() {
    let (mut world, settings) = (World::new(), auto());
    world.append_many(3);
    let doors: [Door; 4] = [
        FIVE,
        |level| {
            Some(if level == 5 {
                &[0x20, 3, 0, 0x84, 0]
            } else {
                OPEN_4
            })
        },
        |level| (level == 5).then_some(OPEN_5),
        FIVE,
    ];
    for (door, expected) in doors.into_iter().zip([5, 4, 5, 5]) {
        let (levels, _, mut talk) = levels(&mut world, &settings, door);
        assert_eq!(levels.last(), Some(&expected));
        let sent = talk.sent(&mut world).unwrap();
        let count = sent.windows(4).filter(|part| part == b"\"n\":").count();
        assert_eq!(count, 3, "all of them");
        ends(&mut world, talk);
    }
    assert_eq!(world.counters().backlog, 3);
}

#[test]
fn a_broker_that_was_only_restarting_is_spoken_to_in_5_again() {
    let (mut world, settings) = (World::new(), auto());
    let (first, _, mut talk) = levels(&mut world, &settings, CLOSES_AT_FIVE);
    assert_eq!(first, [5, 4]);
    let began = world.now.mono;
    assert_eq!(talk.wakes(&mut world).unwrap(), b"", "an hour is over");
    assert_eq!(world.now.mono - began, HOUR);
    assert_eq!(talk.write(&mut world).unwrap(), [0xe0, 0], "in good order");
    let disconnect = talk.sent(&mut world).unwrap_err();
    assert_eq!(disconnect.retry, Retry::Renewed);
    lose(&mut world, &disconnect);
    let (again, took, _) = levels(&mut world, &settings, FIVE);
    assert_eq!((again, took), (vec![5], Duration::ZERO));
}

#[test]
fn a_broker_that_knows_no_5_is_asked_for_it_ever_more_rarely() {
    let (mut world, settings) = (World::new(), auto());
    for hours in [1, 2, 4, 8, 16, 24, 24] {
        let (tried, took, mut talk) = levels(&mut world, &settings, CLOSES_AT_FIVE);
        assert_eq!((tried, took), (vec![5, 4], Duration::ZERO));
        let began = world.now.mono;
        talk.wakes(&mut world).unwrap();
        assert_eq!(world.now.mono - began, hours * HOUR);
        talk.write(&mut world).unwrap();
        let disconnect = talk.sent(&mut world).unwrap_err();
        lose(&mut world, &disconnect);
    }
}

#[test]
fn a_broker_that_closes_whatever_is_said_is_tried_as_rarely_as_any_other() {
    let (mut world, settings) = (World::new(), auto());
    let (mut tried, mut pauses) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let (level, went) = log_in(&mut world, &settings, CLOSES);
        tried.push(level);
        let (disconnect, before) = (went.err().unwrap(), world.now.mono);
        lose(&mut world, &disconnect);
        pauses.push(world.now.mono > before);
    }
    assert_eq!(tried[..6], [5, 4, 5, 4, 5, 4]);
    let at_once = pauses.iter().filter(|pause| !**pause).count();
    assert!(at_once <= 2, "{pauses:?}");
    // and then it opens
    let (last, ..) = levels(&mut world, &settings, FIVE);
    assert_eq!(last, [5]);
}

#[test]
fn a_broker_that_has_spoken_5_and_closes_a_few_logins_is_spoken_to_in_5() {
    let (mut world, settings) = (World::new(), auto());
    let (_, _, talk) = levels(&mut world, &settings, FIVE);
    ends(&mut world, talk);
    for _ in 0..4 {
        let (level, went) = log_in(&mut world, &settings, CLOSES);
        assert_eq!(level, 5);
        lose(&mut world, &went.err().unwrap());
    }
    let (last, ..) = levels(&mut world, &settings, FIVE);
    assert_eq!(last, [5]);
}

#[test]
fn a_wrong_password_is_no_reason_to_speak_another_version() {
    let (mut world, settings) = (World::new(), auto());
    for _ in 0..5 {
        let door: Door = |_| Some(&[0x20, 3, 0, 0x87, 0]);
        let (level, went) = log_in(&mut world, &settings, door);
        let disconnect = went.err().unwrap();
        assert_eq!((level, disconnect.error.code), (5, 5));
        lose(&mut world, &disconnect);
    }
    let wrong: Door = |level| (level == 4).then_some(&[0x20, 2, 0, 4]);
    let (mut world, mut tried) = (World::new(), Vec::new());
    for _ in 0..5 {
        let (level, went) = log_in(&mut world, &settings, wrong);
        tried.push(level);
        lose(&mut world, &went.err().unwrap());
    }
    assert_eq!(tried, [5, 4, 4, 4, 4]);
}
