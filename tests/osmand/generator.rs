//! Random requests after the specification, with what they mean, by a writer that knows only that.

use crate::FORM;
use crate::JSON;
use crate::support::random::Random;
use crate::support::random::pick;
use weir::message::Value;

/// A random request, and the message that has to come of it.
pub(crate) struct Made {
    pub(crate) request: String,
    pub(crate) ident: String,
    /// All parameters but `ident`, in any order.
    pub(crate) parameters: Vec<(String, Value)>,
}

/// A field as it is written, and the parameters that it is.
struct Field {
    name: String,
    written: String,
    told: Vec<(String, Value)>,
}

/// By `GET`, by `POST` with the query, a form or both, or as JSON.
pub(crate) fn make(random: &mut Random) -> Made {
    if random.below(3) == 0 {
        return json(random);
    }
    let ident = ident(random);
    let (mut fields, place) = (fields(random), place(random));
    let has_place = !place.is_empty();
    fields.extend(place);
    let parameters = told(&fields, has_place);
    let mut pairs: Vec<_> = fields
        .iter()
        .map(|field| {
            format!(
                "{}={}",
                escaped(random, &field.name),
                escaped(random, &field.written)
            )
        })
        .collect();
    let who = pick(random, &["id", "deviceid"]);
    let at = random.below(pairs.len() + 1);
    pairs.insert(at, format!("{who}={}", escaped(random, &ident)));
    let split = match random.below(3) {
        0 => 0,
        1 => pairs.len(),
        _ => random.below(pairs.len()),
    };
    let (query, form) = (pairs[..split].join("&"), pairs[split..].join("&"));
    let target = format!("/{}?{query}", pick(random, &["", "api", "a/b"]));
    let request = match split == pairs.len() && random.below(2) == 0 {
        true => format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"),
        false => post(random, &target, FORM, &form),
    };
    Made {
        request,
        ident,
        parameters,
    }
}

fn post(random: &mut Random, target: &str, kind: &str, body: &str) -> String {
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n");
    if random.below(3) > 0 || body.is_empty() {
        return format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    }
    let (start, end) = body.split_at(body.floor_char_boundary(1 + random.below(body.len())));
    let chunk = |part: &str| match part.len() {
        0 => String::new(),
        len => format!("{len:x}\r\n{part}\r\n"),
    };
    format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n",
        chunk(start),
        chunk(end)
    )
}

/// Each name at most once.
fn fields(random: &mut Random) -> Vec<Field> {
    let mut fields = Vec::new();
    if random.below(4) > 0 {
        let millis = 1 + random.next() % 4_000_000_000_000;
        let (written, micros) = match random.below(3) {
            0 => ((millis / 2000).to_string(), millis / 2000 * 1_000_000),
            // below, a number would count seconds
            1 => (
                (millis + 2_147_483_647).to_string(),
                (millis + 2_147_483_647) * 1000,
            ),
            _ => (date(millis / 1000), millis / 1000 * 1_000_000),
        };
        fields.push(field("timestamp", written, "timestamp", time(micros)));
    }
    if random.below(2) == 0 {
        let knots = random.below(2000) as f64 / 10.0;
        let speed = (knots * 1.852 * 1e4).round() / 1e4;
        fields.push(field(
            "speed",
            format!("{knots:?}"),
            "position.speed",
            speed.into(),
        ));
    }
    if random.below(2) == 0 {
        let name = pick(random, &["bearing", "heading"]);
        let degrees = random.below(3601) as f64 / 10.0;
        fields.push(field(
            name,
            format!("{degrees:?}"),
            "position.direction",
            degrees.into(),
        ));
    }
    for (name, parameter) in NUMBERS {
        if random.below(3) == 0 {
            let (written, value) = number(random);
            fields.push(field(name, written, parameter, value));
        }
    }
    if random.below(3) == 0 {
        let percent = random.below(101) as f64;
        fields.push(field(
            "batt",
            percent.to_string(),
            "battery.level",
            percent.into(),
        ));
    }
    if random.below(3) == 0 {
        let state = random.below(2) == 0;
        let parameter = "battery.charging.status";
        fields.push(field("charge", state.to_string(), parameter, state.into()));
    }
    if random.below(3) == 0 {
        let code = format!("{:X}", random.word());
        let value = Value::from(code.as_str());
        fields.push(field("driverUniqueId", code, "driver.code", value));
    }
    cells(random, &mut fields);
    extras(random, &mut fields);
    fields
}

