//! The row of type `can`, and its keys.

use super::Can;
use super::decoder::Decoder;
use super::j1939::J1939;
use super::nmea2000::Nmea2000;
use super::obd;
use super::request;
use super::request_keys;
use super::signals::Entry;
use super::signals::Of;
use super::signals::Signals;
use super::signals::sorted;
use super::store::Rhythm;
use crate::channel::Session;
use crate::channel::connect::Connect;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use crate::keys::context::ValueError;
use crate::keys::named::Named;
use crate::keys::phrase::shorten;
use crate::keys::reader::Reader;
use crate::keys::value;
use crate::net::bus::Filter;
use crate::pattern::PatternSet;
use crate::wire::can::Id;
use crate::wire::can::j1939;
use crate::wire::can::socket;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "can",
    example: "connect = \"can:can0\"",
    ways: &[Way::Bus, Way::Connect(Connect::read)],
    ident: Ident::Never,
    read: |reader| Some(Rc::new(Keys::read(reader)?)),
};

/// The keys of this type.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys {
    /// Of whom all messages are: the channel's `ident`.
    pub ident: String,
    /// What comes, by the form of `connect`.
    pub units: Units,
    /// Whether a log is read as slowly as it was written.
    pub is_paced: bool,
    /// When messages are made.
    pub rhythm: Rhythm,
    /// `signals`, as [`sorted`] sorts them.
    pub signals: Rc<[Entry]>,
    /// The tables that are built in.
    pub standards: Standards,
    /// What J1939 is asked for; none: nothing.
    pub request: Option<request::Settings>,
}

/// The tables that are built in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standards {
    /// Whether it reads what trucks, buses and machines say.
    pub j1939: bool,
    /// Whether the place that J1939 tells counts: a tracker knows it better as a rule.
    pub position: bool,
    /// Whether it reads what the instruments of boats say.
    pub nmea2000: bool,
    /// The address of the instrument whose place counts; none: of the first that is heard.
    pub source: Option<u8>,
    /// How a vehicle is asked by OBD-II; none: it is not.
    pub obd: Option<obd::Settings>,
}

/// What comes from where the bus is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Frames as the kernel has them: see [`crate::wire::can::socket`].
    Frames,
    /// Lines of `candump` that come as they are on the bus: the time of arrival counts.
    Lines,
    /// Lines of `candump` of a log: the times in them count.
    Log,
}

impl Keys {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let connect = reader.peek("connect").unwrap_or_default();
        let units = match connect.split_once(':') {
            Some(("can", _)) => Units::Frames,
            Some(("candump", _)) => Units::Log,
            _ => Units::Lines,
        };
        let pace = reader.choice("pace", &[("log", true), ("none", false)]);
        if units != Units::Log && reader.has("pace") {
            let message = "only a log that is a file has a pace of its own";
            reader.error(reader.place_of("pace"), message, "leave `pace` out");
        }
        let signals = super::own_keys::read(reader);
        let of_files = super::dbc_keys::read(reader);
        let standards = Standards::read(reader);
        let mut rhythm = Rhythm {
            every: reader.period("every", EVERY).unwrap_or(EVERY_DEFAULT),
            or_change: PatternSet::new(value::patterns(reader, "or_change").unwrap_or_default()),
            stale: STALE_DEFAULT,
        };
        let stale = reader.period("stale", STALE);
        let signals = signals.zip(of_files);
        let signals = signals.map(|(own, of_files)| sorted([own, of_files].concat()));
        let heard = signals.as_ref().map(|it| decoder(it, standards).wanted());
        let request = request_keys::read(reader, heard.as_deref());
        // until the next answer, where one is late
        let answered = request
            .as_ref()
            .map(|request| request.every.saturating_mul(2));
        rhythm.stale = stale.unwrap_or(STALE_DEFAULT.max(answered.unwrap_or_default()));
        look_at_asked(reader, &connect, standards.obd.is_some(), request.is_some());
        let wanted = ["signals", "dbc", "standard"];
        if !wanted.iter().any(|key| reader.has(key)) {
            reader.missing("standard", "standard = [\"j1939\"]");
            return None;
        }
        Some(Self {
            ident: reader.peek("ident").unwrap_or_default(),
            units,
            is_paced: pace.unwrap_or(true),
            rhythm,
            signals: signals?,
            standards,
            request,
        })
    }

    /// What finds the signals of a bus of which nothing was heard yet.
    pub(super) fn decoder(&self) -> Decoder {
        decoder(&self.signals, self.standards)
    }
}

fn decoder(signals: &Rc<[Entry]>, known: Standards) -> Decoder {
    let own = Signals::new(Rc::clone(signals));
    let j1939 = known.j1939.then(|| J1939::new(known.position));
    let nmea2000 = known.nmea2000.then(|| Nmea2000::new(known.source));
    Decoder::new(own, j1939, nmea2000)
}

