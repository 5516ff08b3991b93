//! Messages to packets. What is dropped, renamed or rounded stands in the table of the module.

use super::BLOCK_MARK;
use super::DRIVER_NAME;
use super::FLAG_ALARM;
use super::FLAG_DRIVER;
use super::FLAG_INPUTS;
use super::FLAG_OUTPUTS;
use super::FLAG_POSITION;
use super::IMAGE_NAME;
use super::INPUTS_NAME;
use super::NAME_MAX;
use super::OUTPUTS_NAME;
use super::PACKET_MAX;
use super::POSITION_NAME;
use super::Position;
use super::TYPE_BINARY;
use super::TYPE_F64;
use super::TYPE_I32;
use super::TYPE_I64;
use super::TYPE_TEXT;
use crate::message::ENVELOPE;
use crate::message::ValueRef;
use crate::wire::values::Switches;
use crate::wire::values::float;
use crate::wire::values::keep_code;
use crate::wire::values::switch;
use crate::wire::values::whole;
use std::fmt;

/// Why a message cannot become a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The uid is empty or has a NUL, which would end it early.
    Uid,
    /// Beyond what 32 bits of seconds can say: after February 2106.
    Time(u64),
    /// Longer than [`PACKET_MAX`].
    TooLong(usize),
}

/// Appends the packet of one message: `uid` is its ident or what replaces that, `time_s` its
/// timestamp in whole seconds since 1970.
///
/// # Errors
/// See [`EncodeError`]; `out` is as before then.
pub fn encode<'a>(
    uid: &str,
    time_s: u64,
    fields: impl Iterator<Item = (&'a str, ValueRef<'a>)>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if uid.is_empty() || uid.contains('\0') {
        return Err(EncodeError::Uid);
    }
    let time = u32::try_from(time_s).map_err(|_| EncodeError::Time(time_s))?;
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    push_text(out, uid);
    out.extend_from_slice(&time.to_be_bytes());
    let flags_at = out.len();
    out.extend_from_slice(&[0; 4]);
    let flags = push_blocks(fields, out);
    patch(out, flags_at, flags.to_be_bytes());
    let size = out.len().saturating_sub(start).saturating_sub(4);
    if size > PACKET_MAX {
        out.truncate(start);
        return Err(EncodeError::TooLong(size));
    }
    patch(out, start, length(size).to_le_bytes());
    Ok(())
}

/// Position first, then the parameters in their order, then inputs, outputs and driver. Returns
/// the flags.
fn push_blocks<'a>(
    fields: impl Iterator<Item = (&'a str, ValueRef<'a>)>,
    out: &mut Vec<u8>,
) -> u32 {
    let start = out.len();
    let mut gathered = Gathered::default();
    for (name, value) in fields {
        if !gathered.take(name, value) {
            push_parameter(out, name, value);
        }
    }
    gathered.push(start, out)
}

/// What several parameters say together, or what stands at a place of its own.
#[derive(Default)]
struct Gathered<'a> {
    /// In the order of [`FIX_NAMES`].
    fix: [Option<ValueRef<'a>>; FIX_NAMES.len()],
    inputs: Switches,
    outputs: Switches,
    driver: Option<ValueRef<'a>>,
    /// Names the driver where nothing else does.
    ibutton: Option<ValueRef<'a>>,
    alarm: bool,
    /// Said to be valid; a place with satellites says so by itself.
    valid: bool,
}

impl<'a> Gathered<'a> {
    /// Whether nothing is left to be said of this parameter.
    fn take(&mut self, name: &str, value: ValueRef<'a>) -> bool {
        let [latitude, longitude, altitude, speed, direction, satellites] = &mut self.fix;
        let place = match name.strip_prefix("position.") {
            Some("latitude") => latitude,
            Some("longitude") => longitude,
            Some("altitude") => altitude,
            Some("speed") => speed,
            Some("direction") => direction,
            Some("satellites") => satellites,
            _ => return self.take_other(name, value),
        };
        *place = Some(value);
        true
    }

    fn take_other(&mut self, name: &str, value: ValueRef<'a>) -> bool {
        match name {
            "din" => self.inputs.all(value),
            "dout" => self.outputs.all(value),
            "alarm.status" => self.alarm(value),
            "driver.code" => keep_code(&mut self.driver, value),
            "ibutton.code" => keep_code(&mut self.ibutton, value),
            "position.valid" => {
                self.valid = value == ValueRef::Bool(true);
                self.valid
            }
            _ => match (name.strip_prefix("din."), name.strip_prefix("dout.")) {
                (Some(number), _) => self.inputs.one(number, value),
                (_, Some(number)) => self.outputs.one(number, value),
                _ => ENVELOPE.contains(&name),
            },
        }
    }

