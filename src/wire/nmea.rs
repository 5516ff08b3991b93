//! Sentences of NMEA 0183, as GNSS receivers and routers send them.
//!
//! ```text
//! 354868050655283$GPRMC,030719.000,A,3747.0873,S,17518.8938,E,0.69,181.39,311214,,,A*7D
//! name            talker and type    fields                                          checksum
//! ```
//! The checksum is the exclusive or of what stands between `$` and `*`, in two hex digits. Facts
//! are from receivers' manuals and gpsd's description of the sentences. Time, place and what says
//! whether they count have to be right; of the rest what cannot be read is as if it were empty.
//!
//! Routers and trackers name themselves in sentences of their own: `$PCPTI,name,…`, `$PGID,name`,
//! `$DEVID,name` and `$GPFID,name` with a checksum; `$IMEI=digits`, which may have none.
//!
//! A TAG block stands between two `\` before a sentence and has a checksum of its own. Sentences
//! of AIS begin with `!`; what is in them is the business of [`super::ais`].

mod tag;

use super::checksum::xor;
use crate::hex;
pub use tag::Tag;
use tag::tag;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece<'a> {
    /// What stands outside of sentences and their checksums: a name, if it can be one, or what was
    /// left of a sentence. Never blank.
    Text(&'a [u8]),
    /// What is said of the sentence behind it, or why it is not believed.
    Tag(Result<Tag, SentenceError>),
    /// A sentence, or why it is none.
    Sentence(Result<Sentence, SentenceError>),
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
    /// Who sends: what routers and trackers put among the sentences.
    Name(String),
    /// AIS: of ships.
    Ais {
        /// Of the own transponder: VDO.
        own: bool,
        /// Who says it: `AI`, `BS` …
        talker: [u8; 2],
        /// What stands behind the head, see [`super::ais::part`].
        fields: String,
    },
    /// A right one of another kind.
    Other,
}

/// The least that a receiver has to say: RMC.
#[derive(Clone, Debug, PartialEq)]
pub struct Rmc {
    /// Microseconds of the day, UTC.
    pub time: Option<u64>,
    /// Whether the receiver warrants for it: `A`.
    pub valid: bool,
    /// Latitude and longitude, degrees on Earth, north and east positive.
    pub position: Option<(f64, f64)>,
    /// Knots over ground.
    pub speed: Option<f64>,
    /// Degrees from true north, 0 to 360.
    pub course: Option<f64>,
    /// The day of `time`; receivers that forget their week are years off.
    pub date: Option<Date>,
}

/// A fix and what it is worth: GGA.
#[derive(Clone, Debug, PartialEq)]
pub struct Gga {
    /// Microseconds of the day, UTC.
    pub time: Option<u64>,
    /// Latitude and longitude, degrees on Earth, north and east positive.
    pub position: Option<(f64, f64)>,
    /// How the fix was got; 0 is no fix.
    pub quality: u64,
    /// How many satellites are used.
    pub satellites: Option<u64>,
    /// Horizontal dilution of precision.
    pub hdop: Option<f64>,
    /// Metres above the sea.
    pub altitude: Option<f64>,
}

/// Course and speed over ground: VTG.
#[derive(Clone, Debug, PartialEq)]
pub struct Vtg {
    /// Degrees from true north, 0 to 360.
    pub course: Option<f64>,
    /// Kilometres an hour.
    pub speed: Option<f64>,
}

/// A day, of which no calendar was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// 1980 to 9999.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
}

/// Why something is no sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentenceError {
    /// Not text, or not the fields that there have to be.
    Syntax,
    /// The checksum does not fit, or there is none.
    Checksum,
    /// A field out of its range.
    Value,
}

/// The pieces of a line, without its end, in order. A sentence begins at `$` or at `!` and some
/// capitals, and ends behind its checksum, or where the next one or its TAG block is: a lost end
/// of a line takes no sentence that is whole.
pub fn pieces(line: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = line.trim_ascii();
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (text, behind) = rest.split_at(mark(rest, true));
        if !text.is_empty() {
            rest = behind;
            return Some(Piece::Text(text.trim_ascii()));
        }
        if let Some((read, len)) = tag(behind) {
            rest = behind.get(len..).unwrap_or_default();
            return Some(Piece::Tag(read));
        }
        let body = behind.get(1..)?;
        // a text may have a `!` in it
        let (body, _) = body.split_at(mark(body, false));
        let (read, len) = framed(body);
        rest = behind.get(len.saturating_add(1)..).unwrap_or_default();
        Some(Piece::Sentence(read))
    })
}

