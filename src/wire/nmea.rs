//! Sentences of NMEA 0183, as GNSS receivers and routers send them.
//!
//! ```text
//! 354868050655283$GPRMC,030719.000,A,3747.0873,S,17518.8938,E,0.69,181.39,311214,,,A*7D
//! name            talker and type    fields                                          checksum
//! ```
//! The checksum is the exclusive or of what stands between `$` and `*`, in two hex digits. Facts
//! are from receivers' manuals and gpsd's description of the sentences.

/// One line, without its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Line<'a> {
    /// A sentence, and what stands before its `$`, if anything.
    Sentence(Option<&'a str>, Sentence),
    /// Something else: a name, if it can be one.
    Other(&'a str),
}

/// What a sentence says; what is left empty in it is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Sentence {
    /// Position, speed, course, date.
    Rmc(Rmc),
    /// Position, height, quality.
    Gga(Gga),
    /// Course and speed.
    Vtg(Vtg),
    /// Precision.
    Gsa {
        /// Horizontal dilution of precision.
        hdop: Option<f64>,
    },
    /// Time and date.
    Zda {
        /// Microseconds of the day.
        time: Option<u64>,
        /// As [`Rmc::date`].
        date: Option<Date>,
    },
    /// A right one of another kind.
    Other,
}

/// RMC.
#[derive(Clone, Debug, PartialEq)]
pub struct Rmc {
    /// Microseconds of the day, UTC.
    pub time: Option<u64>,
    /// The receiver warrants for it.
    pub valid: bool,
    /// Degrees, north and east positive.
    pub position: Option<(f64, f64)>,
    /// Knots.
    pub speed: Option<f64>,
    /// Degrees from true north.
    pub course: Option<f64>,
    /// The day of `time`.
    pub date: Option<Date>,
}

/// GGA.
#[derive(Clone, Debug, PartialEq)]
pub struct Gga {
    /// Microseconds of the day, UTC.
    pub time: Option<u64>,
    /// Degrees, north and east positive.
    pub position: Option<(f64, f64)>,
    /// 0 is no fix.
    pub quality: u64,
    /// Satellites that are used.
    pub satellites: Option<u64>,
    /// Horizontal dilution of precision.
    pub hdop: Option<f64>,
    /// Metres above the sea.
    pub altitude: Option<f64>,
}

/// VTG.
#[derive(Clone, Debug, PartialEq)]
pub struct Vtg {
    /// Degrees from true north.
    pub course: Option<f64>,
    /// Kilometres an hour.
    pub speed: Option<f64>,
}

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Four digits.
    pub year: u64,
    /// From 1.
    pub month: u64,
    /// From 1.
    pub day: u64,
}

/// Why a line is no sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Not text, or not the fields that there have to be.
    Syntax,
    /// The checksum does not fit, or there is none.
    Checksum,
    /// A field out of its range.
    Value,
}

/// Reads a line.
///
/// # Errors
/// See [`Invalid`].
pub fn line(bytes: &[u8]) -> Result<Line<'_>, Invalid> {
    let text = str::from_utf8(bytes).map_err(|_| Invalid::Syntax)?;
    let text = text.trim_ascii();
    let Some(start) = text.find(['$', '!']) else {
        return Ok(Line::Other(text));
    };
    let (before, sentence) = text.split_at(start);
    let before = before.trim_end_matches([',', ' ']);
    let body = sentence.get(1..).unwrap_or_default();
    let (body, checksum) = body.rsplit_once('*').ok_or(Invalid::Checksum)?;
    let given = checksum.get(..2).filter(|_| checksum.len() == 2);
    let given = given.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    if given != Some(body.bytes().fold(0, |sum, byte| sum ^ byte)) {
        return Err(Invalid::Checksum);
    }
    let name = (!before.is_empty()).then_some(before);
    Ok(Line::Sentence(name, self::sentence(body)?))
}

fn sentence(body: &str) -> Result<Sentence, Invalid> {
    let mut parts = body.split(',').map(str::trim_ascii);
    let head = parts.next().unwrap_or_default();
    let fields = Fields(parts.collect());
    // a talker has two letters; makers' own sentences begin with P
    let kind = head.get(2..).filter(|_| !head.starts_with('P'));
    match kind {
        Some("RMC") => rmc(&fields).map(Sentence::Rmc),
        Some("GGA") => gga(&fields).map(Sentence::Gga),
        Some("VTG") => vtg(&fields).map(Sentence::Vtg),
        Some("GSA") => Ok(Sentence::Gsa {
            hdop: fields.number(15)?,
        }),
        Some("ZDA") => Ok(Sentence::Zda {
            time: fields.time(0)?,
            date: zda_date(&fields)?,
        }),
        _ => Ok(Sentence::Other),
    }
}

fn rmc(fields: &Fields<'_>) -> Result<Rmc, Invalid> {
    let valid = match fields.text(1) {
        "A" => true,
        "V" => false,
        _ => return Err(Invalid::Syntax),
    };
    Ok(Rmc {
        time: fields.time(0)?,
        // its mode says more, where it has one: N is no fix
        valid: valid && fields.text(11) != "N",
        position: fields.position(2)?,
        speed: fields.number(6)?,
        course: fields.number(7)?,
        date: short_date(fields.text(8))?,
    })
}

