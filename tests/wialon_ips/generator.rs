//! Random packets after the specification, with what they mean, by a writer that knows only that.

use crate::support::random::Random;
use crate::support::random::pick;
use weir::message::Value;

/// A random body of an `SD` or `D`, and the parameters that have to come of it.
pub(crate) struct Made {
    /// `SD` or `D`.
    pub(crate) kind: &'static str,
    /// Without a checksum.
    pub(crate) body: String,
    /// All of them, but `ident`, in their order.
    pub(crate) parameters: Vec<(String, Value)>,
}

/// A line of 2.0: `mark` stands before the checksum, written in one of the ways that occur.
pub(crate) fn sealed(kind: &str, body: &str, mark: char) -> String {
    let covered = format!("{body}{mark}");
    format!("#{kind}#{covered}{:X}", crc(covered.as_bytes()))
}

/// CRC-16/ARC, bit by bit.
pub(crate) fn crc(data: &[u8]) -> u16 {
    data.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xA001
            } else {
                sum >> 1
            }
        })
    })
}

/// A packet as a container has it.
pub(crate) fn compressed(line: &[u8]) -> Vec<u8> {
    let data = miniz_oxide::deflate::compress_to_vec_zlib(line, 6);
    let len = u16::try_from(data.len()).unwrap().to_le_bytes();
    [&[0xFF], &len[..], &data].concat()
}

/// One that any device could send.
pub(crate) fn make(random: &mut Random) -> Made {
    let mut made = Made {
        kind: pick(random, &["SD", "D"]),
        body: String::new(),
        parameters: Vec::new(),
    };
    time(&mut made, random);
    place(&mut made, random);
    let altitude = signed(random, 9000);
    let speed = positive(random, 300);
    let course = positive(random, 360);
    // the message has the altitude before, the packet behind
    let satellites = (random.below(5) > 0).then(|| random.below(30).to_string());
    for (name, text) in [
        ("position.altitude", &altitude),
        ("position.speed", &speed),
        ("position.direction", &course),
        ("position.satellites", &satellites),
    ] {
        let value = text.as_deref().map(number);
        made.parameters
            .extend(value.map(|value| (name.into(), value)));
    }
    let no_satellite = satellites.as_deref() == Some("0");
    for text in [speed, course, altitude, satellites] {
        made.body += &format!(";{}", text.unwrap_or_else(|| unknown(random)));
    }
    if no_satellite {
        let is_place = |name: &str| ["position.latitude", "position.longitude"].contains(&name);
        made.parameters.retain(|(name, _)| !is_place(name));
    }
    let valid = made
        .parameters
        .iter()
        .any(|(name, _)| name == "position.latitude");
    made.parameters
        .push(("position.valid".into(), Value::Bool(valid)));
    if made.kind == "D" {
        extend(&mut made, random);
    }
    made
}

fn unknown(random: &mut Random) -> String {
    pick(random, &["NA", "NA", ""]).into()
}

fn number(text: &str) -> Value {
    match text.contains('.') {
        true => Value::F64(text.parse().unwrap()),
        false => Value::from(text.parse::<i64>().unwrap()),
    }
}

fn signed(random: &mut Random, below: usize) -> Option<String> {
    let sign = pick(random, &["", "-"]);
    positive(random, below).map(|text| match text.as_str() {
        "0" => text,
        _ => format!("{sign}{text}"),
    })
}

fn positive(random: &mut Random, below: usize) -> Option<String> {
    let whole = random.below(below);
    match random.below(4) {
        0 => None,
        1 => Some(format!("{whole}.{:03}", random.below(1000))),
        _ => Some(whole.to_string()),
    }
}

