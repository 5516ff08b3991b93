//! Azure IoT Hub: what the link says to a hub that a test plays.

use crate::talk;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use bytes::BytesMut;
use rumqttc::Connect;
use rumqttc::Packet;
use rumqttc::Publish;
use std::time::Duration;
use weir::message::Message;
use weir::net::Target;
use weir::stream::Retry;
use weir::stream::azure_iot_hub::AzureIotHub;
use weir::stream::mqtt::Payload;
use weir::stream::settings::Settings;
use weir::stream::settings::Stamp;
use weir::stream::settings::StampOf;
use weir::template::Template;

const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
const DISCONNECT: [u8; 2] = [0xe0, 0];

fn settings(change: impl FnOnce(&mut AzureIotHub)) -> Settings {
    let target = Target {
        host: "weir.azure-devices.net".into(),
        port: 8883,
    };
    let mut hub = AzureIotHub::new(target, "dev-1");
    hub.key = Some(b"0123456789abcdef0123456789abcdef".to_vec());
    change(&mut hub);
    talk::settings(hub, delivery())
}

fn packets(bytes: &[u8]) -> Vec<Packet> {
    let mut rest = BytesMut::from(bytes);
    let mut all = Vec::new();
    while !rest.is_empty() {
        all.push(Packet::read(&mut rest, 1 << 20).unwrap());
    }
    all
}

fn publishes(bytes: &[u8]) -> Vec<Publish> {
    let publish = |packet| match packet {
        Packet::Publish(publish) => publish,
        other => panic!("{other:?}"),
    };
    packets(bytes).into_iter().map(publish).collect()
}

/// A connection after the login, and what that said.
fn ready<'a>(world: &mut World, settings: &'a Settings) -> (Talk<'a>, Connect) {
    let mut talk = Talk::new(world, settings);
    let login = match packets(&talk.sent(world).unwrap()).pop() {
        Some(Packet::Connect(login)) => login,
        other => panic!("{other:?}"),
    };
    talk.hears(world, &ACCEPTED).unwrap();
    (talk, login)
}

#[test]
fn a_device_logs_in_by_a_signature_that_is_renewed_before_it_ends() {
    let (settings, mut world) = (settings(|_| {}), World::new());
    let (mut talk, login) = ready(&mut world, &settings);
    assert_eq!(login.client_id, "dev-1");
    let said = login.login.unwrap();
    assert_eq!(
        said.username,
        "weir.azure-devices.net/dev-1/?api-version=2021-04-12"
    );
    // the date of this world is 1,800,000,000 and its uptime
    let start = "SharedAccessSignature sr=weir.azure-devices.net%2Fdevices%2Fdev-1&sig=";
    assert!(said.password.starts_with(start), "{}", said.password);
    assert!(
        said.password.ends_with("&se=1800086500"),
        "{}",
        said.password
    );
    world.pass(Duration::from_secs(86_400 * 4 / 5 - 1));
    assert_eq!(talk.write(&mut world).unwrap(), b"");
    world.pass(Duration::from_secs(1));
    assert_eq!(talk.write(&mut world).unwrap(), DISCONNECT);
    let lost = talk.sent(&mut world).unwrap_err();
    assert_eq!(lost.retry, Retry::Renewed);
    lose(&mut world, &lost);
    let (_, login) = ready(&mut world, &settings);
    let password = login.login.unwrap().password;
    assert!(password.ends_with("&se=1800155620"), "{password}");
}

#[test]
fn with_a_certificate_there_is_no_password_and_no_end() {
    let (settings, mut world) = (settings(|hub| hub.key = None), World::new());
    let network = settings.endpoint();
    let network = network.network().unwrap();
    assert!(network.needs_certificate && !network.needs_date);
    let (mut talk, login) = ready(&mut world, &settings);
    assert_eq!(login.login.unwrap().password, "");
    world.pass(Duration::from_secs(10 * 86_400));
    assert_eq!(talk.write(&mut world).unwrap(), b"");
}

