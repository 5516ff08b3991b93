//! What is said to GpsGate, and what it answers: sentences as NMEA has them.
//!
//! ```text
//! $FRLIN,,<username>,<password>*XX                                        a login
//! $FRCMD,<imei>,_SendMessage,,<place>,<altitude>,<speed>,<heading>,<date>,<time>,<valid>[,…]*XX
//!   place:  4748.0000,N,03530.0000,E    degrees and minutes        speed: knots
//!   date:   170109 is 2009-01-17        time: 120523.65 UTC        valid: 1 or 0
//!   …:      inputs, as SosButton=1
//! $FRSES,<session>*XX     $FRRET,<imei>,_SendMessage,Inline*XX     $FRERR,<code>,<text>*XX
//! ```
//! `XX` is the exclusive or of what stands between `$` and `*`.

use super::Inputs;
use crate::clock::Date;
use crate::message::ValueRef;
use crate::stream::engine::Outgoing;
use crate::stream::render;
use crate::stream::render::MessageView;
use crate::wire::checksum::xor;
use crate::wire::nmea::KNOT;
use std::fmt::Write as _;
use std::time::Duration;

/// A sentence without its `$`, its checksum and its end: what stands between `$` and `*`.
pub type Sentence = String;

/// Who comes. The password is turned around and mirrored, which keeps it from nobody.
#[must_use]
pub fn login(username: &str, password: &str) -> Sentence {
    let mirrored = password.chars().rev().map(mirror);
    let mirrored: String = mirrored.collect();
    format!("FRLIN,,{username},{mirrored}")
}

/// A message, with what of its parameters are inputs.
///
/// # Errors
/// Why there is no such sentence.
pub fn message(
    view: &mut MessageView<'_>,
    message: &Outgoing<'_>,
    inputs: &Inputs,
) -> Result<Sentence, String> {
    let imei = imei(message).ok_or("`ident` cannot stand in a sentence")?;
    let moment = moment(message).ok_or("`timestamp` is no time before 2100")?;
    let shown = view.fields(message);
    let of = |wanted: &str| shown.find(wanted);
    let amount = |name| of(name).and_then(ValueRef::number);
    let place = amount("position.latitude").zip(amount("position.longitude"));
    let (latitude, longitude) = place.ok_or("the message has no position")?;
    let valid = of("position.valid") != Some(ValueRef::Bool(false));
    let mut sentence = format!(
        "FRCMD,{imei},_SendMessage,,{},{},{:.1},{:.2},{:.1},{},{}",
        degrees(latitude, 2, ['N', 'S']),
        degrees(longitude, 3, ['E', 'W']),
        amount("position.altitude").unwrap_or_default(),
        amount("position.speed").unwrap_or_default() / KNOT,
        amount("position.direction").unwrap_or_default(),
        moment,
        u8::from(valid),
    );
    for (parameter, name) in inputs {
        if let Some(value) = of(parameter) {
            input(name, value, &mut sentence);
        }
    }
    match sentence.len() {
        0..=LEN_MAX => Ok(sentence),
        len => Err(format!(
            "a sentence of {len} bytes, at most {LEN_MAX} are sent"
        )),
    }
}

/// Appends a sentence with all that is around it.
pub fn put(sentence: &str, out: &mut Vec<u8>) {
    let sum = xor(sentence.as_bytes());
    out.extend_from_slice(format!("${sentence}*{sum:02X}\r\n").as_bytes());
}

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// The login is taken.
    Session,
    /// A message of this IMEI is taken.
    Taken(&'a str),
    /// Something is not taken: a word, and a sentence for people.
    Error(&'a str, &'a str),
    /// Anything else.
    Else,
}

impl<'a> Said<'a> {
    /// Reads a line.
    #[must_use]
    pub fn read(line: &'a str) -> Self {
        let line = line.trim();
        let (sentence, _) = line.rsplit_once('*').unwrap_or((line, ""));
        let mut fields = sentence.splitn(3, ',');
        let mut field = || fields.next().unwrap_or_default();
        match (field(), field(), field()) {
            ("$FRSES", ..) => Self::Session,
            ("$FRRET", imei, rest) if rest.split(',').next() == Some("_SendMessage") => {
                Self::Taken(imei)
            }
            ("$FRERR", code, text) => Self::Error(code, text),
            _ => Self::Else,
        }
    }
}

