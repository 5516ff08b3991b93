//! Answers that do not say whether a message is refused for its own sake or for that of the
//! configuration: the others decide.

use crate::mqtt::settings;
use crate::mqtt_v5::publishes;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use rumqttc::v5::mqttbytes::v5::Publish;
use std::collections::BTreeSet;
use std::time::Duration;
use weir::message::Message;
use weir::stream::DeliveryError;
use weir::stream::Disconnect;
use weir::stream::engine::Event;
use weir::stream::engine::Fit;
use weir::stream::mqtt::profile::Version;
use weir::stream::settings::Delivery;
use weir::stream::settings::OnReject;
use weir::stream::settings::Settings;

const NOT_AUTHORIZED: u8 = 0x87;

/// A broker of MQTT 5 that forbids the topics of some devices.
struct Broker {
    forbidden: BTreeSet<&'static str>,
    /// Bytes of a packet at most.
    packet_max: Option<u32>,
    attempts: usize,
    /// What it took, in order, each the first time only.
    taken: Vec<String>,
    /// What the engine told.
    events: Vec<Event>,
    /// What it would keep in rejects.
    kept: Vec<(u64, Box<str>)>,
}

impl Broker {
    fn new(forbidden: &[&'static str]) -> Self {
        Self {
            forbidden: forbidden.iter().copied().collect(),
            packet_max: None,
            attempts: 0,
            taken: vec![],
            events: vec![],
            kept: vec![],
        }
    }

    /// Lets weir send for `time`, over as many connections as it makes.
    fn serve(&mut self, world: &mut World, settings: &Settings, time: Duration) {
        let end = world.now.mono + time;
        let mut more = true;
        while more {
            let mut talk = self.greet(world, settings);
            let disconnect = loop {
                match self.converse(world, &mut talk, end) {
                    Ok(true) => {}
                    Ok(false) => {
                        more = false;
                        break talk.ends(world);
                    }
                    Err(disconnect) => {
                        more = world.now.mono < end;
                        break disconnect;
                    }
                }
            };
            lose(world, &disconnect);
        }
    }

    fn greet<'a>(&self, world: &mut World, settings: &'a Settings) -> Talk<'a> {
        let mut talk = Talk::new(world, settings);
        talk.sent(world).unwrap();
        let mut properties = vec![];
        if let Some(max) = self.packet_max {
            properties.push(0x27);
            properties.extend(max.to_be_bytes());
        }
        let len = u8::try_from(properties.len()).unwrap();
        let login = [&[0x20, 3 + len, 0, 0, len][..], &properties].concat();
        talk.hears(world, &login).unwrap();
        talk
    }

    /// Answers what was sent; whether there may be more before `end`.
    fn converse(
        &mut self,
        world: &mut World,
        talk: &mut Talk<'_>,
        end: Duration,
    ) -> Result<bool, Disconnect> {
        world.serve();
        let sent = talk.write(world);
        self.events.extend(world.events());
        while let Some((message, reason)) = world.engine.take_rejected() {
            self.kept.push((crate::world::number(&message), reason));
        }
        let sent = publishes(&sent?);
        let idle = sent.is_empty();
        for publish in sent {
            let code = self.judge(&publish);
            let [high, low] = publish.pkid.to_be_bytes();
            talk.hears(world, &[0x40, 3, high, low, code])?;
        }
        let paused = world.engine.paused_until(world.now);
        if idle {
            world.wait();
        }
        Ok(!idle || paused.is_some() && world.now.mono < end)
    }

    fn judge(&mut self, publish: &Publish) -> u8 {
        self.attempts += 1;
        let topic = str::from_utf8(&publish.topic).unwrap().to_owned();
        let ident = topic.strip_prefix("weir/").unwrap();
        if self.forbidden.contains(ident) {
            return NOT_AUTHORIZED;
        }
        let text = str::from_utf8(&publish.payload).unwrap();
        let number = text.split_once("\"n\":").unwrap().1;
        let number = number.split([',', '}']).next().unwrap();
        let name = format!("{ident}{number}");
        if !self.taken.contains(&name) {
            self.taken.push(name);
        }
        0
    }
}

fn five() -> Settings {
    settings(|mqtt| mqtt.version = Version::V5)
}

