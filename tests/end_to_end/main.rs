//! The real daemon between real clients and real destinations. Needs curl, mosquitto,
//! mosquitto_sub and nginx, which `tests/run` installs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod bus;
#[path = "../support/can_frame.rs"]
mod can_frame;
mod commands;
mod connect;
mod crashes;
mod curl;
mod dates;
mod degraded;
mod flespi;
mod forged;
mod in_flight;
mod itself;
mod many_reloads;
mod memory;
mod mqtt_channel;
mod mqtt_subscriber;
mod neighbours;
mod passing;
mod pictures;
mod pipeline;
mod receivers;
mod reload;
mod safe;
mod sender;
mod servers;
mod sources;
#[path = "../support/terminal.rs"]
mod terminal;
mod trackers;
mod unreadable;
mod vehicles;
mod wear;
mod weir;
mod weir_to_weir;
mod wialon;

use servers::Arrivals;
use servers::Cable;
use servers::Mosquitto;
use servers::Nginx;
use servers::WialonReceiver;
use std::process::Command;
use weir::Lines;
use weir::Weir;
use weir::ask_unix;
use weir::eventually;
use weir::free_port;
use weir::message;

/// One JSON channel and whatever streams a test needs.
fn config(port: u16, streams: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"64 MiB\"\n\
         [api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\n\
         listen = [\"127.0.0.1:{port}\", \"unix:@/in\"]\n{streams}"
    )
}

fn mqtt(name: &str, port: u16, more: &str) -> String {
    format!(
        "[[stream]]\nname = \"{name}\"\ntype = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         topic = \"weir/{{ident}}\"\nretry = {{ min = \"100ms\", max = \"500ms\" }}\n{more}\n"
    )
}

#[test]
fn a_line_arrives_at_mosquitto_on_its_topic() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let all = "channels = [\"programs\"]";
    let weir = Weir::start("mqtt", &config(port, &mqtt("cloud", broker.port, all)));
    let mut lines = Lines::connect(port);
    lines
        .send(r#"{"z":1,"ident":"gw-1","timestamp":1554445625.950464,"a":{"n":[1,2.50]},"f":0.1}"#);
    lines.await_acked(1);
    eventually("it arrives", || broker.received().len() == 1);
    let (topic, payload) = broker.received().remove(0);
    assert_eq!(topic, "weir/gw-1");
    let kept = r#"{"z":1,"ident":"gw-1","timestamp":1554445625.950464,"a":{"n":[1,2.50]},"f":0.1,"#;
    assert!(payload.starts_with(kept), "{payload}");
    let unix = ask_unix(&weir.folder.join("in"), &message(1));
    assert_eq!(unix, r#"{"acked":1}"#);
    eventually("the second arrives", || broker.received().len() == 2);
}

#[test]
fn lines_arrive_at_nginx_in_arrays_of_at_most_max_messages() {
    let (server, port) = (Nginx::start(), free_port());
    let stream = format!(
        "[[stream]]\nname = \"web\"\ntype = \"http\"\nurl = \"http://127.0.0.1:{}/in\"\n\
         channels = [\"*\"]\nmax_messages = 7\n",
        server.port
    );
    let _weir = Weir::start("http", &config(port, &stream));
    let mut lines = Lines::connect(port);
    (0..100).for_each(|number| lines.send(&message(number)));
    lines.await_acked(100);
    eventually("all arrive", || {
        Arrivals::of(server.bodies(), "seq").first.len() == 100
    });
    Arrivals::of(server.bodies(), "seq").assert_complete(100);
    for body in server.bodies() {
        let array: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
        assert!(
            (1..=7).contains(&array.len()),
            "an array of {}",
            array.len()
        );
    }
}

#[test]
fn a_line_arrives_at_a_wialon_receiver_with_the_same_values() {
    let (receiver, port) = (WialonReceiver::start(), free_port());
    let stream = format!(
        "[[stream]]\nname = \"wialon\"\ntype = \"wialon-retranslator\"\n\
         address = \"127.0.0.1:{}\"\nchannels = [\"*\"]\n",
        receiver.port
    );
    let _weir = Weir::start("wialon", &config(port, &stream));
    let mut lines = Lines::connect(port);
    lines.send(&OFFICIAL_EXAMPLE.replace('\n', ""));
    lines.await_acked(1);
    eventually("the packet arrives", || !receiver.packets().is_empty());
    let packet = receiver.packets().remove(0);
    let hex: String = packet.iter().map(|byte| format!("{byte:02x}")).collect();
    let uid = "333533393736303133343435343835004b0bfb70";
    let posinfo = "0102706f73696e666f00a027afdf5d9848403ac7253383dd4b400000000000805a40003601460b";
    assert!(hex.contains(uid) && hex.contains(posinfo), "{hex}");
    assert!(
        hex.contains("00047077725f657874002b8716d9ce973b40"),
        "{hex}"
    );
}

#[test]
fn a_message_that_matches_twice_is_sent_once() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let devices = "[[device]]\nname = \"truck 7\"\nident = \"3520*\"\n\
                   [[group]]\nname = \"trucks\"\ndevices = [\"truck 7\"]\n";
    let all = "channels = [\"programs\"]\ndevices = [\"truck 7\"]\ngroups = [\"trucks\"]";
    let streams = mqtt("cloud", broker.port, all) + devices;
    let _weir = Weir::start("once", &config(port, &streams));
    let mut lines = Lines::connect(port);
    (0..50).for_each(|number| lines.send(&message(number)));
    lines.await_acked(50);
    eventually("all arrive", || broker.received().len() >= 50);
    let arrivals = Arrivals::of(broker.received().iter().map(|(_, payload)| payload), "seq");
    arrivals.assert_complete(50);
    assert_eq!(arrivals.repeats, 0);
    assert!(
        broker.received()[0]
            .1
            .contains(r#""device.name":"truck 7""#)
    );
}

#[test]
fn two_threads_and_never_more() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let stream = mqtt("cloud", broker.port, "channels = [\"*\"]");
    let weir = Weir::start("threads", &config(port, &stream));
    let mut clients: Vec<_> = (0..20).map(|_| Lines::connect(port)).collect();
    for client in &mut clients {
        client.send(&message(1));
        client.await_acked(1);
    }
    assert_eq!(weir.threads(), ["weir", "async-io"]);
}