/// The digits of an IMEI behind the word: `IMEI 351467108700000`, `IMEI=351467108700000`.
#[must_use]
pub fn imei(text: &[u8]) -> Option<&str> {
    let rest = text.trim_ascii().strip_prefix(b"IMEI")?;
    let digits = rest.strip_prefix(b" ").or(rest.strip_prefix(b"="));
    let digits = str::from_utf8(digits.or(rest.strip_prefix(b":"))?).ok()?;
    let digits = digits.trim_ascii();
    // with its software's version it has 16
    let fits = (14..=16).contains(&digits.len()) && digits_only(digits).is_some();
    fits.then_some(digits)
}

/// Where the next sentence or TAG block begins, or the end; a sentence of AIS if it is asked for.
fn mark(text: &[u8], ais: bool) -> usize {
    let begins = |(at, byte): (usize, &u8)| match byte {
        b'$' => true,
        b'\\' => tag(text.get(at..).unwrap_or_default()).is_some(),
        b'!' if ais => {
            let behind = text.get(at.saturating_add(1)..).unwrap_or_default();
            let capitals = behind.iter().take_while(|byte| byte.is_ascii_uppercase());
            capitals.count() >= 5
        }
        _ => false,
    };
    let found = text.iter().enumerate().position(begins);
    found.unwrap_or(text.len())
}

/// A sentence and how long it is, from what stands behind its `$`. The checksum decides where it
/// ends; there is no other star in it, as a rule.
fn framed(body: &[u8]) -> (Result<Sentence, SentenceError>, usize) {
    let star = |byte: &u8| *byte == b'*';
    let stars = [body.iter().position(star), body.iter().rposition(star)];
    let mut lens = stars.into_iter().flatten();
    if let Some((fields, len)) = lens.find_map(|star| checked(body, star)) {
        let text = str::from_utf8(fields).map_err(|_| SentenceError::Syntax);
        return (text.and_then(sentence), len);
    }
    match imei(body) {
        Some(imei) => (Ok(Sentence::Name(imei.to_owned())), body.len()),
        None => (Err(SentenceError::Checksum), mark(body, true)),
    }
}

/// What stands before the star, and the length with the checksum behind it, if that is right.
/// There may be blanks on both sides of the star, meant by the checksum or not.
fn checked(body: &[u8], star: usize) -> Option<(&[u8], usize)> {
    let (fields, behind) = body.split_at_checked(star)?;
    let digits = behind.get(1..)?.trim_ascii_start();
    let given = hex::byte(*digits.first_chunk()?)?;
    let fits = given == xor(fields) || given == xor(fields.trim_ascii_end());
    let left = digits.len().checked_sub(2)?;
    fits.then_some((fields, body.len().checked_sub(left)?))
}

fn sentence(body: &str) -> Result<Sentence, SentenceError> {
    let mut parts = body.split(',').map(str::trim_ascii);
    let head = parts.next().unwrap_or_default();
    let fields = Fields(parts.collect());
    if matches!(head, "PCPTI" | "PGID" | "DEVID" | "GPFID") {
        return Ok(Sentence::Name(fields.text(0).to_owned()));
    }
    if let Some(imei) = imei(head.as_bytes()) {
        return Ok(Sentence::Name(imei.to_owned()));
    }
    // a talker has two letters; makers' own sentences begin with P
    let kind = head.get(2..).filter(|_| !head.starts_with('P'));
    match kind {
        Some("RMC") => rmc(&fields).map(Sentence::Rmc),
        Some("GGA") => gga(&fields).map(Sentence::Gga),
        Some("VTG") => Ok(Sentence::Vtg(vtg(&fields))),
        Some(kind @ ("VDM" | "VDO")) => Ok(Sentence::Ais {
            own: kind == "VDO",
            talker: head.as_bytes().first_chunk().copied().unwrap_or_default(),
            fields: body.get(head.len()..).unwrap_or_default().to_owned(),
        }),
        Some("GSA") => Ok(Sentence::Gsa {
            hdop: fields.number(15),
        }),
        Some("ZDA") => Ok(Sentence::Zda {
            time: fields.time(0)?,
            date: zda_date(&fields),
        }),
        _ => Ok(Sentence::Other),
    }
}

fn rmc(fields: &Fields<'_>) -> Result<Rmc, SentenceError> {
    let valid = match fields.text(1) {
        "A" => true,
        "V" => false,
        _ => return Err(SentenceError::Syntax),
    };
    Ok(Rmc {
        time: fields.time(0)?,
        // its mode says more, where it has one: N is no fix
        valid: valid && fields.text(11) != "N",
        position: fields.position(2)?,
        speed: fields.number(6),
        course: fields.course(7),
        date: short_date(fields.text(8)),
    })
}