fn is_at_fault(event: &Event) -> bool {
    matches!(event, Event::AtFault { .. })
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_topic_that_is_forbidden_stops_no_other_device() {
    let (mut world, settings) = (World::new(), five());
    let idents = ["a", "b", "x", "c"];
    for count in 0..200 {
        world.append(idents[count % 4]);
    }
    let mut broker = Broker::new(&["x"]);
    broker.serve(&mut world, &settings, MINUTE);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (150, 50));
    assert_eq!(broker.taken.len(), 150);
    assert!(broker.attempts <= 150 + 2 * 50 + 8, "{}", broker.attempts);
    let numbers = broker
        .taken
        .iter()
        .map(|name| name[1..].parse::<u32>().unwrap());
    assert!(numbers.is_sorted(), "what is taken stays in order");
    assert!(!broker.events.iter().any(is_at_fault));
}

/// A device that comes back brings more at once than fits into memory, all of it forbidden: what
/// was accepted before decides, and more than eight in a row go.
#[test]
fn a_device_that_is_forbidden_and_fills_the_memory_stops_no_other() {
    let (mut world, settings) = (World::new(), five());
    world.renew(&settings);
    world.append("a");
    let mut broker = Broker::new(&["x"]);
    broker.serve(&mut world, &settings, MINUTE);
    (0..450).for_each(|_| world.append("x"));
    (0..50).for_each(|_| world.append("b"));
    broker.serve(&mut world, &settings, MINUTE);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (51, 450));
}

/// The same where nothing was accepted since the start, and little fits into memory.
#[test]
fn a_device_that_is_forbidden_and_fills_a_small_memory_stops_no_other() {
    for (window, max_bytes) in [(2, 256 * 1024), (100, 4096)] {
        let mut world = World::new();
        let mut settings = settings(|mqtt| {
            mqtt.version = Version::V5;
            mqtt.window = window;
        });
        settings.delivery.max_bytes = max_bytes;
        world.renew(&settings);
        (0..50).for_each(|_| world.append("x"));
        (0..5).for_each(|_| world.append("b"));
        let mut broker = Broker::new(&["x"]);
        broker.serve(&mut world, &settings, MINUTE);
        let counters = world.counters();
        assert_eq!((counters.accepted, counters.given_up), (5, 50));
        assert!(!broker.events.iter().any(is_at_fault));
    }
}

#[test]
fn where_all_is_forbidden_it_is_the_configuration_and_costs_nothing() {
    for accepted in [0, 1] {
        let (mut world, settings) = (World::new(), five());
        (0..accepted).for_each(|_| world.append("a"));
        let mut broker = Broker::new(&[]);
        broker.serve(&mut world, &settings, MINUTE);
        (0..30).for_each(|count| world.append(["a", "b", "x"][count % 3]));
        let mut strict = Broker::new(&["a", "b", "x"]);
        strict.serve(&mut world, &settings, 60 * MINUTE);
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.backlog), (0, 30));
        assert!(strict.attempts < 7_300, "{}: two a pause", strict.attempts);
        let told = strict.events.iter().filter(|it| is_at_fault(it)).count();
        assert_eq!(told, 1, "it is said once");
        broker.serve(&mut world, &settings, MINUTE);
        assert_eq!(world.counters().accepted, 30 + accepted);
        assert!(broker.taken.len() as u64 == 30 + accepted);
        let numbers = broker
            .taken
            .iter()
            .map(|name| name[1..].parse::<u32>().unwrap());
        assert!(numbers.is_sorted(), "{:?}", broker.taken);
    }
}

/// What a message of one device was refused for may be over a moment later.
#[test]
fn a_message_that_is_taken_at_its_second_try_is_not_given_up() {
    let (mut world, settings) = (World::new(), five());
    ["a", "x", "b"]
        .into_iter()
        .for_each(|ident| world.append(ident));
    world.serve();
    let mut talk = Talk::new(&world, &settings);
    talk.sent(&mut world).unwrap();
    talk.hears(&mut world, &[0x20, 3, 0, 0, 0]).unwrap();
    let sent = publishes(&talk.sent(&mut world).unwrap());
    assert_eq!(sent.len(), 3);
    for (publish, code) in sent.iter().zip([0, NOT_AUTHORIZED, 0]) {
        let [high, low] = publish.pkid.to_be_bytes();
        talk.hears(&mut world, &[0x40, 3, high, low, code]).unwrap();
    }
    let again = publishes(&talk.sent(&mut world).unwrap());
    assert_eq!((again.len(), again[0].dup), (1, true));
    let [high, low] = again[0].pkid.to_be_bytes();
    talk.hears(&mut world, &[0x40, 3, high, low, 0]).unwrap();
    assert_eq!(world.counters().accepted, 3);
}

