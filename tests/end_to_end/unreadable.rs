//! A disk that does not read, by `strace`, and a ring's file that is taken away while it is in use:
//! what was acknowledged is neither lost nor called damaged.

use crate::config;
use crate::itself::status;
use crate::mqtt;
use crate::servers::Arrivals;
use crate::servers::Cable;
use crate::servers::Mosquitto;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::message;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

/// A daemon whose ring holds what no destination could take yet.
struct Scene {
    broker: Mosquitto,
    cable: Cable,
    port: u16,
    weir: Weir,
    sent: u64,
}

impl Scene {
    fn with(name: &str, count: u64) -> Self {
        let (broker, port) = (Mosquitto::start(), free_port());
        let cable = Cable::new(broker.port);
        let config = config(port, &mqtt("cloud", cable.port, "channels = [\"*\"]"))
            .replace("64 MiB", "1 MiB")
            .replace("\"off\"", "\"unix:@/api\"");
        cable.pull();
        let weir = Weir::start(name, &config);
        let mut scene = Self {
            broker,
            cable,
            port,
            weir,
            sent: 0,
        };
        scene.send(count);
        scene
    }

    fn send(&mut self, count: u64) {
        let mut lines = Lines::connect(self.port);
        let numbers = self.sent..self.sent + count;
        numbers.for_each(|number| lines.send(&message(number)));
        lines.await_acked(count);
        self.sent += count;
    }

    /// Starts it again, `strace` before it; `inject` is what that does to reads of the ring.
    fn restart_traced(&mut self, inject: Option<&str>) {
        self.weir.kill();
        self.weir.restart_with(|command, folder| {
            let log = fs::File::options().append(true).open(folder.join("log"));
            let mut traced = Command::new("strace");
            traced.args(["-D", "-f", "-q", "-e", "trace=pread64"]);
            traced.arg("-o").arg(folder.join("trace"));
            traced.arg("-P").arg(folder.join("ring"));
            traced.args(inject.iter().flat_map(|inject| ["-e", inject]));
            traced.arg(command.get_program()).args(command.get_args());
            traced.stdout(Stdio::null()).stderr(log.unwrap());
            *command = traced;
        });
    }

    fn await_second_begin(&self) {
        eventually("it begins anew", || {
            self.weir.log().matches("weir is ready").count() == 2
        });
    }

    fn assert_all_arrive(&self) {
        self.cable.plug();
        let last = format!("\"seq\":{}", self.sent - 1);
        eventually("the last arrives", || self.broker.text().contains(&last));
        Arrivals::of([self.broker.text()], "seq").assert_complete(self.sent);
        eventually("all is settled", || {
            status(&self.weir)["streams"][0]["backlog"] == 0
        });
        let status = status(&self.weir);
        let stream = &status["streams"][0];
        assert_eq!(
            (&stream["corrupt"], &stream["dropped"]),
            (&0.into(), &0.into())
        );
        assert_eq!(status["ring"]["degraded"], false, "{status}");
    }
}

#[test]
fn a_ring_that_cannot_be_read_at_the_start_is_waited_for() {
    let mut scene = Scene::with("unread-start", 2000);
    scene.restart_traced(Some("inject=pread64:error=EIO:when=1..500"));
    scene
        .weir
        .await_log("it cannot be read, the disk failed; it is left as it is");
    scene.weir.await_log("recovered");
    // until then the API is between two daemons
    scene.await_second_begin();
    let ring = status(&scene.weir)["ring"].clone();
    assert!(ring["read_failures"].as_u64() >= Some(500), "{ring}");
    scene.assert_all_arrive();
}

#[test]
fn a_ring_that_cannot_be_read_for_a_while_costs_no_message() {
    let mut scene = Scene::with("unread-later", 2000);
    scene.restart_traced(None);
    let opened = fs::read_to_string(scene.weir.folder.join("trace"));
    let opened = opened.unwrap().matches("pread64(").count();
    let inject = format!(
        "inject=pread64:error=EIO:when={}..{}",
        opened + 1,
        opened + 500
    );
    scene.restart_traced(Some(&inject));
    scene.assert_all_arrive();
    let ring = status(&scene.weir)["ring"].clone();
    assert!(ring["read_failures"].as_u64() >= Some(450), "{ring}");
    scene
        .weir
        .await_log("reads failed: streams wait for what is on disk and try again");
    scene.weir.await_log("can be read again");
}

fn without_its_file(how: &str, take: fn(&Path)) {
    let mut scene = Scene::with(how, 100);
    take(&scene.weir.folder.join("ring"));
    let mut lines = Lines::connect(scene.port);
    lines.send(&message(100));
    scene
        .weir
        .await_log("the file was removed, replaced or cut short");
    assert_eq!(lines.answer(), "", "{how}: nothing was safe");
    scene.await_second_begin();
    assert_eq!(status(&scene.weir)["ring"]["durable"], true, "{how}");
    scene.send(1);
    scene.weir.kill();
    scene.weir.restart();
    scene.assert_all_arrive();
}

#[test]
fn a_ring_whose_file_is_removed_is_made_anew_and_loses_nothing() {
    without_its_file("removed", |path| fs::remove_file(path).unwrap());
}

#[test]
fn a_ring_whose_file_is_replaced_loses_nothing() {
    without_its_file("replaced", |path| {
        fs::remove_file(path).unwrap();
        fs::write(path, "").unwrap();
    });
}

/// Nobody writes anything, and it is missed all the same.
#[test]
fn a_file_that_is_cut_short_is_missed_in_silence() {
    let scene = Scene::with("cut", 1);
    let ring = scene.weir.folder.join("ring");
    fs::File::options()
        .write(true)
        .open(&ring)
        .unwrap()
        .set_len(0)
        .unwrap();
    scene
        .weir
        .await_log("the file was removed, replaced or cut short");
    eventually("it is made anew", || {
        fs::metadata(&ring).is_ok_and(|found| found.len() == 1 << 20)
    });
    assert!(scene.weir.folder.join("ring.cut").exists());
    scene.await_second_begin();
    assert_eq!(status(&scene.weir)["streams"][0]["corrupt"], 1, "counted");
}

#[test]
fn commands_that_look_into_a_ring_say_that_it_cannot_be_read() {
    let mut scene = Scene::with("unread-commands", 1);
    scene.weir.stop();
    let ring = scene.weir.folder.join("ring");
    let fresh = scene.weir.folder.join("fresh");
    for command in ["info", "dump", "verify", "repair"] {
        let mut traced = Command::new("strace");
        traced.args([
            "-f",
            "-q",
            "-o",
            "/dev/null",
            "-e",
            "inject=pread64:error=ENXIO",
        ]);
        traced.arg("-P").arg(&ring).arg(env!("CARGO_BIN_EXE_weir"));
        traced.args(["ring", command]).arg(&ring);
        traced.args((command == "repair").then_some(&fresh));
        let output = traced.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(
            said.contains("it cannot be read, the disk failed"),
            "{command}: {said}"
        );
        assert!(!fresh.exists(), "{command}");
    }
}
