//! Names that bodies hold as an index: what nearly every message has.

/// The index of `ident`.
pub(crate) const IDENT: u16 = known("ident");

/// The index of `channel.name`.
pub(crate) const CHANNEL_NAME: u16 = known("channel.name");

/// The index of `timestamp`.
pub(crate) const TIMESTAMP: u16 = known("timestamp");

/// The index of a known name, for constants: of another name there is none.
#[expect(clippy::indexing_slicing, reason = "only the compiler runs it")]
pub(crate) const fn known(name: &str) -> u16 {
    let mut index = 0;
    while !is_same(NAMES[index as usize].as_bytes(), name.as_bytes()) {
        index += 1;
    }
    index
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([], []) => true,
        ([a, one @ ..], [b, other @ ..]) => *a == *b && is_same(one, other),
        _ => false,
    }
}

/// The name of an index.
pub(crate) fn name(index: u16) -> Option<&'static str> {
    NAMES.get(usize::from(index)).copied()
}

/// A name as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// The index of a known one.
    Known(u16),
    /// Any other.
    Other(&'a str),
}

/// Which names a message has: of known ones it is sure, of others it may only guess that they are
/// there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NameSet {
    /// A bit for each index.
    known: u64,
    /// A bit of the hash of each other name.
    others: u64,
    /// Whether one of the others is, or was, reserved.
    reserved: bool,
}

impl<'a> Name<'a> {
    /// How `text` is stored.
    pub(super) fn of(text: &'a str) -> Self {
        index(text).map_or(Self::Other(text), Self::Known)
    }

    /// The known one of an index.
    pub(super) fn known(index: u64) -> Option<Self> {
        let index = u16::try_from(index).ok()?;
        name(index).map(|_| Self::Known(index))
    }

    /// The text; none of an index that there is not.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Known(index) => name(index),
            Self::Other(name) => Some(name),
        }
    }

    /// See [`is_reserved`].
    pub(super) fn is_reserved(self) -> bool {
        match self {
            Self::Known(index) => RESERVED_KNOWN & bit(index) != 0,
            Self::Other(name) => is_reserved(name),
        }
    }
}

impl NameSet {
    pub(super) fn add(&mut self, name: Name<'_>) {
        match name {
            Name::Known(index) => self.known |= bit(index),
            Name::Other(text) => {
                self.others |= guess(text);
                self.reserved |= name.is_reserved();
            }
        }
    }

    /// A name is not there any more.
    pub(super) fn forget(&mut self, name: Name<'_>) {
        if let Name::Known(index) = name {
            self.known &= !bit(index);
        }
    }

    /// Whether a name is there; of one that is not known: whether it may be.
    pub(super) fn may_have(&self, name: Name<'_>) -> bool {
        match name {
            Name::Known(index) => self.known & bit(index) != 0,
            Name::Other(text) => self.others & guess(text) != 0,
        }
    }

    /// Whether a reserved name may be there.
    pub(super) fn may_have_reserved(&self) -> bool {
        self.reserved || self.known & RESERVED_KNOWN != 0
    }

    /// No reserved name is there any more.
    pub(super) fn forget_reserved(&mut self) {
        self.known &= !RESERVED_KNOWN;
        self.reserved = false;
    }
}

fn bit(index: u16) -> u64 {
    1 << (index & 63)
}

/// The bit of a name that is not known.
fn guess(name: &str) -> u64 {
    1 << ((hash(name.as_bytes()) >> 50) & 63)
}

/// The index of a name.
pub(crate) fn index(name: &str) -> Option<u16> {
    let mut slot = slot(name.as_bytes());
    loop {
        let place = SLOTS.get(usize::from(slot)).copied()?;
        if *NAMES.get(usize::from(place))? == name {
            return Some(u16::from(place));
        }
        slot = slot.wrapping_add(1);
    }
}

/// Where a search for a name begins in [`SLOTS`].
const fn slot(name: &[u8]) -> u8 {
    (hash(name) >> 56) as u8
}

/// Of the length and the last 8 bytes, in the upper bits. The factor was tried: each of the first
/// 64 names has a slot of its own.
const fn hash(name: &[u8]) -> u64 {
    let end = match name.last_chunk() {
        Some(end) => u64::from_le_bytes(*end),
        None => short(name),
    };
    let len = (name.len() as u64).wrapping_mul(0x0101_0101_0101_0101);
    end.wrapping_add(len).wrapping_mul(0x9680_c40f_ccfe_c805)
}

/// The bytes of a name of fewer than 8.
const fn short(mut name: &[u8]) -> u64 {
    let mut bytes = 0;
    while let [front @ .., last] = name {
        bytes = bytes << 8 | *last as u64;
        name = front;
    }
    bytes
}

/// The indexes of [`NAMES`], each in the slot of its name or in the next that is free.
const SLOTS: [u8; 256] = slots();

#[expect(clippy::indexing_slicing, reason = "only the compiler runs it")]
const fn slots() -> [u8; 256] {
    let mut slots = [FREE; 256];
    let mut place = 0;
    while (place as usize) < NAMES.len() {
        let mut slot = slot(NAMES[place as usize].as_bytes());
        while slots[slot as usize] != FREE {
            slot = slot.wrapping_add(1);
        }
        slots[slot as usize] = place;
        place += 1;
    }
    slots
}