#[test]
fn a_size_limit_of_the_destination_does_not_empty_the_ring() {
    for accepted in [0, 3] {
        let (mut world, settings) = (World::new(), five());
        let mut broker = Broker::new(&[]);
        (0..accepted).for_each(|_| world.append("a"));
        broker.serve(&mut world, &settings, MINUTE);
        (0..500).for_each(|_| world.append("a"));
        broker.packet_max = Some(40);
        broker.serve(&mut world, &settings, 60 * MINUTE);
        let counters = world.counters();
        assert_eq!((counters.given_up, counters.filtered), (0, 0));
        assert_eq!((counters.backlog, broker.attempts as u64), (500, accepted));
        let said = |event: &Event| match event {
            Event::AtFault { reason } => reason.contains("the broker takes at most 40"),
            _ => false,
        };
        assert!(broker.events.iter().any(said));
        broker.packet_max = None;
        broker.serve(&mut world, &settings, MINUTE);
        assert_eq!(world.counters().accepted, 500 + accepted);
    }
}

#[test]
fn what_alone_is_too_large_for_the_broker_is_given_up_and_kept_in_rejects() {
    for on_reject in [OnReject::Skip, OnReject::Retry] {
        let delivery = Delivery {
            on_reject,
            ..delivery()
        };
        let (mut world, mut settings) = (World::with(delivery.clone()), five());
        settings.delivery = delivery;
        world.append("a");
        let mut large = Message::new("a").unwrap();
        large.set("n", 1u64);
        large.set("text", "x".repeat(400).as_str());
        world.append_message(&large);
        world.append("a");
        let mut broker = Broker::new(&[]);
        broker.packet_max = Some(300);
        broker.serve(&mut world, &settings, MINUTE);
        let kept = &broker.kept;
        assert_eq!(kept.len(), 1, "{on_reject:?}");
        assert!(
            kept[0].1.contains("the broker takes at most 300"),
            "{kept:?}"
        );
        let counters = world.counters();
        let expected = match on_reject {
            OnReject::Skip => (2, 1, 0),
            OnReject::Retry => (1, 0, 2),
        };
        let found = (counters.accepted, counters.given_up, counters.backlog);
        assert_eq!(
            found, expected,
            "{on_reject:?}: its successor waits for the cursor"
        );
        assert_eq!(broker.taken, ["a0", "a2"]);
    }
}

/// HTTP 413 and the like: what was refused alone is tried again when another was taken.
#[test]
fn of_a_batch_that_is_doubted_only_what_is_its_own_is_given_up() {
    let mut world = World::new();
    world.append_many(100);
    let (mut accepted, mut requests) = (BTreeSet::new(), 0);
    while let Some(batch) = world.engine.next_batch(world.now, |_| Fit::Taken) {
        requests += 1;
        let numbers: Vec<u64> = world
            .engine
            .batch(&batch)
            .map(|m| crate::world::number(&m))
            .collect();
        let epoch = world.engine.epoch();
        match numbers.contains(&37) {
            true => {
                let error = DeliveryError::new(413, "too large");
                world.engine.doubted(epoch, &batch, &error, world.now, 0);
            }
            false => {
                world.engine.accepted(epoch, &batch, world.now);
                accepted.extend(numbers);
            }
        }
        world.serve();
    }
    assert_eq!(accepted.len(), 99);
    assert!(requests < 20, "{requests}");
    assert_eq!(world.counters().given_up, 1);
}

#[test]
fn of_batches_that_are_all_doubted_none_is_given_up() {
    let mut world = World::new();
    world.append_many(20);
    let mut requests = 0;
    while world.now.mono < 24 * 60 * MINUTE {
        if let Some(batch) = world.engine.next_batch(world.now, |_| Fit::Taken) {
            requests += 1;
            let error = DeliveryError::new(413, "too large");
            let random = u32::MAX / 2;
            world.engine.doubted(0, &batch, &error, world.now, random);
            world.serve();
        } else if world.engine.paused_until(world.now).is_some() {
            world.wait();
        } else {
            panic!("it stands still");
        }
    }
    assert!((400..1200).contains(&requests), "{requests}");
    let counters = world.counters();
    assert_eq!((counters.given_up, counters.backlog), (0, 20));
}