    fn alarm(&mut self, value: ValueRef<'_>) -> bool {
        let state = switch(value);
        self.alarm = state.unwrap_or(false);
        state.is_some()
    }

    fn push(&self, start: usize, out: &mut Vec<u8>) -> u32 {
        let position = self.position();
        for (name, value) in FIX_NAMES.iter().zip(self.fix) {
            if let Some(value) = value.filter(|v| position.is_none() || v.number().is_none()) {
                push_parameter(out, name, value);
            }
        }
        let mut flags = if self.alarm { FLAG_ALARM } else { 0 };
        if let Some(bits) = self.inputs.bits() {
            push_block(out, Name::Fixed(INPUTS_NAME), TYPE_I32, &bits.to_be_bytes());
            flags |= FLAG_INPUTS;
        }
        if let Some(bits) = self.outputs.bits() {
            push_block(
                out,
                Name::Fixed(OUTPUTS_NAME),
                TYPE_I32,
                &bits.to_be_bytes(),
            );
            flags |= FLAG_OUTPUTS;
        }
        if let (Some(_), Some(code)) = (self.driver, self.ibutton) {
            push_parameter(out, "ibutton.code", code);
        }
        if let Some(code) = self.driver.or(self.ibutton) {
            push_text_block(out, Name::Fixed(DRIVER_NAME), &code.to_string());
            flags |= FLAG_DRIVER;
        }
        // A receiver takes 0 satellites for no fix, and the number may not have been known.
        if self.valid && position.as_ref().is_some_and(|place| place.satellites == 0) {
            push_parameter(out, "position.valid", ValueRef::Bool(true));
        }
        if let Some(position) = position {
            push_first(start, &position, out);
            flags |= FLAG_POSITION;
        }
        flags
    }

    /// `None` without coordinates that can be ones.
    fn position(&self) -> Option<Position> {
        let [latitude, longitude, altitude, speed, direction, satellites] =
            self.fix.map(|value| value.and_then(ValueRef::number));
        Some(Position {
            longitude: longitude.filter(|deg| deg.abs() <= 180.0)?,
            latitude: latitude.filter(|deg| deg.abs() <= 90.0)?,
            altitude: altitude.unwrap_or(0.0),
            speed: whole(speed.unwrap_or(0.0), u16::MAX),
            direction: match whole(direction.unwrap_or(0.0).rem_euclid(360.0), 360) {
                360 => 0,
                degrees => degrees,
            },
            satellites: u8::try_from(whole(satellites.unwrap_or(0.0), u8::MAX.into()))
                .unwrap_or(u8::MAX),
        })
    }
}

/// A parameter that stands for itself.
fn push_parameter(out: &mut Vec<u8>, name: &str, value: ValueRef<'_>) {
    let (name, value) = match name {
        "external.powersource.voltage" => (Name::Fixed("pwr_ext"), float(value)),
        "battery.voltage" => (Name::Fixed("pwr_int"), float(value)),
        "gsm.signal.level" => (Name::Fixed("gsm"), integer(value)),
        "engine.ignition.status" => (Name::Fixed("ign"), value),
        _ => match name.strip_prefix("ain.").filter(|number| is_input(number)) {
            Some(number) => (Name::Input(number), float(value)),
            None => (Name::Own(name), value),
        },
    };
    push_value(out, name, value);
}

fn push_value(out: &mut Vec<u8>, name: Name<'_>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => {}
        ValueRef::Bool(state) => push_integer(out, name, i64::from(state)),
        ValueRef::I64(number) => push_integer(out, name, number),
        ValueRef::U64(number) => match i64::try_from(number) {
            Ok(number) => push_integer(out, name, number),
            Err(_) => push_text_block(out, name, &number.to_string()),
        },
        ValueRef::F64(number) => push_block(out, name, TYPE_F64, &number.to_le_bytes()),
        ValueRef::Text(text) | ValueRef::Json(text) => push_text_block(out, name, text),
    }
}

fn push_integer(out: &mut Vec<u8>, name: Name<'_>, number: i64) {
    match i32::try_from(number) {
        Ok(number) => push_block(out, name, TYPE_I32, &number.to_be_bytes()),
        Err(_) => push_block(out, name, TYPE_I64, &number.to_be_bytes()),
    }
}

fn push_text_block(out: &mut Vec<u8>, name: Name<'_>, text: &str) {
    let start = begin_block(out, name, TYPE_TEXT);
    push_text(out, text);
    end_block(out, start);
}

