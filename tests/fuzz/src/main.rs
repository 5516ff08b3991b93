//! Fuzzing: arbitrary bytes for everything that reads what others wrote. One program for all
//! targets, so that the library is built once; `WEIR_FUZZ` names the one that runs.
//!
//! `tests/run fuzz` builds it and runs each target for some seconds (`WEIR_FUZZ_SECONDS`, 8).
//! An input that crashed lies in `target/fuzz/TARGET/`, and what ran says how to replay it.
//!
//! To add a target: a line in [`TARGETS`], and its function, which panics at what must not be.
//! Its seeds are made by code, from bytes that the format's own tests know; one or two will do,
//! the engine finds the rest by the branches that it reaches.
#![no_main]

mod bus;
mod buses;
mod bytes;
mod formats;
mod link;
#[path = "../../support/moment.rs"]
mod moment;
#[path = "../../support/one_stream.rs"]
mod one_stream;
mod receivers;
mod ring;
mod sealed;
mod session;
mod trackers;

use libfuzzer_sys::fuzz_target;
use std::env;
use std::fs;
use std::path::Path;
use std::process;
use std::sync::OnceLock;

/// Name, what it does with bytes, and what it begins with.
const TARGETS: &[Target] = &[
    Target("ring_open", ring::open, ring::seeds),
    Target("json_line", session::json_lines, session::json_seeds),
    Target("teltonika", session::teltonika, session::teltonika_seeds),
    Target("gt06", trackers::gt06, trackers::gt06_seeds),
    Target("ruptela", sealed::ruptela, sealed::ruptela_seeds),
    Target("galileosky", sealed::galileosky, sealed::galileosky_seeds),
    Target("jt808", trackers::jt808, trackers::jt808_seeds),
    Target("http_head", session::http, session::http_seeds),
    Target("osmand", session::osmand, session::osmand_seeds),
    Target("queclink", receivers::queclink, receivers::queclink_seeds),
    Target("owntracks", session::owntracks, session::owntracks_seeds),
    Target("nmea", receivers::nmea, receivers::nmea_seeds),
    Target("gpsd", receivers::gpsd, receivers::gpsd_seeds),
    Target("can", bus::can, bus::can_seeds),
    Target(
        "wialon_ips",
        receivers::wialon_ips,
        receivers::wialon_ips_seeds,
    ),
    Target(
        "wialon_in",
        receivers::wialon_in,
        receivers::wialon_in_seeds,
    ),
    Target("mqtt_in", receivers::mqtt_in, receivers::mqtt_in_seeds),
    Target(
        "mqtt_connect",
        receivers::mqtt_connect,
        receivers::mqtt_connect_seeds,
    ),
    Target(
        "retranslator",
        formats::retranslator,
        formats::retranslator_seeds,
    ),
    Target("candump", buses::candump, buses::candump_seeds),
    Target("dbc", buses::dbc, buses::dbc_seeds),
    Target("bus", buses::bus, buses::bus_seeds),
    Target("config", formats::config, formats::config_seeds),
    Target("dns", formats::dns, formats::dns_seeds),
    Target("http_link", link::http, link::http_seeds),
    Target("wialon_link", link::wialon, link::wialon_seeds),
    Target("ips_link", link::ips, link::ips_seeds),
    Target("mqtt_link", link::mqtt, link::mqtt_seeds),
    Target("mqtt_5_link", link::mqtt_5, link::mqtt_5_seeds),
    Target("amqp_link", link::amqp, link::amqp_seeds),
];

struct Target(&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(Target(_, run, _)) = CHOSEN.get() {
        run(data);
    }
});

/// Finds the target, and lays its seeds into the folder that the engine is about to read.
fn choose() {
    let wanted = env::var("WEIR_FUZZ").unwrap_or_default();
    let Some(target) = TARGETS.iter().find(|target| target.0 == wanted) else {
        for target in TARGETS {
            println!("{}", target.0);
        }
        process::exit(if wanted.is_empty() { 0 } else { 2 });
    };
    CHOSEN.get_or_init(|| target);
    if let Ok(folder) = env::var("WEIR_FUZZ_SEEDS") {
        fs::create_dir_all(&folder).expect("the folder for seeds can be made");
        for (index, seed) in target.2().iter().enumerate() {
            let file = Path::new(&folder).join(format!("seed-{index}"));
            fs::write(file, seed).expect("a seed can be written");
        }
    }
}
