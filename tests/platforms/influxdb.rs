//! `influxdb`: the table of answers, by what they leave in the database.

use crate::asking::count;
use crate::config;
use crate::influxd::Influxd;
use crate::reasons;
use crate::send;
use crate::settled;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// A stream to its database, with these lines more.
fn stream(influxdb: &Influxd, more: &str) -> String {
    let port = influxdb.port;
    format!("type = \"influxdb\"\nurl = \"http://127.0.0.1:{port}\"\n{more}")
}

const LOGIN: &str = "database = \"weir\"\nauth = { user = \"admin\", password = \"pw\" }";

/// So many seconds ago.
fn ago(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() - seconds
}

fn numbered(at: u64, number: u64, more: &str) -> String {
    format!("{{\"ident\":\"4711\",\"timestamp\":{at},\"seq\":{number}{more}}}")
}

#[test]
fn all_that_a_message_can_hold_is_in_the_database_as_it_was() {
    let (influxdb, port) = (Influxd::start(), free_port());
    let more = format!("{LOGIN}\ntags = [\"ident\", \"plate\"]\ngzip = true");
    let weir = Weir::start("influxdb", &config(port, &stream(&influxdb, &more)));
    let hostile = "a \"quoted\", back\\slash\\\nand=line \u{e9}\\";
    let (now, text) = (ago(10), serde_json::to_string(hostile).unwrap());
    let message = format!(
        "{{\"ident\":\"47 11,=\",\"timestamp\":{now}.25,\"plate\":\"A=B, \\\\1\\\\\",\
         \"position.latitude\":52.5,\"din\":1,\"n\":-7,\"big\":1e300,\"on\":true,\
         \"text, =\\\\ x\":{text},\"list\":[1,\"a\"],\"none\":null,\"time\":3,\
         \"wide\":18446744073709551615}}"
    );
    send(port, &[message]);
    assert_eq!(settled(&weir), (1, 0), "{}", weir.log());
    let rows = influxdb.rows("position");
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(row["ident"], "47 11,=");
    assert_eq!(row["plate"], "A=B, \\1/");
    assert_eq!(row["text, =/ x"], hostile, "{row}");
    assert_eq!(row["position.latitude"], 52.5);
    assert_eq!((&row["din"], &row["n"]), (&1.into(), &(-7).into()));
    assert_eq!((&row["big"], &row["on"]), (&1e300.into(), &true.into()));
    assert_eq!(row["list"], "[1,\"a\"]");
    assert_eq!(row["time_"], 3);
    assert_eq!(row["wide"].as_f64(), Some(18_446_744_073_709_552_000.0));
    assert!(row.get("none").is_none() && row["time"].as_str().unwrap().contains(".25"));
}

#[test]
fn of_a_batch_only_those_are_refused_that_the_database_does_not_take() {
    let (influxdb, port) = (Influxd::start(), free_port());
    let keys = stream(
        &influxdb,
        &format!("{LOGIN}\nlinger = \"200ms\"\nintegers = true"),
    );
    let weir = Weir::start("influxdb-part", &config(port, &keys));
    let start = ago(100);
    let mut messages = vec![numbered(start, 0, ",\"din\":1")];
    for number in 1..30 {
        let (at, more) = match number {
            7 | 8 | 20 => (start + number, ",\"din\":1.5"),
            12 => (ago(40 * 86_400), ""),
            _ => (start + number, ""),
        };
        messages.push(numbered(at, number, more));
    }
    send(port, &messages);
    assert_eq!(settled(&weir), (26, 4), "{}", weir.log());
    let rows = influxdb.rows("position");
    let numbers: Vec<_> = rows
        .iter()
        .map(|row| row["seq"].as_u64().unwrap())
        .collect();
    let wanted: Vec<u64> = (0..30).filter(|n| ![7, 8, 12, 20].contains(n)).collect();
    assert_eq!(numbers, wanted);
    let said = reasons(&weir).join("\n");
    assert!(said.contains("the type of its first value"), "{said}");
    assert!(said.contains("`max_age` leaves out"), "{said}");
}

#[test]
fn a_wrong_login_costs_nothing_and_is_named() {
    let (influxdb, port) = (Influxd::start(), free_port());
    let wrong = LOGIN.replace("\"pw\"", "\"no\"");
    let weir = Weir::start("influxdb-login", &config(port, &stream(&influxdb, &wrong)));
    let messages: Vec<_> = (0..20).map(|n| numbered(ago(60) + n, n, "")).collect();
    send(port, &messages);
    weir.await_log("authorization failed\"}; look at `auth`");
    assert_eq!(count(&weir, "cloud", "backlog"), 20);
    weir.reload(&config(port, &stream(&influxdb, LOGIN)));
    assert_eq!(settled(&weir), (20, 0));
    assert_eq!(influxdb.rows("position").len(), 20);
}

#[test]
fn a_database_that_is_not_there_costs_nothing_and_is_named() {
    let (influxdb, port) = (Influxd::start(), free_port());
    let keys = stream(&influxdb, &LOGIN.replace("\"weir\"", "\"other\""));
    let weir = Weir::start("influxdb-place", &config(port, &keys));
    let messages: Vec<_> = (0..20).map(|n| numbered(ago(60) + n, n, "")).collect();
    send(port, &messages);
    weir.await_log("look at `database`");
    assert_eq!(count(&weir, "cloud", "backlog"), 20);
    influxdb.ask("CREATE DATABASE other");
    assert_eq!(settled(&weir), (20, 0));
}

#[test]
fn a_server_of_another_version_costs_nothing_and_is_named() {
    let (influxdb, port) = (Influxd::start(), free_port());
    let keys = stream(
        &influxdb,
        "bucket = \"weir\"\norg = \"fleet\"\ntoken = \"t\"",
    );
    let weir = Weir::start("influxdb-version", &config(port, &keys));
    send(port, &[numbered(ago(60), 0, "")]);
    weir.await_log("look at `url` and `version`");
    weir.reload(&config(port, &stream(&influxdb, LOGIN)));
    assert_eq!(settled(&weir), (1, 0));
    eventually("it is there", || influxdb.rows("position").len() == 1);
}
