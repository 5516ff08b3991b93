//! The signals that somebody names, and the frames that have them.

use super::Told;
use super::signal::Signal;
use crate::wire::can::Frame;
use crate::wire::can::Id;
use crate::wire::can::bits::Bits;
use crate::wire::can::j1939::Address;
use crate::wire::can::j1939::TRANSPORT;
use crate::wire::can::j1939::TRANSPORT_DATA;
use crate::wire::can::transport::Transport;
use std::rc::Rc;
use std::time::Duration;

/// Signals by their frames: of thousands, a frame costs a search.
#[derive(Clone, Debug)]
pub struct Signals {
    /// By [`Of::key`].
    entries: Rc<[Entry]>,
    transport: Transport,
}

/// One signal with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The frames that have it.
    pub of: Of,
    /// It is there only while these bits are this number.
    pub when: Option<(Bits, u64)>,
    /// The parameter's, as the message has it.
    pub name: Box<str>,
    /// Where it is and what it means.
    pub signal: Signal,
}

/// Which frames have a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Of {
    /// Those of one id, all of its bits.
    Id(Id),
    /// Those of a PGN, of any source (none) or of this one; also messages of J1939 that come in
    /// several packets.
    Pgn(u32, Option<u8>),
}

impl Signals {
    /// Those that [`sorted`] has sorted.
    #[must_use]
    pub fn new(entries: Rc<[Entry]>) -> Self {
        Self {
            entries,
            transport: Transport::default(),
        }
    }

    /// Gives `told` what a frame with data says. `now` never goes back.
    pub fn frame(&mut self, now: Duration, frame: &Frame, told: &mut Told<'_>) {
        self.tell(Of::Id(frame.id), frame.data(), told);
        let Some(address) = Address::of(frame.id) else {
            return;
        };
        let source = Some(address.source);
        self.tell(Of::Pgn(address.pgn, source), frame.data(), told);
        let entries = &self.entries;
        let wants = |pgn| !range(entries, Of::Pgn(pgn, None)).is_empty();
        let whole = self.transport.take(now, address, frame.data(), &wants);
        if let Some(whole) = whole {
            self.tell(Of::Pgn(whole.pgn, source), &whole.data, told);
        }
    }

    /// The frames that tell something, some of them more than once; the packets of long messages
    /// among them.
    #[must_use]
    pub fn wanted(&self) -> Vec<Of> {
        let mut all: Vec<_> = self.entries.iter().map(|entry| entry.of).collect();
        if all.iter().any(|of| matches!(of, Of::Pgn(..))) {
            all.extend([TRANSPORT, TRANSPORT_DATA].map(|pgn| Of::Pgn(pgn, None)));
        }
        all
    }

    fn tell(&self, of: Of, data: &[u8], told: &mut Told<'_>) {
        for entry in range(&self.entries, of) {
            let is_meant = entry.of.takes(of);
            let is_there = |(bits, number): (Bits, u64)| bits.of(data) == Some(number);
            let is_there = is_meant && entry.when.is_none_or(is_there);
            let value = is_there.then(|| entry.signal.value(data)).flatten();
            if let Some(value) = value {
                told(&entry.name, value);
            }
        }
    }
}

/// As [`Signals`] wants them; those of one frame keep their order.
#[must_use]
pub fn sorted(mut entries: Vec<Entry>) -> Rc<[Entry]> {
    entries.sort_by_key(|entry| entry.of.key());
    entries.into()
}

fn range(entries: &[Entry], of: Of) -> &[Entry] {
    let key = of.key();
    let first = entries.partition_point(|entry| entry.of.key() < key);
    let rest = entries.get(first..).unwrap_or_default();
    let count = rest.partition_point(|entry| entry.of.key() == key);
    rest.get(..count).unwrap_or_default()
}

impl Of {
    /// The same for all sources of a PGN.
    fn key(self) -> u64 {
        let (kind, number) = match self {
            Self::Id(Id::Standard(id)) => (0, id.into()),
            Self::Id(Id::Extended(id)) => (1, id),
            Self::Pgn(pgn, _) => (2, pgn),
        };
        kind << 32 | u64::from(number)
    }

    /// Of two with the same key: whether what came is meant.
    fn takes(self, came: Self) -> bool {
        match (self, came) {
            (Self::Pgn(_, Some(wanted)), Self::Pgn(_, Some(source))) => wanted == source,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::can::signal::Meaning;
    use crate::wire::can::bits::Order;

    fn bits(start: u16, length: u8) -> Bits {
        Bits::new(start, length, Order::LowFirst).unwrap()
    }

    fn entry(of: Of, when: Option<(Bits, u64)>, name: &str) -> Entry {
        Entry {
            of,
            when,
            name: name.into(),
            signal: Signal::new(bits(8, 8), Meaning::default()).unwrap(),
        }
    }

    fn names(signals: &mut Signals, id: Id, data: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        let told = &mut |name: &str, _| names.push(name.to_owned());
        let frame = Frame::new(id, data).unwrap();
        signals.frame(Duration::ZERO, &frame, told);
        names
    }

    #[test]
    fn a_frame_tells_its_signals_and_no_others() {
        let mut signals = Signals::new(sorted(vec![
            entry(Of::Pgn(0xFF00, None), None, "any"),
            entry(Of::Pgn(0xFF00, Some(0x21)), None, "one source"),
            entry(Of::Id(Id::Extended(0x201)), None, "long"),
            entry(Of::Id(Id::Standard(0x201)), None, "short"),
        ]));
        for (id, expected) in [
            (Id::Standard(0x201), &["short"][..]),
            (Id::Extended(0x201), &["long"]),
            (Id::Extended(0x18FF_0021), &["any", "one source"]),
            (Id::Extended(0x0CFF_0022), &["any"]),
            (Id::Extended(0x18FF_0121), &[]),
            (Id::Standard(0x202), &[]),
        ] {
            assert_eq!(names(&mut signals, id, &[0; 8]), expected, "{id:?}");
        }
        assert!(names(&mut signals, Id::Standard(0x201), &[0]).is_empty());
        assert_eq!(signals.wanted().len(), 6);
    }

    #[test]
    fn a_pgn_may_come_in_several_packets() {
        let mut signals = Signals::new(sorted(vec![entry(Of::Pgn(0xFF00, None), None, "far")]));
        let packets: [(u32, &[u8]); 3] = [
            (0x1CEC_FF21, &[32, 9, 0, 2, 255, 0, 0xFF, 0]),
            (0x1CEB_FF21, &[1, 0, 7, 0, 0, 0, 0, 0]),
            (0x1CEB_FF21, &[2, 0, 0, 255, 255, 255, 255, 255]),
        ];
        let told = packets.map(|(id, data)| names(&mut signals, Id::Extended(id), data));
        assert_eq!(told, [vec![], vec![], vec!["far".to_owned()]]);
    }

    #[test]
    fn a_signal_that_shares_its_place_is_told_only_while_it_is_there() {
        let id = Id::Standard(1);
        let mut signals = Signals::new(sorted(vec![
            entry(Of::Id(id), Some((bits(0, 4), 0)), "first"),
            entry(Of::Id(id), Some((bits(0, 4), 1)), "second"),
        ]));
        assert_eq!(names(&mut signals, id, &[0xF0, 0]), ["first"]);
        assert_eq!(names(&mut signals, id, &[0xF1, 0]), ["second"]);
        assert!(names(&mut signals, id, &[0xF2, 0]).is_empty());
    }
}
