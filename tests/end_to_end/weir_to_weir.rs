//! One gateway to the other: what comes out of the far one is what went into the near one, though
//! each is killed in between.

use crate::Arrivals;
use crate::weir::{Lines, Weir, eventually, free_port};
use serde_json::Value as Json;
use std::fs;

/// A way from a stream of one into a channel of the other.
struct Way {
    /// Of both.
    kind: &'static str,
    /// More keys of both.
    keys: &'static str,
    messages: u64,
}

#[test]
fn ten_thousand_go_by_retranslator_and_none_is_lost_or_changed() {
    go(&Way {
        kind: "wialon-retranslator",
        keys: "",
        messages: 10_000,
    });
}

#[test]
fn units_go_by_wialon_ips_and_none_is_lost_or_changed() {
    go(&Way {
        kind: "wialon-ips",
        keys: "password = \"secret\"\n",
        messages: 3_000,
    });
}

/// In four parts, of which each ends with `kill -9` of one of the two while much is on its way.
fn go(way: &Way) {
    let [between, programs] = [free_port(), free_port()];
    let (kind, keys) = (way.kind, way.keys);
    let head = "[ring]\nfile = \"@/ring\"\nsize = \"8 MiB\"\n[api]\nlisten = \"off\"\n";
    let mut far = Weir::start(
        "far",
        &format!(
            "{head}[[channel]]\nname = \"units\"\ntype = \"{kind}\"\n{keys}\
             listen = \"127.0.0.1:{between}\"\n\
             [[stream]]\nname = \"disk\"\ntype = \"file\"\npath = \"@/out.jsonl\"\n\
             channels = [\"*\"]\n"
        ),
    );
    let mut near = Weir::start(
        "near",
        &format!(
            "{head}[[channel]]\nname = \"programs\"\ntype = \"json\"\n\
             listen = \"127.0.0.1:{programs}\"\n\
             [[stream]]\nname = \"far\"\ntype = \"{kind}\"\n{keys}\
             address = \"127.0.0.1:{between}\"\nchannels = [\"*\"]\n\
             retry = {{ min = \"50ms\", max = \"200ms\" }}\n"
        ),
    );
    let part = way.messages / 4;
    for turn in 0..4 {
        let mut lines = Lines::connect(programs);
        (turn * part..(turn + 1) * part).for_each(|number| lines.send(&message(number)));
        lines.await_acked(part);
        let killed = if turn % 2 == 0 { &mut far } else { &mut near };
        killed.kill();
        killed.restart();
    }
    let read = || fs::read_to_string(far.folder.join("out.jsonl")).unwrap_or_default();
    eventually("all arrive", || {
        Arrivals::of([read()], "seq").first.len() as u64 == way.messages
    });
    let text = read();
    for unit in 0..UNITS {
        let arrivals = Arrivals::of([&text], "seq").first.into_iter();
        assert!(arrivals.filter(|number| number % UNITS == unit).is_sorted());
    }
    // a line that a power cut tore is there again behind it
    for line in text
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
    {
        let sent: Json = serde_json::from_str(&message(line["seq"].as_u64().unwrap())).unwrap();
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&line[name], value, "{name} of {line}");
        }
    }
    assert!(!near.log().contains("secret") && !far.log().contains("secret"));
}

/// One of a unit; all differ.
fn message(number: u64) -> String {
    format!(
        "{{\"ident\":\"unit-{}\",\"timestamp\":{},\"position.latitude\":-54.687213,\
         \"position.longitude\":25.2797,\"position.speed\":{},\"position.satellites\":9,\
         \"position.valid\":true,\"din\":5,\"alarm.status\":true,\"fuel\":45.5,\"seq\":{number}}}",
        number % UNITS,
        1_700_000_000 + number,
        number % 110
    )
}

/// Idents that take turns.
const UNITS: u64 = 3;
