//! The functions that take values and give one.
//!
//! `exists` and `if` are not here: the first takes a name, the second does not compute all of its
//! arguments; the parser knows both.

use super::Error;
use super::operator::compare;
use super::value::Number;
use super::value::Text;
use super::value::Value;
use crate::message::ValueRef;
use std::cmp::Ordering;
use std::ops::RangeInclusive;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ceil,
    Error,
    Floor,
    Geofence,
    IsBoolean,
    IsJson,
    IsNull,
    IsNumber,
    IsString,
    Max,
    Min,
    Not,
    Round,
    Strlen,
    Substr,
    ToNumber,
    ToString,
}

impl Function {
    /// Its name, and how many arguments it takes.
    pub(super) fn signature(self) -> (&'static str, RangeInclusive<usize>) {
        match self {
            Self::Abs => ("abs", 1..=1),
            Self::Ceil => ("ceil", 1..=1),
            Self::Error => ("error", 0..=0),
            Self::Floor => ("floor", 1..=1),
            Self::Geofence => ("geofence", 3..=3),
            Self::IsBoolean => ("isboolean", 1..=1),
            Self::IsJson => ("isjson", 1..=1),
            Self::IsNull => ("isnull", 1..=1),
            Self::IsNumber => ("isnumber", 1..=1),
            Self::IsString => ("isstring", 1..=1),
            Self::Max => ("max", 2..=ARGUMENTS_MAX),
            Self::Min => ("min", 2..=ARGUMENTS_MAX),
            Self::Not => ("not", 1..=1),
            Self::Round => ("round", 1..=1),
            Self::Strlen => ("strlen", 1..=1),
            Self::Substr => ("substr", 2..=3),
            Self::ToNumber => ("tonumber", 1..=1),
            Self::ToString => ("tostring", 1..=1),
        }
    }

    /// Computes it; `find` is asked for the position.
    ///
    /// # Errors
    /// When it does not take such values.
    pub(super) fn apply<'a>(
        self,
        arguments: &[Value<'a>],
        find: impl Fn(&str) -> Option<ValueRef<'a>>,
    ) -> Result<Value<'a>, Error<'a>> {
        let name = self.signature().0;
        let first = arguments.first().unwrap_or(&Value::Null);
        match self {
            Self::Abs => absolute(first.number(name)?),
            Self::Ceil => Ok(rounded(first.number(name)?, f64::ceil)),
            Self::Error => Err(Error::Raised),
            Self::Floor => Ok(rounded(first.number(name)?, f64::floor)),
            Self::Geofence => geofence(arguments, find).map(Value::Bool),
            Self::IsBoolean => Ok(Value::Bool(matches!(first, Value::Bool(_)))),
            Self::IsJson => Ok(Value::Bool(*first == Value::Nested)),
            Self::IsNull => Ok(Value::Bool(*first == Value::Null)),
            Self::IsNumber => {
                let is_number = matches!(first, Value::Integer(_) | Value::Float(_));
                Ok(Value::Bool(is_number))
            }
            Self::IsString => Ok(Value::Bool(matches!(first, Value::Text(_)))),
            Self::Max => extreme(name, arguments, Ordering::Greater),
            Self::Min => extreme(name, arguments, Ordering::Less),
            Self::Not => Ok(Value::Bool(!first.is_true())),
            Self::Round => Ok(rounded(first.number(name)?, f64::round)),
            Self::Strlen => {
                let count = first.text(name)?.as_str().chars().count();
                i128::try_from(count)
                    .map(Value::Integer)
                    .map_err(|_| Error::TooLarge)
            }
            Self::Substr => substr(arguments).map(Value::Text),
            Self::ToNumber => to_number(first),
            Self::ToString => to_string(first).map(Value::Text),
        }
    }
}

/// Exact: the widest integer has 64 bits and a sign.
fn absolute<'a>(number: Number) -> Result<Value<'a>, Error<'a>> {
    match number {
        Number::Integer(number) => number
            .checked_abs()
            .map(Value::Integer)
            .ok_or(Error::TooLarge),
        Number::Float(number) => Ok(Value::Float(number.abs())),
    }
}

/// An integer where 64 bits hold it.
fn rounded<'a>(number: Number, round: impl Fn(f64) -> f64) -> Value<'a> {
    let Number::Float(number) = number else {
        return number.into();
    };
    let number = Number::Float(round(number));
    number
        .integer()
        .map_or_else(|| number.into(), Value::Integer)
}

/// The first of those that are the smallest, or the largest.
fn extreme<'a>(
    name: &'static str,
    arguments: &[Value<'a>],
    wanted: Ordering,
) -> Result<Value<'a>, Error<'a>> {
    let mut best: Option<Number> = None;
    for argument in arguments {
        let number = argument.number(name)?;
        if best.is_none_or(|best| compare(number, best) == Some(wanted)) {
            best = Some(number);
        }
    }
    Ok(best.map_or(Value::Null, Value::from))
}

/// Characters from the one at the second argument, counted from 0, or from the end if it is
/// negative; all of them, or as many as the third says. What is not there is left out.
fn substr<'a>(arguments: &[Value<'a>]) -> Result<Text<'a>, Error<'a>> {
    let [text, start, rest @ ..] = arguments else {
        return Err(Error::Argument("`substr` takes a text and a number"));
    };
    let text = text.text("substr")?;
    let count = text.as_str().chars().count();
    let start = position(start)?;
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => count.saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(count)),
    };
    let len = match rest.first() {
        Some(len) => usize::try_from(position(len)?)
            .map_err(|_| Error::Argument("a length is not negative"))?,
        None => count,
    };
    Ok(match text {
        Text::Lent(text) => Text::Lent(slice(text, start, len)),
        Text::Made(text) => Text::Made(slice(text, start, len).try_into().unwrap_or_default()),
    })
}

