//! MQTT 3.1.1 and 5 alike: sessions that others used before, and brokers that close the
//! connection, or are silent, over one message.

use crate::mqtt::settings;
use crate::talk;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use allocation_counter::measure;
use weir::stream::Disconnect;
use weir::stream::mqtt::Mqtt;
use weir::stream::mqtt::profile::Version;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;
use weir::stream::settings::Settings;

const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

fn of(version: Version) -> Settings {
    settings(|mqtt| {
        mqtt.version = version;
        mqtt.clean_session = false;
    })
}

/// A login that is accepted; the broker has not kept the session.
fn accepted(version: Version) -> &'static [u8] {
    match version {
        Version::V311 => &[0x20, 2, 0, 0],
        Version::V5 | Version::Auto => &[0x20, 3, 0, 0, 0],
    }
}

fn ready<'a>(world: &mut World, settings: &'a Settings, version: Version) -> Talk<'a> {
    let mut talk = Talk::new(world, settings);
    talk.sent(world).unwrap();
    talk.hears(world, accepted(version)).unwrap();
    talk
}

/// The publishes in what was sent: identifier, number of the message, whether it is repeated.
fn publishes(version: Version, mut bytes: &[u8]) -> Vec<(u16, u64, bool)> {
    let mut all = vec![];
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(first >> 4, 3, "a publish");
        let (len, rest) = match second {
            0..0x80 => (usize::from(*second), rest),
            _ => (
                usize::from(second & 0x7f) + (usize::from(rest[0]) << 7),
                &rest[1..],
            ),
        };
        let (packet, after) = rest.split_at(len);
        bytes = after;
        let topic = usize::from(u16::from_be_bytes([packet[0], packet[1]]));
        let identifier = u16::from_be_bytes([packet[2 + topic], packet[3 + topic]]);
        let skip = 4 + topic + usize::from(version == Version::V5);
        let text = str::from_utf8(&packet[skip..]).unwrap();
        let digits = text.split_once("\"n\":").unwrap().1;
        let digits = digits.split([',', '}']).next().unwrap();
        all.push((identifier, digits.parse().unwrap(), first & 8 != 0));
    }
    all
}

fn ack(identifier: u16) -> [u8; 4] {
    let [high, low] = identifier.to_be_bytes();
    [0x40, 2, high, low]
}

#[test]
fn a_session_that_is_not_there_any_more_changes_nothing() {
    for version in VERSIONS {
        let mut world = World::new();
        world.append_many(6);
        let settings = of(version);
        let mut talk = ready(&mut world, &settings, version);
        let sent = publishes(version, &talk.sent(&mut world).unwrap());
        talk.hears(&mut world, &ack(sent[1].0)).unwrap();
        let disconnect = talk.ends(&mut world);
        lose(&mut world, &disconnect);
        for kept in [0, 1] {
            let mut talk = Talk::new(&world, &settings);
            talk.sent(&mut world).unwrap();
            let mut answer = accepted(version).to_vec();
            answer[2] = kept;
            talk.hears(&mut world, &answer).unwrap();
            let sent = publishes(version, &talk.sent(&mut world).unwrap());
            let shown: Vec<_> = sent.iter().map(|sent| (sent.1, sent.2)).collect();
            assert_eq!(shown, [0, 2, 3, 4, 5].map(|number| (number, true)));
            let disconnect = talk.ends(&mut world);
            lose(&mut world, &disconnect);
        }
    }
}

#[test]
fn what_others_subscribed_to_in_our_session_is_answered_and_passed_over() {
    for version in VERSIONS {
        let mut world = World::new();
        world.append_many(1);
        let settings = of(version);
        let mut talk = ready(&mut world, &settings, version);
        let sent = publishes(version, &talk.sent(&mut world).unwrap());
        let none: &[u8] = if version == Version::V5 { &[0] } else { &[] };
        let body = [&[0, 1, b't', 0, 9], none, b"x"].concat();
        let len = u8::try_from(body.len()).unwrap();
        let once = [&[0x32, len][..], &body].concat();
        assert_eq!(talk.hears(&mut world, &once).unwrap(), [0x40, 2, 0, 9]);
        let twice = [&[0x34, len][..], &body].concat();
        assert_eq!(talk.hears(&mut world, &twice).unwrap(), [0x50, 2, 0, 9]);
        assert_eq!(talk.hears(&mut world, &twice).unwrap(), [0x50, 2, 0, 9]);
        let release = [0x62, 2, 0, 9];
        assert_eq!(talk.hears(&mut world, &release).unwrap(), [0x70, 2, 0, 9]);
        let unknown = [0x62, 2, 0, 44];
        assert_eq!(talk.hears(&mut world, &unknown).unwrap(), [0x70, 2, 0, 44]);
        talk.hears(&mut world, &[0x32, 0x80, 0x80, 0x04]).unwrap();
        for _ in 0..16 {
            talk.hears(&mut world, &[0xe0; 4096]).unwrap();
        }
        talk.hears(&mut world, &ack(sent[0].0)).unwrap();
        assert_eq!(world.counters().accepted, 1);
    }
}

