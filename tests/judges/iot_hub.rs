//! Azure IoT Hub: the login and the topic before a broker that judges them, and beside those of
//! Microsoft's own SDK, field by field.

use crate::certificates::Authority;
use crate::python;
use crate::told::Judge;
use crate::weir_run::Lines;
use crate::weir_run::Weir;
use crate::weir_run::eventually;
use crate::weir_run::free_port;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// The broker, and who made its certificate.
struct Hub {
    judge: Judge,
    authority: Authority,
}

impl Hub {
    fn start(name: &str) -> Self {
        let authority = Authority::new(name);
        let pair = authority.issue("localhost");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/iot_hub.js");
        let mut command = Command::new("node");
        command.arg(script).args(["localhost", "dev-1", KEY]);
        let judge = Judge::start(command.arg(&pair.certificate).arg(&pair.key));
        Self { judge, authority }
    }

    fn said(&self, what: &str) -> Vec<Value> {
        self.judge.said(what)
    }
}

fn weir(hub: &Hub, input: u16, lines: &str) -> Weir {
    let (port, ca) = (hub.judge.port(), hub.authority.ca());
    let ca = ca.display();
    let config = format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{input}\"\n\
         [[stream]]\nname = \"hub\"\ntype = \"azure-iot-hub\"\nchannels = [\"in\"]\n\
         host = \"localhost:{port}\"\ndevice = \"dev-1\"\ntls = {{ ca = \"{ca}\" }}\n{lines}\n"
    );
    Weir::start("hub", &config)
}

