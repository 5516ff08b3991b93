//! The bodies of `SD` and `D`: one message each.

use super::PARAMETERS_MAX;
use super::number;
use crate::message::Value;
use std::fmt;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<'a> {
    /// When it was measured, microseconds since 1970 UTC; none: when it arrives.
    pub time_us: Option<u64>,
    /// Where.
    pub place: Option<Place>,
    /// Kilometres an hour, not negative.
    pub speed: Option<Value>,
    /// Degrees from north, clockwise, 0 to 360.
    pub direction: Option<Value>,
    /// Metres above the sea.
    pub altitude: Option<Value>,
    /// How many the fix came from.
    pub satellites: Option<Value>,
    /// What `D` has beyond `SD`.
    pub extended: Option<Extended<'a>>,
}

/// A place on the earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
}

/// What `D` has beyond `SD`.
#[derive(Clone, Debug, PartialEq)]
pub struct Extended<'a> {
    /// Dilution of precision, not negative.
    pub hdop: Option<f64>,
    /// One bit an input, the first is the lowest.
    pub inputs: Option<Value>,
    /// One bit an output, the first is the lowest.
    pub outputs: Option<Value>,
    /// Analogue inputs, from the first on.
    pub adc: Vec<Option<f64>>,
    /// The driver's key.
    pub ibutton: Option<&'a str>,
    /// In their order; at most [`PARAMETERS_MAX`].
    pub parameters: Vec<Parameter<'a>>,
}

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter<'a> {
    /// Its name, not empty.
    pub name: &'a str,
    /// An integer, a float or a text.
    pub value: Value,
}

/// What is wrong with a body, the first thing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The number of fields.
    Structure,
    /// Date or time.
    Time,
    /// Latitude or longitude.
    Place,
    /// Speed, course or altitude.
    Motion,
    /// Satellites or hdop.
    Precision,
    /// Inputs or outputs.
    Switches,
    /// Analogue inputs.
    Adc,
}

impl RecordError {
    /// As it is answered.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Structure => "-1",
            Self::Time => "0",
            Self::Place => "10",
            Self::Motion => "11",
            Self::Precision => "12",
            Self::Switches => "13",
            Self::Adc => "14",
        }
    }
}

/// Reads the body of an `SD` or `D`, without a checksum; the number of fields tells which.
///
/// # Errors
/// See [`RecordError`].
pub fn record(body: &str) -> Result<Record<'_>, RecordError> {
    let fields: Vec<&str> = body.split(';').take(17).map(str::trim_ascii).collect();
    match fields[..] {
        [
            date,
            time,
            latitude,
            south,
            longitude,
            west,
            speed,
            course,
            altitude,
            satellites,
            ref rest @ ..,
        ] => {
            let mut record = Record {
                time_us: when(date, time)?,
                place: place((latitude, south), (longitude, west))?,
                speed: known(speed, |text| within(text, f64::MAX)).ok_or(RecordError::Motion)?,
                direction: known(course, |text| within(text, 360.0)).ok_or(RecordError::Motion)?,
                altitude: known(altitude, number::decimal).ok_or(RecordError::Motion)?,
                satellites: known(satellites, count).ok_or(RecordError::Precision)?,
                extended: None,
            };
            record.extended = match *rest {
                [] => None,
                [hdop, inputs, outputs, adc, ibutton, parameters] => Some(Extended {
                    hdop: known(hdop, not_negative).ok_or(RecordError::Precision)?,
                    inputs: known(inputs, number::integer).ok_or(RecordError::Switches)?,
                    outputs: known(outputs, number::integer).ok_or(RecordError::Switches)?,
                    adc: voltages(adc).ok_or(RecordError::Adc)?,
                    ibutton: Some(ibutton).filter(|key| !is_unknown(key)),
                    parameters: additional(parameters),
                }),
                _ => return Err(RecordError::Structure),
            };
            Ok(record)
        }
        _ => Err(RecordError::Structure),
    }
}

/// Devices leave fields empty for which the specification has `NA`.
fn is_unknown(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("NA")
}

/// `Some(None)` for what is unknown, `None` for what is wrong.
fn known<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if is_unknown(text) {
        return Some(None);
    }
    read(text).map(Some)
}

fn when(date: &str, time: &str) -> Result<Option<u64>, RecordError> {
    match (is_unknown(date), is_unknown(time)) {
        (true, true) => Ok(None),
        (false, false) => number::time(date, time).ok_or(RecordError::Time).map(Some),
        _ => Err(RecordError::Time),
    }
}

