//! What the fields of a request mean: names of parameters.
//!
//! | field | in JSON, in `location` | parameter |
//! | --- | --- | --- |
//! | `id`, `deviceid` | `device_id`, beside it | `ident` |
//! | `timestamp` | `timestamp` | `timestamp` |
//! | `lat`, `lon` | `coords.latitude`, `.longitude` | `position.latitude`, `.longitude` |
//! | `location`: both, a comma between | | the same |
//! | `speed`: knots, or as configured | `coords.speed`: m/s | `position.speed`: km/h |
//! | `bearing`, `heading`: 0 to 360°, else left out | `coords.heading` | `position.direction` |
//! | `altitude`, `accuracy`: m | `coords.altitude`, `.accuracy` | `position.altitude` and so on |
//! | `hdop`, `pdop`, `vdop` | | `position.hdop`, `.pdop`, `.vdop` |
//! | `valid`, or whether there is a place | | `position.valid` |
//! | `sat` | | `position.satellites` |
//! | `batt`, `batteryLevel`: 0 to 100 | `battery.level`: 0 to 1 | `battery.level`: 0 to 100 |
//! | `charge` | `battery.is_charging` | `battery.charging.status` |
//! | `cell`: MCC, MNC, LAC, id, dBm | | `gsm.mcc`, `.mnc`, `.lac`, `.cellid`, `.signal.dbm` |
//! | `wifi`: MAC, dBm | | `wifi.mac`, `wifi.signal.dbm` |
//! | `driverUniqueId` | | `driver.code` |
//! | `ignition`, `motion` | `is_moving` | `engine.ignition.status`, `movement.status` |
//! | `odometer`: m | `odometer` | `vehicle.mileage`: km |
//! | `rpm` | | `engine.rpm` |
//! | `power`, `battery`: V | | `external.powersource.voltage`, `battery.voltage` |
//! | `alarm`: `sos`, or a switch | `alarm` | `alarm.status` |
//! | others | others; those in objects with dots | under their own names |
//!
//! A number as `timestamp` is seconds below 2147483647, else milliseconds; a text is ISO 8601, UTC
//! where it names no zone. `extras` of JSON hold fields as queries do, from `sat` on downwards.
//!
//! The parameters of a second `cell` or `wifi` get `.2` behind their names, and so on. What is
//! empty, `null` or `NaN` says nothing; nor does a speed, direction, accuracy, level or distance
//! below 0.
//!
//! What is wrong in the rows down to `valid` is an error; below, a value that is not what its row
//! says is passed on under the field's own name. `ident` and `timestamp` as such a name, and
//! `battery.level` that is no share, get `_` behind them.

use super::Error;
use super::SpeedUnit;
use super::values::code;
use super::values::micros;
use super::values::place;
use super::values::read;
use super::values::switch;
use crate::channel::InputError;
use crate::channel::fix::METRE_PER_SECOND;
use crate::channel::fix::rounded;
use crate::message::Message;
use crate::message::Value;
use crate::message::json;
use crate::wire::form::NotUtf8;
use crate::wire::form::pairs;
use crate::wire::nmea::KNOT;
use std::borrow::Cow;

/// The message of a query and a form.
pub(super) fn of_form(form: &[u8], unit: SpeedUnit) -> Result<Message, Error> {
    let fields = pairs(form).take(FIELDS_MAX.saturating_add(1));
    let fields: Result<Vec<_>, NotUtf8> = fields.collect();
    let mut fields = fields.map_err(|_| Error::new(InputError::Syntax, "not UTF-8"))?;
    if fields.len() > FIELDS_MAX {
        return Err(too_many());
    }
    fields.retain(|(_, value)| !value.is_empty());
    let named = |wanted| fields.iter().find(|(name, _)| name == wanted);
    let ident = named("id").or_else(|| named("deviceid"));
    let (_, ident) = ident.ok_or_else(|| Error::new(InputError::Ident, "`id` is missing"))?;
    let mut report = Report::new(ident)?;
    for (name, text) in &fields {
        let known = match name.as_str() {
            "id" | "deviceid" => continue,
            "speed" => Some(Known::Speed(unit.kilometres_per_hour())),
            name => meaning(&FIELDS, name).or_else(|| meaning(&ATTRIBUTES, name)),
        };
        report.tell(name, read(text), known)?;
    }
    report.finish()
}

