//! Names that bodies hold as an index: what nearly every message has.

/// The index of `timestamp`.
pub(crate) const TIMESTAMP: u16 = 1;

/// The name of an index.
pub(crate) fn name(index: u16) -> Option<&'static str> {
    NAMES.get(usize::from(index)).copied()
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

/// Where a search for a name begins in [`SLOTS`]. The factors were tried: of the first 64 names 54
/// are found in their slot, none is more than two further.
const fn slot(name: &[u8]) -> u8 {
    let (Some((_, [middle, ..])), Some(last)) =
        (name.split_at_checked(name.len() / 2), name.last())
    else {
        return 0;
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "longer names only have to be spread"
    )]
    let len = name.len() as u8;
    len.wrapping_mul(7)
        .wrapping_add(last.wrapping_mul(34))
        .wrapping_add(middle.wrapping_mul(15))
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

/// Slots stay free, and indexes are no [`FREE`].
const _: () = assert!(NAMES.len() <= 192);

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
            assert_eq!(name(*place), Some(*known));
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
        }
        for name in [
            "ident",
            "timestamp",
            "record",
            "device",
            "device.name.x",
            "peers",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    const PINNED: u32 = 456_152_041;
}
