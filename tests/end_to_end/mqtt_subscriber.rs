//! A broker that the gateway has already: weir is subscribed to it.

use crate::mqtt;
use crate::servers::Arrivals;
use crate::servers::Mosquitto;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::program::Program;
use crate::weir::program::mosquitto;
use std::process::Command;

/// The gateway's own broker, which keeps sessions over a restart.
struct Local {
    port: u16,
    folder: Folder,
    broker: Program,
}

impl Local {
    fn start() -> Self {
        let folder = Folder::new("local");
        folder.write("passwords", "ann:secret\n");
        let passwords = folder.join("passwords");
        let hash = Command::new("mosquitto_passwd")
            .arg("-U")
            .arg(&passwords)
            .status();
        assert!(hash.unwrap().success());
        let (broker, port) = Program::serve(|port| {
            let text = format!(
                "listener {port} 127.0.0.1\npersistence true\npersistence_location {}/\n\
                 password_file {}\nmax_queued_messages 0\nuser root\n",
                folder.join("").display(),
                passwords.display()
            );
            mosquitto(&folder.write("mosquitto.conf", &text))
        });
        Self {
            port,
            folder,
            broker,
        }
    }

    /// SIGTERM, so that it writes what it keeps.
    fn stop(&mut self) {
        self.broker.stop();
    }

    fn restart(&mut self) {
        let config = self.folder.join("mosquitto.conf");
        self.broker = Program::serve_on(self.port, &mut mosquitto(&config));
    }

    /// Publishes these numbers, each once, QoS 1.
    fn publish(&self, numbers: std::ops::Range<u64>) {
        let lines: String = numbers
            .map(|number| format!("{{\"seq\":{number}}}\n"))
            .collect();
        self.publish_lines("trackers/352/up", &lines);
    }

    fn publish_lines(&self, topic: &str, lines: &str) {
        let file = self.folder.write("lines", lines);
        let status = Command::new("mosquitto_pub")
            .args(["-p", &self.port.to_string(), "-u", "ann", "-P", "secret"])
            .args(["-q", "1", "-l", "-t", topic])
            .stdin(std::fs::File::open(file).unwrap())
            .status();
        assert!(status.unwrap().success());
    }
}

fn config(local: u16, upstream: u16, login: &str) -> String {
    let stream = mqtt("cloud", upstream, "channels = [\"*\"]");
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"4 MiB\"\n[api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"devices\"\ntype = \"mqtt\"\n{login}\n\
         connect = \"mqtt://127.0.0.1:{local}\"\ntopic = \"trackers/{{ident}}/up\"\n{stream}"
    )
}

const LOGIN: &str = "username = \"ann\"\npassword = \"secret\"";

/// Waits for the first subscription, with which the session begins that is kept from then on.
fn await_subscribed(local: &Local, upstream: &Mosquitto) {
    eventually("weir is subscribed", || {
        local.publish_lines("trackers/probe/up", "{}\n");
        upstream.text().contains("weir/probe")
    });
}

/// Waits until so many different numbers came.
fn await_count(upstream: &Mosquitto, count: usize) {
    eventually(&format!("{count} arrive"), || {
        let texts = upstream.received().into_iter().map(|(_, text)| text);
        Arrivals::of(texts, "seq").first.len() >= count
    });
}

#[test]
fn what_is_published_to_the_gateways_broker_arrives_whoever_restarts() {
    let (upstream, mut local) = (Mosquitto::start(), Local::start());
    let mut weir = Weir::start("mqtt-sub", &config(local.port, upstream.port, LOGIN));
    await_subscribed(&local, &upstream);
    local.publish(0..300);
    weir.kill();
    // its session keeps what it does not see
    local.publish(300..600);
    weir.restart();
    await_count(&upstream, 600);
    local.stop();
    local.restart();
    local.publish(600..900);
    await_count(&upstream, 900);
    weir.kill();
    local.publish(900..1_200);
    local.stop();
    local.restart();
    weir.restart();
    await_count(&upstream, 1_200);
    let mut received = upstream.received();
    received.retain(|(topic, _)| topic != "weir/probe");
    assert!(received.iter().all(|(topic, _)| topic == "weir/352"));
    Arrivals::of(received.into_iter().map(|(_, text)| text), "seq").assert_complete(1_200);
    assert!(!weir.log().contains("secret"));
}

#[test]
fn a_broker_that_refuses_the_login_is_said_and_tried_again() {
    let (upstream, local) = (Mosquitto::start(), Local::start());
    let login = LOGIN.replace("secret", "guess");
    let mut config = config(local.port, upstream.port, &login);
    let mut weir = Weir::start("mqtt-guess", &config);
    weir.await_log("the broker refused the login: not authorized");
    weir.kill();
    config = config.replace("guess", "secret");
    let place = weir.folder.join("").display().to_string();
    weir.folder
        .write("weir.toml", &config.replace("@/", &place));
    weir.restart();
    await_subscribed(&local, &upstream);
}

/// The old filter stayed subscribed in the kept session, and the broker's queue grew for ever.
#[test]
fn after_a_change_of_topic_nothing_more_is_kept_for_the_old_one() {
    let (upstream, local) = (Mosquitto::start(), Local::start());
    let login = format!("{LOGIN}\nclient_id = \"gw\"");
    let old = config(local.port, upstream.port, &login);
    let mut weir = Weir::start("mqtt-topic", &old);
    await_subscribed(&local, &upstream);
    weir.stop();
    let place = weir.folder.join("").display().to_string();
    let new = old.replace("trackers/", "cars/").replace("@/", &place);
    weir.folder.write("weir.toml", &new);
    weir.restart();
    eventually("weir is subscribed to the new topic", || {
        local.publish_lines("cars/probe/up", "{}\n");
        let notes = std::fs::read_to_string(weir.folder.join("ring.channels.json"));
        notes.is_ok_and(|notes| notes == "{\"devices\":\"cars/+/up\"}")
    });
    weir.stop();
    local.publish_lines("trackers/352/up", "{\"old\":1}\n");
    local.publish_lines("cars/352/up", "{\"new\":1}\n");
    let queued = Command::new("mosquitto_sub")
        .args(["-p", &local.port.to_string(), "-u", "ann", "-P", "secret"])
        .args(["-i", "gw", "-c", "-q", "1", "-t", "cars/+/up", "-W", "3"])
        .output()
        .unwrap();
    let queued = String::from_utf8(queued.stdout).unwrap();
    assert!(
        queued.contains("new") && !queued.contains("old"),
        "{queued}"
    );
}
