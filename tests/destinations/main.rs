//! Every type of destination in the same four troubles, with the real daemon: it is away and comes
//! back, its credentials are wrong, it refuses one message, one message is too large for it. And
//! whoever looks at the traffic meanwhile sees no secret.
//!
//! # One more type
//! 1. Write `TYPE.rs` (snake case) with a `ROW`, under 80 lines; `http.rs` is one with a server of
//!    ours, `mqtt.rs` one with real software. What a row says of its type is in [`row`].
//! 2. The far end is a [`row::Counterpart`]: the real software where Debian has it (a program that
//!    is stopped and started on the same port, or that stays behind a `Cable` that is pulled), else
//!    a [`contract::Contract`] with its keys: threads and `std` alone, a cable in front. It judges
//!    credentials, refuses [`row::REFUSED`], knows its limit, and tells the `seq` of what it took,
//!    in order. One that speaks HTTP is [`contract::web`] and one function from a request to an
//!    answer.
//! 3. Add its line to `table!` below. That makes its five tests; a test fails for each type of
//!    weir's own list that has none.
//!
//! What a type does not have, its row says with the reason. Programs that are not there yet go to
//! `cross/debian` in `tests/run`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/asking.rs"]
mod asking;
#[allow(dead_code, reason = "shared with the tests of TLS")]
#[path = "../tls/certificates.rs"]
mod certificates;
mod contract;
#[allow(dead_code, reason = "shared with the tests of platforms")]
#[path = "../platforms/e_toll_server.rs"]
mod e_toll_server;
#[allow(dead_code, reason = "shared with the tests of platforms")]
#[path = "../platforms/gpsgate_server.rs"]
mod gpsgate_server;
#[allow(dead_code, reason = "shared with the tests of platforms")]
#[path = "../platforms/influxd.rs"]
mod influxd;
#[allow(dead_code, reason = "shared with the tests of RabbitMQ")]
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
mod row;
mod scenarios;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/servers.rs"]
mod servers;
mod tls;
mod traffic;
#[allow(dead_code, reason = "shared with the tests from end to end")]
#[path = "../end_to_end/weir.rs"]
mod weir;

use weir as weir_run;

/// A module with a `ROW` for each type, and its five tests.
macro_rules! table {
    ($($name:literal: $module:ident,)*) => {
        $(mod $module;)*

        /// Types that have a row.
        const ROWS: &[(&str, &row::Row)] = &[$(($name, &$module::ROW),)*];

        mod tests {
            $(mod $module {
                use crate::$module::ROW;
                use crate::scenarios;
                use crate::traffic;

                #[test]
                fn what_waits_while_it_is_away_arrives_in_order_and_nothing_is_lost() {
                    scenarios::away_and_back(&ROW);
                }

                #[test]
                fn wrong_credentials_cost_no_message_and_the_log_names_the_key() {
                    scenarios::wrong_credentials(&ROW);
                }

                #[test]
                fn of_many_messages_only_the_one_that_it_refuses_is_given_up() {
                    scenarios::one_refused(&ROW);
                }

                #[test]
                fn of_many_messages_only_the_one_that_is_too_large_is_given_up() {
                    scenarios::one_too_large(&ROW);
                }

                #[test]
                fn raw_traffic_shows_how_it_logs_in_and_no_secret() {
                    traffic::shows_no_secret(&ROW);
                }
            })*
        }
    };
}

table! {
    "azure-event-hubs": azure_event_hubs,
    "amqp": amqp,
    "azure-iot-hub": azure_iot_hub,
    "aws-iot": aws_iot,
    "google-pubsub": google_pubsub,
    "e-toll": e_toll,
    "file": file,
    "flespi": flespi,
    "gpsgate": gpsgate,
    "http": http,
    "influxdb": influxdb,
    "mqtt": mqtt,
    "osmand": osmand,
    "wialon-ips": wialon_ips,
    "thingsboard": thingsboard,
    "wialon-retranslator": wialon_retranslator,
}

#[test]
fn every_type_that_weir_speaks_has_a_row() {
    let spoken: Vec<_> = ::weir::stream::names().collect();
    let has_row = |name: &&str| ROWS.iter().any(|(row, _)| row == name);
    let without: Vec<_> = spoken.iter().filter(|name| !has_row(name)).collect();
    assert!(without.is_empty(), "no row in `table!` for {without:?}");
    for (name, row) in ROWS {
        assert!(spoken.contains(name), "weir does not speak `{name}`");
        assert_eq!(*name, row.name);
    }
}