/// Who sent a message, if that can stand in a sentence.
pub(super) fn imei<'a>(message: &Outgoing<'a>) -> Option<&'a str> {
    match render::find(message, "ident") {
        Some(ValueRef::Text(ident)) if ident.chars().all(is_of_field) => Some(ident),
        _ => None,
    }
}

/// Whether a character can stand in a field of a sentence.
pub(super) fn is_of_field(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, ',' | '*' | '$')
}

/// Appends an input, unless it says nothing.
fn input(name: &str, value: ValueRef<'_>, sentence: &mut Sentence) {
    let told = match value {
        ValueRef::Null | ValueRef::Json(_) => return,
        ValueRef::Bool(state) => u8::from(state).to_string(),
        ValueRef::U64(number) => number.to_string(),
        ValueRef::I64(number) => number.to_string(),
        ValueRef::F64(number) => number.to_string(),
        ValueRef::Text(text) => {
            let fits = |c| is_of_field(c) && c != '=' || c == ' ';
            text.chars()
                .map(|c| if fits(c) { c } else { '_' })
                .collect()
        }
    };
    let written = write!(sentence, ",{name}={told}");
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

/// `DDMM.mmmm,N`: as many digits of degrees as `digits`.
fn degrees(value: f64, digits: usize, [north, south]: [char; 2]) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 180 degrees, or what cannot be sent saturates"
    )]
    let parts = (value.abs() * 60.0 * MINUTE).round() as u64;
    let (whole, part) = (parts / PARTS, parts % PARTS);
    let (degrees, minutes) = (whole / 60, whole % 60);
    let side = if value < 0.0 { south } else { north };
    format!("{degrees:0digits$}{minutes:02}.{part:04},{side}")
}