fn gga(fields: &Fields<'_>) -> Result<Gga, SentenceError> {
    Ok(Gga {
        time: fields.time(0)?,
        position: fields.position(1)?,
        quality: fields.integer(5)?.unwrap_or(0),
        satellites: fields.integer(6).ok().flatten(),
        hdop: fields.number(7),
        altitude: fields.number(8),
    })
}

fn vtg(fields: &Fields<'_>) -> Vtg {
    let knots = fields.number(4);
    Vtg {
        course: fields.course(0),
        speed: fields.number(6).or(knots.map(|knots| knots * KNOT)),
    }
}

/// `ddmmyy`.
fn short_date(text: &str) -> Option<Date> {
    let part = |at: usize| digits_only(text.get(at..at.saturating_add(2))?);
    let (day, month, year) = (part(0)?, part(2)?, part(4)?);
    // GPS began in 1980
    let century = if year >= 80 { 1900 } else { 2000 };
    let date = date(year.saturating_add(century), month, day);
    date.filter(|_| text.len() == 6)
}

/// Day, month and year in fields of their own.
fn zda_date(fields: &Fields<'_>) -> Option<Date> {
    let part = |at: usize| fields.integer(at).ok().flatten();
    date(part(3)?, part(2)?, part(1)?)
}

fn date(year: u64, month: u64, day: u64) -> Option<Date> {
    let known = (1980..=9999).contains(&year) && (1..=12).contains(&month);
    let date = Date { year, month, day };
    (known && (1..=31).contains(&day)).then_some(date)
}

/// What stands between commas.
struct Fields<'a>(Vec<&'a str>);

impl Fields<'_> {
    /// Empty where there is none.
    fn text(&self, at: usize) -> &str {
        self.0.get(at).copied().unwrap_or_default()
    }

    /// One without which the sentence says enough: what is no number is none.
    fn number(&self, at: usize) -> Option<f64> {
        number(self.text(at)).ok().flatten()
    }

    /// Degrees; 511, say, is how a receiver says that it does not know.
    fn course(&self, at: usize) -> Option<f64> {
        self.number(at)
            .filter(|course| (0.0..=360.0).contains(course))
    }

    fn integer(&self, at: usize) -> Result<Option<u64>, SentenceError> {
        match self.text(at) {
            "" => Ok(None),
            text => digits_only(text).map(Some).ok_or(SentenceError::Syntax),
        }
    }

    /// `hhmmss` with any fraction, as microseconds of the day.
    fn time(&self, at: usize) -> Result<Option<u64>, SentenceError> {
        let text = self.text(at);
        if text.is_empty() {
            return Ok(None);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let number = digits_only(whole).filter(|_| whole.len() == 6);
        let number = number.ok_or(SentenceError::Syntax)?;
        let (hour, minute, second) = (number / 10_000, number / 100 % 100, number % 100);
        if hour > 23 || minute > 59 || second > 60 {
            return Err(SentenceError::Value);
        }
        let micros = format!("{fraction:0<6}");
        let micros = micros.get(..6).and_then(digits_only);
        let micros = micros.ok_or(SentenceError::Syntax)?;
        let minutes = hour.saturating_mul(60).saturating_add(minute);
        let seconds = minutes.saturating_mul(60).saturating_add(second);
        Ok(Some(
            seconds.saturating_mul(1_000_000).saturating_add(micros),
        ))
    }

    /// Latitude, N or S, longitude, E or W.
    fn position(&self, at: usize) -> Result<Option<(f64, f64)>, SentenceError> {
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
) -> Result<Option<f64>, SentenceError> {
    if text.is_empty() {
        return Ok(None);
    }
    let point = text.find('.').unwrap_or(text.len());
    let split = point
        .checked_sub(2)
        .and_then(|at| text.split_at_checked(at));
    let (degrees, minutes) = split.ok_or(SentenceError::Syntax)?;
    let degrees = number(degrees)?.unwrap_or(0.0);
    let minutes = number(minutes)?.ok_or(SentenceError::Syntax)?;
    let angle = degrees + minutes / 60.0;
    if !(0.0..60.0).contains(&minutes) || !(0.0..=most).contains(&angle) {
        return Err(SentenceError::Value);
    }
    match half {
        half if half == plus => Ok(Some(angle)),
        half if half == minus => Ok(Some(-angle)),
        _ => Err(SentenceError::Syntax),
    }
}

/// A decimal number, as a receiver writes it: no exponent, no words.
fn number(text: &str) -> Result<Option<f64>, SentenceError> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse().ok().filter(|_| plain && text.len() <= 24);
    number.map(Some).ok_or(SentenceError::Syntax)
}

fn digits_only(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// A knot in kilometres an hour.
pub const KNOT: f64 = 1.852;
