//! Parameters in templates that are nearly one that is known: with such a slip every message
//! would be skipped. Senders of JSON may use any name, so that only what is near is warned of.

use super::merge::Merged;
use super::stream;
use crate::keys::context::Context;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::tree::Table;
use crate::keys::tree::Tree;
use crate::spelling::distance;

/// Warns of each parameter of a template that is nearly a known one.
pub(super) fn warn_of_slips(context: &Context<'_>, merged: &Merged, streams: &[stream::Draft]) {
    if streams.iter().all(|stream| stream.parameters.is_empty()) {
        return;
    }
    let own = configured(context, merged);
    let known = || KNOWN.into_iter().chain(own.iter().map(String::as_str));
    for (name, place) in streams.iter().flat_map(|stream| &stream.parameters) {
        if let Some(meant) = meant(name, known) {
            let message =
                format!("no message has a parameter `{name}`, unless a sender names it so");
            let diagnostic = DiagnosticAt::warning(*place, message);
            context.note(diagnostic.hint(format!("did you mean `{meant}`?")));
        }
    }
}

/// The names that the configuration itself gives.
fn configured(context: &Context<'_>, merged: &Merged) -> Vec<String> {
    let mut names = Vec::new();
    let tables = merged.channels.iter().chain(merged.streams.iter());
    for table in tables.map(|named| &named.table) {
        let convert = inner(table, "convert");
        for table in convert.into_iter().chain([table]) {
            names.extend(keys(table, "set").map(str::to_owned));
            names.extend(texts(context, inner(table, "rename")));
        }
        let elements = inner(table, "io").map(|io| io.entries.as_slice());
        for element in elements.unwrap_or_default() {
            if let Tree::Table(element) = &element.node.tree {
                names.extend(text(context, element, "name"));
            }
        }
        let stamp = inner(table, "stamp");
        names.extend(stamp.and_then(|stamp| text(context, stamp, "name")));
        names.extend(text(context, table, "ident_field"));
        names.extend(text(context, table, "timestamp_field"));
    }
    for device in merged.devices.iter() {
        names.extend(keys(&device.table, "data").map(|key| format!("device.data.{key}")));
    }
    names
}

fn inner<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    match &table.entry(key)?.node.tree {
        Tree::Table(table) => Some(table),
        _ => None,
    }
}

fn keys<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = &'t str> {
    let entries = inner(table, key).map(|inner| inner.entries.as_slice());
    entries
        .unwrap_or_default()
        .iter()
        .map(|entry| entry.key.as_str())
}

fn text(context: &Context<'_>, table: &Table, key: &str) -> Option<String> {
    context.quiet_text(&table.entry(key)?.node)
}

fn texts(context: &Context<'_>, table: Option<&Table>) -> Vec<String> {
    let entries = table
        .map(|table| table.entries.as_slice())
        .unwrap_or_default();
    let texts = entries
        .iter()
        .filter_map(|entry| context.quiet_text(&entry.node));
    texts.collect()
}

/// The known name that somebody meant, where `name` is none but nearly one.
fn meant<'k, K>(name: &str, known: impl Fn() -> K) -> Option<String>
where
    K: Iterator<Item = &'k str>,
{
    let (plain, numbers) = without_numbers(name);
    if known().any(|known| known == name || known == plain) || name.starts_with("custom.param.") {
        return None;
    }
    let folded = fold(&plain);
    let slips = match folded.len() {
        0..=4 => 0,
        5..=8 => 1,
        _ => 2,
    };
    let near = known().filter(|known| known.len().abs_diff(folded.len()) <= slips);
    let near = near.map(|known| (distance(&folded, &fold(known)), known));
    let near = near.filter(|(distance, known)| {
        let numbered = name.trim_end_matches(|c: char| c.is_ascii_digit());
        *distance <= slips && numbered != *known
    });
    let (_, meant) = near.min_by_key(|(distance, _)| *distance)?;
    let mut numbers = numbers.into_iter();
    let meant = meant.split('.').map(|part| match part {
        "N" => numbers.next().unwrap_or_else(|| "1".to_owned()),
        part => part.to_owned(),
    });
    Some(meant.collect::<Vec<_>>().join("."))
}

/// A name with `N` for its numbers between dots, and those.
fn without_numbers(name: &str) -> (String, Vec<String>) {
    let mut numbers = Vec::new();
    let parts = name.split('.').map(|part| {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers.push(part.to_owned());
            return "N";
        }
        part
    });
    (parts.collect::<Vec<_>>().join("."), numbers)
}

/// As names are compared.
fn fold(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', ".")
}

/// What every message has, what is set at reception, and what protocols name, after flespi; `N`
/// is any number.
const KNOWN: [&str; 71] = [
    "ident",
    "timestamp",
    "server.timestamp",
    "timestamp.valid",
    "channel",
    "channel.name",
    "protocol.name",
    "device.name",
    "peer",
    "position.latitude",
    "position.longitude",
    "position.altitude",
    "position.speed",
    "position.direction",
    "position.satellites",
    "position.hdop",
    "position.pdop",
    "position.vdop",
    "position.accuracy",
    "position.valid",
    "engine.ignition.status",
    "engine.rpm",
    "movement.status",
    "din",
    "din.N",
    "dout",
    "dout.N",
    "ain.N",
    "battery.level",
    "battery.voltage",
    "battery.current",
    "battery.charging.status",
    "external.powersource.voltage",
    "gsm.signal.level",
    "gsm.signal.dbm",
    "gsm.operator.code",
    "gsm.mcc",
    "gsm.mnc",
    "gsm.lac",
    "gsm.cellid",
    "gsm.jamming.alarm.status",
    "vehicle.mileage",
    "segment.vehicle.mileage",
    "vehicle.vin",
    "driver.code",
    "ibutton.code",
    "rfid.code",
    "alarm.status",
    "custom.param.N",
    "text",
    "data",
    "event.enum",
    "event.priority.enum",
    "gnss.status",
    "gnss.state.enum",
    "sleep.mode.enum",
    "trip.status",
    "trip.state.enum",
    "idle.status",
    "crash.event.enum",
    "harsh.acceleration.event",
    "harsh.braking.event",
    "harsh.cornering.event",
    "overspeeding.speed",
    "sensor.temperature.N",
    "sensor.humidity.N",
    "lls.value.N",
    "lls.temperature.N",
    "wifi.mac",
    "wifi.signal.dbm",
    "custom.generation.type",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slip_of_a_known_name_is_one() {
        let meant = |name| meant(name, || KNOWN.into_iter());
        for (slip, expected) in [
            ("idnet", "ident"),
            ("Ident", "ident"),
            ("position.latitud", "position.latitude"),
            ("position_latitude", "position.latitude"),
            ("postion.longitude", "position.longitude"),
            ("chanel", "channel"),
            ("dim.1", "din.1"),
            ("timestmap", "timestamp"),
        ] {
            assert_eq!(meant(slip).as_deref(), Some(expected), "{slip}");
        }
        for other in [
            "ident",
            "din.7",
            "custom.param.11",
            "date",
            "temp",
            "a",
            "door.open",
            "text2",
            "sensor.temperature.12",
            "position.valid",
        ] {
            assert_eq!(meant(other), None, "{other}");
        }
    }
}
