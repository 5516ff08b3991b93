//! CAN: the bus of a vehicle, heard, and spoken to only where it is to be asked.
//!
//! Frames come from an interface of the kernel, from a log of `candump`, or from a server that
//! sends such lines. Signals are found in them by the tables that the configuration names; the
//! latest value of each is one message an interval, see `store`. There are no answers.
//!
//! # Time
//! What comes from an interface or over TCP was measured when it came. A log, from a file or
//! through a FIFO, has the times of its lines, also for `every` and `stale`. A file is read at the
//! pace of its lines, unless `pace` says otherwise, once, to its end.
//!
//! | what came | what becomes of it |
//! |---|---|
//! | a frame that no table wants, a remote frame | passed over |
//! | an error frame | counted; that the bus is off is shown until it is heard again |
//! | a signal beyond the end of its frame, or not available | left out |
//! | a line that is none, or over 256 bytes | counted, dropped up to its end |
//! | 64 of them in a row over TCP | the connection ends, and is made again |
//! | more than 512 signals | counted, the rest is left out |

mod asker;
pub mod dbc;
mod dbc_keys;
mod decoder;
pub mod j1939;
mod keys;
pub mod manners;
pub mod nmea2000;
pub mod obd;
mod own_keys;
pub mod request;
mod request_keys;
pub mod signal;
pub mod signals;
mod store;
mod timeline;

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Session;
use super::bad_run::BadRun;
use super::bad_run::Broken;
use super::measured::micros;
use crate::clock::Now;
use crate::message::Message;
use crate::message::Value;
use crate::wire::can::BUS_OFF;
use crate::wire::can::Frame;
use crate::wire::can::Id;
use crate::wire::can::Kind;
use crate::wire::can::candump;
use crate::wire::can::candump::LineError;
use crate::wire::can::socket;
use asker::Asker;
use decoder::Decoder;
pub use keys::KIND;
pub use keys::Keys;
pub use keys::Standards;
pub use keys::Units;
use std::rc::Rc;
use std::time::Duration;
pub use store::Rhythm;
use store::Store;
use timeline::Pace;
use timeline::Timeline;

/// One bus, while it is heard.
pub struct Can {
    keys: Rc<Keys>,
    decoder: Decoder,
    asker: Asker,
    store: Store,
    time: Timeline,
    /// None: lines are taken as fast as they come.
    pace: Option<Pace>,
    /// The next line is taken then, by this machine's clock.
    held_until: Option<Duration>,
    /// When the newest frame that said something came, or what its line says.
    newest: Newest,
    /// The bus was told to be off.
    is_off: bool,
    /// A line that is too long is passed over.
    skipping: bool,
    /// Lines in a row that were none.
    bad: BadRun,
}

/// Takes the name of a parameter and its value, as a message has them; [`Value::Null`]: what it was
/// is known no more.
pub type Told<'a> = dyn FnMut(&str, Value) + 'a;

/// When something was.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    mono: Duration,
    line: Option<Duration>,
}

impl Can {
    /// Nothing was heard yet.
    #[must_use]
    pub fn new(keys: Rc<Keys>) -> Self {
        let is_log = keys.units == Units::Log;
        Self {
            decoder: keys.decoder(),
            asker: Asker::new(&keys),
            store: Store::new(keys.rhythm.clone()),
            time: Timeline::new(is_log),
            pace: (is_log && keys.is_paced).then(Pace::default),
            held_until: None,
            newest: Newest::default(),
            is_off: false,
            skipping: false,
            bad: BadRun::default(),
            keys,
        }
    }

    /// Takes frames as the kernel has them; how many bytes that were.
    fn frames(&mut self, input: &[u8], intake: &mut dyn Intake) -> usize {
        let mut rest = input;
        while let Some((bytes, behind)) = socket::split_first(rest) {
            rest = behind;
            match socket::read(bytes) {
                Some(frame) => self.frame(&frame, None, intake),
                None => intake.malformed(InputError::Length, "a frame that is none"),
            }
        }
        input.len().saturating_sub(rest.len())
    }

