//! Buses of vehicles: frames, what comes in several of them, and files that say what they mean.

use crate::bytes::Source;
use std::time::Duration;
use weir::channel::can::dbc::entries;
use weir::channel::can::j1939::J1939;
use weir::channel::can::manners::Asks;
use weir::channel::can::nmea2000::Nmea2000;
use weir::channel::can::obd::Obd;
use weir::channel::can::obd::Settings;
use weir::channel::can::signals::Signals;
use weir::channel::can::signals::sorted;
use weir::message::Value;
use weir::wire::can::Frame;
use weir::wire::can::Id;
use weir::wire::can::candump;
use weir::wire::can::dbc;
use weir::wire::can::socket;

/// A line of `candump`, and the same bytes as the kernel would have them.
pub(crate) fn candump(data: &[u8]) {
    if let Ok(line) = candump::parse(data) {
        assert!(line.frame.data().len() <= 64);
        let written = socket::write(&line.frame);
        assert!(written.is_none_or(|bytes| socket::read(&bytes) == Some(line.frame)));
    }
    for len in [socket::CLASSIC_LEN, socket::FD_LEN] {
        let frame = data.get(..len).and_then(socket::read);
        assert!(frame.is_none_or(|frame| frame.data().len() <= len - 8));
    }
}

pub(crate) fn candump_seeds() -> Vec<Vec<u8>> {
    let lines = [
        "(1773480413.000001) can0 123#1122334455667788",
        "(1773480413.000200) can0 18FEF100#FF.FF.50",
        "(1773480413.000400) vcan0 18FF1234##1ABABAB T",
        "(1773480413.000600) can0 104#R8_9",
        "(1.0) can0 20000040#0000000000000000_9",
    ];
    lines.map(|line| line.as_bytes().to_vec()).into()
}

/// A file, and frames of all bytes for its signals.
pub(crate) fn dbc(data: &[u8]) {
    let Ok(file) = dbc::read(data, &|name| name.len() < 40) else {
        return;
    };
    let ids: Vec<_> = file.signals.iter().map(|signal| signal.id).collect();
    let mut signals = Signals::new(sorted(entries(&file, &|name| name.into())));
    for id in ids {
        for len in [0, 3, 8, 64] {
            let frame = Frame::new(id, &[0xA5; 64][..len]).expect("a frame");
            signals.frame(Duration::ZERO, &frame, &mut |_, value| check(&value));
        }
    }
}

pub(crate) fn dbc_seeds() -> Vec<Vec<u8>> {
    let text = "VERSION \"\"\nNS_ :\n\tCM_\nBS_:\nBU_: A B\n\
                BO_ 2364540158 EEC1: 8 A\n SG_ Speed : 24|16@1+ (0.125,0) [0|0] \"rpm\" A,B\n\n\
                BO_ 513 B: 8 A\n SG_ Mode M : 0|4@1+ (1,0) [0|0] \"\" A\n\
                 SG_ Temp m1 : 8|12@0- (0.1,-40) [0|0] \"a\"\"b\" A\n\
                 SG_ Deep m1M : 24|32@1- (1,0) [0|0] \"\" A\n\
                CM_ SG_ 513 Temp \"a;\";\nBA_ \"ProtocolType\" \"J1939\";\n\
                SIG_VALTYPE_ 513 Temp : 0;\nVAL_ 513 Mode 0 \"off\" ;\n";
    vec![text.into()]
}

/// Frames whose times and ids the bytes say, to all that reads a bus.
pub(crate) fn bus(data: &[u8]) {
    let mut source = Source(data);
    let mut j1939 = J1939::new(true);
    let mut nmea2000 = Nmea2000::new(None);
    let mut obd = Obd::new(Settings::default());
    let mut now = Duration::from_secs(1);
    let (mut sent, mut asked) = (Vec::new(), None);
    while !source.is_empty() {
        now += Duration::from_millis(u64::from(source.byte()) * 4);
        let frame = frame(&mut source);
        let told = &mut |name: &str, value: Value| {
            assert!(!name.is_empty() && name.len() < 64);
            check(&value);
        };
        j1939.frame(now, &frame, told);
        j1939.expire(now, told);
        nmea2000.frame(now, &frame, told);
        obd.frame(now, &frame, told);
        sent.clear();
        obd.poll(now, &mut sent);
        assert!(sent.len() <= 9, "{} frames at once", sent.len());
        for question in sent.iter().filter(|frame| frame.id == Id::Standard(0x7DF)) {
            let since = asked.replace(now).map(|asked| now - asked);
            assert!(since.is_none_or(|since| since >= Duration::from_millis(100)));
            assert!(
                matches!(question.data()[1], 1 | 3 | 7 | 9),
                "a service that writes"
            );
        }
    }
}

/// The first byte says of which kind it is.
fn frame(source: &mut Source<'_>) -> Frame {
    let kind = source.byte();
    let (end, len) = (u32::from(source.byte()), usize::from(kind >> 4).min(8));
    let id = match kind & 0xF {
        0 => Id::Standard(0x7E8 + (end as u16 & 7)),
        1 => Id::Extended(0x1CEC_FF00 | end),
        2 => Id::Extended(0x1CEB_FF00 | end),
        3 => Id::Extended(0x18FE_CA00 | end),
        4 => Id::Extended(0x0DF8_0500 | end),
        5 => Id::Extended(0x0DF2_0100 | end),
        6 => Id::Extended(0x18FE_0000 | end << 8),
        7 => Id::Extended(0x09F8_0000 | end << 8),
        8 => Id::Extended(0x09F2_0000 | end << 8),
        _ => Id::Standard(end as u16),
    };
    Frame::new(id, source.take(len)).expect("a short frame")
}

fn check(value: &Value) {
    match value {
        Value::F64(number) => assert!(number.is_finite()),
        Value::Json(text) => {
            assert!(text.len() < 4096);
            assert!(text.starts_with('[') && text.ends_with(']'));
        }
        _ => {}
    }
}

pub(crate) fn bus_seeds() -> Vec<Vec<u8>> {
    let frame = |kind: u8, end: u8, data: &[u8]| [&[9, kind, end], data].concat();
    vec![
        [
            frame(0x81, 0, b"\x20\x12\0\x03\xff\xec\xfe\0"),
            frame(0x82, 0, b"\x01WEIRTES"),
            frame(0x82, 0, b"\x02T000000"),
            frame(0x82, 0, b"\x03017*\xff\xff\xff"),
            frame(0x83, 0, b"\x04\xff\x6e\0\0\x03\xff\xff"),
        ]
        .concat(),
        [
            frame(0x84, 3, b"\x60\x2b\x02\x2e\x50\xd0\xf8\x45"),
            frame(0x84, 3, b"\x61\x14\0\x6e\x8b\x5a\xb4\x64"),
            frame(0x87, 1, b"\xeb\x32\xa4\xf8\x31\x10\x5a\x2e"),
        ]
        .concat(),
        [
            frame(0x89, 1, b"12345678"),
            frame(0x80, 0, b"\x06\x41\0\xff\xff\xff\xff\x55"),
            frame(0x89, 1, b"12345678"),
            frame(0x80, 0, b"\x10\x14\x49\x02\x01WEI"),
        ]
        .concat(),
    ]
}