#[test]
fn the_topic_says_what_a_body_is() {
    let properties = |hub: &mut AzureIotHub| {
        let template = |text| Template::parse(text).unwrap();
        hub.properties = vec![
            ("who".into(), template("{ident}")),
            ("a&b".into(), template("50 %/{n}")),
        ];
    };
    let settings = settings(properties);
    let mut world = World::of(&settings);
    world.append("4711 ä");
    world.serve();
    let (mut talk, _) = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    assert_eq!(
        sent[0].topic,
        "devices/dev-1/messages/events/%24.mid=00000000%3A1\
         &%24.ct=application%2Fjson%3Bcharset%3Dutf-8&%24.ce=utf-8\
         &iothub-creation-time-utc=2023-11-14T22%3A13%3A20.000Z\
         &who=4711%20%C3%A4&a%26b=50%20%25%2F0"
    );
    assert_eq!((sent[0].qos as u8, sent[0].retain), (1, false));
    assert!(sent[0].payload.starts_with(b"{\"ident\":\"4711 \xc3\xa4\""));
}

#[test]
fn the_id_of_a_message_is_its_stamp() {
    let mut settings = settings(|_| {});
    let (name, of) = ("id".to_owned(), StampOf::Content);
    settings.transform.stamp = Some(Stamp { name, of });
    let mut world = World::of(&settings);
    world.append("a");
    world.serve();
    let (mut talk, _) = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    let object: serde_json::Value = serde_json::from_slice(&sent[0].payload).unwrap();
    let id = object["id"].as_str().unwrap();
    assert!(
        sent[0].topic.contains(&format!("%24.mid={id}&")),
        "{}",
        sent[0].topic
    );
}

#[test]
fn a_message_that_lacks_a_property_is_skipped() {
    let settings = settings(|hub| {
        let template = Template::parse("{driver.code}").unwrap();
        hub.properties = vec![("driver".into(), template)];
    });
    let mut world = World::of(&settings);
    world.append("a");
    let mut message = Message::new("a").unwrap();
    message.set("driver.code", "d");
    world.append_message(&message);
    world.serve();
    let (mut talk, _) = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    assert_eq!(sent.len(), 1);
    assert!(sent[0].topic.ends_with("&driver=d"), "{}", sent[0].topic);
    let told = format!("{:?}", world.events());
    assert!(
        told.contains("template: the message has no `driver.code`"),
        "{told}"
    );
}

#[test]
fn an_array_has_those_that_wait_and_have_the_same_properties() {
    let settings = settings(|hub| {
        hub.payload = Payload::Array;
        hub.properties = vec![("who".into(), Template::parse("{ident}").unwrap())];
    });
    let mut world = World::of(&settings);
    for ident in ["a", "b", "a", "b", "a"] {
        world.append(ident);
    }
    world.serve();
    let (mut talk, _) = ready(&mut world, &settings);
    let sent = publishes(&talk.sent(&mut world).unwrap());
    let numbers = |publish: &Publish| -> Vec<u64> {
        let array: Vec<serde_json::Value> = serde_json::from_slice(&publish.payload).unwrap();
        array
            .iter()
            .map(|object| object["n"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(
        sent.iter().map(numbers).collect::<Vec<_>>(),
        [vec![0, 2, 4], vec![1, 3]]
    );
    assert!(
        sent[1].topic.ends_with("&%24.ce=utf-8&who=b"),
        "{}",
        sent[1].topic
    );
    for publish in &sent {
        let [high, low] = publish.pkid.to_be_bytes();
        talk.hears(&mut world, &[0x40, 2, high, low]).unwrap();
    }
    assert_eq!(world.counters().accepted, 5);
}

#[test]
fn a_login_that_is_refused_names_what_to_look_at() {
    for (key, wanted) in [
        (Some(vec![1]), "`device` and `key`, and the clock"),
        (None, "`device` and `tls.certificate`"),
    ] {
        let (settings, mut world) = (settings(|hub| hub.key = key), World::new());
        let mut talk = Talk::new(&world, &settings);
        talk.sent(&mut world).unwrap();
        let lost = talk.hears(&mut world, &[0x20, 2, 0, 5]).unwrap_err();
        assert_eq!(lost.error.code, 5);
        let reason = lost.error.reason;
        assert!(reason.contains(wanted), "{reason}");
    }
}