fn pairs(properties: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pairs = properties.as_array().unwrap().iter();
    pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

/// The same message by Microsoft's SDK and by weir: what of it has to be the same, and what the
/// documents leave to whoever sends.
#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_hub_hears_from_weir_what_it_hears_from_microsofts_sdk() {
    let hub = Hub::start("sdk");
    let (port, ca) = (hub.judge.port().to_string(), hub.authority.ca());
    let ca = ca.display().to_string();
    python("iot_hub_sdk.py", &["localhost", "dev-1", KEY, &port, &ca]);
    let input = free_port();
    let keys = format!("key = \"{KEY}\"\nproperties = {{ who = \"{{ident}}\" }}");
    let weir = weir(&hub, input, &keys);
    let mut lines = Lines::connect(input);
    lines.send("{\"ident\":\"4711 ä &\",\"timestamp\":1700000000.5}");
    lines.await_acked(1);
    eventually("both are heard", || hub.said("publish").len() == 2);
    let [theirs, ours] = [0, 1].map(|at| hub.said("connect")[at].clone());
    assert_eq!(
        (&theirs["version"], &ours["version"]),
        (&4.into(), &4.into())
    );
    assert_eq!(
        (&theirs["will"], &ours["will"]),
        (&false.into(), &false.into())
    );
    // a session is for what a hub sends to a device: weir asks for nothing of that
    assert_eq!(
        (&theirs["clean"], &ours["clean"]),
        (&false.into(), &true.into())
    );
    let [theirs, ours] = [0, 1].map(|at| hub.said("login")[at].clone());
    assert_eq!(
        (&theirs["wrong"], &ours["wrong"]),
        (&no_fault(), &no_fault())
    );
    assert_eq!(theirs["id"], ours["id"]);
    let user = |login: &Value| {
        login["user"]
            .as_str()
            .unwrap()
            .split('?')
            .next()
            .map(str::to_owned)
    };
    assert_eq!(user(&theirs), user(&ours));
    assert_eq!(ours["user"], "localhost/dev-1/?api-version=2021-04-12");
    let [theirs, ours] = [0, 1].map(|at| hub.said("publish")[at].clone());
    assert_eq!(
        (&theirs["wrong"], &ours["wrong"]),
        (&no_fault(), &no_fault())
    );
    let (theirs, mut ours) = (pairs(&theirs["properties"]), pairs(&ours["properties"]));
    assert!(
        ours[0].1.ends_with(":1"),
        "the first record of a ring: {ours:?}"
    );
    ours[0].1 = "00000007:1".into();
    ours[4].1 = ours[4].1.replace("4711 ", "4711/");
    assert_eq!(ours, theirs);
    let wanted = [
        ("$.mid", "00000007:1"),
        ("$.ct", "application/json;charset=utf-8"),
        ("$.ce", "utf-8"),
        ("iothub-creation-time-utc", "2023-11-14T22:13:20.500Z"),
        ("who", "4711/ä &"),
    ];
    assert_eq!(
        ours,
        wanted.map(|(name, value)| (name.into(), value.into()))
    );
    let log = weir.log();
    assert!(!log.contains(KEY) && !log.contains("SharedAccess"), "{log}");
}

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_hub_gets_all_in_order_and_a_wrong_key_costs_nothing() {
    let hub = Hub::start("order");
    let input = free_port();
    let retry = "retry = { min = \"100ms\", max = \"200ms\" }";
    let wrong = KEY.replace('M', "N");
    let weir = weir(&hub, input, &format!("key = \"{wrong}\"\n{retry}"));
    let mut lines = Lines::connect(input);
    (0..200).for_each(|n| lines.send(&format!("{{\"ident\":\"a\",\"n\":{n}}}")));
    lines.await_acked(200);
    weir.await_log("look at `host`, `device` and `key`");
    assert_eq!(
        hub.said("login")[0]["wrong"],
        serde_json::json!(["signature"])
    );
    let config = std::fs::read_to_string(weir.folder.join("weir.toml")).unwrap();
    weir.reload(&config.replace(&wrong, KEY));
    eventually("all arrive", || hub.said("publish").len() >= 200);
    let numbers = hub.said("publish").into_iter().map(|publish| {
        assert_eq!(publish["wrong"], no_fault());
        let payload: Value = serde_json::from_str(publish["payload"].as_str().unwrap()).unwrap();
        payload["n"].as_u64().unwrap()
    });
    assert_eq!(numbers.collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
}

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_hub_gets_arrays_of_those_that_wait() {
    let hub = Hub::start("array");
    let input = free_port();
    let keys = format!("key = \"{KEY}\"\npayload = \"array\"\nlinger = \"1s\"");
    let _weir = weir(&hub, input, &keys);
    let mut lines = Lines::connect(input);
    (0..200).for_each(|n| lines.send(&format!("{{\"ident\":\"a\",\"n\":{n}}}")));
    lines.await_acked(200);
    let mut numbers = Vec::new();
    eventually("all arrive", || {
        let arrays = hub
            .said("publish")
            .into_iter()
            .map(|publish| -> Vec<Value> {
                assert_eq!(publish["wrong"], no_fault());
                serde_json::from_str(publish["payload"].as_str().unwrap()).unwrap()
            });
        numbers = arrays
            .flatten()
            .map(|object| object["n"].as_u64().unwrap())
            .collect();
        numbers.len() >= 200
    });
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    assert!(
        hub.said("publish").len() < 20,
        "{}",
        hub.said("publish").len()
    );
}

/// The test would notice a broker that judges nothing.
#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_hub_refuses_another_device() {
    let hub = Hub::start("other");
    let input = free_port();
    let weir = weir(&hub, input, &format!("key = \"{KEY}\""));
    eventually("it logs in", || !hub.said("login").is_empty());
    let config = std::fs::read_to_string(weir.folder.join("weir.toml")).unwrap();
    weir.reload(&config.replace("dev-1", "dev-2"));
    weir.await_log("not authorized");
    let last = hub.said("login").pop().unwrap();
    let wrong = serde_json::json!(["client id", "user name", "resource"]);
    assert_eq!(last["wrong"], wrong);
}

fn no_fault() -> Value {
    Value::Array(Vec::new())
}