    /// Takes lines until one is to wait; how many bytes that were.
    fn lines(&mut self, input: &[u8], intake: &mut dyn Intake) -> Result<usize, Disconnect> {
        let mut rest = input;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = rest.split_at(end);
            if !self.line(line, intake)? {
                return Ok(input.len().saturating_sub(rest.len()));
            }
            rest = behind.get(1..).unwrap_or_default();
        }
        if rest.len() > LINE_MAX {
            if !std::mem::replace(&mut self.skipping, true) {
                self.broken((InputError::Length, "a line over 256 bytes"), intake)?;
            }
            rest = &[];
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    /// Whether a line was taken; one that is before its time is not.
    fn line(&mut self, line: &[u8], intake: &mut dyn Intake) -> Result<bool, Disconnect> {
        let is_rest = std::mem::take(&mut self.skipping);
        if is_rest || line.trim_ascii().is_empty() {
            return Ok(true);
        }
        if line.len() > LINE_MAX {
            self.broken((InputError::Length, "a line over 256 bytes"), intake)?;
            return Ok(true);
        }
        match candump::parse(line) {
            Ok(line) if self.is_early(line.time, intake.now().mono) => return Ok(false),
            Ok(line) => {
                self.bad.end();
                self.frame(&line.frame, Some(line.time), intake);
            }
            Err(LineError::Syntax) => {
                self.broken((InputError::Syntax, "a line that is not candump's"), intake)?;
            }
            Err(LineError::Value) => {
                self.broken(
                    (InputError::Value, "an id or a length that cannot be"),
                    intake,
                )?;
            }
        }
        Ok(true)
    }

    /// Counts a line that is none; from a server there are not many.
    fn broken(
        &mut self,
        (reason, detail): Broken,
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        self.bad.add(reason, detail, intake);
        match self.keys.units {
            Units::Lines => self.bad.check("what comes is not candump's"),
            Units::Frames | Units::Log => Ok(()),
        }
    }

    /// Whether a line of a log waits for its time.
    fn is_early(&mut self, line: Duration, mono: Duration) -> bool {
        let Some(pace) = &mut self.pace else {
            return false;
        };
        let due = pace.due(line, mono);
        self.held_until = (due > mono).then_some(due);
        self.held_until.is_some()
    }

    fn frame(&mut self, frame: &Frame, line: Option<Duration>, intake: &mut dyn Intake) {
        let mono = intake.now().mono;
        let now = match line {
            Some(line) => self.time.line(line, mono),
            None => self.time.tick(mono),
        };
        // what was known before it came
        self.tell(now, intake);
        match frame.kind {
            Kind::Data => {
                if std::mem::take(&mut self.is_off) {
                    intake.trouble(None);
                }
                self.decode(now, frame, intake);
                if self.store.heard_at() == Some(now) {
                    let line = line.filter(|_| self.keys.units == Units::Log);
                    self.newest = Newest { mono, line };
                }
            }
            Kind::Remote => {}
            Kind::Error => self.error(frame, intake),
        }
        self.tell(now, intake);
    }

    fn decode(&mut self, now: Duration, frame: &Frame, intake: &mut dyn Intake) {
        let (store, mut are_too_many) = (&mut self.store, false);
        let told = &mut |name: &str, value| {
            are_too_many |= store.told(now, name, value).is_err();
        };
        self.decoder.frame(now, frame, told);
        self.asker.frame(now, frame, told);
        if are_too_many {
            intake.malformed(InputError::Unsupported, "more than 512 signals");
        }
    }

    /// The kernel tells of the bus.
    fn error(&mut self, frame: &Frame, intake: &mut dyn Intake) {
        let classes = match frame.id {
            Id::Extended(classes) => classes,
            Id::Standard(classes) => u32::from(classes),
        };
        let is_off = classes & BUS_OFF != 0;
        let detail = if is_off {
            OFF
        } else {
            "the controller tells of errors"
        };
        intake.malformed(InputError::Bus, detail);
        if is_off {
            self.asker.stop();
        }
        if is_off && !std::mem::replace(&mut self.is_off, true) {
            intake.trouble(Some(OFF));
        }
    }

    /// Brings the message in that is due.
    fn tell(&mut self, now: Duration, intake: &mut dyn Intake) {
        if let Some(due) = self.store.due().filter(|due| *due <= now) {
            self.tell_now(due, intake);
        }
    }

    fn tell_now(&mut self, now: Duration, intake: &mut dyn Intake) {
        let store = &mut self.store;
        // what is no more makes room
        let told = &mut |name: &str, value| {
            store.told(now, name, value).ok();
        };
        self.decoder.expire(now, told);
        let Some(mut message) = store.message(now, &self.keys.ident) else {
            return;
        };
        self.newest.date(&mut message, intake.now());
        // refused is counted, and there is nobody to answer to
        drop(intake.submit(&mut [message]));
    }
}

impl Newest {
    /// Says when a message was measured, unless a signal did; of what comes while the clock is
    /// wrong the daemon says so later.
    fn date(self, message: &mut Message, now: Now) {
        let ago = now.mono.saturating_sub(self.mono);
        let arrival = now.wall.since_1970.checked_sub(ago);
        let date = self.line.or(arrival.filter(|_| now.wall.trusted));
        if let Some(date) = date.filter(|_| !message.has("timestamp")) {
            message.set_timestamp(micros(date));
        }
    }
}

impl Session for Can {
    /// It comes as it is on the bus.
    fn resync(&mut self) {
        self.pace = None;
    }

    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        match self.keys.units {
            Units::Frames => {
                let taken = self.frames(input, intake);
                self.asker.poll(intake.now().mono, out);
                Ok(taken)
            }
            Units::Lines | Units::Log => self.lines(input, intake),
        }
    }

    fn is_blocked(&self) -> bool {
        self.held_until.is_some()
    }

    fn wake_at(&self) -> Option<Duration> {
        let due = self.store.due().map(|due| self.time.mono_of(due));
        let asks = self.asker.wake_at();
        [due, self.held_until, asks].into_iter().flatten().min()
    }

    fn wake(&mut self, intake: &mut dyn Intake, out: &mut Vec<u8>) -> Result<(), Disconnect> {
        let mono = intake.now().mono;
        self.asker.poll(mono, out);
        self.held_until = self.held_until.filter(|held| *held > mono);
        let now = self.time.tick(mono);
        self.tell(now, intake);
        Ok(())
    }

    fn on_eof(&mut self, intake: &mut dyn Intake) {
        let now = self.time.tick(intake.now().mono);
        self.tell_now(now, intake);
    }

    fn lull(&self) -> Duration {
        match self.pace {
            None => LULL,
            Some(_) => Duration::ZERO,
        }
    }
}

/// What is wrong with a bus that the controller has left.
const OFF: &str = "bus-off: the controller has left the bus";

/// Longest line: a frame of CAN FD has 130 digits.
const LINE_MAX: usize = 256;

/// What came is looked at so often: a full bus brings 160 frames meanwhile, which the kernel keeps
/// without waking anybody.
const LULL: Duration = Duration::from_millis(20);