/// Puts the position before the blocks that begin at `start`.
fn push_first(start: usize, position: &Position, out: &mut Vec<u8>) {
    let block = begin_block(out, Name::Fixed(POSITION_NAME), TYPE_BINARY);
    for number in [position.longitude, position.latitude, position.altitude] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&position.speed.to_be_bytes());
    out.extend_from_slice(&position.direction.to_be_bytes());
    out.push(position.satellites);
    end_block(out, block);
    let len = out.len().saturating_sub(block);
    if let Some(blocks) = out.get_mut(start..) {
        blocks.rotate_right(len);
    }
}

fn push_block(out: &mut Vec<u8>, name: Name<'_>, kind: u8, value: &[u8]) {
    let start = begin_block(out, name, kind);
    out.extend_from_slice(value);
    end_block(out, start);
}

/// A block up to its value, which is to be appended before [`end_block`].
fn begin_block(out: &mut Vec<u8>, name: Name<'_>, kind: u8) -> usize {
    let start = out.len();
    let hidden = matches!(name, Name::Fixed(name) if HIDDEN.contains(&name));
    let [mark, more] = BLOCK_MARK;
    out.extend_from_slice(&[mark, more, 0, 0, 0, 0, u8::from(hidden), kind]);
    name.push(out);
    out.push(0);
    start
}

/// Says how long it is.
fn end_block(out: &mut [u8], start: usize) {
    let place = start.saturating_add(BLOCK_MARK.len());
    let size = out.len().saturating_sub(place).saturating_sub(4);
    patch(out, place, length(size).to_be_bytes());
}

/// Ended by the one NUL in it.
fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().filter(|byte| *byte != 0));
    out.push(0);
}

/// Whatever is longer than `u32` can say is longer than [`PACKET_MAX`] and is not sent.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn patch(out: &mut [u8], at: usize, bytes: [u8; 4]) {
    if let Some(place) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = bytes;
    }
}

/// The name of a block.
#[derive(Clone, Copy)]
enum Name<'a> {
    /// One of Wialon's.
    Fixed(&'static str),
    /// An analog input of this number.
    Input(&'a str),
    /// That of the parameter, as far as a block may have it.
    Own(&'a str),
}

impl Name<'_> {
    fn push(self, out: &mut Vec<u8>) {
        match self {
            Self::Fixed(name) => out.extend_from_slice(name.as_bytes()),
            Self::Input(number) => {
                out.extend_from_slice(b"adc");
                out.extend_from_slice(number.as_bytes());
            }
            Self::Own(name) => push_own(out, name),
        }
    }
}

fn push_own(out: &mut Vec<u8>, name: &str) {
    let start = out.len();
    match name.is_ascii() {
        true => out.extend(name.as_bytes().iter().take(NAME_MAX).map(|byte| fit(*byte))),
        false => {
            let bytes = name.chars().map(|c| u8::try_from(c).unwrap_or(b'_'));
            out.extend(bytes.take(NAME_MAX).map(fit));
        }
    }
    let written = out.get(start..).unwrap_or_default();
    if RESERVED.iter().any(|name| name.as_bytes() == written) {
        out.push(b'_');
    }
}

/// What stands in a name for a character.
fn fit(byte: u8) -> u8 {
    match byte {
        b'.' => b'_',
        b' '..=b'~' => byte,
        _ => b'_',
    }
}

/// Whether this can be the number of an analog input.
fn is_input(number: &str) -> bool {
    (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Rounded where that fits 32 bits.
fn integer(value: ValueRef<'_>) -> ValueRef<'_> {
    match value {
        ValueRef::F64(number) if (0.0..=65_535.0).contains(&number) => {
            ValueRef::U64(whole(number, u16::MAX).into())
        }
        other => other,
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid => f.write_str("the unit id is empty or has a NUL"),
            Self::Time(seconds) => write!(f, "`timestamp` does not fit 32 bits: `{seconds}`"),
            Self::TooLong(size) => {
                write!(f, "a packet of {size} bytes, at most {PACKET_MAX} are sent")
            }
        }
    }
}

impl std::error::Error for EncodeError {}

/// What [`Gathered::position`] is made of.
const FIX_NAMES: [&str; 6] = [
    "position.latitude",
    "position.longitude",
    "position.altitude",
    "position.speed",
    "position.direction",
    "position.satellites",
];

/// Of blocks that are not shown among the parameters.
const HIDDEN: [&str; 4] = [POSITION_NAME, INPUTS_NAME, OUTPUTS_NAME, DRIVER_NAME];

/// Names that Wialon takes for its own.
const RESERVED: [&str; 5] = [
    POSITION_NAME,
    INPUTS_NAME,
    OUTPUTS_NAME,
    DRIVER_NAME,
    IMAGE_NAME,
];
