//! MQTT: a platform with a login that expires, a question after it, announcements, limits and
//! meanings of its own.

use crate::mqtt_v5::publishes;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use crate::world::number_of;
use rumqttc::v5::mqttbytes::v5::Publish as Wire;
use std::time::Duration;
use weir::clock::Now;
use weir::message::Message;
use weir::net::Target;
use weir::stream::Endpoint;
use weir::stream::NetworkEndpoint;
use weir::stream::Open;
use weir::stream::Retry;
use weir::stream::TlsUse;
use weir::stream::engine::Outgoing;
use weir::stream::mqtt::MqttLink;
use weir::stream::mqtt::profile::Granted;
use weir::stream::mqtt::profile::Limits;
use weir::stream::mqtt::profile::Login;
use weir::stream::mqtt::profile::Profile;
use weir::stream::mqtt::profile::Publish;
use weir::stream::mqtt::profile::Question;
use weir::stream::mqtt::profile::Verdict;
use weir::stream::mqtt::profile::Version;
use weir::stream::render::MessageView;
use weir::stream::settings::Delivery;
use weir::stream::settings::Transform;
use weir::template::Escape;
use weir::template::Template;

const SECOND: Duration = Duration::from_secs(1);
const DISCONNECT: [u8; 2] = [0xe0, 0];

#[derive(Debug)]
pub(crate) struct Platform {
    target: Target,
    version: Version,
    /// How long a password holds.
    life: Option<Duration>,
    pub(crate) packet_max: Option<usize>,
    asks: bool,
    announces: bool,
    pub(crate) delivery: Delivery,
    transform: Transform,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let target = Target {
            host: "toy.example".into(),
            port: 8883,
        };
        Self {
            target,
            version: Version::V5,
            life: None,
            packet_max: None,
            asks: false,
            announces: false,
            delivery: delivery(),
            transform: Transform::default(),
        }
    }

    fn expiring(life: Duration) -> Self {
        let life = Some(life);
        Self {
            life,
            ..Self::new()
        }
    }

    fn talk(&self, world: &World) -> Talk<'_> {
        let server = NetworkEndpoint::new(&self.target, TlsUse::Always);
        let open = Open {
            endpoint: Endpoint::Network(server),
            view: MessageView::new(&self.transform),
            delivery: &self.delivery,
            epoch: world.engine.epoch(),
            now: world.now,
            client_id: "weir-1",
        };
        Talk::over(Box::new(MqttLink::new(self, open)))
    }

    /// A connection after the login, and what came with that.
    pub(crate) fn ready(&self, world: &mut World) -> (Talk<'_>, Vec<u8>) {
        let mut talk = self.talk(world);
        let login = talk.sent(world).unwrap();
        let accepted: &[u8] = match self.version {
            Version::V311 => &[0x20, 2, 0, 0],
            Version::V5 | Version::Auto => &[0x20, 3, 0, 0, 0],
        };
        let answer = talk.hears(world, accepted).unwrap();
        (talk, [login, answer].concat())
    }
}

impl Profile for Platform {
    fn limits(&self) -> Limits {
        Limits {
            version: self.version,
            window: 10,
            packet_max: self.packet_max,
            keep_alive: 3_600 * SECOND,
            retain: false,
        }
    }

    fn login(&self, client_id: &str, now: Now) -> Login {
        let until = self.life.map(|life| now.wall.since_1970 + life);
        Login {
            user: Some("device".into()),
            password: until.map(|date| format!("good until {}", date.as_secs())),
            until,
            ..Login::anonymous(client_id)
        }
    }

    fn hint(&self) -> Option<String> {
        Some("look at `key`".into())
    }

    fn question(&self) -> Option<Question> {
        self.asks.then(|| Question {
            subscribe: "limits/answer".into(),
            topic: "limits/ask".into(),
            payload: b"?".to_vec(),
        })
    }

    fn granted(&self, topic: &str, payload: &[u8]) -> Option<Result<Granted, String>> {
        let answer = (topic == "limits/answer").then_some(payload)?;
        Some(match answer {
            b"no" => Err("this device is no gateway".into()),
            _ => Ok(Granted {
                window: Some(answer.len().try_into().unwrap()),
                ..Granted::default()
            }),
        })
    }

