//! What is written where a value is of another kind than its key takes: each can be copied as it
//! is, and is accepted. Here are the keys that many tables have; who reads one that is its own
//! may give an example with it, and any other has that of its kind of value.

/// A value of the key `key` in a table of this kind, as TOML has it; none where there is nothing
/// better to say than what any value of its kind looks like.
pub(crate) fn value(kind: &str, key: &str) -> Option<&'static str> {
    let own = || {
        VALUES
            .iter()
            .find(|(of, name, _)| *of == kind && *name == key)
    };
    let any = || {
        VALUES
            .iter()
            .find(|(of, name, _)| of.is_empty() && *name == key)
    };
    own().or_else(any).map(|(.., value)| *value)
}

/// A table that says what is meant by a text or list alone, with that in it.
pub(crate) fn around(key: &str, text: &str) -> Option<String> {
    let inner = match key {
        "rejects" => "file",
        "stamp" => "name",
        "convert" => "fields",
        "retry" => return Some(format!("{{ min = {text}, max = \"1d\" }}")),
        _ => return None,
    };
    Some(format!("{{ {inner} = {text} }}"))
}

/// By the kind of the table (none: any), and the key.
const VALUES: &[(&str, &str, &str)] = &[
    ("ring", "file", "\"/var/lib/weir/ring\""),
    ("ring", "size", "\"64 MiB\""),
    ("rejects", "file", "\"/var/lib/weir/rejects.jsonl\""),
    ("rejects", "size", "\"1 MiB\""),
    ("", "commit", "{ delay = \"200ms\", hold = \"2s\" }"),
    ("", "delay", "\"200ms\""),
    ("", "hold", "\"2s\""),
    ("", "bytes", "\"64 KiB\""),
    ("", "summary", "\"15m\""),
    ("api", "mode", "\"0660\""),
    ("api", "group", "\"weir\""),
    ("channel", "mode", "\"0660\""),
    ("channel", "group", "\"weir\""),
    ("api", "listen", "\"127.0.0.1:8480\""),
    ("", "listen", "\"0.0.0.0:5027\""),
    ("", "connect", "\"127.0.0.1:2947\""),
    ("", "allow", "[\"192.168.1.0/24\"]"),
    ("", "ident", "\"352093081452251\""),
    ("", "idents", "[\"3520*\"]"),
    ("", "set", "{ \"gateway.name\" = \"...\" }"),
    ("", "rename", "{ \"old.name\" = \"new.name\" }"),
    ("", "data", "{ plate = \"AB 123\" }"),
    ("", "users", "{ name = \"password\" }"),
    ("", "io", "{ 72 = { name = \"sensor.temperature.1\" } }"),
    ("channel", "topic", "\"trackers/{ident}/up\""),
    ("will", "topic", "\"weir/gone\""),
    ("", "topic", "\"weir/{ident}\""),
    ("", "idle_timeout", "\"10m\""),
    ("", "every", "\"10s\""),
    ("", "or_change", "[\"position.valid\"]"),
    ("", "channels", "[\"*\"]"),
    ("stream", "devices", "[\"*\"]"),
    ("", "devices", "[\"...\"]"),
    ("", "groups", "[\"*\"]"),
    ("", "filter", "\"exists('position.latitude')\""),
    ("", "convert", "{ fields = [\"position.*\"] }"),
    ("", "fields", "[\"position.*\"]"),
    ("", "drop", "[\"position.hdop\"]"),
    ("", "dots", "\"_\""),
    ("", "ttl", "\"7d\""),
    ("", "max_age", "\"7d\""),
    ("", "bind", "\"wwan0\""),
    ("", "max_bytes", "\"256 KiB\""),
    ("", "linger", "\"5s\""),
    ("", "timeout", "\"30s\""),
    ("", "retry", "{ min = \"1s\", max = \"5m\" }"),
    ("", "min", "\"1s\""),
    ("", "max", "\"5m\""),
    ("", "rejects", "{ file = \"/var/lib/weir/rejects.jsonl\" }"),
    ("", "stamp", "{ name = \"message.id\" }"),
    ("", "scale", "0.1"),
    ("", "utc_offset", "\"+08:00\""),
    ("", "rate", "10"),
    (
        "channel",
        "tls",
        "{ certificate = \"/etc/weir/server.pem\", key = \"/etc/weir/server.key\" }",
    ),
    ("", "tls", "{ roots = \"system\" }"),
    ("", "ca", "\"/etc/weir/ca.pem\""),
    ("", "client_ca", "\"/etc/weir/ca.pem\""),
    ("", "certificate", "\"/etc/weir/client.pem\""),
    ("", "key", "\"/etc/weir/client.key\""),
    ("", "server_name", "\"broker.example.com\""),
    ("", "alpn", "[\"mqtt\"]"),
    ("", "address", "\"193.193.165.165:20332\""),
    ("", "path", "\"/var/lib/weir/messages.jsonl\""),
    ("", "max_size", "\"16 MiB\""),
    ("", "auth", "{ bearer = \"...\" }"),
    ("", "keep_alive", "\"60s\""),
    ("element", "name", "\"sensor.temperature.1\""),
];