fn cells(random: &mut Random, fields: &mut Vec<Field>) {
    for number in 1..=random.below(3) {
        let numbers: Vec<i64> = (0..4 + random.below(2))
            .map(|at| i64::from(random.word() % 1000) * if at == 4 { -1 } else { 1 })
            .collect();
        let written: Vec<_> = numbers.iter().map(i64::to_string).collect();
        let behind = if number == 1 {
            String::new()
        } else {
            format!(".{number}")
        };
        let names = ["mcc", "mnc", "lac", "cellid", "signal.dbm"];
        let told = names.iter().zip(&numbers);
        let told = told.map(|(name, value)| (format!("gsm.{name}{behind}"), Value::from(*value)));
        fields.push(Field {
            name: "cell".into(),
            written: written.join(","),
            told: told.collect(),
        });
    }
}

fn extras(random: &mut Random, fields: &mut Vec<Field>) {
    for number in 0..random.below(5) {
        let name = format!("x{number}{}", pick(random, &["", ".y", " é", "&=", "+%"]));
        let (written, value) = match random.below(4) {
            0 => ("true".into(), Value::Bool(true)),
            1 => self::number(random),
            2 => {
                let digits = format!("0{}", random.word());
                (digits.clone(), Value::from(digits.as_str()))
            }
            _ => {
                let text = format!("t{}", random.text(12));
                (text.clone(), Value::from(text.as_str()))
            }
        };
        let told = vec![(name.clone(), value)];
        fields.push(Field {
            name,
            written,
            told,
        });
    }
}

/// Not negative: whole, or with a fraction as JSON and Java write it.
fn number(random: &mut Random) -> (String, Value) {
    match random.below(3) {
        0 => {
            let number = u64::from(random.word());
            (number.to_string(), number.into())
        }
        1 => {
            let number = f64::from(random.word()) / 1000.0;
            (format!("{number:?}"), number.into())
        }
        _ => {
            let number = (1 + random.below(9)) as f64 * 1e-5;
            (format!("{}.0E-5", (number * 1e5).round()), number.into())
        }
    }
}

/// In one field, in two, or not there.
fn place(random: &mut Random) -> Vec<Field> {
    let degrees = |random: &mut Random, most: u32| {
        let micro = f64::from(random.word() % (2 * most * 1_000_000 + 1));
        (micro - f64::from(most) * 1e6) / 1e6
    };
    let (lat, lon) = (degrees(random, 90), degrees(random, 180));
    let (latitude, longitude) = ("position.latitude", "position.longitude");
    match random.below(3) {
        0 => vec![],
        1 => vec![Field {
            name: "location".into(),
            written: format!("{lat:?},{lon:?}"),
            told: vec![
                (latitude.into(), lat.into()),
                (longitude.into(), lon.into()),
            ],
        }],
        _ => vec![
            field("lat", format!("{lat:?}"), latitude, lat.into()),
            field("lon", format!("{lon:?}"), longitude, lon.into()),
        ],
    }
}

