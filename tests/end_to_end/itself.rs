//! The channel type `self`: what it says of the real daemon, at a destination.

use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use rcgen::CertificateParams;
use rcgen::KeyPair;
use rcgen::date_time_ymd;
use serde_json::Value;
use std::fs;
use std::process::Command;

/// A certificate that expires at the beginning of a year, and its key: `client.pem`, `client.key`.
pub(crate) fn certificate(folder: &Folder, year: i32) {
    let mut params = CertificateParams::new(vec!["gateway".to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    folder.write("client.pem", &made.pem());
    folder.write("client.key", &key.serialize_pem());
}

/// The reports that have arrived.
fn reports(weir: &Weir) -> Vec<Value> {
    let text = fs::read_to_string(weir.folder.join("lines")).unwrap_or_default();
    let whole = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    whole
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The last report, once there is one for which this holds.
fn report_that(weir: &Weir, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut found = None;
    eventually(what, || {
        found = reports(weir).pop().filter(&holds);
        found.is_some()
    });
    found.unwrap()
}

/// What the daemon says of itself.
pub(crate) fn status(weir: &Weir) -> Value {
    let api = format!("unix:{}", weir.folder.join("api").display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let output = command.args(["--api", &api, "status", "--json"]).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// Seconds since 1970.
fn date() -> u64 {
    let output = Command::new("date").arg("+%s").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap()
}

fn count(report: &Value, name: &str) -> u64 {
    let found = report[name].as_u64();
    found.unwrap_or_else(|| panic!("{name} in {report}"))
}

fn config(port: u16, away: u16, keys: &Folder) -> String {
    let place = keys.join("").display().to_string();
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\ncommit = {{ hold = \"60s\" }}\n\
         [api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[channel]]\nname = \"health\"\ntype = \"self\"\nident = \"gw-1\"\nevery = \"1s\"\n\
         set = {{ site = \"north\" }}\nrename = {{ uptime = \"up\" }}\n\
         [[channel]]\nname = \"unheard\"\ntype = \"self\"\nident = \"gw-2\"\nevery = \"1s\"\n\
         [[stream]]\nname = \"log\"\ntype = \"file\"\npath = \"@/lines\"\n\
         channels = [\"health\"]\n\
         [[stream]]\nname = \"cloud\"\ntype = \"http\"\nurl = \"https://127.0.0.1:{away}/\"\n\
         tls = {{ certificate = \"{place}client.pem\", key = \"{place}client.key\" }}\n\
         channels = [\"programs\"]\nretry = {{ min = \"100ms\", max = \"500ms\" }}\n"
    )
}

#[test]
fn the_gateway_reports_of_itself_like_any_channel() {
    let (port, keys) = (free_port(), Folder::new("keys"));
    certificate(&keys, 2049);
    let weir = Weir::start("itself", &config(port, free_port(), &keys));
    let mut lines = Lines::connect(port);
    (0..3).for_each(|_| lines.send("{\"ident\":\"door\"}"));
    lines.await_acked(3);
    let report = report_that(&weir, "a report of the backlog", |report| {
        report["stream.cloud.backlog"] == 3 && report["stream.log.connected"] == true
    });
    for (name, expected) in [
        ("ident", Value::from("gw-1")),
        ("channel.name", "health".into()),
        ("protocol.name", "self".into()),
        ("site", "north".into()),
        ("weir.version", env!("CARGO_PKG_VERSION").into()),
        ("clock.trusted", true.into()),
        ("ring.degraded", false.into()),
        ("stream.cloud.enabled", true.into()),
        ("stream.cloud.connected", false.into()),
        ("stream.cloud.accepted", 0.into()),
        ("stream.log.connected", true.into()),
        ("channel.programs.received", 3.into()),
        ("channel.programs.connections", 1.into()),
    ] {
        assert_eq!(report[name], expected, "{name} in {report}");
    }
    let error = report["stream.cloud.last_error"].as_str().unwrap();
    assert!(error.contains("refused"), "{error}");
    assert!(report.get("stream.log.last_error").is_none(), "{report}");
    assert!(
        report.get("stream.log.certificate_days").is_none(),
        "{report}"
    );
    let days = (JANUARY_2049 - date()) / 86_400;
    let said = count(&report, "stream.cloud.certificate_days");
    assert!(said == days || said == days + 1, "{said}, {days} are left");
    assert!(count(&report, "stream.cloud.oldest_age") <= count(&report, "up"));
    assert!(count(&report, "ring.used") > 0 && count(&report, "ring.bytes_written") > 0);
    let timestamp = report["timestamp"].as_f64().unwrap();
    assert!((timestamp - date() as f64).abs() < 3600.0, "{report}");

    // a report waits for its own stream alone, which takes it: it costs the disk nothing
    eventually("three reports that nothing was written for", || {
        reports(&weir).windows(4).any(|four| {
            let still = |name: &str| four[3][name] == four[0][name];
            let held = count(&four[3], "ring.held") >= count(&four[0], "ring.held") + 3;
            held && still("ring.written") && still("ring.syncs") && still("ring.bytes_written")
        })
    });
    assert!(count(&reports(&weir).pop().unwrap(), "ring.written") >= 3);

    let (arrived, status) = (reports(&weir), status(&weir));
    assert_eq!(report["ring.size"], status["ring"]["size"]);
    let channel = |name: &str| {
        let channels = status["channels"].as_array().unwrap();
        channels
            .iter()
            .find(|known| known["name"] == name)
            .unwrap()
            .clone()
    };
    assert!(
        count(&channel("unheard")["refused"], "unwanted") > 0,
        "{status}"
    );
    assert_eq!(channel("unheard")["received"], 0);
    assert!(count(&channel("health"), "received") >= arrived.len() as u64);
    assert!(arrived.iter().all(|report| report["ident"] == "gw-1"));
}

/// Seconds since 1970.
const JANUARY_2049: u64 = 2_493_072_000;
