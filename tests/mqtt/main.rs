//! The real daemon and mosquitto, in MQTT 3.1.1 and 5, over lines that break. `tests/run`
//! installs mosquitto and mosquitto_sub.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/asking.rs"]
mod asking;
mod auto;
mod aws_iot;
mod broker;
#[allow(dead_code, reason = "shared with the tests of TLS")]
#[path = "../tls/certificates.rs"]
mod certificates;
mod cuts;
mod limits;
mod line;
mod nats;
#[allow(dead_code, reason = "shared with the tests of DNS and others")]
#[path = "../support/random.rs"]
mod random;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/sender.rs"]
mod sender;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/servers.rs"]
mod servers;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;

use weir as weir_run;
use weir::message;

/// One JSON channel, the API on a socket in the folder, and one stream.
fn config(port: u16, stream: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"64 MiB\"\n\
         commit = {{ delay = \"20ms\", hold = \"0s\" }}\n\
         [api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\ntopic = \"weir/{{ident}}\"\n\
         channels = [\"*\"]\nretry = {{ min = \"10ms\", max = \"200ms\" }}\n{stream}\n"
    )
}

/// Sends messages to a daemon until all are acknowledged.
fn send(port: u16, numbers: std::ops::Range<u64>) {
    let mut lines = weir::Lines::connect(port);
    let (mut sent, all) = (0, numbers.end - numbers.start);
    for number in numbers {
        lines.send(&message(number));
        sent += 1;
        if sent % 1000 == 0 || sent == all {
            lines.await_acked(sent);
        }
    }
}
