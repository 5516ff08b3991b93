//! What a message costs on the air: the project's own links over simulated days in virtual time,
//! real TLS, and packets by the rules that stand in [`wire`].
//!
//! `tests/run radio` prints the tables of docs/radio.md; `WEIR_PRICE` is what a MB costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "tests"
)]

mod day;
mod far_end;
mod kinds;
#[path = "../support/moment.rs"]
mod moment;
#[path = "../support/one_stream.rs"]
mod one_stream;
mod sample;
mod wire;

use day::Bill;
use day::Plan;
use far_end::Speaks;
use kinds::KINDS;
use kinds::Kind;
use one_stream::settings;
use std::env;
use wire::TlsEnds;

/// Each type, and how many messages go at once.
#[test]
#[ignore = "prints tables; tests/run radio"]
fn types() {
    let ends = TlsEnds::new();
    println!("certificates of the server: {} bytes\n", ends.chain_len);
    println!("| type | said | 1 | 10 | 100 | MB a month |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let only = env::var("WEIR_ONLY").unwrap_or_default();
    for kind in KINDS.iter().filter(|kind| kind.name.contains(&only)) {
        let bills = [1, 10, 100].map(|batch| day(&ends, kind, "", batch));
        let said = bills[0].traffic.said as f64 / bills[0].came as f64;
        let each = bills.iter().map(|bill| format!("{:.0}", bill.each()));
        let each: Vec<_> = each.collect();
        let month = bills[0].month();
        println!(
            "| {} | {said:.0} | {} | {month:.1} |",
            kind.name,
            each.join(" | ")
        );
    }
}

/// What settings save.
#[test]
#[ignore = "prints tables; tests/run radio"]
fn settings_that_save() {
    let ends = TlsEnds::new();
    let price: f64 = env::var("WEIR_PRICE").map_or(0.1, |text| text.parse().expect("a price"));
    println!(
        "| stream | settings | bytes a message | MB a month | at {price} a MB | wakes | awake |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for name in ["http", "http, gzip", "mqtt, 3.1.1", "wialon-retranslator"] {
        let kind = KINDS.iter().find(|kind| kind.name == name).expect("a row");
        for (what, keys, of_mqtt) in SAVING {
            let of_mqtt = if kind.speaks == Speaks::Mqtt {
                of_mqtt
            } else {
                ""
            };
            let bill = day(&ends, kind, &format!("{keys}\n{of_mqtt}"), 1);
            let (month, traffic) = (bill.month(), bill.traffic);
            println!(
                "| {name} | {what} | {:.0} | {month:.1} | {:.2} | {} | {:.1} h |",
                bill.each(),
                month * price,
                traffic.wakes,
                traffic.awake.as_secs_f64() / 3600.0
            );
        }
    }
}

/// A day of one message in ten seconds.
fn day(ends: &TlsEnds, kind: &Kind, keys: &str, batch: u64) -> Bill {
    let settings = settings(&format!("{}\n{keys}", kind.keys));
    let speaks = kind.speaks;
    let plan = Plan {
        settings: &settings,
        speaks,
        batch,
        messages: DAY,
    };
    plan.run(ends)
}

impl Bill {
    /// Bytes on the air for each message that came.
    fn each(&self) -> f64 {
        (self.traffic.sent + self.traffic.received) as f64 / self.came as f64
    }

    /// MB of thirty such days.
    fn month(&self) -> f64 {
        self.each() * DAY as f64 * 30.0 / 1e6
    }
}

const FEW: &str = "convert = { fields = [\"ident\", \"timestamp\", \"position.latitude\", \
                   \"position.longitude\", \"position.speed\"] }";

/// Keys for all types, and more for those that speak MQTT: a ping would wake the modem too.
const SAVING: &[(&str, &str, &str)] = &[
    ("as it is", "", ""),
    ("`convert` to five parameters", FEW, ""),
    ("`every = \"30s\"`", "every = \"30s\"", ""),
    (
        "`linger = \"1m\"`",
        "linger = \"1m\"",
        "keep_alive = \"30m\"",
    ),
    (
        "`linger = \"10m\"`",
        "linger = \"10m\"",
        "keep_alive = \"30m\"",
    ),
    (
        "all of these",
        "every = \"30s\"\nlinger = \"10m\"\nconvert = { fields = [\"ident\", \"timestamp\", \
         \"position.latitude\", \"position.longitude\", \"position.speed\"] }",
        "keep_alive = \"30m\"",
    ),
];

/// Messages of a day.
const DAY: u64 = 8640;

/// With and without batches: who waits for ten minutes says nothing for as long.
#[test]
fn ten_minutes_of_linger_let_a_modem_sleep() {
    let ends = TlsEnds::new();
    for (name, more) in [("http", ""), ("mqtt, 3.1.1", "keep_alive = \"30m\"")] {
        let kind = KINDS.iter().find(|kind| kind.name == name).expect("a row");
        let run = |keys: &str| {
            let settings = settings(&format!("{}\n{keys}\n{more}", kind.keys));
            let plan = Plan {
                settings: &settings,
                speaks: kind.speaks,
                batch: 1,
                messages: 6 * 60,
            };
            plan.run(&ends)
        };
        let (busy, rare) = (run(""), run("linger = \"10m\""));
        assert!(
            busy.taken >= 359 && rare.taken >= 300,
            "{name}: {}",
            rare.taken
        );
        assert!(rare.each() < busy.each(), "{name}: {}", rare.each());
        // a web server's end of a connection wakes it once more
        assert!(rare.traffic.wakes <= 13, "{name}: {}", rare.traffic.wakes);
    }
}
