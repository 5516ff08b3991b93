//! Messages to packets of 2.0. What becomes of which parameter stands in `docs/wialon.md`.

use super::CRC;
use super::NETWORK;
use super::number::coordinate;
use super::number::date_and_time;
use crate::message::ENVELOPE;
use crate::message::ValueRef;
use crate::wire::values::Switches;
use crate::wire::values::keep_code;
use crate::wire::values::switch;
use crate::wire::values::whole;
use std::fmt;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Why a message cannot become a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// A date has two digits for the year: 2000 to 2099.
    Time(u64),
    /// More parameters than Wialon registers.
    Parameters(usize),
    /// The text of this parameter has more bytes than one may have: so many.
    Text(String, usize),
}

/// Appends the record of one message, as `D` and `B` have it; `time_s`: seconds since 1970, none:
/// it is dated when it arrives.
///
/// # Errors
/// See [`EncodeError`]; `out` is as before then.
pub fn encode<'a>(
    time_s: Option<u64>,
    fields: impl Iterator<Item = (&'a str, ValueRef<'a>)>,
    out: &mut String,
) -> Result<(), EncodeError> {
    let mut gathered = Gathered::default();
    for (name, value) in fields {
        if !gathered.take(name, value) {
            gathered.push(name, value);
        }
    }
    gathered.finish();
    if let Some(too_long) = gathered.too_long {
        return Err(too_long);
    }
    if gathered.count > SENT_MAX {
        return Err(EncodeError::Parameters(gathered.count));
    }
    match time_s {
        Some(time_s) => date_and_time(time_s, out).ok_or(EncodeError::Time(time_s))?,
        None => out.push_str("NA;NA"),
    }
    gathered.write(out);
    Ok(())
}

/// Appends the packet with which a unit logs in; no part of it has `;`, `#` or a control character.
pub fn write_login(unit: &str, password: Option<&str>, out: &mut Vec<u8>) {
    let body = format!("2.0;{unit};{};", password.unwrap_or("NA"));
    write_packet("L", &body, out);
}

/// Appends the packet of one record.
pub fn write_data(record: &str, out: &mut Vec<u8>) {
    write_packet("D", &format!("{record};"), out);
}

/// Appends the packet of several records, with `|` between them.
pub fn write_black_box(records: &str, out: &mut Vec<u8>) {
    write_packet("B", &format!("{records}|"), out);
}

/// The checksum covers the separator before it.
fn write_packet(kind: &str, body: &str, out: &mut Vec<u8>) {
    let sum = CRC.checksum(body.as_bytes());
    out.extend_from_slice(format!("#{kind}#{body}{sum:04X}\r\n").as_bytes());
}

/// What stands at a place of its own, and the parameters, which come last.
#[derive(Default)]
struct Gathered<'a> {
    /// In the order of [`FIX_NAMES`].
    fix: [Option<f64>; FIX_NAMES.len()],
    valid: Option<bool>,
    inputs: Switches,
    outputs: Switches,
    /// From the first on.
    adc: Vec<Option<f64>>,
    driver: Option<ValueRef<'a>>,
    /// Names the driver where nothing else does.
    ibutton: Option<ValueRef<'a>>,
    /// `name:type:value`, a comma behind each.
    parameters: String,
    count: usize,
    too_long: Option<EncodeError>,
}

impl<'a> Gathered<'a> {
    /// Whether nothing is left to be said of this parameter.
    fn take(&mut self, name: &str, value: ValueRef<'a>) -> bool {
        if let Some(place) = FIX_NAMES.iter().position(|(known, _)| *known == name) {
            return self.fix(place, value);
        }
        match name {
            "din" => self.inputs.all(value),
            "dout" => self.outputs.all(value),
            "driver.code" => keep_code(&mut self.driver, value),
            "ibutton.code" => keep_code(&mut self.ibutton, value),
            "position.valid" => {
                self.valid = switch(value);
                self.valid.is_some()
            }
            _ => match name.split_once('.') {
                Some(("din", number)) => self.inputs.one(number, value),
                Some(("dout", number)) => self.outputs.one(number, value),
                Some(("ain", number)) => self.analogue(number, value),
                _ => ENVELOPE.contains(&name),
            },
        }
    }

    fn fix(&mut self, place: usize, value: ValueRef<'_>) -> bool {
        let known = FIX_NAMES.get(place).map(|(_, range)| range);
        let value = value
            .number()
            .filter(|value| known.is_some_and(|it| it.contains(value)));
        if let Some(slot) = self.fix.get_mut(place) {
            *slot = value;
        }
        value.is_some()
    }