/// The message of a JSON object.
pub(super) fn of_json(text: &[u8]) -> Result<Message, Error> {
    let mut root = json::parse_fields(text)?;
    let mut take = |wanted| {
        let at = root.iter().position(|(name, _)| name == wanted)?;
        Some(root.remove(at).1)
    };
    let ident = match take("device_id") {
        Some(Value::Text(ident)) => ident.into_string(),
        Some(Value::U64(number)) => number.to_string(),
        _ => return Err(Error::new(InputError::Ident, "`device_id` is missing")),
    };
    let location = match take("location") {
        Some(Value::Json(text)) => json::parse_fields(text.as_bytes())?,
        _ => return Err(Error::new(InputError::Syntax, "`location` is no object")),
    };
    let mut report = Report::new(&ident)?;
    for (name, value) in location {
        match (name.as_str(), &value) {
            // the template that the SDK of Traccar Client filled in, once more
            ("_", _) => {}
            ("coords" | "battery" | "activity" | "extras", Value::Json(text))
                if text.starts_with('{') =>
            {
                report.inner(&name, text)?;
            }
            ("coords" | "battery" | "activity" | "extras", Value::Null) => {}
            ("coords", _) => return Err(Error::new(InputError::Syntax, "`coords` is no object")),
            (path, _) => report.tell(path, value, meaning(&PATHS, path))?,
        }
    }
    for (name, value) in root {
        report.tell(&name, value, None)?;
    }
    report.finish()
}

/// A message on its way.
struct Report {
    message: Message,
    latitude: Option<f64>,
    longitude: Option<f64>,
    valid: Option<bool>,
    cells: u32,
    points: u32,
    fields: usize,
}

