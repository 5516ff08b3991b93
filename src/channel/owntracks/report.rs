//! What the fields of an object mean: names of parameters.
//!
//! | field | parameter |
//! | --- | --- |
//! | `tst`: s | `timestamp` |
//! | `lat`, `lon` | `position.latitude`, `position.longitude`, `position.valid` |
//! | `acc`, `alt`: m | `position.accuracy`, `position.altitude` |
//! | `vel`: km/h; `cog` | `position.speed`, `position.direction` |
//! | `batt`: % | `battery.level` |
//! | `bs`: 1 unplugged, 2 charging, 3 full | `battery.charging.status` |
//! | `uext`, `ubatt`: V | `external.powersource.voltage`, `battery.voltage` |
//! | `odometer`: km; `hmc`: s | `vehicle.mileage`, `engine.motorhours`: h |
//! | `ign`; `din1`, `dout1` … | `engine.ignition.status`; `din.1`, `dout.1` … |
//! | `rpm`, `vin` | `engine.rpm`, `vehicle.vin` |
//! | `desc`, `event` of a transition | `geofence.name`, `geofence.status` |
//!
//! An app leaves out what is 0 where it may be unknown, so what is not there is never taken for 0.
//! What cannot be (an accuracy below 0) says nothing; all others are left out: names of networks
//! and how a phone was asked are nothing that a fleet wants.

use super::Fields;
use super::Wrong;
use crate::channel::InputError;
use crate::channel::fix::rounded;
use crate::message::Message;
use crate::message::Value;
use crate::message::timestamp::SECONDS_MAX;
use crate::wire::values::switch;
use std::ops::RangeInclusive;

/// `_type` is `location`: where it is.
pub(super) fn location(fields: &Fields, message: &mut Message) -> Result<(), Wrong> {
    message.set_timestamp(time(fields)?);
    if !place(fields, message)? {
        return Err((InputError::Value, "`lat` or `lon` is missing").into());
    }
    for (name, parameter, can_be) in NUMBERS {
        set_number(fields, name, parameter, can_be, message);
    }
    // 0 is unknown
    match fields.get("bs") {
        Some(Value::U64(1)) => message.set("battery.charging.status", false),
        Some(Value::U64(2 | 3)) => message.set("battery.charging.status", true),
        _ => {}
    }
    of_vehicle(fields, message);
    Ok(())
}

/// `_type` is `transition`: it has entered or left a region.
pub(super) fn transition(fields: &Fields, message: &mut Message) -> Result<(), Wrong> {
    message.set_timestamp(time(fields)?);
    let entered = match fields.text("event") {
        Some("enter") => true,
        Some("leave") => false,
        _ => return Err((InputError::Value, "`event` is neither `enter` nor `leave`").into()),
    };
    if place(fields, message)? {
        set_number(fields, "acc", "position.accuracy", SIZES, message);
    }
    if let Some(name) = fields.text("desc") {
        message.set("geofence.name", name);
    }
    message.set("geofence.status", entered);
    Ok(())
}

/// Microseconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "from 0 to the year 9999"
)]
fn time(fields: &Fields) -> Result<u64, Wrong> {
    let time = fields.get("tst").ok_or("`tst` is missing");
    let micros = time.and_then(|time| match time {
        Value::U64(seconds) if *seconds <= SECONDS_MAX => Ok(seconds.saturating_mul(1_000_000)),
        Value::F64(seconds) if (0.0..=SECONDS_MAX as f64).contains(seconds) => {
            Ok((seconds * 1e6).round() as u64)
        }
        _ => Err("`tst` is no time from 1970 to 9999"),
    });
    micros.map_err(|error| (InputError::Value, error).into())
}

/// Adds where it is; whether that is said.
fn place(fields: &Fields, message: &mut Message) -> Result<bool, Wrong> {
    let degrees = |name, most: f64, error| match fields.get(name) {
        None => Ok(None),
        Some(value) => match value.as_ref().number() {
            Some(number) if number.abs() <= most => Ok(Some(value)),
            _ => Err(Wrong::from((InputError::Value, error))),
        },
    };
    let latitude = degrees("lat", 90.0, "`lat` is no latitude")?;
    let longitude = degrees("lon", 180.0, "`lon` is no longitude")?;
    if let (Some(latitude), Some(longitude)) = (latitude, longitude) {
        message.set("position.latitude", latitude);
        message.set("position.longitude", longitude);
        message.set("position.valid", true);
    }
    Ok(latitude.is_some() && longitude.is_some())
}

/// What qtripp adds, whose trackers are wired to a vehicle.
fn of_vehicle(fields: &Fields, message: &mut Message) {
    for (name, value) in &fields.0 {
        let parameter = match name.as_str() {
            "ign" => "engine.ignition.status".to_owned(),
            name => match numbered(name) {
                Some((kind, number)) => format!("{kind}.{number}"),
                None => continue,
            },
        };
        if let Some(state) = switch(value.as_ref()) {
            message.set(parameter, state);
        }
    }
    if let Some(vin) = fields.text("vin") {
        message.set("vehicle.vin", vin);
    }
    let seconds = fields.get("hmc").and_then(|value| value.as_ref().number());
    if let Some(seconds) = seconds.filter(|seconds| SIZES.contains(seconds)) {
        message.set("engine.motorhours", &rounded(seconds / 3600.0, 1e4));
    }
}

/// `din1` to `din32`, `dout1` to `dout32`.
fn numbered(name: &str) -> Option<(&str, u8)> {
    let at = name.find(|c: char| c.is_ascii_digit())?;
    let (kind, digits) = name.split_at_checked(at)?;
    let number = digits.parse().ok()?;
    let known = matches!(kind, "din" | "dout") && (1..=32).contains(&number);
    known.then_some((kind, number))
}

fn set_number(
    fields: &Fields,
    name: &str,
    parameter: &str,
    can_be: RangeInclusive<f64>,
    message: &mut Message,
) {
    let Some(value) = fields.get(name) else {
        return;
    };
    if value
        .as_ref()
        .number()
        .is_some_and(|number| can_be.contains(&number))
    {
        message.set(parameter, value);
    }
}

/// Fields that keep their number, and what it can be.
const NUMBERS: [(&str, &str, RangeInclusive<f64>); 9] = [
    ("acc", "position.accuracy", SIZES),
    ("alt", "position.altitude", -12_000.0..=2_000_000.0),
    ("vel", "position.speed", 0.0..=1852.0),
    ("cog", "position.direction", 0.0..=360.0),
    ("batt", "battery.level", 0.0..=100.0),
    ("uext", "external.powersource.voltage", SIZES),
    ("ubatt", "battery.voltage", SIZES),
    ("odometer", "vehicle.mileage", SIZES),
    ("rpm", "engine.rpm", SIZES),
];

/// Not below 0.
const SIZES: RangeInclusive<f64> = 0.0..=1e9;