    fn analogue(&mut self, number: &str, value: ValueRef<'_>) -> bool {
        let place = number.parse().ok().filter(|it| (1..=ADC_MAX).contains(it));
        let place = place.and_then(|number: usize| number.checked_sub(1));
        let (Some(place), Some(volts)) = (place, value.number()) else {
            return false;
        };
        if self.adc.len() <= place {
            self.adc.resize(place.saturating_add(1), None);
        }
        if let Some(slot) = self.adc.get_mut(place) {
            *slot = Some(volts);
        }
        true
    }

    /// What has no place of its own after all.
    fn finish(&mut self) {
        let [latitude, longitude, .., satellites, _] = self.fix;
        let has_place = latitude.is_some() && longitude.is_some();
        for ((name, _), value) in FIX_NAMES.iter().zip([latitude, longitude]) {
            if let Some(value) = value.filter(|_| !has_place) {
                self.push(name, ValueRef::F64(value));
            }
        }
        // receivers take no coordinates, and 0 satellites, for no fix
        let looks_valid = has_place && satellites != Some(0.0);
        if let Some(valid) = self.valid.filter(|valid| *valid != looks_valid) {
            self.push("position.valid", ValueRef::Bool(valid));
        }
        if let (Some(_), Some(code)) = (self.driver, self.ibutton) {
            self.push("ibutton.code", code);
        }
    }

    /// A parameter that stands for itself.
    fn push(&mut self, name: &str, value: ValueRef<'_>) {
        let (name, value) = named(name, value);
        let (kind, text) = match value {
            ValueRef::Bool(state) => (INTEGER, u8::from(state).to_string()),
            ValueRef::I64(number) => (INTEGER, number.to_string()),
            ValueRef::U64(number) if i64::try_from(number).is_ok() => (INTEGER, number.to_string()),
            ValueRef::U64(number) => (TEXT, number.to_string()),
            ValueRef::F64(number) => (FLOAT, number.to_string()),
            ValueRef::Text(text) | ValueRef::Json(text) => (TEXT, clean(text)),
            ValueRef::Null => return,
        };
        if text.len() > TEXT_MAX {
            self.too_long = Some(EncodeError::Text(name.clone(), text.len()));
        }
        if !text.is_empty() {
            self.count = self.count.saturating_add(1);
            self.parameters
                .extend([&*name, ":", kind, ":", &*text, ","]);
        }
    }

    /// Appends all behind the date.
    fn write(&self, out: &mut String) {
        let [
            latitude,
            longitude,
            altitude,
            speed,
            direction,
            satellites,
            hdop,
        ] = self.fix;
        match latitude.zip(longitude) {
            Some((latitude, longitude)) => {
                out.push(';');
                coordinate(latitude, 2, out);
                out.push_str(if latitude < 0.0 { ";S;" } else { ";N;" });
                coordinate(longitude, 3, out);
                out.push_str(if longitude < 0.0 { ";W" } else { ";E" });
            }
            None => out.push_str(";NA;NA;NA;NA"),
        }
        let direction = direction.map(|degrees| match whole(degrees.rem_euclid(360.0), 360) {
            360 => 0,
            degrees => degrees,
        });
        field(out, speed.map(f64::round));
        field(out, direction);
        // 0 has no sign
        field(out, altitude.map(|metres| metres.round() + 0.0));
        field(out, satellites.map(f64::round));
        field(out, hdop);
        field(out, self.inputs.bits().map(i32::cast_unsigned));
        field(out, self.outputs.bits().map(i32::cast_unsigned));
        let volts = |volts: &Option<f64>| volts.map(|it| it.to_string()).unwrap_or_default();
        let adc: Vec<String> = self.adc.iter().map(volts).collect();
        field(out, Some(adc.join(",")));
        let code = self.driver.or(self.ibutton);
        let code = code.map(|code| clean(&code.to_string()));
        field(out, code.filter(|code| !code.is_empty()));
        let parameters = self.parameters.strip_suffix(',');
        field(out, parameters);
    }
}

/// A separator and a value; `NA` where it is not known.
fn field(out: &mut String, value: Option<impl fmt::Display>) {
    let written = match value {
        Some(value) => write!(out, ";{value}"),
        None => out.write_str(";NA"),
    };
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

/// What a parameter is called, and its value where that changes with the name. As Retranslator
/// calls it, so that sensors are the same whichever of the two a unit is sent by.
fn named<'a>(name: &str, value: ValueRef<'a>) -> (String, ValueRef<'a>) {
    let known = match name {
        "alarm.status" if switch(value) == Some(true) => {
            return ("SOS".to_owned(), ValueRef::U64(1));
        }
        "external.powersource.voltage" => "pwr_ext",
        "battery.voltage" => "pwr_int",
        "gsm.signal.level" => "gsm",
        "engine.ignition.status" => "ign",
        _ => return (network(name).unwrap_or_else(|| fitting(name)), value),
    };
    (known.to_owned(), value)
}