/// `DDMMYY,hhmmss.dd`.
fn moment(message: &Outgoing<'_>) -> Option<String> {
    let time = match render::find(message, "timestamp")? {
        ValueRef::U64(seconds) => Duration::from_secs(seconds),
        ValueRef::F64(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        _ => return None,
    };
    // of a century the protocol says nothing
    let date = (time.as_secs() < YEAR_2100).then(|| Date(time).with_time())?;
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
    let (year, month, day) = (part(2, 4), part(5, 7), part(8, 10));
    let (hour, minute, second) = (part(11, 13), part(14, 16), part(17, 22));
    Some(format!("{day}{month}{year},{hour}{minute}{second}"))
}

/// The last letter for the first, a digit likewise, capitals for small letters.
fn mirror(c: char) -> char {
    let rows = ['0'..='9', 'a'..='z', 'A'..='Z'];
    let mirrored = rows
        .into_iter()
        .find(|row| row.contains(&c))
        .and_then(|row| {
            let place = row.clone().position(|other| other == c)?;
            row.rev().nth(place)
        });
    match mirrored.unwrap_or(c) {
        c if c.is_ascii_lowercase() => c.to_ascii_uppercase(),
        c => c.to_ascii_lowercase(),
    }
}

/// Parts of a minute that are told.
const PARTS: u64 = 10_000;

/// The same.
const MINUTE: f64 = 10_000.0;

/// Seconds since 1970.
const YEAR_2100: u64 = 4_102_444_800;

/// Bytes of a sentence at most: the protocol has no limit, so this is weir's.
const LEN_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::stream::outgoing::with_outgoing;
    use crate::stream::settings::Transform;

    fn said(text: &str, inputs: &[(&str, &str)]) -> String {
        let received = Wall {
            since_1970: Duration::from_secs(1_700_000_000),
            trusted: true,
        };
        let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        let (transform, inputs) = (Transform::default(), inputs.iter().map(owned).collect());
        let mut view = MessageView::new(&transform);
        let told = with_outgoing(text, received, |outgoing| {
            message(&mut view, outgoing, &inputs)
        });
        told.unwrap_or_else(|reason| reason)
    }

    #[test]
    fn a_message_is_the_vendors_sample() {
        let text = r#"{"ident":"353857014816785","timestamp":1232193923.65,
            "position.latitude":47.8,"position.longitude":35.5,"position.altitude":34.6,
            "position.speed":433.368,"position.direction":90}"#;
        assert_eq!(
            said(text, &[]),
            "FRCMD,353857014816785,_SendMessage,,4748.0000,N,03530.0000,E,34.6,234.00,90.0,\
             170109,120523.65,1"
        );
    }

    #[test]
    fn what_is_south_and_west_and_has_inputs_is_told_so() {
        let text = r#"{"ident":"1","timestamp":1700000000,"position.latitude":-0.99999999,
            "position.longitude":-179.5,"position.valid":false,"din.1":true,"din.2":false,
            "fuel":12.5,"text":"a,*$=b é","none":null,"list":[1]}"#;
        let inputs = [
            ("din.1", "SosButton"),
            ("din.2", "Switch1"),
            ("fuel", "Fuel"),
            ("text", "Text"),
            ("none", "None"),
            ("list", "List"),
            ("missing", "Missing"),
        ];
        assert_eq!(
            said(text, &inputs),
            "FRCMD,1,_SendMessage,,0100.0000,S,17930.0000,W,0.0,0.00,0.0,141123,221320.00,0,\
             SosButton=1,Switch1=0,Fuel=12.5,Text=a____b _"
        );
    }

    #[test]
    fn what_is_no_sentence_says_why() {
        let place = r#""position.latitude":1,"position.longitude":2"#;
        for (text, inputs, why) in [
            (r#"{"ident":"1"}"#.to_owned(), &[][..], "no position"),
            (format!("{{\"ident\":\"a,b\",{place}}}"), &[], "`ident`"),
            (
                format!("{{\"ident\":\"1\",\"timestamp\":4102444800,{place}}}"),
                &[],
                "2100",
            ),
            (
                format!(
                    "{{\"ident\":\"1\",\"x\":\"{}\",{place}}}",
                    "x".repeat(1_000)
                ),
                &[("x", "X")],
                "at most 1024",
            ),
        ] {
            let told = said(&text, inputs);
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_password_is_turned_around_and_mirrored() {
        assert_eq!(login("user", "coolness"), "FRLIN,,user,HHVMOLLX");
        assert_eq!(login("u", "aZ09-"), "FRLIN,,u,-09aZ");
    }

    /// The checksums of the specification, but for one of them that is wrong there.
    #[test]
    fn the_sum_is_that_of_the_specification() {
        let mut out = Vec::new();
        put("FRWDT,NMEA", &mut out);
        put("FRLIN,IMEI,1234123412341234,", &mut out);
        put(
            "FRERR,AuthError,You have provided wrong username or password",
            &mut out,
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "$FRWDT,NMEA*78\r\n$FRLIN,IMEI,1234123412341234,*7B\r\n\
             $FRERR,AuthError,You have provided wrong username or password*18\r\n"
        );
    }

    #[test]
    fn an_answer_means_what_its_first_words_say() {
        for (line, meaning) in [
            ("$FRSES,1*00\r", Said::Session),
            (
                "$FRRET,3538,_SendMessage,Inline*51\r\n",
                Said::Taken("3538"),
            ),
            ("$FRRET,3538,_SendMessage", Said::Taken("3538")),
            ("$FRRET,3538,_SendMessages,Inline*51", Said::Else),
            ("$FRRET,3538,_Ping,Inline*51", Said::Else),
            ("$FRRET,3538", Said::Else),
            (
                "$FRERR,AuthError,no, sorry*00",
                Said::Error("AuthError", "no, sorry"),
            ),
            ("$FRERR,CannotExecute*00", Said::Error("CannotExecute", "")),
            ("$FRVER,1,1,GpsGate*00", Said::Else),
            ("FRRET,3538,_SendMessage", Said::Else),
            ("<html>", Said::Else),
            ("", Said::Else),
        ] {
            assert_eq!(Said::read(line), meaning, "{line}");
        }
    }
}
