//! What weir is going to know and does not yet.
//!
//! The one place that tells "not supported yet" from "unknown": whoever builds something deletes
//! its line here.

/// Values, by their key.
const VALUES: &[(&str, &[&str])] = &[
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
];

/// Whether `value` of `key` comes later.
pub(crate) fn is_value(key: &str, value: &str) -> bool {
    values(key).any(|later| later == value)
}

/// The values of a key that come later.
pub(crate) fn values(key: &str) -> impl Iterator<Item = &'static str> {
    let row = VALUES.iter().find(|(known, _)| *known == key);
    row.into_iter().flat_map(|(_, names)| names.iter().copied())
}
