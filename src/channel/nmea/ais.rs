//! Ships: sentences of AIS put together and told as messages.
//!
//! Each message of the radio is one here; an epoch of a receiver has nothing to do with it. It was
//! measured when it came, or when the TAG block before its first part says.

use crate::channel::InputError;
use crate::channel::Intake;
use crate::channel::bad_run::Broken;
use crate::channel::fix::Fix;
use crate::channel::fix::rounded;
use crate::message::Message;
use crate::wire::ais as wire;
use crate::wire::ais::Bits;
use crate::wire::ais::Motion;
use crate::wire::ais::Part;
use crate::wire::ais::Report;
use crate::wire::nmea::KNOT;
use crate::wire::nmea::Tag;
use std::collections::VecDeque;
use std::time::Duration;

/// Whose AIS is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ships {
    /// That of the own transponder.
    #[default]
    Own,
    /// That of all that are heard.
    All,
    /// Of nobody: such sentences are passed over.
    Off,
}

/// What is known of messages that are not whole.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Oldest first; at most [`OPEN_MAX`].
    open: VecDeque<Open>,
}

/// A message of which parts are missing.
#[derive(Debug)]
struct Open {
    key: Key,
    /// In their places.
    parts: Vec<Option<Box<[u8]>>>,
    fill: u8,
    /// When the first that came of it came.
    began: Duration,
    /// Of the first of them that says it.
    time: Option<u64>,
    source: Option<u64>,
}

/// What the parts of a message share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    from: Speaker,
    total: u8,
    sequence: Option<u8>,
    channel: Option<u8>,
    group: Option<u64>,
}

/// Who says a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Speaker {
    /// The own transponder.
    pub(super) own: bool,
    pub(super) talker: [u8; 2],
}

/// A message that is whole.
struct Whole {
    payload: Vec<u8>,
    fill: u8,
    /// Microseconds since 1970; none: when it came.
    time: Option<u64>,
}

impl Ships {
    /// Whether sentences of the own transponder, or of others, are looked at.
    pub(super) fn wants(self, own: bool) -> bool {
        match self {
            Self::Own => own,
            Self::All => true,
            Self::Off => false,
        }
    }
}

impl Parts {
    /// A sentence: what stands behind its head, and its TAG block. `ident` is what a ship is called
    /// that is not called by its MMSI.
    pub(super) fn take(
        &mut self,
        from: Speaker,
        (fields, tag): (&str, Tag),
        ident: Option<&str>,
        intake: &mut dyn Intake,
    ) -> Result<(), Broken> {
        let part = wire::part(fields).map_err(super::malformed)?;
        let Some(whole) = self.join(from, part, tag, intake.now().mono)? else {
            return Ok(());
        };
        let bits = Bits::of(&whole.payload, whole.fill).map_err(super::malformed)?;
        let report = wire::report(&bits).map_err(super::malformed)?;
        report.map_or(Ok(()), |report| tell(&report, whole.time, ident, intake))
    }

    /// Puts a part to those that it belongs to. One that is there already begins another message
    /// of the same number.
    fn join(
        &mut self,
        from: Speaker,
        part: Part<'_>,
        tag: Tag,
        now: Duration,
    ) -> Result<Option<Whole>, Broken> {
        if part.total == 1 {
            return Ok(Some(Whole {
                payload: part.payload.to_vec(),
                fill: part.fill,
                time: tag.time,
            }));
        }
        let key = Key {
            from,
            total: part.total,
            sequence: part.sequence,
            channel: part.channel,
            group: tag.group,
        };
        self.open
            .retain(|open| now.saturating_sub(open.began) < open.patience());
        let belongs = |open: &Open| open.key == key && !open.is_of_another(tag.source);
        let found = self.open.iter().position(belongs);
        let mut open = found
            .and_then(|at| self.open.remove(at))
            .filter(|open| !open.has(part.number))
            .unwrap_or_else(|| Open::new(key, now));
        open.put(part, tag);
        if open.len() > PAYLOAD_MAX {
            return Err((InputError::Length, "a message of AIS that is too long"));
        }
        if open.parts.iter().all(Option::is_some) {
            return Ok(Some(open.whole()));
        }
        if self.open.len() >= OPEN_MAX {
            self.open.pop_front();
        }
        self.open.push_back(open);
        Ok(None)
    }

    /// Bytes that wait for more.
    pub(super) fn len(&self) -> usize {
        self.open.iter().map(Open::len).sum()
    }
}

