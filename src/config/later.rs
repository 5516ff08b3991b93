//! What weir is going to know and does not yet.
//!
//! The one place that tells "not supported yet" from "unknown": whoever builds something deletes
//! its line here.

/// Keys, by the table that they stand in; `channel` and `stream` are those of every type.
const KEYS: &[(&str, &[&str])] = &[("stream mqtt", &["will"])];

/// Values, by their key.
const VALUES: &[(&str, &[&str])] = &[
    (
        "channel type",
        &[
            "nmea",
            "gpsd",
            "wialon-ips",
            "wialon-retranslator",
            "osmand",
            "self",
        ],
    ),
    (
        "stream type",
        &[
            "wialon-ips",
            "flespi",
            "aws-iot",
            "azure-iot-hub",
            "azure-event-hubs",
            "google-pubsub",
            "thingsboard",
            "amqp",
            "gpsgate",
            "osmand",
            "influxdb",
            "e-toll",
        ],
    ),
    ("target", &["syslog", "file"]),
    ("version", &["5"]),
];

/// Whether `key` of `table` comes later.
pub(super) fn is_key(table: &str, key: &str) -> bool {
    keys(table).any(|later| later == key)
}

/// The keys of a table that come later.
pub(super) fn keys(table: &str) -> impl Iterator<Item = &'static str> {
    of(KEYS, table)
}

/// Whether `value` of `key` comes later.
pub(super) fn is_value(key: &str, value: &str) -> bool {
    values(key).any(|later| later == value)
}

/// The values of a key that come later.
pub(super) fn values(key: &str) -> impl Iterator<Item = &'static str> {
    of(VALUES, key)
}

/// The names in the row of `name`.
fn of(table: &'static [(&str, &[&str])], name: &str) -> impl Iterator<Item = &'static str> {
    let row = table.iter().find(|(known, _)| *known == name);
    row.into_iter().flat_map(|(_, names)| names.iter().copied())
}