#[test]
fn a_hundred_thousand_messages_outlive_an_outage_and_kill_9() {
    const COUNT: u64 = 100_000;
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    let stream = mqtt("cloud", cable.port, "channels = [\"*\"]\nwindow = 1000\n");
    let mut weir = Weir::start("outage", &config(port, &stream));
    let empty = weir.memory_kib();
    let mut lines = Lines::connect(port);
    for start in (0..COUNT).step_by(1000) {
        (start..start + 1000).for_each(|number| lines.send(&message(number)));
        lines.await_acked(start + 1000);
    }
    let full = weir.memory_kib();
    assert!(
        full < empty + 1024,
        "{empty} KiB before, {full} KiB with a backlog"
    );
    weir.kill();
    weir.restart();
    let reopened = weir.memory_kib();
    assert!(
        reopened < empty + 1024,
        "{empty} KiB before, {reopened} KiB after the restart"
    );
    cable.plug();
    let arrivals = || Arrivals::of(broker.received().iter().map(|(_, text)| text), "seq");
    eventually("all arrive", || broker.received().len() as u64 >= COUNT);
    arrivals().assert_complete(COUNT);
}

#[test]
fn kill_9_in_the_middle_of_traffic_loses_nothing_that_was_acknowledged() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    cable.plug();
    let stream = mqtt("cloud", cable.port, "channels = [\"*\"]\n");
    let mut weir = Weir::start("kill", &config(port, &stream));
    let mut acked = 0;
    for round in 0..10 {
        let mut lines = Lines::connect(port);
        (acked..acked + 300).for_each(|number| lines.send(&message(number)));
        lines.await_acked(300);
        acked += 300;
        if round % 2 == 0 {
            cable.cut();
        }
        weir.kill();
        weir.restart();
    }
    let arrivals = || Arrivals::of(broker.received().iter().map(|(_, text)| text), "seq");
    eventually("all arrive", || arrivals().first.len() as u64 >= acked);
    arrivals().assert_complete(acked);
    assert_eq!(weir.stop(), Some(0));
}

#[test]
fn a_pulled_cable_delays_and_loses_nothing() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    cable.plug();
    let stream = mqtt("cloud", cable.port, "channels = [\"*\"]");
    let _weir = Weir::start("cable", &config(port, &stream));
    let mut lines = Lines::connect(port);
    for round in 0..4 {
        (round * 250..(round + 1) * 250).for_each(|number| lines.send(&message(number)));
        lines.await_acked((round + 1) * 250);
        if round % 2 == 0 {
            cable.pull();
        } else {
            cable.plug();
        }
    }
    let arrivals = || Arrivals::of(broker.received().iter().map(|(_, text)| text), "seq");
    eventually("all arrive", || arrivals().first.len() == 1000);
    arrivals().assert_complete(1000);
}

#[test]
fn bad_input_is_answered_counted_and_harms_nobody_else() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let stream = mqtt("cloud", broker.port, "channels = [\"*\"]");
    let weir = Weir::start("bad", &config(port, &stream));
    let (mut bad, mut good) = (Lines::connect(port), Lines::connect(port));
    bad.send("not json");
    assert!(bad.answer().starts_with(r#"{"error":"#));
    bad.send(r#"{"speed":1}"#);
    assert!(bad.answer().contains("\"line\":2"));
    bad.send(&message(0));
    bad.await_acked(1);
    good.send(&message(1));
    good.await_acked(1);
    bad.send(&"x".repeat(70_000));
    assert!(bad.answer().starts_with(r#"{"error":"#));
    assert_eq!(bad.answer(), "", "closed");
    good.send(&message(2));
    good.await_acked(2);
    assert!(weir.log().contains("refused, syntax"), "{}", weir.log());
    eventually("the good ones arrive", || broker.received().len() == 3);
}

/// The values of the official example packet of Wialon Retranslator.
const OFFICIAL_EXAMPLE: &str = r#"{"ident":"353976013445485","timestamp":1259076464,
"position.longitude":49.1903648,"position.latitude":55.7305664,"position.altitude":106,
"position.speed":54,"position.direction":326,"position.satellites":11,
"external.powersource.voltage":27.593,"din":1}"#;

/// What the stream has stored, accepted, and waiting; none while nobody answers.
fn counts(weir: &Weir) -> Option<[u64; 3]> {
    let api = format!("unix:{}", weir.folder.join("api").display());
    let status = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["--api", &api, "status", "--json"])
        .output();
    let status: serde_json::Value = serde_json::from_slice(&status.ok()?.stdout).ok()?;
    let stream = &status["streams"][0];
    let count = |key: &str| stream[key].as_u64();
    Some([count("stored")?, count("accepted")?, count("backlog")?])
}
