//! What the vehicles say: Teltonika codec 8E, JSON lines, and J1939 as `candump` writes it.

use super::road::Fix;
use crate::wire::teltonika::Codec;
use crate::wire::teltonika::Element;
use crate::wire::teltonika::ElementValue;
use crate::wire::teltonika::EncodeError;
use crate::wire::teltonika::Packet;
use crate::wire::teltonika::Record;
use crate::wire::teltonika::encode_packet;
use std::time::Duration;

/// What one vehicle says once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    /// Counts the vehicle's reports, from 1.
    pub(super) number: u64,
    /// Since 1970.
    pub(super) time: Duration,
    /// Where it is.
    pub(super) fix: Fix,
}

/// A packet of Teltonika with at most [`PACKET_MAX`] reports.
///
/// # Errors
/// None with so few.
pub(super) fn packet<'a>(
    reports: impl Iterator<Item = &'a Report>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let packet = Packet {
        codec: Codec::EightExtended,
        records: reports.take(PACKET_MAX).map(record).collect(),
    };
    encode_packet(&packet, out)
}

fn record(report: &Report) -> Record<'static> {
    let Report { number, time, fix } = report;
    let ignition = Element {
        id: IO_IGNITION,
        value: ElementValue::U8(1),
    };
    let number = Element {
        id: IO_NUMBER,
        value: ElementValue::U64(*number),
    };
    Record {
        time_ms: u64::try_from(time.as_millis()).unwrap_or(0),
        priority: 0,
        longitude_e7: degrees(fix.longitude),
        latitude_e7: degrees(fix.latitude),
        altitude_m: ALTITUDE,
        direction_deg: fix.heading,
        satellites: SATELLITES,
        speed_km_h: fix.speed,
        event: 0,
        generation: None,
        elements: vec![ignition, number],
    }
}

/// A line with one report.
pub(super) fn line(ident: &str, report: &Report, out: &mut Vec<u8>) {
    let Report { number, time, fix } = report;
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    let Fix {
        latitude,
        longitude,
        heading,
        speed,
    } = fix;
    let line = format!(
        "{{\"ident\":\"{ident}\",\"timestamp\":{seconds}.{millis:03},\
         \"position.latitude\":{latitude:.6},\"position.longitude\":{longitude:.6},\
         \"position.altitude\":{ALTITUDE},\"position.speed\":{speed},\
         \"position.direction\":{heading},\"position.satellites\":{SATELLITES},\
         \"engine.ignition.status\":true,\"{NUMBER}\":{number}}}\n"
    );
    out.extend(line.as_bytes());
}

/// Lines of `candump` with one report: the frames of J1939 that a truck would send, and one with
/// the report's number, which a truck would not.
pub(super) fn frames(report: &Report, out: &mut Vec<u8>) {
    let Report { number, time, fix } = report;
    let (seconds, micros) = (time.as_secs(), time.subsec_micros());
    let speed = fix.speed.to_le_bytes();
    let rpm = (IDLE_RPM + fix.speed * RPM_PER_KM_H) * 8;
    let coordinate = |of: f64| degrees(of).cast_unsigned();
    let place = [fix.latitude, fix.longitude].map(|of| coordinate(of).wrapping_add(DEGREES_210));
    let [latitude, longitude] = place.map(u32::swap_bytes);
    let frames = format!(
        "18FEF100#FF00{:02X}FFFFFFFFFF|0CF00400#FFFFFF{:04X}FFFFFF|18FEFC00#FF96FFFFFFFFFFFF|\
         18FEF300#{latitude:08X}{longitude:08X}|7E0#{:016X}",
        speed[0],
        rpm.swap_bytes(),
        number.swap_bytes(),
    );
    for frame in frames.split('|') {
        out.extend(format!("({seconds}.{micros:06}) can0 {frame}\n").as_bytes());
    }
}

/// Degrees in the whole numbers of the wire.
#[expect(
    clippy::cast_possible_truncation,
    reason = "degrees; the cast saturates"
)]
fn degrees(degrees: f64) -> i32 {
    (degrees * 1e7).round() as i32
}

/// Reports of a packet at most: 0.8 KB, where devices stop at 1.2 KB.
pub(super) const PACKET_MAX: usize = 16;

/// The parameter that numbers a vehicle's messages, where it can have a name.
pub(super) const NUMBER: &str = "demo.number";

/// The IO element with the number of the report, where it cannot; no device has it.
pub(super) const IO_NUMBER: u16 = 60_001;

/// The id of the frame with the number of the report.
pub(super) const CAN_NUMBER: &str = "0x7E0";

/// What J1939 adds to degrees, in its whole numbers.
const DEGREES_210: u32 = 2_100_000_000;

/// Of an engine that idles, and of one that drives.
const IDLE_RPM: u16 = 600;
const RPM_PER_KM_H: u16 = 18;

const IO_IGNITION: u16 = 239;
/// Of Berlin, in metres.
const ALTITUDE: i16 = 35;
const SATELLITES: u8 = 11;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::teltonika::frame;

    fn report() -> Report {
        let fix = Fix {
            latitude: 52.5145,
            longitude: 13.3501,
            heading: 266,
            speed: 50,
        };
        Report {
            number: 7,
            time: Duration::from_millis(1_793_500_000_250),
            fix,
        }
    }

    #[test]
    fn a_packet_is_read_as_it_was_meant() {
        let (mut out, report) = (Vec::new(), report());
        packet([&report, &report].into_iter(), &mut out).unwrap();
        let frame = frame(&out).unwrap().unwrap();
        assert_eq!(frame.len, out.len());
        let read = Packet::decode(frame.data).unwrap();
        assert_eq!(read.codec, Codec::EightExtended);
        assert_eq!(read.records, [record(&report), record(&report)]);
        assert_eq!(read.records[0].time_ms, 1_793_500_000_250);
        assert_eq!(read.records[0].longitude_e7, 133_501_000);
        assert_eq!(read.records[0].latitude_e7, 525_145_000);
    }

    #[test]
    fn a_bus_says_where_the_truck_is_and_which_report_it_is() {
        let mut out = Vec::new();
        frames(&report(), &mut out);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let first = "(1793500000.250000) can0 18FEF100#FF0032FFFFFFFFFF";
        assert_eq!((lines.len(), lines[0]), (5, first));
        // (52.5145 + 210) * 1e7 and (13.3501 + 210) * 1e7, the low byte first
        assert!(lines[3].ends_with(" 18FEF300#A888789C48852085"), "{text}");
        assert!(lines[4].ends_with(" 7E0#0700000000000000"), "{text}");
    }

    #[test]
    fn a_line_is_one_json_object() {
        let mut out = Vec::new();
        line("van 1", &report(), &mut out);
        assert_eq!(out.pop(), Some(b'\n'));
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["ident"], "van 1");
        assert_eq!(value["timestamp"], 1_793_500_000.25);
        assert_eq!(value["position.longitude"], 13.3501);
        assert_eq!(value[NUMBER], 7);
    }
}
