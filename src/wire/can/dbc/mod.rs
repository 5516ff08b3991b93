//! DBC files, as far as reading signals needs them.
//!
//! ```text
//! BO_ 2364540158 EEC1: 8 ECU
//!     id         name  length of its data, sender
//!  SG_ Speed M : 24|16@1+ (0.125,0) [0|8031.875] "rpm" GW
//!      name  │   │  │  │││ │         range, unit, receivers
//!            │   │  │  │││ factor and offset
//!            │   │  │  ││- signed
//!            │   │  │  │1 from the low end, 0 from the high end
//!            │   start, length
//!            M, or m3: there only while the signal with M is 3
//! SIG_VALTYPE_ 513 Speed : 1;        a float of 32 bits; 2: of 64; 0: none
//! BA_ "ProtocolType" "J1939";
//! ```
//! An id has bit 31 set where it has 29 bits; 0xC0000000 holds signals of no frame. All else is
//! passed over. Texts are of any encoding: none is kept.
//!
//! # What is not read
//! Signals that are multiplexed over two levels (`m0M`, `SG_MUL_VAL_`), and those beyond the 64
//! bytes of a frame: those that are wanted are told as refused.

mod scanner;

use super::CLASSIC_MAX;
use super::DATA_MAX;
use super::Id;
use super::bits::Bits;
use super::bits::Form;
use super::bits::Order;
use super::socket;
use scanner::Scanner;
use std::fmt;

/// What a file says of the signals that are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dbc {
    /// In the order of the file.
    pub signals: Vec<Signal>,
    /// Wanted, and not read: the line, the name, and why.
    pub refused: Vec<Refused>,
    /// Whether it says that its protocol is J1939.
    pub is_j1939: bool,
}

/// One signal of one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Its name, as the file has it; another message may have one of the same name.
    pub name: String,
    /// The id of the frames that have it.
    pub id: Id,
    /// Where it is in their data.
    pub bits: Bits,
    /// How its bits are a number; a float has 32 or 64.
    pub form: Form,
    /// What one step is worth, in the unit that the file names; not 0.
    pub factor: f64,
    /// What is added to the scaled number, in the same unit.
    pub offset: f64,
    /// Where it shares its place: it is there only while these bits are this number.
    pub when: Option<(Bits, u64)>,
}

/// A signal that is wanted and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its line in the file, counted from 1.
    pub line: u32,
    /// Its name, as the file has it.
    pub name: String,
    /// Why not, in words that go on from its name.
    pub reason: &'static str,
}

/// Why a file is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbcError {
    /// The line of the file, counted from 1.
    pub line: u32,
    /// What is wrong there, in words.
    pub text: &'static str,
}

/// Reads a file, in any encoding that has ASCII; of its signals those whose name `wants` takes.
///
/// # Errors
/// The first place that is none of a DBC file, that says what cannot be, or that is beyond a bound:
/// [`FILE_MAX`] bytes, 20,000 signals. A file without any message is none either.
pub fn read(text: &[u8], wants: &dyn Fn(&str) -> bool) -> Result<Dbc, DbcError> {
    if text.len() > FILE_MAX {
        let text = "a file of more than 4 MiB";
        return Err(DbcError { line: 1, text });
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = Reader {
        scanner: Scanner::new(text),
        wants,
        dbc: Dbc::default(),
        protocol: None,
        message: None,
        signals: 0,
        messages: 0,
    };
    while !reader.scanner.is_at_end() {
        reader.statement()?;
    }
    reader.end_message();
    if reader.messages == 0 {
        return Err(reader.scanner.error("no message (`BO_`) is in the file"));
    }
    reader.dbc.is_j1939 = reader.protocol.is_some_and(|(is_j1939, _)| is_j1939);
    Ok(reader.dbc)
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    wants: &'a dyn Fn(&str) -> bool,
    dbc: Dbc,
    /// Whether it is J1939, and whether that is said, and not only what is said by default.
    protocol: Option<(bool, bool)>,
    message: Option<Message>,
    signals: usize,
    messages: usize,
}

/// One whose signals are being read.
struct Message {
    /// None of the holder of signals without a frame.
    id: Option<Id>,
    len: u32,
    /// Where the signals with M are.
    multiplexors: Vec<Bits>,
    /// Whether there is a second level.
    is_deep: bool,
    /// Signals that are wanted; with m, `when` waits for the place.
    wanted: Vec<(u32, Signal, Option<u64>)>,
}

/// How a signal shares its place with others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    None,
    /// `M`
    Decides,
    /// `m3`
    When(u64),
    /// `m3M`
    Both,
}

impl Share {
    /// Whether others are there or not by the number that it is.
    fn decides(self) -> bool {
        matches!(self, Self::Decides | Self::Both)
    }