fn json(random: &mut Random) -> Made {
    let ident = ident(random);
    let quoted = |text: &str| serde_json::json!(text).to_string();
    let place = place(random);
    let (mut location, mut coords, mut extra) = (vec![], vec![], vec![]);
    let mut parameters = told(&[], !place.is_empty());
    if let Some((latitude, longitude)) = place_of(&place) {
        coords.push(format!("\"latitude\":{latitude:?}"));
        coords.push(format!("\"longitude\":{longitude:?}"));
        parameters.extend(place.into_iter().flat_map(|field| field.told));
    }
    if random.below(2) == 0 {
        let speed = random.below(500) as f64 / 10.0;
        coords.push(format!("\"speed\":{speed:?}"));
        let speed = (speed * 3.6 * 1e4).round() / 1e4;
        parameters.push(("position.speed".into(), speed.into()));
    } else {
        coords.push("\"speed\":-1,\"heading\":-1".into());
    }
    let (written, accuracy) = number(random);
    coords.push(format!("\"accuracy\":{written}"));
    parameters.push(("position.accuracy".into(), accuracy));
    if random.below(3) > 0 {
        let seconds = u64::from(random.word());
        location.push(format!("\"timestamp\":{}", quoted(&date(seconds))));
        parameters.push(("timestamp".into(), time(seconds * 1_000_000)));
    }
    let (level, charging) = (random.below(101) as f64, random.below(2) == 0);
    location.push(format!(
        "\"battery\":{{\"level\":{:?},\"is_charging\":{charging}}}",
        level / 100.0
    ));
    parameters.push(("battery.level".into(), level.into()));
    parameters.push(("battery.charging.status".into(), charging.into()));
    for number in 0..random.below(4) {
        let (name, text) = (format!("x{number}{}", random.below(9)), random.text(12));
        extra.push(format!("{}:{}", quoted(&name), quoted(&text)));
        parameters.push((name, Value::from(text.as_str())));
    }
    location.push(format!("\"coords\":{{{}}}", coords.join(",")));
    location.push(format!("\"extras\":{{{}}}", extra.join(", ")));
    let location = location.join(",\n");
    let who = quoted(&ident);
    let body = match random.below(2) {
        0 => format!("{{\"location\":{{{location}}},\"device_id\":{who}}}"),
        _ => format!("{{\"device_id\" : {who}, \"location\" : {{{location}}}}}"),
    };
    Made {
        request: post(random, "/", JSON, &body),
        ident,
        parameters,
    }
}

fn place_of(fields: &[Field]) -> Option<(f64, f64)> {
    let told: Vec<_> = fields.iter().flat_map(|field| &field.told).collect();
    match told[..] {
        [(_, Value::F64(latitude)), (_, Value::F64(longitude))] => Some((*latitude, *longitude)),
        _ => None,
    }
}

fn told(fields: &[Field], has_place: bool) -> Vec<(String, Value)> {
    let all = fields.iter().flat_map(|field| field.told.clone());
    all.chain([("position.valid".to_owned(), has_place.into())])
        .collect()
}

fn field(name: &str, written: String, parameter: &str, value: Value) -> Field {
    Field {
        name: name.into(),
        written,
        told: vec![(parameter.into(), value)],
    }
}

fn ident(random: &mut Random) -> String {
    format!(
        "{}{}",
        pick(random, &["", "00", "é ", "&=-"]),
        random.word()
    )
}

/// All that must be is escaped, and some of the rest.
fn escaped(random: &mut Random, text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' if random.below(2) == 0 => out.push('+'),
            b'a'..=b'z' | b'0'..=b'9' | b',' | b'-' | b'.' | b':' if random.below(9) > 0 => {
                out.push(char::from(byte));
            }
            byte if random.below(2) == 0 => out += &format!("%{byte:02x}"),
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}

fn time(micros: u64) -> Value {
    match micros % 1_000_000 {
        0 => Value::U64(micros / 1_000_000),
        _ => Value::F64(micros as f64 / 1e6),
    }
}

/// Counts days one by one: it has nothing in common with the reader.
fn date(seconds: u64) -> String {
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut month) = (1970, 1);
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if days < length {
            break;
        }
        days -= length;
        (year, month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!(
        "{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        days + 1
    )
}

const NUMBERS: [(&str, &str); 6] = [
    ("altitude", "position.altitude"),
    ("accuracy", "position.accuracy"),
    ("hdop", "position.hdop"),
    ("sat", "position.satellites"),
    ("rpm", "engine.rpm"),
    ("power", "external.powersource.voltage"),
];