/// What a field can mean. Of those that name a parameter the value keeps its unit.
#[derive(Clone, Copy)]
enum Known {
    Time,
    Latitude,
    Longitude,
    Place,
    /// By this factor into km/h.
    Speed(f64),
    Direction,
    /// Any number.
    Number(&'static str),
    /// Not below 0.
    Size(&'static str),
    Valid,
    /// A share of so much.
    Level(f64),
    Metres,
    /// Not below 0, and not an error if it is none.
    Amount(&'static str),
    Switch(&'static str),
    Driver,
    Cell,
    Point,
    Alarm,
}

impl Report {
    fn new(ident: &str) -> Result<Self, Error> {
        let message = Message::new(ident);
        let message = message.map_err(|wrong| Error::new(InputError::Ident, wrong.to_string()))?;
        Ok(Self {
            message,
            latitude: None,
            longitude: None,
            valid: None,
            cells: 0,
            points: 0,
            fields: 0,
        })
    }

    /// The fields of an object in `location`.
    fn inner(&mut self, outer: &str, text: &str) -> Result<(), Error> {
        for (name, value) in json::parse_fields(text.as_bytes())? {
            if outer == "extras" {
                self.tell(&name, value, meaning(&ATTRIBUTES, &name))?;
            } else {
                let path = format!("{outer}.{name}");
                self.tell(&path, value, meaning(&PATHS, &path))?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, name: &str, value: Value, known: Option<Known>) -> Result<(), Error> {
        self.fields = self.fields.saturating_add(1);
        if self.fields > FIELDS_MAX {
            return Err(too_many());
        }
        if let Some(known) = known {
            let is_unknown = match &value {
                Value::Null => true,
                Value::Text(text) => matches!(&**text, "" | "null" | "NaN"),
                _ => false,
            };
            if is_unknown || self.known(name, &value, known)? {
                return Ok(());
            }
        }
        if name.is_empty() || name.chars().any(char::is_control) {
            let error = "the name of a field is empty or has control characters";
            return Err(Error::new(InputError::Value, error));
        }
        match name {
            "ident" | "timestamp" => self.message.set(format!("{name}_"), &value),
            "battery.level" if known.is_some() => self.message.set("battery.level_", &value),
            _ => self.message.set(name, &value),
        }
        Ok(())
    }

    /// Whether the value is what the field is meant for.
    fn known(&mut self, name: &str, value: &Value, known: Known) -> Result<bool, Error> {
        let wrong = |what: &str| Error::new(InputError::Value, format!("`{name}` is {what}"));
        let number = || value.as_ref().number().ok_or_else(|| wrong("not a number"));
        let within = |most: f64, what| {
            let number = number()?;
            let fits = (-most..=most).contains(&number);
            fits.then_some(number).ok_or_else(|| wrong(what))
        };
        match known {
            Known::Time => {
                let time = micros(value).ok_or_else(|| wrong("no time from 1970 to 9999"))?;
                self.message.set_timestamp(time);
            }
            Known::Latitude => self.latitude = Some(within(90.0, NO_LATITUDE)?),
            Known::Longitude => self.longitude = Some(within(180.0, NO_LONGITUDE)?),
            Known::Place => {
                let (latitude, longitude) = place(value).ok_or_else(|| wrong(NO_PLACE))?;
                self.known(name, &latitude, Known::Latitude)?;
                self.known(name, &longitude, Known::Longitude)?;
            }
            Known::Speed(factor) => {
                let speed = within(SPEED_MAX, NO_SPEED)? * factor;
                if speed >= 0.0 {
                    self.message.set("position.speed", &rounded(speed, 1e4));
                }
            }
            Known::Direction => {
                match number()? {
                    0.0..=360.0 => self.message.set("position.direction", value),
                    // rounded up, or added to
                    more @ 360.0..361.0 => {
                        self.message
                            .set("position.direction", &rounded(more - 360.0, 1e4));
                    }
                    // no direction; the position is one all the same
                    _ => {}
                }
            }
            Known::Number(parameter) => {
                number()?;
                self.message.set(parameter, value);
            }
            Known::Size(parameter) => {
                if number()? >= 0.0 {
                    self.message.set(parameter, value);
                }
            }
            Known::Valid => {
                self.valid = Some(switch(value).ok_or_else(|| wrong("neither true nor false"))?);
            }
            _ => return Ok(self.attribute(value, known)),
        }
        Ok(true)
    }

    /// What is not of the position: whether the value is what the field is meant for.
    fn attribute(&mut self, value: &Value, known: Known) -> bool {
        let amount = value.as_ref().number();
        let told = match known {
            Known::Level(_) | Known::Metres if amount.is_some_and(|amount| amount < 0.0) => {
                return true;
            }
            Known::Level(whole) => amount
                .filter(|level| *level <= whole)
                .map(|level| ("battery.level", rounded(level / whole * 100.0, 1e4))),
            Known::Metres => amount
                .filter(|metres| *metres <= METRES_MAX)
                .map(|metres| ("vehicle.mileage", rounded(metres / 1000.0, 1e6))),
            Known::Amount(parameter) => amount
                .filter(|amount| *amount >= 0.0)
                .map(|_| (parameter, value.clone())),
            Known::Switch(parameter) => switch(value).map(|state| (parameter, Value::Bool(state))),
            Known::Driver => code(value).map(|code| ("driver.code", code)),
            Known::Alarm if *value == Value::from("sos") => {
                Some(("alarm.status", Value::Bool(true)))
            }
            Known::Alarm => switch(value).map(|state| ("alarm.status", Value::Bool(state))),
            Known::Cell => return self.cell(value).is_some(),
            Known::Point => return self.point(value).is_some(),
            _ => None,
        };
        let is_told = told.is_some();
        if let Some((parameter, value)) = told {
            self.message.set(parameter, &value);
        }
        is_told
    }

    fn cell(&mut self, value: &Value) -> Option<()> {
        let Value::Text(text) = value else {
            return None;
        };
        let numbers: Option<Vec<i64>> = text.split(',').map(|part| part.parse().ok()).collect();
        let numbers = numbers.filter(|numbers| (4..=5).contains(&numbers.len()))?;
        self.cells = self.cells.saturating_add(1);
        for (name, number) in CELL.into_iter().zip(numbers) {
            self.message.set(numbered(name, self.cells), number);
        }
        Some(())
    }

    fn point(&mut self, value: &Value) -> Option<()> {
        let Value::Text(text) = value else {
            return None;
        };
        let (mac, signal) = text.rsplit_once(',')?;
        let signal: i64 = signal.parse().ok()?;
        self.points = self.points.saturating_add(1);
        let mac = mac.replace('-', ":");
        self.message
            .set(numbered("wifi.mac", self.points), mac.as_str());
        self.message
            .set(numbered("wifi.signal.dbm", self.points), signal);
        Some(())
    }

    fn finish(mut self) -> Result<Message, Error> {
        let has_place = match (self.latitude, self.longitude) {
            (Some(latitude), Some(longitude)) => {
                self.message.set("position.latitude", latitude);
                self.message.set("position.longitude", longitude);
                true
            }
            (None, None) => false,
            _ => {
                let error = "latitude and longitude come together";
                return Err(Error::new(InputError::Value, error));
            }
        };
        let valid = has_place && self.valid.unwrap_or(true);
        self.message.set("position.valid", valid);
        Ok(self.message)
    }
}

impl SpeedUnit {
    fn kilometres_per_hour(self) -> f64 {
        match self {
            Self::Knots => KNOT,
            Self::KilometresPerHour => 1.0,
            Self::MetresPerSecond => METRE_PER_SECOND,
        }
    }
}

impl From<json::Error> for Error {
    fn from(error: json::Error) -> Self {
        Self::new(InputError::from(&error.problem), error.to_string())
    }
}

fn too_many() -> Error {
    let error = format!("more than {FIELDS_MAX} fields");
    Error::new(InputError::Length, error)
}

fn numbered(name: &'static str, number: u32) -> Cow<'static, str> {
    match number {
        1 => Cow::Borrowed(name),
        _ => Cow::Owned(format!("{name}.{number}")),
    }
}

fn meaning(table: &[(&str, Known)], wanted: &str) -> Option<Known> {
    let row = table.iter().find(|(name, _)| *name == wanted);
    row.map(|(_, known)| *known)
}

/// Of queries and forms; `speed` is not among them, its unit is configured.
const FIELDS: [(&str, Known); 13] = [
    ("timestamp", Known::Time),
    ("lat", Known::Latitude),
    ("lon", Known::Longitude),
    ("location", Known::Place),
    ("bearing", Known::Direction),
    ("heading", Known::Direction),
    ("altitude", Known::Number("position.altitude")),
    ("accuracy", Known::Size("position.accuracy")),
    ("hdop", Known::Size("position.hdop")),
    ("pdop", Known::Size("position.pdop")),
    ("vdop", Known::Size("position.vdop")),
    ("valid", Known::Valid),
    ("batt", Known::Level(100.0)),
];

/// Of queries and forms, and of `extras`.
const ATTRIBUTES: [(&str, Known); 13] = [
    ("sat", Known::Amount("position.satellites")),
    ("batteryLevel", Known::Level(100.0)),
    ("charge", Known::Switch("battery.charging.status")),
    ("cell", Known::Cell),
    ("wifi", Known::Point),
    ("driverUniqueId", Known::Driver),
    ("ignition", Known::Switch("engine.ignition.status")),
    ("motion", Known::Switch("movement.status")),
    ("odometer", Known::Metres),
    ("rpm", Known::Amount("engine.rpm")),
    ("power", Known::Amount("external.powersource.voltage")),
    ("battery", Known::Amount("battery.voltage")),
    ("alarm", Known::Alarm),
];

/// Of JSON, in `location`.
const PATHS: [(&str, Known); 12] = [
    ("timestamp", Known::Time),
    ("coords.latitude", Known::Latitude),
    ("coords.longitude", Known::Longitude),
    ("coords.speed", Known::Speed(METRE_PER_SECOND)),
    ("coords.heading", Known::Direction),
    ("coords.altitude", Known::Number("position.altitude")),
    ("coords.accuracy", Known::Size("position.accuracy")),
    ("battery.level", Known::Level(1.0)),
    (
        "battery.is_charging",
        Known::Switch("battery.charging.status"),
    ),
    ("is_moving", Known::Switch("movement.status")),
    ("odometer", Known::Metres),
    ("alarm", Known::Alarm),
];

/// Of one cell.
const CELL: [&str; 5] = [
    "gsm.mcc",
    "gsm.mnc",
    "gsm.lac",
    "gsm.cellid",
    "gsm.signal.dbm",
];

/// Most fields of one request.
const FIELDS_MAX: usize = 512;

/// What is faster in any unit is no speed.
const SPEED_MAX: f64 = 1e6;

/// What is farther is no way that anything went.
const METRES_MAX: f64 = 1e12;

const NO_LATITUDE: &str = "not from -90 to 90";
const NO_LONGITUDE: &str = "not from -180 to 180";
const NO_SPEED: &str = "not up to 1000000";
const NO_PLACE: &str = "no latitude and longitude with a comma between them";