    /// The number at which it is there. With two levels it is refused, whatever stands here.
    fn when(self) -> Option<u64> {
        match self {
            Self::None | Self::Decides => None,
            Self::When(number) => Some(number),
            Self::Both => Some(0),
        }
    }
}

impl Reader<'_> {
    fn statement(&mut self) -> Result<(), DbcError> {
        let line = self.scanner.line();
        match self.scanner.word() {
            "BO_" => self.message(),
            "SG_" => self.signal(),
            "VERSION" => self.scanner.quoted().map(drop),
            // their lists end with a line that is not set in
            "NS_" | "BS_" | "BU_" => {
                self.scanner.skip_lines(is_set_in);
                Ok(())
            }
            "SIG_VALTYPE_" => self.form(),
            "BA_" => self.attribute(true),
            "BA_DEF_DEF_" => self.attribute(false),
            "" if self.scanner.passes(b';') => Ok(()),
            word if word.ends_with('_') || word == "FILTER" => self.scanner.skip_statement(),
            _ => Err(DbcError {
                line,
                text: "not a statement of a DBC file",
            }),
        }
    }

    fn message(&mut self) -> Result<(), DbcError> {
        self.end_message();
        let number: u32 = self.scanner.number("the id of the message is no number")?;
        let id = match number {
            UNUSED => None,
            _ => Some(id(number).ok_or(self.scanner.error("the id has too many bits"))?),
        };
        if self.scanner.word().is_empty() {
            return Err(self.scanner.error("the name of the message is missing"));
        }
        self.scanner
            .expect(b':', "`:` is missing behind the name")?;
        let len = self
            .scanner
            .number("the length of the message is no number")?;
        self.scanner.skip_lines(|_, _| false);
        self.messages = self.messages.saturating_add(1);
        self.message = Some(Message {
            id,
            len,
            multiplexors: Vec::new(),
            is_deep: false,
            wanted: Vec::new(),
        });
        Ok(())
    }

    fn signal(&mut self) -> Result<(), DbcError> {
        let line = self.scanner.line();
        let Some(mut message) = self.message.take() else {
            return Err(self.scanner.error("a signal outside of a message"));
        };
        self.signals = self.signals.saturating_add(1);
        if self.signals > SIGNALS_MAX {
            return Err(self.scanner.error("more than 20000 signals"));
        }
        let name = self.scanner.word();
        if name.is_empty() {
            return Err(self.scanner.error("the name of the signal is missing"));
        }
        let share = self.share()?;
        let (bits, form) = self.place(&message)?;
        let (factor, offset) = self.scale()?;
        self.scanner.skip_lines(ends_with_comma);
        message
            .multiplexors
            .extend(bits.filter(|_| share.decides()));
        message.is_deep |= share == Share::Both;
        if (self.wants)(name) {
            match (message.id, bits) {
                (Some(id), Some(bits)) => {
                    let signal = Signal {
                        name: name.to_owned(),
                        id,
                        bits,
                        form,
                        factor,
                        offset,
                        when: None,
                    };
                    message.wanted.push((line, signal, share.when()));
                }
                (Some(_), None) => self.refuse(line, name.to_owned(), BEYOND),
                // of no frame
                (None, _) => {}
            }
        }
        self.message = Some(message);
        Ok(())
    }

    /// What stands between the name and the colon.
    fn share(&mut self) -> Result<Share, DbcError> {
        let word = self.scanner.word();
        let error = self
            .scanner
            .error("neither `:` nor `M` nor `m` and a number");
        let share = match (word, word.strip_prefix('m')) {
            ("", _) => Share::None,
            ("M", _) => Share::Decides,
            (_, Some(number)) => match number.strip_suffix('M') {
                Some(number) => number.parse::<u64>().map(|_| Share::Both).ok(),
                None => number.parse().map(Share::When).ok(),
            }
            .ok_or(error)?,
            _ => return Err(error),
        };
        self.scanner
            .expect(b':', "`:` is missing behind the name")?;
        Ok(share)
    }

    /// No bits where they lie beyond a frame, in a message that needs several.
    fn place(&mut self, message: &Message) -> Result<(Option<Bits>, Form), DbcError> {
        let start = self
            .scanner
            .number("the start of the signal is no number")?;
        self.scanner
            .expect(b'|', "`|` is missing behind the start")?;
        let length = self
            .scanner
            .number("the length of the signal is no number")?;
        self.scanner
            .expect(b'@', "`@` is missing behind the length")?;
        let order = match self.scanner.digits() {
            "1" => Order::LowFirst,
            "0" => Order::HighFirst,
            _ => return Err(self.scanner.error("the order is neither 0 nor 1")),
        };
        let form = match (self.scanner.passes(b'+'), self.scanner.passes(b'-')) {
            (true, false) => Form::Unsigned,
            (false, true) => Form::Signed,
            _ => {
                return Err(self
                    .scanner
                    .error("neither `+` nor `-` is behind the order"));
            }
        };
        let most = [CLASSIC_MAX, DATA_MAX]
            .into_iter()
            .find(|most| usize::try_from(message.len).is_ok_and(|len| len <= *most));
        let bits = Bits::new(start, length, order);
        let lies_in = |most| bits.is_some_and(|bits| bits.bytes() <= most);
        if most.is_some_and(|most| !lies_in(most)) {
            return Err(self.scanner.error(NOWHERE));
        }
        Ok((bits, form))
    }

    fn scale(&mut self) -> Result<(f64, f64), DbcError> {
        self.scanner
            .expect(b'(', "`(` is missing before the factor")?;
        let factor: f64 = self.scanner.number("the factor is no number")?;
        self.scanner
            .expect(b',', "`,` is missing behind the factor")?;
        let offset: f64 = self.scanner.number("the offset is no number")?;
        self.scanner
            .expect(b')', "`)` is missing behind the offset")?;
        if factor == 0.0 || !factor.is_finite() || !offset.is_finite() {
            return Err(self
                .scanner
                .error("a factor of 0, or none that is a number"));
        }
        Ok((factor, offset))
    }

    /// All signals of a message are known.
    fn end_message(&mut self) {
        let Some(message) = self.message.take() else {
            return;
        };
        let decides = match *message.multiplexors {
            [bits] if !message.is_deep => Some(bits),
            _ => None,
        };
        for (line, mut signal, when) in message.wanted {
            match (when, decides) {
                (None, _) => {}
                (Some(number), Some(bits)) => signal.when = Some((bits, number)),
                (Some(_), None) if message.multiplexors.is_empty() => {
                    self.refuse(line, signal.name, UNDECIDED);
                    continue;
                }
                (Some(_), None) => {
                    self.refuse(line, signal.name, DEEP);
                    continue;
                }
            }
            self.dbc.signals.push(signal);
        }
    }

    fn refuse(&mut self, line: u32, name: String, reason: &'static str) {
        let refused = Refused { line, name, reason };
        self.dbc.refused.push(refused);
    }

    /// `SIG_VALTYPE_ id name : kind;`
    fn form(&mut self) -> Result<(), DbcError> {
        self.end_message();
        let number: u32 = self.scanner.number("the id of the message is no number")?;
        let name = self.scanner.word();
        self.scanner.passes(b':');
        let length = match self.scanner.digits() {
            "0" => None,
            "1" => Some(32),
            "2" => Some(64),
            _ => return Err(self.scanner.error("the kind of a number is 0, 1 or 2")),
        };
        let error = self.scanner.error("a float has 32 bits (1) or 64 bits (2)");
        self.scanner.skip_statement()?;
        let of = id(number);
        let is_meant = |it: &&mut Signal| Some(it.id) == of && it.name == name;
        for signal in self.dbc.signals.iter_mut().filter(is_meant) {
            match length {
                Some(length) if length != signal.bits.length() => return Err(error),
                Some(_) => signal.form = Form::Float,
                None => {}
            }
        }
        Ok(())
    }

    /// `BA_ "name" value;`
    fn attribute(&mut self, is_said: bool) -> Result<(), DbcError> {
        if self.scanner.quoted()? == b"ProtocolType" {
            let protocol = self.scanner.quoted().unwrap_or_default();
            let is_j1939 = protocol.eq_ignore_ascii_case(b"J1939");
            if is_said || self.protocol.is_none_or(|(_, is_said)| !is_said) {
                self.protocol = Some((is_j1939, is_said));
            }
        }
        self.scanner.skip_statement()
    }
}