/// A broker that takes all but message `poison`, at which it closes the connection, or of which
/// it says nothing. Returns how often it was connected to until nothing was left, or `most`.
fn deliver(world: &mut World, settings: &Settings, version: Version, broker: &Broker) -> u32 {
    let mut arrived = vec![];
    for connection in 1..=broker.most {
        let mut talk = ready(world, settings, version);
        let disconnect = serve(world, &mut talk, version, broker, &mut arrived);
        assert!(arrived.is_sorted(), "{arrived:?}");
        let Some(disconnect) = disconnect else {
            return connection;
        };
        lose(world, &disconnect);
    }
    broker.most
}

struct Broker {
    poison: u64,
    closes: bool,
    most: u32,
}

fn serve(
    world: &mut World,
    talk: &mut Talk<'_>,
    version: Version,
    broker: &Broker,
    arrived: &mut Vec<u64>,
) -> Option<Disconnect> {
    loop {
        let sent = publishes(version, &talk.sent(world).unwrap());
        if sent.is_empty() {
            let waits = world.counters().backlog > 0;
            return waits.then(|| talk.wakes(world).unwrap_err());
        }
        for (identifier, number, repeated) in sent {
            if number == broker.poison {
                if broker.closes {
                    return Some(talk.closes(world));
                }
                continue;
            }
            if !repeated || !arrived.contains(&number) {
                arrived.push(number);
            }
            talk.hears(world, &ack(identifier)).unwrap();
        }
    }
}

#[test]
fn a_message_over_which_the_broker_closes_or_is_silent_is_refused_and_blocks_nothing() {
    for version in VERSIONS {
        for closes in [true, false] {
            let mut world = World::new();
            world.append_many(300);
            let settings = of(version);
            let broker = Broker {
                poison: 120,
                closes,
                most: 20,
            };
            let connections = deliver(&mut world, &settings, version, &broker);
            assert_eq!(connections, 9, "five, two after a proof, one between");
            let counters = world.counters();
            assert_eq!((counters.accepted, counters.given_up), (299, 1));
        }
    }
}

#[test]
fn the_first_message_of_a_start_over_which_the_broker_closes_stops_nothing() {
    for closes in [true, false] {
        let mut world = World::new();
        world.append_many(3);
        let settings = of(Version::V311);
        let broker = Broker {
            poison: 0,
            closes,
            most: 30,
        };
        deliver(&mut world, &settings, Version::V311, &broker);
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.accepted), (1, 2), "{closes}");
    }
}

#[test]
fn pauses_are_short_again_once_the_message_that_ended_the_connections_is_given_up() {
    let mut world = World::new();
    world.append_many(3);
    let settings = of(Version::V311);
    let broker = Broker {
        poison: 0,
        closes: true,
        most: 30,
    };
    let (mut arrived, mut pauses) = (vec![], vec![]);
    while world.counters().given_up == 0 {
        let mut talk = ready(&mut world, &settings, Version::V311);
        let disconnect = serve(&mut world, &mut talk, Version::V311, &broker, &mut arrived);
        let (epoch, retry) = (world.engine.epoch(), disconnect.unwrap().retry);
        world.engine.disconnected(epoch, retry, world.now, u32::MAX);
        world.serve();
        let until = world.engine.paused_until(world.now).unwrap();
        pauses.push((until - world.now.mono).as_secs());
        world.wait();
    }
    assert!(pauses.len() > 5 && pauses[..6] == [4, 8, 16, 32, 64, 128]);
    assert_eq!(pauses.last(), Some(&4), "{pauses:?}");
}