/// Has it looked at whether an interface can be asked; notes what would be asked of a log.
fn look_at_asked(reader: &Reader<'_>, connect: &str, by_obd: bool, by_request: bool) {
    let asks = [
        ("standard", "`obd2`", by_obd),
        ("request", "`request`", by_request),
    ];
    for (key, what, _) in asks.into_iter().filter(|(.., asks)| *asks) {
        let place = reader.value_place(key);
        match connect.strip_prefix("can:") {
            Some(path) if path.contains('/') => {}
            Some(interface) => {
                let named = Named::Asked(interface.to_owned(), place);
                reader.context().name(named);
            }
            None => {
                let message = format!("{what} asks, and nobody is there to be asked");
                reader.error(place, message, "connect to `can:can0`");
            }
        }
    }
}

impl Standards {
    /// `standard`, and what belongs to one of them.
    fn read(reader: &mut Reader<'_>) -> Self {
        let mut found = Self {
            position: reader.flag("position").unwrap_or(false),
            source: reader.integer("source", 0..=253_u8),
            ..Self::default()
        };
        let usual = obd::Settings::default();
        let obd = obd::Settings {
            every: reader.period("obd_every", OBD_EVERY).unwrap_or(usual.every),
            wide: reader.flag("obd_wide").unwrap_or(usual.wide),
            forced: reader.flag("obd_forced").unwrap_or(usual.forced),
        };
        for text in reader.texts("standard").unwrap_or_default() {
            match reader.parse(&text, standard) {
                Some(Standard::J1939) => found.j1939 = true,
                Some(Standard::Nmea2000) => found.nmea2000 = true,
                Some(Standard::Obd2) => found.obd = Some(obd),
                None => {}
            }
        }
        found
    }
}

/// A table that is built in.
#[derive(Clone, Copy)]
enum Standard {
    J1939,
    Nmea2000,
    Obd2,
}

fn standard(text: &str) -> Result<Standard, ValueError> {
    match text {
        "j1939" => Ok(Standard::J1939),
        "nmea2000" => Ok(Standard::Nmea2000),
        "obd2" => Ok(Standard::Obd2),
        _ => {
            let message = format!("unknown standard `{}`", shorten(text));
            Err(ValueError::new(message).hint("known are `j1939`, `nmea2000` and `obd2`"))
        }
    }
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(Can::new(self)))
    }

    fn filters(&self) -> Vec<Filter> {
        if self.standards.obd.is_some() {
            // whether others are heard says whether it may ask
            let (id, mask) = (0, socket::REMOTE);
            return vec![Filter { id, mask }];
        }
        let mut wanted = self.decoder().wanted();
        if self.request.is_some() {
            // what an engine and a chassis always tell says that the vehicle is awake
            wanted.extend([0xF004, 0xFEF1].map(|pgn| Of::Pgn(pgn, None)));
        }
        let mut filters: Vec<_> = wanted.into_iter().map(filter).collect();
        filters.sort_unstable();
        filters.dedup();
        filters
    }
}

/// What brings the frames of a signal and nothing else, as the kernel has it; no remote frame has
/// one.
fn filter(of: Of) -> Filter {
    let (id, bits) = match of {
        Of::Id(Id::Standard(id)) => (u32::from(id), 0x7FF),
        Of::Id(Id::Extended(id)) => (id | socket::EXTENDED, 0x1FFF_FFFF),
        Of::Pgn(pgn, source) => {
            let (id, bits) = j1939::filter(pgn);
            let source_bits = if source.is_some() { 0xFF } else { 0 };
            let id = id | u32::from(source.unwrap_or(0)) | socket::EXTENDED;
            (id, bits | source_bits)
        }
    };
    let mask = bits | socket::EXTENDED | socket::REMOTE;
    Filter { id, mask }
}

/// A message more often than ten times a second is no summary.
const EVERY: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(30 * 86_400);

const EVERY_DEFAULT: Duration = Duration::from_secs(10);

/// Readings of OBD-II more often than once a second would take what the vehicle needs itself.
const OBD_EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// The slowest signals come every ten seconds.
const STALE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

const STALE_DEFAULT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(of: Of, id: u32) -> bool {
        let Filter { id: wanted, mask } = filter(of);
        id & mask == wanted & mask
    }

    #[test]
    fn a_filter_passes_what_is_wanted_and_nothing_else() {
        let standard = Of::Id(Id::Standard(0x201));
        assert!(passes(standard, 0x201));
        assert!(!passes(standard, 0x202));
        assert!(!passes(standard, 0x201 | socket::EXTENDED));
        assert!(!passes(standard, 0x201 | socket::REMOTE));
        let extended = Of::Id(Id::Extended(0x18FF_1234));
        assert!(passes(extended, 0x98FF_1234));
        assert!(!passes(extended, 0x18FF_1234));
        assert!(!passes(extended, 0x98FF_1235));
        let engine = Of::Pgn(0xF004, None);
        assert!(passes(engine, 0x8CF0_0400) && passes(engine, 0x98F0_0427));
        assert!(!passes(engine, 0x8CF0_0500));
        let chosen = Of::Pgn(0xF004, Some(0x27));
        assert!(passes(chosen, 0x98F0_0427) && !passes(chosen, 0x98F0_0400));
        let transfer = Of::Pgn(0xEC00, None);
        assert!(passes(transfer, 0x98EC_FF00) && passes(transfer, 0x98EC_2100));
        assert!(!passes(transfer, 0x98EB_FF00));
    }
}