/// Counts the days by hand.
fn time(made: &mut Made, random: &mut Random) {
    if random.below(6) == 0 {
        made.body += "NA;NA";
        return;
    }
    let (year, month) = (random.below(100), 1 + random.below(12));
    let leap = |year: usize| year.is_multiple_of(4);
    let lengths = |year| {
        let february = if leap(year) { 29 } else { 28 };
        [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    };
    let day = 1 + random.below(lengths(year)[month - 1]);
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    made.body += &format!("{day:02}{month:02}{year:02};{hour:02}{minute:02}{second:02}");
    let days: usize = (0..year).map(|year| 365 + usize::from(leap(year))).sum();
    let days = days + lengths(year)[..month - 1].iter().sum::<usize>() + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    // 2000-01-01
    let seconds = 946_684_800 + seconds as u64;
    made.parameters
        .push(("timestamp".into(), Value::U64(seconds)));
}

fn place(made: &mut Made, random: &mut Random) {
    if random.below(5) == 0 {
        made.body += &format!(";{0};{0};{0};{0}", unknown(random));
        return;
    }
    let widths = [2, pick(random, &[3, 3, 2])];
    for ((name, most), (sides, width)) in [("latitude", 90), ("longitude", 180)]
        .into_iter()
        .zip([["N", "S"], ["E", "W"]].into_iter().zip(widths))
    {
        let degrees = random.below(if width == 2 { most.min(90) } else { most });
        let minutes = random.below(60);
        let digits = 1 + random.below(6);
        let fraction = random.below(10_usize.pow(digits as u32));
        let side = random.below(2);
        made.body += &format!(
            ";{degrees:0width$}{minutes:02}.{fraction:0digits$};{}",
            sides[side]
        );
        // one division of whole numbers: as near as a float can be
        let unit = 10_u64.pow(digits as u32);
        let parts = (degrees * 60 + minutes) as u64 * unit + fraction as u64;
        let value = parts as f64 / (60 * unit) as f64;
        let value = if side == 1 && parts > 0 {
            -value
        } else {
            value
        };
        let name = format!("position.{name}");
        made.parameters.push((name, Value::F64(value)));
    }
}

fn extend(made: &mut Made, random: &mut Random) {
    let hdop = positive(random, 20);
    let bits = |random: &mut Random| (random.below(3) > 0).then(|| random.word().to_string());
    let (inputs, outputs) = (bits(random), bits(random));
    let adc: Vec<String> = (0..random.below(5))
        .map(|_| format!("{}.{:02}", random.below(30), random.below(100)))
        .collect();
    let key = (random.below(2) > 0).then(|| format!("{:012X}", random.next() >> 16));
    for text in [&hdop, &inputs, &outputs] {
        made.body += &format!(";{}", text.as_deref().unwrap_or("NA"));
    }
    made.body += &format!(";{};{}", adc.join(","), key.as_deref().unwrap_or("NA"));
    let float = |text: &str| Value::F64(text.parse().unwrap());
    let mut add = |name: &str, value: Option<Value>| {
        made.parameters
            .extend(value.map(|value| (name.into(), value)));
    };
    add("position.hdop", hdop.as_deref().map(float));
    add("din", inputs.as_deref().map(number));
    add("dout", outputs.as_deref().map(number));
    for (index, volts) in adc.iter().enumerate() {
        add(&format!("ain.{}", index + 1), Some(float(volts)));
    }
    add("driver.code", key.as_deref().map(Value::from));
    let mut written = Vec::new();
    for index in 0..random.below(6) {
        let (text, name, value) = parameter(random, index);
        written.push(text);
        made.parameters.push((name, value));
    }
    made.body += &format!(";{}", written.join(","));
}

/// As it is written, and what comes of it.
fn parameter(random: &mut Random, index: usize) -> (String, String, Value) {
    let name = pick(random, &["count", "d_battr", "101_5.1_", "Батарея"]);
    let name = format!("{name}{index}");
    match random.below(5) {
        0 => {
            let number = (random.next() >> random.below(64)).cast_signed();
            (format!("{name}:1:{number}"), name, Value::from(number))
        }
        1 => {
            let text = format!("{}.{:06}", random.below(1000), random.below(1_000_000));
            let value = Value::F64(text.parse().unwrap());
            (format!("{name}:2:{text}"), name, value)
        }
        2 => {
            let word = pick(random, &["V4.5", "100 %", "a:b", "", "ü"]);
            (format!("{name}:3:{word}"), name, Value::from(word))
        }
        3 if index == 0 => {
            let on = random.below(2);
            let value = Value::Bool(on == 1);
            (format!("SOS:1:{on}"), "alarm.status".into(), value)
        }
        _ => {
            let number = random.below(65536);
            let value = Value::U64(number as u64);
            (
                format!("lac{index}:1:{number}"),
                format!("gsm.lac.{index}"),
                value,
            )
        }
    }
}
