//! Every vector of the shared file: none is passed over.

use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::support::hex::unhex;
use crate::support::vectors::vectors;
use crate::text;
use serde_json::Value as Json;
use weir::channel::wialon_ips::Tcp;
use weir::channel::wialon_ips::Udp;
use weir::message::Message;
use weir::message::Value;
use weir::message::ValueRef;
use weir::wire::ips;

#[test]
fn every_vector_gets_its_answer_and_gives_its_values() {
    let Some(file) = vectors("wialon_ips.json") else {
        return;
    };
    for (section, content) in file.as_object().unwrap() {
        for vector in content.as_array().into_iter().flatten() {
            println!("{section} {}", vector["id"]);
            match section.as_str() {
                "vectors" => check(vector),
                "compressed" => check_compressed(vector),
                _ => panic!("vectors that no test knows"),
            }
        }
    }
    assert!(file["vectors"].as_array().unwrap().len() >= 12);
    assert!(file["compressed"].as_array().unwrap().len() >= 3);
}

fn check(vector: &Json) {
    let (decoded, sent) = (&vector["decoded"], unhex(string(&vector["hex"])));
    let answer = vector["reply_per_spec"].as_str();
    // where the specification says nothing, that of another server
    let answer = answer.or(vector["reply_traccar"].as_str()).unwrap();
    let (given, taken, admitted) = match (string(&vector["transport"]), &decoded["type"]) {
        ("udp", _) => {
            let mut socket = Connection::new(Udp::new(None));
            assert_eq!(socket.send_datagram(&sent), SILENCE);
            let given = socket.make_safe();
            (given, socket.intake.taken, vec![])
        }
        ("tcp", kind) if kind == "L" => {
            let mut device = Connection::new(Tcp::new(None));
            let given = device.send(&sent);
            (given, device.intake.taken, device.intake.admitted)
        }
        ("tcp", _) => {
            let mut device = crate::tcp(string(&decoded["version"]));
            let mut given = device.send(&sent);
            given.extend(device.make_safe());
            (given, device.intake.taken, vec![])
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(text(given), answer);
    let records = match (&decoded["record"], vector["negative"] == Json::Bool(true)) {
        (_, true) => vec![],
        (Json::Null, _) => decoded["records"].as_array().cloned().unwrap_or_default(),
        (record, _) => vec![record.clone()],
    };
    assert_eq!(admitted, Vec::from_iter(decoded["imei"].as_str()));
    assert_eq!(taken.len(), records.len());
    for (message, record) in taken.iter().zip(&records) {
        if let Some(ident) = decoded["udp_imei"].as_str() {
            assert_eq!(message.ident(), ident);
        }
        check_record(message, record);
    }
}

fn check_compressed(vector: &Json) {
    let (sent, inside) = (
        unhex(string(&vector["hex"])),
        string(&vector["decompressed"]),
    );
    let mut searched = 0;
    let (frame, len) = ips::frame(&sent, &mut searched, 0).unwrap().unwrap();
    assert_eq!(len, sent.len());
    let ips::Frame::Compressed(data) = frame else {
        panic!("{frame:?}");
    };
    assert_eq!(ips::inflate(data, 1000).unwrap(), inside.as_bytes());
    assert_eq!(ips::inflate(data, inside.len() - 1), None, "it is bounded");
    let (mut device, answer) = match inside.as_bytes() {
        [b'#', b'L', ..] => (Connection::new(Tcp::new(None)), "#AL#1\r\n"),
        _ => (crate::tcp("2.0"), "#AD#1\r\n"),
    };
    let mut given = device.send(&[&sent[..], b"\r\n"].concat());
    given.extend(device.make_safe());
    assert_eq!(text(given), answer);
}

fn check_record(message: &Message, record: &Json) {
    let given = |name: &str| message.get(name).map(number);
    let same = |name: &str, field: &str, nearly: f64| match record[field].as_f64() {
        Some(expected) => {
            let given = given(name).unwrap_or_else(|| panic!("no {name}"));
            assert!((given - expected).abs() <= nearly, "{name}: {given}");
        }
        None => assert!(!message.has(name), "{name}"),
    };
    same("timestamp", "time_unix", 0.0);
    // the vectors have seven digits
    same("position.latitude", "lat", 5.1e-8);
    same("position.longitude", "lon", 5.1e-8);
    same("position.speed", "speed_kmh", 0.0);
    same("position.direction", "course", 0.0);
    same("position.altitude", "alt_m", 0.0);
    same("position.satellites", "sats", 0.0);
    same("position.hdop", "hdop", 0.0);
    same("din", "inputs", 0.0);
    same("dout", "outputs", 0.0);
    let ibutton = record["ibutton"].as_str().map(Value::from);
    assert_eq!(message.get("driver.code").map(Value::from), ibutton);
    let adc = record["adc"].as_array().cloned().unwrap_or_default();
    for (index, expected) in adc.iter().enumerate() {
        let name = format!("ain.{}", index + 1);
        assert_eq!(given(&name), expected.as_f64());
    }
    let inputs = message
        .fields()
        .filter(|(name, _)| name.starts_with("ain."));
    assert_eq!(inputs.count(), adc.len());
    for parameter in record["params"].as_array().into_iter().flatten() {
        let name = match string(&parameter["name"]) {
            "SOS" => {
                assert_eq!(
                    message.get("alarm.status").map(Value::from),
                    Some(Value::Bool(true))
                );
                continue;
            }
            name => name,
        };
        let expected = match &parameter["value"] {
            Json::String(text) => Value::from(text.as_str()),
            number if parameter["type"] == 2 => Value::F64(number.as_f64().unwrap()),
            number => Value::from(number.as_i64().unwrap()),
        };
        assert_eq!(message.get(name), Some(expected.as_ref()), "{name}");
    }
}

fn number(value: ValueRef<'_>) -> f64 {
    value.number().unwrap_or_else(|| panic!("{value:?}"))
}

fn string(value: &Json) -> &str {
    value.as_str().unwrap()
}