fn id(number: u32) -> Option<Id> {
    match number & socket::EXTENDED {
        0 => Id::standard(number),
        _ => Id::extended(number & !socket::EXTENDED),
    }
}

/// A list goes on with lines that begin with a blank.
fn is_set_in(_: &[u8], next: Option<&u8>) -> bool {
    next.is_some_and(u8::is_ascii_whitespace)
}

/// Receivers may go on in the next line.
fn ends_with_comma(line: &[u8], _: Option<&u8>) -> bool {
    line.ends_with(b",")
}

impl fmt::Display for DbcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl std::error::Error for DbcError {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: `{}` {}", self.line, self.name, self.reason)
    }
}

/// The id of the message that holds signals without a frame.
const UNUSED: u32 = 0xC000_0000;

/// Longest file, in bytes.
pub const FILE_MAX: usize = 4 * 1024 * 1024;

/// Most signals of a file.
const SIGNALS_MAX: usize = 20_000;

const NOWHERE: &str = "the signal lies beyond what a frame has, or has not 1 to 64 bits";
const BEYOND: &str = "lies beyond the 64 bytes that are read of a message";
const DEEP: &str = "is multiplexed over more than one level";
const UNDECIDED: &str = "is multiplexed, and no signal of its message has `M`";

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests;
