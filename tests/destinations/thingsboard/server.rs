//! ThingsBoard's transport by MQTT 5, as far as a gateway or a device sees it, with switches that
//! break one rule each.

use crate::contract::{Contract, Taken};
use crate::row::REFUSED;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What it is, and does wrong.
#[derive(Clone)]
pub(super) struct Server {
    /// The device of the token is marked as a gateway.
    pub(super) is_gateway: bool,
    /// It knows the question for the limits.
    pub(super) knows_limits: bool,
    /// Data points a second that it tells, and that it takes.
    pub(super) told: u32,
    pub(super) points: u32,
    /// What it saw, for the test.
    pub(super) seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
pub(super) struct Seen {
    /// Devices that were connected, as they came.
    pub(super) connected: Vec<String>,
    /// Telemetry publishes.
    pub(super) publishes: usize,
    /// How often the rate was exceeded.
    pub(super) exceeded: usize,
    /// Data points, and when they came.
    spent: Vec<(Instant, usize)>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            is_gateway: true,
            knows_limits: true,
            told: 100_000,
            points: 100_000,
            seen: Arc::default(),
        }
    }
}

pub(super) fn start(server: Server) -> Contract {
    Contract::start(move |socket, taken| drop(serve(&server, socket, taken)))
}

fn serve(server: &Server, mut socket: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let (mut input, mut chunk) = (Vec::new(), [0; 65_536]);
    let mut has_connected = Vec::new();
    loop {
        while let Some((first, body, used)) = packet(&input) {
            input.drain(..used);
            match first >> 4 {
                1 => {
                    assert_eq!(&body[..7], b"\0\x04MQTT\x05", "MQTT 5");
                    if !contains(&body, b"right-secret") {
                        return socket.write_all(&[0x20, 3, 0, 0x86, 0]);
                    }
                    socket.write_all(&[0x20, 3, 0, 0, 0])?;
                }
                8 => socket.write_all(&[0x90, 4, body[0], body[1], 0, 1])?,
                3 => {
                    let (topic, id, payload) = publish(first, &body);
                    if topic == "v1/devices/me/rpc/request/1" && server.knows_limits {
                        socket.write_all(&server.limits())?;
                    } else if topic == "v1/gateway/connect" && server.is_gateway {
                        let device = payload["device"].as_str().unwrap().to_owned();
                        assert_eq!(payload["type"], "tracker");
                        has_connected.push(device.clone());
                        server.seen.lock().unwrap().connected.push(device);
                    } else if let Some(id) = id {
                        let answer = server.take(&topic, &payload, &has_connected, taken);
                        let [high, low] = id.to_be_bytes();
                        if let Some(code) = answer {
                            socket.write_all(&[0x40, 4, high, low, code, 0])?;
                        }
                        if answer == Some(RATE) {
                            return Ok(());
                        }
                    }
                }
                12 => socket.write_all(&[0xd0, 0])?,
                _ => return Ok(()),
            }
        }
        match socket.read(&mut chunk)? {
            0 => return Ok(()),
            count => input.extend_from_slice(&chunk[..count]),
        }
    }
}

impl Server {
    /// The answer to the question for the limits.
    fn limits(&self) -> Vec<u8> {
        let points = format!("\"telemetryDataPoints\":\"{}:1\"", self.told);
        let rates = format!("{{\"messages\":\"100000:1\",{points}}}");
        let gateway = match self.is_gateway {
            true => format!("\"gatewayRateLimits\":{rates},"),
            false => String::new(),
        };
        let text = format!(
            "{{\"maxPayloadSize\":{PAYLOAD_MAX},\"maxInflightMessages\":100,{gateway}\
             \"rateLimits\":{{\"messages\":\"\"}}}}"
        );
        let topic = "v1/devices/me/rpc/response/1";
        let body = [&[0, 28][..], topic.as_bytes(), &[0], text.as_bytes()].concat();
        let (low, high) = (body.len() % 128 + 128, body.len() / 128);
        let head = [0x30, u8::try_from(low).unwrap(), u8::try_from(high).unwrap()];
        [&head[..], &body].concat()
    }

    /// The reason of the acknowledgement; none: there is none.
    fn take(
        &self,
        topic: &str,
        payload: &Value,
        has_connected: &[String],
        taken: &Taken,
    ) -> Option<u8> {
        let (name, timed) = match topic {
            "v1/gateway/telemetry" if !self.is_gateway => return None,
            "v1/gateway/telemetry" => {
                let devices = payload.as_object().unwrap();
                assert_eq!(devices.len(), 1, "one device a publish");
                let (name, timed) = devices.iter().next().unwrap();
                assert!(has_connected.contains(name), "{name} has a profile");
                (name.clone(), timed.clone())
            }
            "v1/devices/me/telemetry" => (String::new(), payload.clone()),
            other => panic!("{other}"),
        };
        let timed = timed.as_array().unwrap();
        assert!(!timed.is_empty());
        let mut seen = self.seen.lock().unwrap();
        seen.publishes += 1;
        let mut points = 0;
        for one in timed {
            assert_eq!(one.as_object().unwrap().len(), 2, "{one}");
            let millis = one["ts"].as_u64().unwrap();
            assert!(millis > 1_500_000_000_000, "milliseconds: {millis}");
            let values = one["values"].as_object().unwrap();
            assert!(!values.contains_key("ident") && !values.contains_key("timestamp"));
            points += values.len();
        }
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        seen.spent.retain(|(at, _)| now - *at < second);
        let spent: usize = seen.spent.iter().map(|(_, points)| points).sum();
        if spent + points > self.points as usize {
            seen.exceeded += 1;
            return Some(RATE);
        }
        seen.spent.push((now, points));
        if name == REFUSED {
            return Some(0x99);
        }
        timed.iter().for_each(|one| taken.add(one["values"]["seq"].as_u64().unwrap()));
        Some(0)
    }
}

/// A whole packet: its first byte, what is behind its head, and how long all is.
fn packet(input: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let mut len = 0;
    for (index, byte) in input.iter().skip(1).take(4).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let start = 2 + index;
            let body = input.get(start..start + len)?;
            return Some((input[0], body.to_vec(), start + len));
        }
    }
    None
}

/// Topic, packet identifier and payload.
fn publish(first: u8, body: &[u8]) -> (String, Option<u16>, Value) {
    let len = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let topic = String::from_utf8(body[2..2 + len].to_vec()).unwrap();
    let (id, rest) = match first & 0x06 {
        0 => (None, &body[2 + len..]),
        _ => (
            Some(u16::from_be_bytes([body[2 + len], body[3 + len]])),
            &body[4 + len..],
        ),
    };
    assert_eq!(rest[0], 0, "no properties");
    (topic, id, serde_json::from_slice(&rest[1..]).unwrap())
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
}

/// Bytes of a publish at most.
pub(super) const PAYLOAD_MAX: usize = 2000;

/// The rate is exceeded.
const RATE: u8 = 0x97;