/// A count of characters; what is far beyond any text stays so.
fn position<'a>(value: &Value<'a>) -> Result<i64, Error<'a>> {
    let fraction = Error::Argument("characters are counted without a fraction");
    let number = value.number("substr")?.integer().ok_or(fraction)?;
    let least = i128::from(i32::MIN);
    let clamped = number.clamp(least, i128::from(i32::MAX));
    i64::try_from(clamped).map_err(|_| Error::TooLarge)
}

/// Of `text` the `len` characters behind `start`, as far as they are there.
fn slice(text: &str, start: usize, len: usize) -> &str {
    let byte = |text: &str, count: usize| {
        let mut starts = text.char_indices().map(|(at, _)| at);
        starts.nth(count).unwrap_or(text.len())
    };
    let (_, behind) = text.split_at(byte(text, start));
    let (piece, _) = behind.split_at(byte(behind, len));
    piece
}

/// Text is read as an expression would be, white space around it left out.
fn to_number<'a>(value: &Value<'a>) -> Result<Value<'a>, Error<'a>> {
    match value {
        Value::Text(text) => Number::parse(text.as_str().trim())
            .map(Value::from)
            .ok_or(Error::Argument("`tonumber` of a text that is no number")),
        _ => value.number("tonumber").map(Value::from),
    }
}

/// Numbers in their shortest form.
fn to_string<'a>(value: &Value<'a>) -> Result<Text<'a>, Error<'a>> {
    match value {
        Value::Null => Ok(Text::Lent("null")),
        Value::Bool(true) => Ok(Text::Lent("true")),
        Value::Bool(false) => Ok(Text::Lent("false")),
        Value::Text(text) => Ok(text.clone()),
        _ => value.number("tostring").map(Text::of),
    }
}

/// Whether the message's position is at most as many kilometres from the place as the third
/// argument says.
fn geofence<'a>(
    arguments: &[Value<'a>],
    find: impl Fn(&str) -> Option<ValueRef<'a>>,
) -> Result<bool, Error<'a>> {
    let [latitude, longitude, radius] = arguments else {
        return Err(Error::Argument("`geofence` takes three numbers"));
    };
    let within = |value: &Value<'a>, limits: RangeInclusive<f64>, what| {
        let number = value.number("geofence")?.float();
        let fits = limits.contains(&number);
        fits.then_some(number).ok_or(Error::Argument(what))
    };
    let place = Place {
        latitude: within(latitude, LATITUDES, "a latitude is from -90 to 90")?,
        longitude: within(longitude, LONGITUDES, "a longitude is from -180 to 180")?,
    };
    let radius = within(radius, 0.0..=f64::MAX, "a radius is not negative")?;
    let coordinate = |name: &'static str| match find(name) {
        Some(ValueRef::Null) | None => Err(Error::Missing(name)),
        Some(value) => Ok(Value::from(value).number("geofence")?.float()),
    };
    let message = Place {
        latitude: coordinate("position.latitude")?,
        longitude: coordinate("position.longitude")?,
    };
    Ok(message.kilometres_to(place) <= radius)
}

/// A place on Earth, in degrees.
#[derive(Clone, Copy)]
struct Place {
    latitude: f64,
    longitude: f64,
}

impl Place {
    /// By the haversine formula on a sphere: at most 0.6 % off.
    fn kilometres_to(self, other: Self) -> f64 {
        let squared = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let circles = self.latitude.to_radians().cos() * other.latitude.to_radians().cos();
        let across = circles * squared(other.longitude - self.longitude);
        let chord = squared(other.latitude - self.latitude) + across;
        2.0 * EARTH_RADIUS_KM * chord.sqrt().clamp(0.0, 1.0).asin()
    }
}

/// All of them, in the order of their names.
pub(super) const FUNCTIONS: [Function; 18] = [
    Function::Abs,
    Function::Ceil,
    Function::Error,
    Function::Floor,
    Function::Geofence,
    Function::IsBoolean,
    Function::IsJson,
    Function::IsNull,
    Function::IsNumber,
    Function::IsString,
    Function::Max,
    Function::Min,
    Function::Not,
    Function::Round,
    Function::Strlen,
    Function::Substr,
    Function::ToNumber,
    Function::ToString,
];

/// Arguments of one call.
const ARGUMENTS_MAX: usize = 8;

const LATITUDES: RangeInclusive<f64> = -90.0..=90.0;

const LONGITUDES: RangeInclusive<f64> = -180.0..=180.0;

/// The mean of the Earth's radii (IUGG).
const EARTH_RADIUS_KM: f64 = 6_371.008_8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_map() {
        let place = |latitude, longitude| Place {
            latitude,
            longitude,
        };
        for (from, to, expected) in [
            // a quarter and half of the way round
            (place(0.0, 0.0), place(90.0, 33.0), 10_007.557),
            (place(0.0, -90.0), place(0.0, 90.0), 20_015.115),
            // across the date line
            (place(0.0, 179.5), place(0.0, -179.5), 111.195),
            // Vilnius to Kaunas
            (place(54.6872, 25.2797), place(54.8985, 23.9036), 91.5),
        ] {
            let found = from.kilometres_to(to);
            assert!((found - expected).abs() < 0.6, "{found} {expected}");
        }
    }

    #[test]
    fn each_function_is_listed_once_in_order() {
        let names = FUNCTIONS.map(|function| function.signature().0);
        assert!(names.is_sorted(), "{names:?}");
    }
}