#[test]
fn a_message_is_refused_only_by_a_broker_that_takes_another() {
    let mut world = World::new();
    world.append_many(3);
    let settings = of(Version::V311);
    for _ in 0..60 {
        let mut talk = ready(&mut world, &settings, Version::V311);
        assert!(!talk.sent(&mut world).unwrap().is_empty());
        let disconnect = talk.closes(&mut world);
        lose(&mut world, &disconnect);
    }
    assert_eq!(world.counters().backlog, 3);
}

#[test]
fn a_message_over_which_the_broker_closes_is_tried_for_ever_where_that_is_wanted() {
    let delivery = Delivery {
        on_reject: OnReject::Retry,
        ..delivery()
    };
    let mut world = World::with(delivery.clone());
    world.append_many(30);
    let mut settings = of(Version::V311);
    settings.delivery = delivery;
    let broker = Broker {
        poison: 10,
        closes: true,
        most: 30,
    };
    deliver(&mut world, &settings, Version::V311, &broker);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (10, 0));
}

#[test]
fn a_proof_that_is_not_taken_acquits_the_message() {
    let mut world = World::new();
    world.append_many(10);
    let settings = of(Version::V311);
    let broker = Broker {
        poison: 5,
        closes: true,
        most: 5,
    };
    deliver(&mut world, &settings, Version::V311, &broker);
    let mut alone = vec![];
    for _ in 0..18 {
        let mut talk = ready(&mut world, &settings, Version::V311);
        let sent = publishes(Version::V311, &talk.sent(&mut world).unwrap());
        alone.extend(sent.first().map(|(_, number, _)| *number));
        let disconnect = talk.ends(&mut world);
        lose(&mut world, &disconnect);
    }
    let round = [4, 5, 5, 5, 5, 5];
    assert_eq!(
        alone,
        round.repeat(3),
        "the last that was accepted, and all over"
    );
    assert_eq!(world.counters().given_up, 0);
    let mut talk = ready(&mut world, &settings, Version::V311);
    let sent = publishes(Version::V311, &talk.sent(&mut world).unwrap());
    talk.hears(&mut world, &ack(sent[0].0)).unwrap();
    let sent = publishes(Version::V311, &talk.write(&mut world).unwrap());
    assert_eq!((sent[0].1, sent.len()), (5, 1), "and nothing beside it");
    talk.hears(&mut world, &ack(sent[0].0)).unwrap();
    for (identifier, ..) in publishes(Version::V311, &talk.sent(&mut world).unwrap()) {
        talk.hears(&mut world, &ack(identifier)).unwrap();
    }
    assert_eq!(world.counters().accepted, 10);
}

/// A queue of the broker that is full, and has room for one message now and then: what it does not
/// take now it takes later.
#[test]
fn a_broker_that_closes_while_a_queue_is_full_costs_no_message() {
    for every in [2, 3, 5, 8] {
        let mut world = World::new();
        world.append_many(20);
        let settings = of(Version::V311);
        let mut room = 10;
        for round in 1..400 {
            room += u32::from(round % every == 0);
            let mut talk = ready(&mut world, &settings, Version::V311);
            loop {
                let sent = publishes(Version::V311, &talk.write(&mut world).unwrap());
                let taken = sent.iter().take(usize::try_from(room).unwrap());
                for (identifier, ..) in taken {
                    room -= 1;
                    talk.hears(&mut world, &ack(*identifier)).unwrap();
                }
                if sent.is_empty() || room == 0 {
                    break;
                }
            }
            let disconnect = talk.closes(&mut world);
            lose(&mut world, &disconnect);
        }
        let counters = world.counters();
        assert_eq!((counters.accepted, counters.given_up), (20, 0), "{every}");
    }
}

/// What [`weir::stream::mqtt::MqttLink::new`] says of itself.
#[test]
fn a_connection_costs_what_its_documentation_says() {
    for version in VERSIONS {
        let costs = |window| {
            let settings = talk::changed(of(version), |mqtt: &mut Mqtt| mqtt.window = window);
            let mut world = World::new();
            world.append_many(usize::from(window));
            let used = measure(|| {
                let mut talk = ready(&mut world, &settings, version);
                while !talk.write(&mut world).unwrap().is_empty() {}
                std::mem::forget(talk);
            });
            u64::try_from(used.bytes_current).unwrap()
        };
        let (one, many) = (costs(1), costs(901));
        let each = (many - one) / 900;
        println!("{version:?}: {one} bytes and {each} a place");
        assert!(one <= 1229 && each <= 64, "{version:?}: {one}, {each}");
    }
}