/// The name of what `gsm.mcc` or `gsm.mcc.1` is, and the like.
fn network(name: &str) -> Option<String> {
    let found = NETWORK.iter().find_map(|(word, flespi)| {
        let rest = name.strip_prefix(flespi)?;
        (rest.is_empty() || rest.starts_with('.')).then_some((word, rest))
    });
    let (word, rest) = found?;
    let number = rest.strip_prefix('.').unwrap_or_default();
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{word}{number}"))
}

/// The name of a parameter as a packet may have it.
fn fitting(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().take(NAME_MAX).map(fit).collect()
}

/// Without what means something in a packet.
fn clean(text: &str) -> String {
    let is_mark = |c: char| c.is_control() || matches!(c, ';' | ',' | ':' | '|' | '#');
    text.replace(is_mark, "_")
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(seconds) => {
                write!(
                    f,
                    "`timestamp` is not of the years 2000 to 2099: `{seconds}`"
                )
            }
            Self::Parameters(count) => write!(
                f,
                "{count} parameters, a packet has at most {SENT_MAX}: choose by `convert`"
            ),
            Self::Text(name, len) => write!(
                f,
                "the text of `{name}` has {len} bytes, a packet has at most {TEXT_MAX} of one"
            ),
        }
    }
}

impl std::error::Error for EncodeError {}

/// What has a place of its own, and what it can be; what cannot goes as a parameter.
const FIX_NAMES: [(&str, RangeInclusive<f64>); 7] = [
    ("position.latitude", -90.0..=90.0),
    ("position.longitude", -180.0..=180.0),
    ("position.altitude", -1e6..=1e6),
    ("position.speed", 0.0..=1e4),
    ("position.direction", -1e4..=1e4),
    ("position.satellites", 0.0..=255.0),
    ("position.hdop", 0.0..=1e4),
];

const INTEGER: &str = "1";
const FLOAT: &str = "2";
const TEXT: &str = "3";

/// Parameters of a message at most: Wialon registers no more.
const SENT_MAX: usize = 200;

/// Bytes of a text at most.
const TEXT_MAX: usize = 1344;

/// Characters of a name at most.
const NAME_MAX: usize = 38;

