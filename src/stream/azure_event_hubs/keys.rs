//! The keys of `azure-event-hubs`.

use super::AzureEventHubs;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::text::template;
use crate::keys::url;
use crate::net::Target;

/// The keys; none if one that it needs is wrong or not there.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<AzureEventHubs> {
    let target = target(reader);
    let hub = reader.required("hub", "hub = \"positions\"");
    let hub = hub.and_then(|text| reader.parse(&text, |text| name(text, "a hub")));
    let policy = reader.required("policy", "policy = \"send\"");
    let policy = policy.and_then(|text| reader.parse(&text, |text| name(text, "a policy")));
    let key = reader.required("key", "key = \"${file:/etc/weir/hub.key}\"");
    let key = key.and_then(|text| reader.parse(&text, self::key));
    let has_template = reader.has("partition_key");
    let partition_key = reader.parsed("partition_key", |text| match text {
        "" => Err(ValueError::new("the partition key is empty")
            .hint("write `{ident}`, or leave it out: there is no order then")),
        text => template(text, 0),
    });
    if has_template && partition_key.is_none() {
        return None;
    }
    Some(AzureEventHubs {
        target: target?,
        hub: hub?,
        policy: policy?,
        key: key?,
        partition_key,
    })
}

/// Where the namespace is, from one of the two keys.
fn target(reader: &mut Reader<'_>) -> Option<Target> {
    let namespace = reader.parsed("namespace", |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let host = format!("{text}.servicebus.windows.net");
        match !text.is_empty() && text.chars().all(fits) {
            true => Ok(Target { host, port: 443 }),
            false => Err(
                ValueError::new("only the first part of its host is the namespace")
                    .hint("write `namespace = \"NAME\"`, or the whole host as `endpoint`"),
            ),
        }
    });
    let endpoint = reader.parsed("endpoint", url::https_host);
    match (reader.has("namespace"), reader.has("endpoint")) {
        (false, false) => reader.missing("namespace", "namespace = \"NAME\""),
        (true, true) => reader.error(
            reader.place_of("endpoint"),
            "`namespace` says already where it is",
            "leave one of them",
        ),
        _ => {}
    }
    namespace.or(endpoint)
}

/// The name of a hub or a policy.
fn name(text: &str, what: &str) -> Result<String, ValueError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match !text.is_empty() && text.len() <= NAME_MAX && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(ValueError::new(format!("{what} cannot be called so"))
            .hint("a name has letters, digits, `-`, `.` and `_`")),
    }
}

/// The key of a policy: it is signed with as it stands. What is wrong is not shown.
fn key(text: &str) -> Result<String, ValueError> {
    if text.contains("SharedAccessKey=") {
        let error = ValueError::new("a connection string is several keys here");
        return Err(error.hint("write only the last part of that"));
    }
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(ValueError::new("a policy has no such key")
            .hint("copy the primary or the secondary key of the policy")),
    }
}

/// Bytes of a name at most.
const NAME_MAX: usize = 256;