fn place(latitude: (&str, &str), longitude: (&str, &str)) -> Result<Option<Place>, RecordError> {
    match (is_unknown(latitude.0), is_unknown(longitude.0)) {
        (true, true) => Ok(None),
        (false, false) => {
            let latitude = signed(latitude, 90.0, ["N", "S"]).ok_or(RecordError::Place)?;
            let longitude = signed(longitude, 180.0, ["E", "W"]).ok_or(RecordError::Place)?;
            Ok(Some(Place {
                latitude,
                longitude,
            }))
        }
        _ => Err(RecordError::Place),
    }
}

fn signed((text, side): (&str, &str), most: f64, sides: [&str; 2]) -> Option<f64> {
    let degrees = number::degrees(text, most)?;
    let [positive, negative] = sides.map(|known| side.eq_ignore_ascii_case(known));
    match (positive, negative) {
        (true, _) => Some(degrees),
        // 0 has no sign
        (_, true) if degrees > 0.0 => Some(-degrees),
        (_, true) => Some(0.0),
        _ => None,
    }
}

/// From 0 to `most`.
fn within(text: &str, most: f64) -> Option<Value> {
    let value = number::decimal(text)?;
    (0.0..=most)
        .contains(&number::float(text)?)
        .then_some(value)
}

fn not_negative(text: &str) -> Option<f64> {
    number::float(text).filter(|number| *number >= 0.0)
}

/// Not negative, whole: some senders write `9.0`.
fn count(text: &str) -> Option<Value> {
    let whole = text.trim_end_matches('0').strip_suffix('.').unwrap_or(text);
    number::integer(whole).filter(|value| matches!(value, Value::U64(_)))
}

/// None at all where the field is empty; one that is empty is unknown.
fn voltages(text: &str) -> Option<Vec<Option<f64>>> {
    if is_unknown(text) {
        return Some(Vec::new());
    }
    let inputs = text.split(',').take(ADC_MAX.saturating_add(1));
    let read: Option<Vec<_>> = inputs
        .map(|input| known(input.trim_ascii(), number::float))
        .collect();
    read.filter(|inputs| inputs.len() <= ADC_MAX)
}

/// What is none is left out, also what comes after [`PARAMETERS_MAX`]: a record that is refused for
/// one odd parameter is sent for ever. Senders do not escape the comma, so what is no parameter
/// belongs to the text before it.
fn additional(text: &str) -> Vec<Parameter<'_>> {
    let mut parameters: Vec<Parameter<'_>> = Vec::new();
    if is_unknown(text) {
        return parameters;
    }
    let mut is_text = false;
    for part in text.split(',') {
        if let Some((kind, read)) = parameter(part.trim_ascii()) {
            if parameters.len() >= PARAMETERS_MAX {
                break;
            }
            is_text = kind == TEXT && read.is_some();
            parameters.extend(read);
        } else if let Some(text) = parameters.last_mut().filter(|_| is_text) {
            text.go_on(part);
        }
    }
    parameters
}

/// The type and what it says of `name:type:value`, nothing where the value is not of its type;
/// none: it is no parameter.
fn parameter(text: &str) -> Option<(&str, Option<Parameter<'_>>)> {
    let (name, typed) = text.split_once(':')?;
    let (kind, value) = typed.split_once(':')?;
    let value = match kind {
        "1" => number::integer(value),
        "2" => number::float(value).map(Value::F64),
        TEXT => Some(Value::from(value)),
        _ => None,
    };
    let is_name = !name.is_empty() && !name.chars().any(char::is_control);
    let value = value.filter(|_| is_name);
    Some((kind, value.map(|value| Parameter { name, value })))
}

impl Parameter<'_> {
    /// The text had a comma in it.
    fn go_on(&mut self, rest: &str) {
        if let Value::Text(text) = &self.value {
            self.value = Value::Text(format!("{text},{rest}").trim_end().into());
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Structure => "not as many fields as a message has",
            Self::Time => "date or time is none",
            Self::Place => "latitude or longitude is none",
            Self::Motion => "speed, course or altitude is none",
            Self::Precision => "satellites or hdop is none",
            Self::Switches => "inputs or outputs are none",
            Self::Adc => "an analogue input is no number",
        })
    }
}

impl std::error::Error for RecordError {}

/// The type of a text.
const TEXT: &str = "3";

/// Most analogue inputs of a message.
const ADC_MAX: usize = 64;
