//! The keys of `azure-iot-hub`.

use super::AzureIotHub;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::reader::Reader;
use crate::keys::text::template;
use crate::keys::url;
use crate::net::Target;
use crate::stream::mqtt::Payload;
use crate::template::Template;
use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};

/// The keys; none if one that it needs is wrong or not there.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<AzureIotHub> {
    let hub = reader.required("host", "host = \"NAME.azure-devices.net\"");
    let hub = hub.and_then(|text| reader.parse(&text, host));
    let device = reader.required("device", "device = \"gateway-7\"");
    let device = device.and_then(|text| reader.parse(&text, self::device));
    let has_key = reader.has("key");
    let key = reader.parsed("key", key);
    let is_known = credential(reader) && key.is_some() == has_key;
    let payload = [("object", Payload::Object), ("array", Payload::Array)];
    let payload = reader.choice("payload", &payload);
    let properties = properties(reader);
    let defaults = AzureIotHub::new(hub?, device?);
    is_known.then(|| AzureIotHub {
        key,
        payload: payload.unwrap_or(defaults.payload),
        properties,
        ..defaults
    })
}

/// The host of a hub, with or without a port.
fn host(text: &str) -> Result<Target, ValueError> {
    let hint = "write it like `NAME.azure-devices.net`";
    if text.contains("HostName=") {
        let error = ValueError::new("a connection string is several keys here");
        return Err(error.hint("write each of its parts behind the key of the same meaning"));
    }
    match text.split_once("://") {
        Some(_) => Err(ValueError::new("a hub has a host here, no URL").hint(hint)),
        None => url::target(text, PORT),
    }
}

/// The id of a device, as it can stand in a topic.
fn device(text: &str) -> Result<String, ValueError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || DEVICE_SIGNS.contains(c);
    if text.is_empty() || text.len() > DEVICE_MAX {
        let error = ValueError::new(format!(
            "the id of a device has 1 to {DEVICE_MAX} characters"
        ));
        return Err(error.hint("write it as the hub shows it: `gateway-7`"));
    }
    match text.char_indices().find(|(_, c)| !fits(*c)) {
        Some((at, bad)) => Err(ValueError::new(format!(
            "{bad:?} cannot be in the id of a device that speaks MQTT"
        ))
        .at(at..at + bad.len_utf8())
        .hint(format!("it has letters, digits and `{DEVICE_SIGNS}`"))),
        None => Ok(text.to_owned()),
    }
}

/// The key of a device: base64. What is wrong is not shown.
fn key(text: &str) -> Result<Vec<u8>, ValueError> {
    let hint = match text {
        _ if text.contains("SharedAccessKey=") => "write only the last part of that",
        _ if text.starts_with("SharedAccessSignature") => {
            "write the key itself: weir makes such signatures from it"
        }
        _ => "copy the primary or the secondary key of the device from the hub",
    };
    let decoded = BASE64.decode(text).ok().filter(|key| !key.is_empty());
    decoded.ok_or_else(|| ValueError::new("the key of a device is base64").hint(hint))
}

/// Whether there is one of the two things that a hub asks for; notes what is wrong.
fn credential(reader: &Reader<'_>) -> bool {
    let (has_key, has_tls) = (reader.has("key"), reader.has("tls"));
    if !has_key && !has_tls {
        reader.missing(
            "key",
            "key = \"${file:/etc/weir/hub.key}\"`, or `tls = { certificate = \
             \"/etc/weir/client.pem\", key = \"/etc/weir/client.key\" }",
        );
    }
    if has_key && reader.has_within("tls", "certificate") {
        reader.error(
            reader.place_of("key"),
            "a device has a key or a certificate, not both",
            "leave `key` out, or `tls.certificate` and `tls.key`",
        );
    }
    has_key || has_tls
}

/// `properties`, in their order; what is wrong is noted.
fn properties(reader: &mut Reader<'_>) -> Vec<(String, Template)> {
    let Some(table) = reader.table_like("properties", "{ ident = \"{ident}\" }") else {
        return Vec::new();
    };
    let context = table.context();
    let properties = table.entries().iter().filter_map(|entry| {
        let name = &entry.key;
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "!#&'*+-.^_`|~".contains(c);
        let wrong = match name.as_str() {
            "" => Some("a property has a name".to_owned()),
            "iothub-creation-time-utc" => Some("weir itself sends when it was measured".to_owned()),
            _ => (!name.chars().all(is_of_name)).then(|| format!("`{name}` is no name here")),
        };
        if let Some(wrong) = wrong {
            let hint = "a name has letters, digits, `-`, `_` and `.`";
            context.note(DiagnosticAt::error(entry.key_place, wrong).hint(hint));
            return None;
        }
        let text = context.text(&entry.node)?;
        let value = template(&text.value, 0).map_err(|error| context.wrong(&text, error));
        Some((name.clone(), value.ok()?))
    });
    properties.collect()
}

/// MQTT with TLS.
const PORT: u16 = 8883;

/// Characters of the id of a device.
const DEVICE_MAX: usize = 128;

/// What the id of a device has beside letters and digits; the hub also takes `+` and `#`, which no
/// topic can have.
const DEVICE_SIGNS: &str = "-:.%_*?!(),=@;$'";