impl Open {
    fn new(key: Key, now: Duration) -> Self {
        Self {
            key,
            parts: vec![None; usize::from(key.total)],
            fill: 0,
            began: now,
            time: None,
            source: None,
        }
    }

    /// How long the rest of it may take. What came ahead of its first part was overtaken on the
    /// way, or the first part is lost; then it must not be there when its number comes again.
    fn patience(&self) -> Duration {
        if self.has(1) { FORGOTTEN } else { OVERTAKEN }
    }

    /// Whether this source is another than that of its parts; as a rule only the first part names
    /// it.
    fn is_of_another(&self, source: Option<u64>) -> bool {
        self.source
            .zip(source)
            .is_some_and(|(one, other)| one != other)
    }

    fn has(&self, number: u8) -> bool {
        let at = usize::from(number).saturating_sub(1);
        self.parts.get(at).is_some_and(Option::is_some)
    }

    fn put(&mut self, part: Part<'_>, tag: Tag) {
        let at = usize::from(part.number).saturating_sub(1);
        if let Some(place) = self.parts.get_mut(at) {
            *place = Some(part.payload.into());
        }
        if part.number == part.total {
            self.fill = part.fill;
        }
        self.time = self.time.or(tag.time);
        self.source = self.source.or(tag.source);
    }

    fn len(&self) -> usize {
        self.parts.iter().flatten().map(|part| part.len()).sum()
    }

    fn whole(self) -> Whole {
        let parts: Vec<Box<[u8]>> = self.parts.into_iter().flatten().collect();
        Whole {
            payload: parts.concat(),
            fill: self.fill,
            time: self.time,
        }
    }
}

/// Brings the message of a ship in; one that says nothing is passed over.
fn tell(
    report: &Report,
    time: Option<u64>,
    ident: Option<&str>,
    intake: &mut dyn Intake,
) -> Result<(), Broken> {
    let mmsi = format!("{:09}", report.mmsi);
    let ident = match ident {
        Some(ident) => ident,
        None if report.mmsi == 0 => return Err((InputError::Ident, "a ship without an MMSI")),
        None => &mmsi,
    };
    let message = Message::new(ident);
    let mut message = message.map_err(|_| (InputError::Ident, "not an ident"))?;
    if let Some(time) = time {
        message.set_timestamp(time);
    }
    if let Some(motion) = &report.motion {
        fix(motion).tell(&mut message);
    }
    if add(report, &mut message) || report.motion.is_some() {
        // refused is counted, and there is nobody to answer to
        drop(intake.submit(&mut [message]));
    }
    Ok(())
}

fn fix(motion: &Motion) -> Fix {
    Fix {
        valid: true,
        position: motion.position,
        speed: motion.speed.map(|knots| knots * KNOT),
        direction: motion.course,
        ..Fix::default()
    }
}

/// Adds what a ship is; whether there was any.
fn add(report: &Report, message: &mut Message) -> bool {
    let motion = report.motion.as_ref();
    let texts = [
        ("vessel.name", &report.name),
        ("vessel.callsign", &report.callsign),
        ("vessel.destination", &report.destination),
    ];
    let numbers = [
        ("vessel.type.enum", report.kind),
        ("vessel.imo", report.imo),
        ("vessel.heading", motion.and_then(|motion| motion.heading)),
        (
            "vessel.navigation.status.enum",
            motion.and_then(|motion| motion.status),
        ),
    ];
    let mut any = false;
    for (name, text) in texts {
        if let Some(text) = text {
            message.set(name, text.as_str());
            any = true;
        }
    }
    for (name, number) in numbers {
        if let Some(number) = number {
            message.set(name, u64::from(number));
            any = true;
        }
    }
    if let Some(draught) = report.draught {
        message.set("vessel.draught", &rounded(draught, 10.0));
        any = true;
    }
    any
}

/// Messages that wait for parts: more than channels of the radio and numbers that are in use.
const OPEN_MAX: usize = 10;

/// Characters of a message; the longest that is sent has 1064 bits.
const PAYLOAD_MAX: usize = 256;

/// What has not come by then never will: the parts of a message leave a receiver in one go, and on
/// the slowest line five take a second. In a harbour a number comes again within seconds.
const FORGOTTEN: Duration = Duration::from_secs(5);

/// The same, where the first part is not there.
const OVERTAKEN: Duration = Duration::from_secs(1);
