//! `flespi` streams of one weir into channels of another: nothing is lost though each is killed.

use crate::servers::Arrivals;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;

const COUNT: u64 = 10_000;

fn message(number: u64) -> String {
    format!(
        "{{\"ident\":\"truck-{}\",\"timestamp\":{}.25,\"position.latitude\":54.{:04},\
         \"position.longitude\":25.5,\"position.speed\":{},\"seq\":{number}}}\n",
        number % 7,
        1_700_000_000 + number,
        number % 10_000,
        number % 100
    )
}

/// Ten thousand messages through a stream with these keys into a channel with these, each at this
/// port.
fn through(name: &str, stream: &str, channel: &str) {
    let [port, between] = [free_port(), free_port()];
    let ring = "[ring]\nfile = \"@/ring\"\nsize = \"16 MiB\"\n[api]\nlisten = \"off\"\n";
    let at = |keys: &str| keys.replace("PORT", &between.to_string());
    let mut receiver = Weir::start(
        &format!("{name}-to"),
        &format!(
            "{ring}[[channel]]\nname = \"from\"\n{}\n[[stream]]\nname = \"disk\"\n\
             type = \"file\"\npath = \"@/out\"\nchannels = [\"*\"]\n",
            at(channel)
        ),
    );
    let mut sender = Weir::start(
        &format!("{name}-from"),
        &format!(
            "{ring}[[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
             [[stream]]\nname = \"on\"\nchannels = [\"*\"]\n\
             retry = {{ min = \"20ms\", max = \"200ms\" }}\n{}\n",
            at(stream)
        ),
    );
    let arrived = |receiver: &Weir| -> Vec<String> {
        let text = fs::read_to_string(receiver.folder.join("out")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    for quarter in 0..4 {
        let mut lines = Lines::connect(port);
        let numbers = quarter * COUNT / 4..(quarter + 1) * COUNT / 4;
        numbers.for_each(|number| lines.send(message(number).trim_end()));
        lines.await_acked(COUNT / 4);
        match quarter {
            0 => {
                sender.kill();
                sender.restart();
            }
            1 => {
                receiver.kill();
                receiver.restart();
            }
            _ => {}
        }
    }
    let seq = |line: &String| {
        let value: Value = serde_json::from_str(line).ok()?;
        Some((value["seq"].as_u64()?, value))
    };
    eventually("all arrive", || {
        let last = arrived(&receiver)
            .iter()
            .filter_map(seq)
            .map(|(seq, _)| seq)
            .max();
        last == Some(COUNT - 1)
    });
    let lines = arrived(&receiver);
    Arrivals::of([lines.join("\n")], "seq").assert_complete(COUNT);
    let sent: HashMap<u64, String> = (0..COUNT)
        .map(|number| {
            (
                number,
                whole(&serde_json::from_str(&message(number)).unwrap()),
            )
        })
        .collect();
    for (seq, value) in lines.iter().filter_map(seq) {
        assert_eq!(whole(&value), sent[&seq]);
    }
    assert_eq!(sender.stop(), Some(0));
    assert_eq!(receiver.stop(), Some(0));
}

/// All that was sent.
fn whole(value: &Value) -> String {
    let names = [
        "ident",
        "timestamp",
        "position.latitude",
        "position.longitude",
    ];
    let more = ["position.speed", "seq"];
    let said = names
        .iter()
        .chain(&more)
        .map(|name| value[name].to_string());
    said.collect::<Vec<_>>().join(" ")
}

#[test]
fn flespis_stream_fills_the_http_channel_of_another_weir() {
    let stream = "type = \"flespi\"\nurl = \"http://127.0.0.1:PORT/\"";
    let channel = "type = \"http\"\nlisten = \"127.0.0.1:PORT\"";
    through("flespi-http", stream, channel);
}

#[test]
fn flespis_stream_fills_the_mqtt_channel_of_another_weir() {
    let stream = "type = \"flespi\"\nurl = \"mqtt://127.0.0.1:PORT\"\ntoken = \"T1\"\n\
                  topic = \"weir/{ident}\"";
    let channel = "type = \"mqtt\"\nlisten = \"127.0.0.1:PORT\"\ntopic = \"weir/{ident}\"";
    through("flespi-mqtt", stream, channel);
}
