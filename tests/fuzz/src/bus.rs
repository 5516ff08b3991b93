//! The CAN channel: frames of an interface, lines of `candump`, with the signals of J1939 and own.

use crate::session::stream;
use std::rc::Rc;
use std::time::Duration;
use weir::channel::can::Can;
use weir::channel::can::Keys;
use weir::channel::can::Rhythm;
use weir::channel::can::Standards;
use weir::channel::can::Units;
use weir::channel::can::request::Settings;
use weir::channel::can::signal::Meaning;
use weir::channel::can::signal::Signal;
use weir::channel::can::signals::Entry;
use weir::channel::can::signals::Of;
use weir::channel::can::signals::sorted;
use weir::pattern::Pattern;
use weir::pattern::PatternSet;
use weir::wire::can::Id;
use weir::wire::can::bits::Bits;
use weir::wire::can::bits::Order;

/// The first byte says what comes.
pub(crate) fn can(data: &[u8]) {
    let units = match data.first() {
        Some(0) => Units::Frames,
        Some(1) => Units::Lines,
        Some(_) => Units::Log,
        None => return,
    };
    stream(&data[1..], Can::new(Rc::new(keys(units))));
}

fn keys(units: Units) -> Keys {
    Keys {
        ident: "a".to_owned(),
        units,
        is_paced: false,
        rhythm: Rhythm {
            every: Duration::from_millis(100),
            or_change: PatternSet::new(vec![Pattern::new("own"), Pattern::new("can.dtc")]),
            stale: Duration::from_secs(1),
        },
        signals: sorted(vec![
            entry(Of::Id(Id::Standard(0x201)), Order::LowFirst),
            entry(Of::Pgn(0xFEEC, None), Order::HighFirst),
        ]),
        standards: Standards {
            j1939: true,
            position: true,
            nmea2000: true,
            ..Standards::default()
        },
        request: (units == Units::Frames).then(|| Settings {
            pgns: vec![0xFEEC],
            every: Duration::from_secs(10),
            source: 0xF9,
        }),
    }
}

fn entry(of: Of, order: Order) -> Entry {
    let bits = Bits::new(5, 60, order).unwrap();
    Entry {
        of,
        when: None,
        name: "own".into(),
        signal: Signal::new(bits, Meaning::default()).unwrap(),
    }
}

pub(crate) fn can_seeds() -> Vec<Vec<u8>> {
    let frame = |id: u32, data: [u8; 8]| {
        let head: [u8; 8] = [&id.to_le_bytes()[..], &[8, 0, 0, 0]]
            .concat()
            .try_into()
            .unwrap();
        [head, data].concat()
    };
    let mut fd = frame(0x201, [7; 8]);
    fd[5] = 4;
    fd.resize(72, 1);
    let frames = [
        frame(0x98FE_F127, [0xFF, 0, 80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        frame(0x9CEC_FF00, [0x20, 14, 0, 2, 0xFF, 0xCA, 0xFE, 0]),
        frame(0x9CEB_FF00, [1, 0x44, 0xFF, 0x6E, 0, 0, 3, 0x7F]),
        frame(0x9CEB_FF00, [2, 2, 9, 1, 0x6C, 0xF0, 0xFF, 0x7E]),
        frame(0x2000_0040, [0; 8]),
        frame(0x201, [1; 8]),
        fd,
    ];
    let lines = "(1773480413.000200) can0 18FEF127#FF0050FFFFFFFFFF\n\
                 (1773480413.100000) can0 1CECFF00#20120003FFECFE00\n\
                 (1773480413.150000) can0 1CEBFF00#0157455254455354\n\
                 (1773480413.200000) can0 1CEBFF00#0230303030303030\n\
                 (1773480413.250000) can0 1CEBFF00#033031372AFFFFFF\n\
                 (1773480414.0) can0 201##1ABABABABABABABABABABABAB\n\
                 (1773480424.0) can0 20000040#0000000000000000\n";
    vec![
        [b"\0\x40", &frames.concat()[..]].concat(),
        format!("\x01\x30{lines}").into(),
        format!("\x02\x30{lines}{lines}").into(),
    ]
}