fn gga(fields: &Fields<'_>) -> Result<Gga, Invalid> {
    Ok(Gga {
        time: fields.time(0)?,
        position: fields.position(1)?,
        quality: fields.integer(5)?.unwrap_or(0),
        satellites: fields.integer(6)?,
        hdop: fields.number(7)?,
        altitude: fields.number(8)?,
    })
}

fn vtg(fields: &Fields<'_>) -> Result<Vtg, Invalid> {
    let knots = fields.number(4)?;
    Ok(Vtg {
        course: fields.number(0)?,
        speed: fields.number(6)?.or(knots.map(|knots| knots * KNOT)),
    })
}

/// `ddmmyy`.
fn short_date(text: &str) -> Result<Option<Date>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let part = |at: usize| {
        let digits = text.get(at..at.saturating_add(2));
        digits.and_then(digits_only).ok_or(Invalid::Syntax)
    };
    let (day, month, year) = (part(0)?, part(2)?, part(4)?);
    if text.len() != 6 {
        return Err(Invalid::Syntax);
    }
    // GPS began in 1980
    let century = if year >= 80 { 1900 } else { 2000 };
    date(year.saturating_add(century), month, day).map(Some)
}

/// Day, month and year in fields of their own.
fn zda_date(fields: &Fields<'_>) -> Result<Option<Date>, Invalid> {
    let parts = (fields.integer(3)?, fields.integer(2)?, fields.integer(1)?);
    match parts {
        (Some(year), Some(month), Some(day)) => date(year, month, day).map(Some),
        _ => Ok(None),
    }
}

fn date(year: u64, month: u64, day: u64) -> Result<Date, Invalid> {
    let known = (1980..=9999).contains(&year) && (1..=12).contains(&month);
    let date = Date { year, month, day };
    let fits = known && (1..=31).contains(&day);
    fits.then_some(date).ok_or(Invalid::Value)
}

/// What stands between commas.
struct Fields<'a>(Vec<&'a str>);

impl Fields<'_> {
    /// Empty where there is none.
    fn text(&self, at: usize) -> &str {
        self.0.get(at).copied().unwrap_or_default()
    }

    fn number(&self, at: usize) -> Result<Option<f64>, Invalid> {
        number(self.text(at))
    }

    fn integer(&self, at: usize) -> Result<Option<u64>, Invalid> {
        match self.text(at) {
            "" => Ok(None),
            text => digits_only(text).map(Some).ok_or(Invalid::Syntax),
        }
    }

    /// `hhmmss` with any fraction, as microseconds of the day.
    fn time(&self, at: usize) -> Result<Option<u64>, Invalid> {
        let text = self.text(at);
        if text.is_empty() {
            return Ok(None);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let number = digits_only(whole).filter(|_| whole.len() == 6);
        let number = number.ok_or(Invalid::Syntax)?;
        let (hour, minute, second) = (number / 10_000, number / 100 % 100, number % 100);
        if hour > 23 || minute > 59 || second > 60 {
            return Err(Invalid::Value);
        }
        let micros = format!("{fraction:0<6}");
        let micros = micros.get(..6).and_then(digits_only);
        let micros = micros.ok_or(Invalid::Syntax)?;
        let minutes = hour.saturating_mul(60).saturating_add(minute);
        let seconds = minutes.saturating_mul(60).saturating_add(second);
        Ok(Some(
            seconds.saturating_mul(1_000_000).saturating_add(micros),
        ))
    }

    /// Latitude, N or S, longitude, E or W.
    fn position(&self, at: usize) -> Result<Option<(f64, f64)>, Invalid> {
        let text = |more: usize| self.text(at.saturating_add(more));
        let latitude = angle(text(0), text(1), ("N", "S"), 90.0)?;
        let longitude = angle(text(2), text(3), ("E", "W"), 180.0)?;
        Ok(latitude.zip(longitude))
    }
}

/// Degrees of `dddmm.mmm` and the letter of its half; the two digits before the point are minutes.
fn angle(
    text: &str,
    half: &str,
    (plus, minus): (&str, &str),
    most: f64,
) -> Result<Option<f64>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let point = text.find('.').unwrap_or(text.len());
    let split = point
        .checked_sub(2)
        .and_then(|at| text.split_at_checked(at));
    let (degrees, minutes) = split.ok_or(Invalid::Syntax)?;
    let degrees = number(degrees)?.unwrap_or(0.0);
    let minutes = number(minutes)?.ok_or(Invalid::Syntax)?;
    let angle = degrees + minutes / 60.0;
    if !(0.0..60.0).contains(&minutes) || !(0.0..=most).contains(&angle) {
        return Err(Invalid::Value);
    }
    match half {
        half if half == plus => Ok(Some(angle)),
        half if half == minus => Ok(Some(-angle)),
        _ => Err(Invalid::Syntax),
    }
}

/// A decimal number, as a receiver writes it: no exponent, no words.
fn number(text: &str) -> Result<Option<f64>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse().ok().filter(|_| plain && text.len() <= 24);
    number.map(Some).ok_or(Invalid::Syntax)
}

fn digits_only(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Kilometres an hour.
pub const KNOT: f64 = 1.852;