    fn announce(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> bool {
        let ident = Template::parse("{ident}").unwrap();
        publish.topic.push_str("devices");
        let mut text = String::new();
        let filled = view.template(&ident, Escape::None, message, &mut text);
        publish.payload.extend(text.into_bytes());
        self.announces && filled.is_ok()
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        publish.topic.push_str("messages");
        publish.content_type = Some("application/json");
        publish.properties.push(("of".into(), "weir".into()));
        let written = view.object(message, &mut publish.payload);
        written.map_err(|error| error.to_string())
    }

    fn verdict(&self, code: u8) -> Verdict {
        match code {
            0 => Verdict::Taken,
            0x80 => Verdict::Later,
            _ => Verdict::Refused,
        }
    }
}

/// The number of each message, and whether it is said to be a repeat.
fn numbers(bytes: &[u8]) -> Vec<(u64, bool)> {
    let number = |publish: &Wire| number_of(&serde_json::from_slice(&publish.payload).unwrap());
    let sent = publishes(bytes);
    sent.iter().map(|sent| (number(sent), sent.dup)).collect()
}

fn ack(identifier: u16, code: u8) -> [u8; 5] {
    let [high, low] = identifier.to_be_bytes();
    [0x40, 3, high, low, code]
}

fn says(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// A message on a topic, QoS 0, MQTT 5.
fn message(topic: &str, payload: &str) -> Vec<u8> {
    let len = u8::try_from(topic.len()).unwrap();
    let rest = [&[0, len], topic.as_bytes(), &[0], payload.as_bytes()].concat();
    [&[0x30, u8::try_from(rest.len()).unwrap()], &rest[..]].concat()
}

const SUBSCRIBED: [u8; 6] = [0x90, 4, 0, 1, 0, 0];

#[test]
fn a_login_that_expires_is_renewed_in_good_order_before_that() {
    let mut world = World::new();
    let platform = Platform::expiring(100 * SECOND);
    let (mut talk, login) = platform.ready(&mut world);
    assert!(says(&login, "good until 1800000200"));
    world.pass(79 * SECOND);
    world.append_many(3);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    talk.hears(&mut world, &ack(sent[0].pkid, 0)).unwrap();
    world.pass(SECOND);
    world.append_many(2);
    assert_eq!(talk.sent(&mut world).unwrap(), b"", "nothing new");
    assert!(talk.is_ready());
    talk.hears(&mut world, &ack(sent[2].pkid, 0)).unwrap();
    assert_eq!(talk.sent(&mut world).unwrap(), b"", "one is not answered");
    talk.hears(&mut world, &ack(sent[1].pkid, 0)).unwrap();
    assert_eq!(talk.write(&mut world).unwrap(), DISCONNECT);
    assert!(!talk.is_ready());
    let disconnect = talk.sent(&mut world).unwrap_err();
    assert_eq!(disconnect.retry, Retry::Renewed);
    let before = world.now;
    lose(&mut world, &disconnect);
    assert_eq!(world.now, before, "no pause");
    let (mut talk, login) = platform.ready(&mut world);
    assert!(says(&login, "good until 1800000280"));
    let sent = numbers(&talk.sent(&mut world).unwrap());
    assert_eq!(sent, [(3, false), (4, false)]);
    assert_eq!(world.counters().accepted, 3);
}

#[test]
fn what_has_no_answer_when_the_login_expires_is_sent_again() {
    let mut world = World::new();
    let platform = Platform::expiring(20 * SECOND);
    let (mut talk, _) = platform.ready(&mut world);
    world.pass(15 * SECOND);
    world.append_many(2);
    talk.sent(&mut world).unwrap();
    world.pass(4 * SECOND);
    assert_eq!(talk.sent(&mut world).unwrap(), b"");
    world.pass(SECOND);
    assert_eq!(talk.write(&mut world).unwrap(), DISCONNECT);
    let disconnect = talk.sent(&mut world).unwrap_err();
    lose(&mut world, &disconnect);
    let (mut talk, _) = platform.ready(&mut world);
    let sent = numbers(&talk.sent(&mut world).unwrap());
    assert_eq!(sent, [(0, true), (1, true)]);
}

#[test]
fn a_broker_that_closes_at_our_goodbye_has_not_failed() {
    let mut world = World::new();
    let platform = Platform::expiring(20 * SECOND);
    let (mut talk, _) = platform.ready(&mut world);
    world.pass(16 * SECOND);
    assert_eq!(talk.write(&mut world).unwrap(), DISCONNECT);
    talk.hears(&mut world, &[0xe0, 1, 0x8b]).unwrap();
    assert_eq!(talk.closes(&mut world).retry, Retry::Renewed);
}

#[test]
fn a_stream_without_messages_renews_its_login_for_a_day_without_a_pause() {
    let mut world = World::new();
    let platform = Platform::expiring(3_600 * SECOND);
    let began = world.now.mono;
    for round in 1..=30 {
        let (mut talk, _) = platform.ready(&mut world);
        assert_eq!(talk.wakes(&mut world).unwrap(), b"");
        assert_eq!(world.now.mono, began + round * 2_880 * SECOND);
        assert_eq!(talk.write(&mut world).unwrap(), DISCONNECT);
        let disconnect = talk.sent(&mut world).unwrap_err();
        lose(&mut world, &disconnect);
    }
}

#[test]
fn a_clock_that_is_set_makes_no_login_last_longer() {
    for (jump, ends) in [(7_200, 1), (-7_200, 2_880)] {
        let mut world = World::new();
        let platform = Platform::expiring(3_600 * SECOND);
        let (mut talk, _) = platform.ready(&mut world);
        let set = |world: &mut World| {
            let date = world.now.wall.since_1970.as_secs();
            let date = date.checked_add_signed(jump).unwrap();
            world.now.wall.since_1970 = Duration::from_secs(date);
        };
        world.pass((ends - 1) * SECOND);
        set(&mut world);
        if ends > 1 {
            assert_eq!(talk.write(&mut world).unwrap(), b"");
        }
        world.pass(SECOND);
        set(&mut world);
        assert_eq!(talk.write(&mut world).unwrap(), DISCONNECT);
    }
}

#[test]
fn a_login_that_is_over_before_it_is_said_is_a_failure() {
    let mut world = World::new();
    let platform = Platform::expiring(Duration::ZERO);
    let disconnect = platform.talk(&world).sent(&mut world).unwrap_err();
    assert_eq!(disconnect.retry, Retry::Paused);
    assert_eq!(disconnect.error.reason, "the login has expired");
}

#[test]
fn however_short_a_login_is_no_more_than_one_is_made_a_second() {
    let mut world = World::new();
    let platform = Platform::expiring(Duration::from_millis(1));
    let (mut talk, _) = platform.ready(&mut world);
    world.pass(Duration::from_millis(999));
    assert_eq!(talk.write(&mut world).unwrap(), b"");
    world.pass(Duration::from_millis(1));
    assert_eq!(talk.write(&mut world).unwrap(), DISCONNECT);
}

#[test]
fn a_refused_login_names_the_key_to_look_at() {
    for answer in [&[0x20, 3, 0, 0x87, 0][..], &[]] {
        let mut world = World::new();
        let platform = Platform::new();
        let mut talk = platform.talk(&world);
        talk.sent(&mut world).unwrap();
        let disconnect = match answer {
            [] => talk.closes(&mut world),
            _ => talk.hears(&mut world, answer).unwrap_err(),
        };
        assert!(
            disconnect.error.reason.ends_with("; look at `key`"),
            "{disconnect:?}"
        );
    }
}

#[test]
fn nothing_is_published_before_the_question_is_answered_and_the_answer_holds() {
    for subscribed_first in [true, false] {
        let mut world = World::new();
        world.append_many(20);
        let asks = Platform {
            asks: true,
            ..Platform::new()
        };
        let (mut talk, said) = asks.ready(&mut world);
        assert!(says(&said, "limits/answer") && says(&said, "limits/ask"));
        assert!(!talk.is_ready());
        assert_eq!(talk.sent(&mut world).unwrap(), b"");
        if subscribed_first {
            talk.hears(&mut world, &SUBSCRIBED).unwrap();
        }
        talk.hears(&mut world, &message("of/others", "1234567"))
            .unwrap();
        assert_eq!(talk.sent(&mut world).unwrap(), b"");
        talk.hears(&mut world, &message("limits/answer", "123"))
            .unwrap();
        assert!(talk.is_ready());
        assert_eq!(publishes(&talk.sent(&mut world).unwrap()).len(), 3);
        assert_eq!(
            talk.hears(&mut world, &SUBSCRIBED).is_ok(),
            !subscribed_first
        );
    }
}

#[test]
fn a_platform_that_answers_no_or_not_at_all_ends_the_connection_and_costs_no_message() {
    let refused = [0x90, 4, 0, 1, 0, 0x87];
    let no = message("limits/answer", "no");
    for (answer, words) in [
        (&no[..], "this device is no gateway"),
        (&refused, "the broker refused the subscription"),
        (&[], "no answer within 30s to what was asked"),
    ] {
        let mut world = World::new();
        world.append_many(3);
        let asks = Platform {
            asks: true,
            ..Platform::new()
        };
        let (mut talk, _) = asks.ready(&mut world);
        let disconnect = match answer {
            [] => talk.wakes(&mut world).unwrap_err(),
            _ => talk.hears(&mut world, answer).unwrap_err(),
        };
        assert!(disconnect.error.reason.contains(words), "{disconnect:?}");
        assert_eq!(world.counters().backlog, 3);
    }
}

#[test]
fn each_device_is_announced_once_a_connection_before_its_first_message() {
    let mut world = World::new();
    let announces = Platform {
        announces: true,
        ..Platform::new()
    };
    for ident in ["a", "b", "a", "b", "a"] {
        world.append(ident);
    }
    for _ in 0..2 {
        let (mut talk, _) = announces.ready(&mut world);
        let sent = publishes(&talk.sent(&mut world).unwrap());
        let shown = sent.iter().map(|sent| match &sent.topic[..] {
            b"devices" => (format!("{:?}", sent.payload), sent.qos as u8),
            _ => (
                number_of(&serde_json::from_slice(&sent.payload).unwrap()).to_string(),
                1,
            ),
        });
        let expected = ["b\"a\"", "0", "b\"b\"", "1", "2", "3", "4"];
        let expected = expected.map(|text| (text.to_owned(), u8::from(!text.starts_with('b'))));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        let disconnect = talk.ends(&mut world);
        lose(&mut world, &disconnect);
    }
}

#[test]
fn what_a_platform_is_known_not_to_take_is_refused_here_and_never_sent() {
    for version in [Version::V311, Version::V5] {
        let mut world = World::new();
        let short = Platform {
            version,
            packet_max: Some(300),
            announces: true,
            ..Platform::new()
        };
        world.append("a");
        let mut long = Message::new("long").unwrap();
        long.set("text", "x".repeat(300).as_str());
        world.append_message(&long);
        world.append("c");
        let (mut talk, _) = short.ready(&mut world);
        let sent = talk.sent(&mut world).unwrap();
        assert!(!says(&sent, "xxx") && !says(&sent, "long"));
        for tag in [1, 3] {
            talk.hears(&mut world, &[0x40, 2, 0, tag]).unwrap();
        }
        let counters = world.counters();
        assert_eq!((counters.accepted, counters.given_up), (2, 1));
        let told = format!("{:?}", world.events());
        assert!(told.contains("the broker takes at most 300"), "{told}");
    }
}

#[test]
fn what_is_said_beside_the_payload_goes_where_the_version_has_a_place_for_it() {
    for version in [Version::V311, Version::V5] {
        let mut world = World::new();
        world.append_many(1);
        let platform = Platform {
            version,
            ..Platform::new()
        };
        let (mut talk, _) = platform.ready(&mut world);
        let sent = talk.sent(&mut world).unwrap();
        assert_eq!(says(&sent, "application/json"), version == Version::V5);
        if version == Version::V5 {
            let properties = publishes(&sent)[0].properties.clone().unwrap();
            assert_eq!(properties.user_properties, [("of".into(), "weir".into())]);
        }
    }
}

#[test]
fn what_a_code_means_is_the_platforms_word() {
    let mut world = World::new();
    world.append_many(3);
    let platform = Platform::new();
    let (mut talk, _) = platform.ready(&mut world);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    talk.hears(&mut world, &ack(sent[0].pkid, 0x87)).unwrap();
    assert_eq!(world.counters().given_up, 1);
    let disconnect = talk
        .hears(&mut world, &ack(sent[1].pkid, 0x80))
        .unwrap_err();
    assert_eq!(disconnect.retry, Retry::AtOnce);
    assert!(world.engine.paused_until(world.now).is_some(), "later");
    assert_eq!(world.counters().backlog, 2);
}