/// The last analogue input that goes in its own place.
const ADC_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::message::json;
    use crate::wire::ips;

    fn message(text: &str) -> Message {
        let names = json::Names {
            ident: "ident".into(),
            timestamp: "timestamp".into(),
        };
        let text = format!("{{\"ident\":\"a\",{text}}}");
        json::parse(text.as_bytes(), &names).unwrap()
    }

    fn encoded(time_s: Option<u64>, text: &str) -> Result<String, EncodeError> {
        let (message, mut out) = (message(text), String::new());
        encode(time_s, message.fields(), &mut out)?;
        Ok(out)
    }

    /// Of the specification of 2.0, whose order of adc and of parameters is kept.
    #[test]
    fn packets_are_those_of_the_specification() {
        let record = encoded(
            Some(1_350_056_399),
            "\"position.latitude\":53.908209999999997,\"position.longitude\":27.524165,\
             \"position.speed\":0,\"position.direction\":0,\"position.altitude\":300,\
             \"position.satellites\":7,\"position.hdop\":1.1,\"position.valid\":true,\
             \"din\":0,\"dout\":0,\"ain.1\":1,\"ain.2\":0,\"ain.3\":0,\"ain.4\":0,\
             \"ign\":1,\"dparam\":3.14159265,\"tparam\":\"lorem\",\"iparam\":-55,\
             \"alarm.status\":true",
        );
        let expected = "121012;153959;5354.492600;N;02731.449900;E;0;0;300;7;1.1;0;0;1,0,0,0;NA;\
                        ign:1:1,dparam:2:3.14159265,tparam:3:lorem,iparam:1:-55,SOS:1:1";
        assert_eq!(record.as_deref(), Ok(expected));
        let mut out = Vec::new();
        write_login("imei", None, &mut out);
        assert_eq!(out, b"#L#2.0;imei;NA;A932\r\n");
        out.clear();
        let example = "231012;153959;5354.49260;N;02731.44990;E;0;0;300;7;1.1;0;0;1,0,0,0;NA;\
                       ign:1:1,dparam:2:3.14159265,tparam:3:lorem,iparam:1:-55,SOS:1:1";
        write_data(example, &mut out);
        assert_eq!(out, format!("#D#{example};4BC3\r\n").into_bytes());
        out.clear();
        let (one, two) = (
            "270413;205601;5544.6025;N;03739.6834;E;1;2;3;4",
            "270413;205602;5544.6026;N;03739.6835;E;1;2;3;4",
        );
        write_black_box(&format!("{one}|{two}"), &mut out);
        assert_eq!(out, format!("#B#{one}|{two}|1024\r\n").into_bytes());
    }

    #[test]
    fn each_parameter_has_its_place() {
        let large = "\"n\":18446744073709551615";
        for (text, behind_hdop) in [
            ("\"x\":null,\"y\":\"\"", "NA;NA;;NA;NA"),
            ("\"peer\":\"1\",\"din.3\":true", "4;NA;;NA;NA"),
            ("\"dout\":3,\"dout.1\":false", "NA;2;;NA;NA"),
            ("\"ain.3\":0.5", "NA;NA;,,0.5;NA;NA"),
            ("\"ain.65\":1", "NA;NA;;NA;ain_65:1:1"),
            ("\"driver.code\":\"a;b\"", "NA;NA;;a_b;NA"),
            (
                "\"driver.code\":7,\"ibutton.code\":8",
                "NA;NA;;7;ibutton_code:1:8",
            ),
            ("\"alarm.status\":false", "NA;NA;;NA;alarm_status:1:0"),
            (
                "\"gsm.mcc\":1,\"gsm.lac.2\":7",
                "NA;NA;;NA;mcc:1:1,lac2:1:7",
            ),
            ("\"text\":\"a,b:c\"", "NA;NA;;NA;text:3:a_b_c"),
            (
                "\"position.latitude\":1.5",
                "NA;NA;;NA;position_latitude:2:1.5",
            ),
            ("\"position.speed\":-1", "NA;NA;;NA;position_speed:1:-1"),
            ("\"position.valid\":false", "NA;NA;;NA;NA"),
            ("\"battery.voltage\":3.7", "NA;NA;;NA;pwr_int:2:3.7"),
            (large, "NA;NA;;NA;n:3:18446744073709551615"),
        ] {
            let record = format!("{}{behind_hdop}", "NA;".repeat(11));
            assert_eq!(encoded(None, text), Ok(record));
        }
    }

    #[test]
    fn coordinates_without_a_fix_are_told_to_be_none() {
        let text = "\"position.latitude\":-0.5,\"position.longitude\":-179.999999999,\
                    \"position.altitude\":-0.2,\"position.direction\":359.7,\
                    \"position.valid\":false";
        let record = "NA;NA;0030.000000;S;18000.000000;W;NA;0;0;NA;NA;NA;NA;;NA;position_valid:1:0";
        assert_eq!(encoded(None, text).as_deref(), Ok(record));
    }

    #[test]
    fn what_no_packet_can_say_is_refused_with_the_reason() {
        let many: Vec<String> = (0..=SENT_MAX).map(|n| format!("\"p{n}\":1")).collect();
        let long = format!("\"text\":\"{}\"", "x".repeat(TEXT_MAX + 1));
        for (time_s, text, error) in [
            (
                Some(946_684_799),
                "\"a\":1".to_owned(),
                EncodeError::Time(946_684_799),
            ),
            (
                Some(4_102_444_800),
                "\"a\":1".to_owned(),
                EncodeError::Time(4_102_444_800),
            ),
            (None, many.join(","), EncodeError::Parameters(201)),
            (None, long, EncodeError::Text("text".to_owned(), 1345)),
        ] {
            assert_eq!(encoded(time_s, &text), Err(error));
        }
    }

    /// What is written is read again by weir's own channel.
    #[test]
    fn what_is_written_is_read_again() {
        for degrees in 0..180_u32 {
            let (latitude, longitude) = (f64::from(degrees) / 2.0 - 0.123_456_7, 0.000_000_1);
            let text =
                format!("\"position.latitude\":{latitude},\"position.longitude\":{longitude}");
            let record = encoded(Some(1_700_000_000), &text).unwrap();
            let read = ips::record(&record).unwrap();
            assert_eq!(read.time_us, Some(1_700_000_000_000_000));
            let place = read.place.unwrap();
            assert!((place.latitude - latitude).abs() < 1e-8, "{record}");
            assert!((place.longitude - longitude).abs() < 1e-8, "{record}");
        }
    }
}