/// No index: it ends a search.
const FREE: u8 = u8::MAX;

/// A [`NameSet`] has a bit for each, and slots stay free.
const _: () = assert!(NAMES.len() <= 64, "a name more needs a wider set");

/// The known name that is written so where a name has no dots: `battery_level` is `battery.level`.
#[must_use]
pub fn from_underscores(written: &str) -> Option<&'static str> {
    let fits = |known: &&str| {
        let same = |(known, written)| known == written || (known == b'.' && written == b'_');
        known.len() == written.len() && known.bytes().zip(written.bytes()).all(same)
    };
    NAMES
        .iter()
        .copied()
        .find(|known| known.contains('.') && fits(known))
}

/// Only ever appended to: rings hold the indexes. A test pins each.
#[rustfmt::skip]
pub(super) const NAMES: [&str; 64] = [
    "ident", "timestamp", "channel.name", "protocol.name", "device.name", "peer",
    "position.latitude", "position.longitude", "position.altitude", "position.speed",
    "position.direction", "position.satellites", "position.hdop", "position.valid",
    "engine.ignition.status", "movement.status", "din", "din.1", "din.2", "din.3", "din.4",
    "dout", "dout.1", "dout.2", "ain.1", "ain.2", "ain.3", "ain.4", "battery.level",
    "battery.voltage", "external.powersource.voltage", "gsm.signal.level", "vehicle.mileage",
    "vehicle.vin", "driver.code", "alarm.status", "position.pdop", "battery.current",
    "gsm.cellid", "gsm.lac", "gsm.mcc", "gsm.mnc", "gsm.operator.code", "gnss.status",
    "gnss.state.enum", "sleep.mode.enum", "trip.mileage", "trip.status", "event.enum",
    "event.priority.enum", "fuel.consumption", "fuel.level", "engine.rpm", "can.vehicle.speed",
    "can.engine.rpm", "can.fuel.level", "can.vehicle.mileage", "ble.sensor.temperature.1",
    "sensor.temperature.1", "sensor.humidity.1", "timestamp.valid", "accelerometer.x",
    "accelerometer.y", "accelerometer.z",
];

/// Who a message is of, when it was and where it came from: destinations with fields of their own
/// for the first two send none of these among the parameters.
pub(crate) const ENVELOPE: [&str; 7] = [
    "ident",
    "timestamp",
    "server.timestamp",
    "channel.name",
    "protocol.name",
    "device.name",
    "peer",
];

/// Whether weir itself says what stands under this name: where a message came from, when, and where
/// it lies in the ring. A sender's word for it is not taken.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("record.")
}

/// Those of [`RESERVED`] that are known, as bits of their indexes.
const RESERVED_KNOWN: u64 = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 60;

const RESERVED: [&str; 6] = [
    "channel.name",
    "protocol.name",
    "device.name",
    "peer",
    "server.timestamp",
    "timestamp.valid",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_means_the_same_for_ever() {
        let pinned: &[(u16, &str)] = &[
            (0, "ident"),
            (1, "timestamp"),
            (6, "position.latitude"),
            (16, "din"),
            (35, "alarm.status"),
            (36, "position.pdop"),
            (63, "accelerometer.z"),
        ];
        for (place, known) in pinned {
            assert_eq!(Name::Known(*place).text(), Some(*known));
        }
        let all =
            crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(NAMES[..64].concat().as_bytes());
        assert_eq!(
            all, PINNED,
            "a name of the first 64 changed: rings in the field would lie"
        );
    }

    #[test]
    fn each_name_stands_there_once() {
        for (place, known) in NAMES.iter().enumerate() {
            assert_eq!(index(known).map(usize::from), Some(place));
        }
    }

    #[test]
    fn what_only_weir_sets_is_no_senders_to_say() {
        for name in RESERVED.iter().chain(&["record.seq", "record.damaged"]) {
            assert!(is_reserved(name), "{name}");
            assert!(Name::of(name).is_reserved(), "{name}");
        }
        for name in ["record", "device", "device.name.x", "peers"]
            .iter()
            .chain(NAMES.iter().filter(|name| !RESERVED.contains(name)))
        {
            assert!(!is_reserved(name), "{name}");
            assert!(!Name::of(name).is_reserved(), "{name}");
        }
    }

    #[test]
    fn a_set_knows_what_was_added_and_forgotten() {
        let mut set = NameSet::default();
        let all = NAMES
            .into_iter()
            .chain(["x", "", "seq", "record.x", "a.longer.name"]);
        for text in all.clone() {
            let name = Name::of(text);
            assert!(!set.may_have(name), "{text}");
            set.add(name);
            assert!(set.may_have(name), "{text}");
            assert_eq!(set.may_have_reserved(), is_reserved(text), "{text}");
            set = NameSet::default();
        }
        all.clone().for_each(|text| set.add(Name::of(text)));
        set.forget_reserved();
        assert!(!set.may_have_reserved());
        set.forget(Name::of("din"));
        for known in NAMES {
            let is_there = !is_reserved(known) && known != "din";
            assert_eq!(set.may_have(Name::of(known)), is_there, "{known}");
        }
    }

    const PINNED: u32 = 456_152_041;
}
