//! Real packets of trackers through the whole daemon to mosquitto.

use crate::servers::Mosquitto;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value as Json;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

const IMEI: &str = "356307042441013";

struct Trackers {
    port: u16,
    broker: Mosquitto,
    _weir: Weir,
}

impl Trackers {
    fn start() -> Self {
        let (broker, port) = (Mosquitto::start(), free_port());
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
             [[channel]]\nname = \"trackers\"\ntype = \"teltonika\"\n\
             listen = [\"127.0.0.1:{port}\", \"udp:127.0.0.1:{port}\"]\n\
             [[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\nchannels = [\"trackers\"]\n\
             url = \"mqtt://127.0.0.1:{}\"\ntopic = \"{{ident}}\"\n",
            broker.port
        );
        let _weir = Weir::start("trackers", &config);
        Self {
            port,
            broker,
            _weir,
        }
    }

    fn login(&self) -> TcpStream {
        let mut device = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        device.set_read_timeout(Some(PATIENCE)).unwrap();
        device
            .write_all(&[&[0, 15], IMEI.as_bytes()].concat())
            .unwrap();
        assert_eq!(read(&mut device, 1), [1]);
        device
    }

    /// What arrived, as JSON, in order.
    fn messages(&self) -> Vec<Json> {
        let received = self.broker.received();
        received
            .iter()
            .map(|(_, payload)| serde_json::from_str(payload).unwrap())
            .collect()
    }
}

fn read(device: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut answer = vec![0; len];
    device.read_exact(&mut answer).unwrap();
    answer
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[test]
fn the_specifications_packet_is_answered_when_safe_and_arrives() {
    let trackers = Trackers::start();
    let mut device = trackers.login();
    device.write_all(&unhex(SPECIFICATION)).unwrap();
    assert_eq!(read(&mut device, 4), [0, 0, 0, 1]);
    eventually("it arrives", || trackers.messages().len() == 1);
    let message = trackers.messages().remove(0);
    assert_eq!(message["ident"], IMEI);
    assert_eq!(message["timestamp"], 1_560_161_086);
    assert_eq!(message["external.powersource.voltage"], 24.079);
    assert_eq!(message["din.1"], true);
    assert_eq!(message["channel.name"], "trackers");
    assert_eq!(message["protocol.name"], "teltonika");
}

#[test]
fn a_damaged_packet_is_not_answered_and_disturbs_no_other() {
    let trackers = Trackers::start();
    let (mut bad, mut good) = (trackers.login(), trackers.login());
    let mut damaged = unhex(SPECIFICATION);
    damaged[20] ^= 1;
    bad.write_all(&damaged).unwrap();
    good.write_all(&unhex(SPECIFICATION)).unwrap();
    assert_eq!(read(&mut good, 4), [0, 0, 0, 1]);
    bad.set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    assert!(
        !matches!(bad.read(&mut [0; 4]), Ok(1..)),
        "a damaged packet was answered"
    );
    eventually("the good one arrives", || trackers.messages().len() == 1);
}

#[test]
fn every_shared_vector_is_answered_and_arrives() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/teltonika.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return println!("skipped: no `{}`", path.display());
    };
    let (file, trackers): (Json, _) = (serde_json::from_str(&text).unwrap(), Trackers::start());
    let mut expected: Vec<Json> = Vec::new();
    for vector in file["vectors"].as_array().unwrap() {
        let packet = unhex(vector["hex"].as_str().unwrap());
        let Some(answer) = vector["ack_hex"].as_str().map(unhex) else {
            refused(&trackers, &packet);
            continue;
        };
        assert_eq!(
            deliver(&trackers, vector, &packet, answer.len()),
            answer,
            "{}",
            vector["id"]
        );
        expected.extend(
            vector["decoded"]["records"]
                .as_array()
                .unwrap()
                .iter()
                .cloned(),
        );
    }
    eventually("all arrive", || trackers.messages().len() >= expected.len());
    assert_eq!(trackers.messages().len(), expected.len());
    for (message, record) in trackers.messages().iter().zip(&expected) {
        assert_same(message, record);
    }
}

fn deliver(trackers: &Trackers, vector: &Json, packet: &[u8], len: usize) -> Vec<u8> {
    if vector["transport"] == "tcp" {
        let mut device = trackers.login();
        device.write_all(packet).unwrap();
        return read(&mut device, len);
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
        .send_to(packet, ("127.0.0.1", trackers.port))
        .unwrap();
    let mut answer = [0; 64];
    let len = socket.recv(&mut answer).unwrap();
    answer[..len].to_vec()
}

fn refused(trackers: &Trackers, packet: &[u8]) {
    let mut device = trackers.login();
    device.write_all(packet).unwrap();
    device
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(!matches!(device.read(&mut [0; 4]), Ok(1..)), "answered");
}

fn assert_same(message: &Json, record: &Json) {
    let number = |value: &Json| value.as_f64().unwrap();
    assert!((number(&message["timestamp"]) - number(&record["ts_ms"]) / 1e3).abs() < 1e-6);
    let fixed = number(&record["sats"]) > 0.0;
    for (name, field) in [("longitude", "lon_e7"), ("latitude", "lat_e7")] {
        let sent = &message[format!("position.{name}")];
        assert_eq!(sent.is_number(), fixed, "{message}");
        assert!(!fixed || (number(sent) - number(&record[field]) / 1e7).abs() < 1e-9);
    }
    let raw = |id: &str| record["io"][id].as_u64();
    assert_eq!(
        message["engine.ignition.status"].as_bool(),
        raw("239").map(|state| state != 0)
    );
    let volts = |id: &str| raw(id).map(|millivolts| millivolts as f64 / 1e3);
    assert_eq!(
        message["external.powersource.voltage"].as_f64(),
        volts("66")
    );
    for (id, value) in record["io"].as_object().unwrap() {
        let kept = &message[format!("custom.param.{id}")];
        assert!(
            kept.is_null() || !value.is_u64() || kept == value,
            "{id}: {message}"
        );
    }
}

/// The first example of codec 8 in the vendor's description of its protocols.
const SPECIFICATION: &str = "000000000000003608010000016b40d8ea3001000000000000000000000000\
    0000000105021503010101425e0f01f10000601a014e0000000000000000010000c7cf";
