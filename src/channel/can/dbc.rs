//! The signals of a DBC file, as a channel reads them.

use super::signal::Meaning;
use super::signal::Nothing;
use super::signal::Signal;
use super::signals::Entry;
use super::signals::Of;
use crate::wire::can::Id;
use crate::wire::can::bits::Form;
use crate::wire::can::dbc;
use crate::wire::can::dbc::Dbc;
use crate::wire::can::j1939::Address;

/// Its signals, under the names that `name` gives them.
///
/// Messages of J1939 are told by their PGN, whoever sends them, and their numbers have the rule of
/// J1939 for what is not available.
pub fn entries(dbc: &Dbc, name: &dyn Fn(&str) -> Box<str>) -> Vec<Entry> {
    let entry = |signal: &dbc::Signal| {
        let pgn = pgn(dbc, signal.id);
        let of = pgn.map_or(Of::Id(signal.id), |pgn| Of::Pgn(pgn, None));
        let nothing = match pgn {
            Some(_) if has_rule(signal) => Nothing::J1939,
            _ => Nothing::Listed(Vec::new()),
        };
        let meaning = Meaning {
            form: signal.form,
            scale: signal.factor,
            offset: signal.offset,
            nothing,
            switch: false,
        };
        Some(Entry {
            of,
            when: signal.when,
            name: name(&signal.name),
            // what could be wrong with it was said where the file was read
            signal: Signal::new(signal.bits, meaning).ok()?,
        })
    };
    dbc.signals.iter().filter_map(entry).collect()
}

/// The PGN of a message of J1939: the file says that it has no other, or its source stands for any.
fn pgn(dbc: &Dbc, id: Id) -> Option<u32> {
    let address = Address::of(id)?;
    (dbc.is_j1939 || address.source == ANY).then_some(address.pgn)
}

/// Numbers of other lengths are a maker's own.
fn has_rule(signal: &dbc::Signal) -> bool {
    signal.form == Form::Unsigned && matches!(signal.bits.length(), 2 | 8 | 16 | 32)
}

/// The source that files have where a message is of any.
const ANY: u8 = 0xFE;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::can::signals::Signals;
    use crate::channel::can::signals::sorted;
    use crate::message::Value;
    use crate::wire::can::Frame;
    use std::time::Duration;

    const TEXT: &str = "BO_ 2364540158 EEC1: 8 A\n SG_ Speed : 24|16@1+ (0.125,0) [0|0] \"\" A\n \
                        SG_ Torque : 16|8@1- (1,0) [0|0] \"\" A\nBO_ 2364540160 Own: 8 A\n \
                        SG_ Own : 24|16@1+ (1,0) [0|0] \"\" A\n";

    fn told(text: &str, id: u32, data: [u8; 8]) -> Vec<(String, Value)> {
        let file = dbc::read(text.as_bytes(), &|_| true).unwrap();
        let entries = entries(&file, &|name| format!("can.{name}").into());
        let mut signals = Signals::new(sorted(entries));
        let frame = Frame::new(Id::Extended(id), &data).unwrap();
        let mut all = Vec::new();
        signals.frame(Duration::ZERO, &frame, &mut |name, value| {
            all.push((name.to_owned(), value));
        });
        all
    }

    #[test]
    fn messages_of_j1939_are_told_by_their_pgn() {
        let data = [0, 0, 0xFF, 8, 0, 0, 0, 0];
        let speed = ("can.Speed".to_owned(), Value::F64(1.0));
        let torque = ("can.Torque".to_owned(), Value::I64(-1));
        let own = [("can.Own".to_owned(), Value::U64(8))];
        let both = [speed, torque];
        assert_eq!(told(TEXT, 0x18F0_0427, data), both);
        assert_eq!(told(TEXT, 0x0CF0_0500, data), own);
        assert_eq!(told(TEXT, 0x0CF0_0501, data), []);
        let said = format!("{TEXT}BA_ \"ProtocolType\" \"J1939\";");
        assert_eq!(told(&said, 0x0CF0_0501, data), own);
    }

    #[test]
    fn numbers_of_j1939_may_be_not_available() {
        let all = [0xFF; 8];
        assert_eq!(told(TEXT, 0x18F0_0427, all).len(), 1);
        assert_eq!(told(TEXT, 0x0CF0_0500, all)[0].1, Value::U64(0xFFFF));
    }
}
