//! Platforms that streams deliver to, each with the real daemon: software that others wrote where
//! it can be had, else a server of ours that keeps the contract, with a switch that breaks one rule
//! of it. Needs influxdb and nginx, which `tests/run` installs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/asking.rs"]
mod asking;
mod azure_event_hubs;
#[allow(dead_code, reason = "shared with the tests of TLS")]
#[path = "../tls/certificates.rs"]
mod certificates;
#[allow(dead_code, reason = "shared with the tests of destinations")]
#[path = "../destinations/contract.rs"]
mod contract;
mod e_toll;
mod e_toll_server;
#[allow(dead_code, reason = "shared with the tests of destinations")]
#[path = "../destinations/azure_event_hubs.rs"]
mod event_hub;
mod gpsgate;
mod gpsgate_server;
#[allow(dead_code, reason = "shared with the tests of destinations")]
mod influxd;
mod influxdb;
mod osmand;
#[allow(dead_code, reason = "shared with the tests of destinations")]
#[path = "../destinations/row.rs"]
mod row;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/servers.rs"]
mod servers;
#[path = "../destinations/tls.rs"]
mod tls;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;

use weir as weir_run;
use weir::Lines;
use weir::Weir;

/// One JSON channel, the API on a socket in the folder, and a stream `cloud` with these lines.
fn config(port: u16, stream: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
         commit = {{ delay = \"5ms\", hold = \"0s\" }}\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[stream]]\nname = \"cloud\"\nchannels = [\"*\"]\n\
         retry = {{ min = \"50ms\", max = \"200ms\" }}\n{stream}\n"
    )
}

/// Sends these messages and waits until they are acknowledged.
fn send(port: u16, messages: &[String]) {
    let mut lines = Lines::connect(port);
    messages.iter().for_each(|message| lines.send(message));
    lines.await_acked(messages.len() as u64);
}

/// Waits until the stream has nothing left; what it accepted and gave up.
fn settled(weir: &Weir) -> (u64, u64) {
    weir::eventually("all is settled", || {
        asking::count(weir, "cloud", "backlog") == 0
    });
    (
        asking::count(weir, "cloud", "accepted"),
        asking::count(weir, "cloud", "given_up"),
    )
}

/// What the events of the stream say, in words.
fn reasons(weir: &Weir) -> Vec<String> {
    let (_, answer) = asking::ask(weir, "GET", "/streams/cloud/logs?count=100", "");
    let events = answer["result"].as_array().unwrap().iter();
    let reasons = events.filter_map(|event| event["reason"].as_str());
    reasons.map(str::to_owned).collect()
}
