//! What the vehicles say: Teltonika codec 8E and JSON lines, as a device writes them. The channels
//! read the same from the other side with code of their own.
//!
//! ```text
//! login    | len u16 = 15 | IMEI, ASCII |                  answered by 01
//! packet   | 0 u32 | len u32 | 8E | n u8 | record × n | n u8 | crc u32 |   answered by n u32
//! record   | ms u64 | priority u8 | lon i32 | lat i32 | alt u16 | heading u16 | satellites u8 |
//!          | speed u16 | event u16 | total u16 | n1 u16 | (id u16, value u8) × n1 | n2 n4 n8 nx |
//! ```
//! All big-endian; `len` and the CRC-16/ARC go from the codec's number to the second `n`; degrees
//! are whole numbers of 1e-7.

use super::road::Fix;
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

/// The first words of a Teltonika device.
pub(super) fn login(imei: &str, out: &mut Vec<u8>) {
    out.extend(u16::try_from(imei.len()).unwrap_or(0).to_be_bytes());
    out.extend(imei.as_bytes());
}

/// A packet of at most [`PACKET_MAX`] reports.
pub(super) fn packet<'a>(reports: impl Iterator<Item = &'a Report>, out: &mut Vec<u8>) {
    let (mut records, mut count) = (Vec::new(), 0_u8);
    for report in reports.take(PACKET_MAX) {
        record(report, &mut records);
        count += 1;
    }
    let mut data = vec![CODEC_8E, count];
    data.append(&mut records);
    data.push(count);
    out.extend([0; 4]);
    out.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    out.extend(&data);
    out.extend(u32::from(CRC.checksum(&data)).to_be_bytes());
}

fn record(report: &Report, out: &mut Vec<u8>) {
    let Report { number, time, fix } = report;
    let millis = u64::try_from(time.as_millis()).unwrap_or(0);
    out.extend(millis.to_be_bytes());
    out.push(0);
    out.extend(degrees(fix.longitude).to_be_bytes());
    out.extend(degrees(fix.latitude).to_be_bytes());
    for number in [ALTITUDE, fix.heading] {
        out.extend(number.to_be_bytes());
    }
    out.push(SATELLITES);
    out.extend(fix.speed.to_be_bytes());
    let ignition = [0, 0, 0, 2, 0, 1, 0, IO_IGNITION, 1];
    out.extend(ignition);
    out.extend([0; 4]);
    out.extend(1_u16.to_be_bytes());
    out.extend(IO_NUMBER.to_be_bytes());
    out.extend(number.to_be_bytes());
    out.extend([0; 2]);
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

const IO_IGNITION: u8 = 239;
const CODEC_8E: u8 = 0x8E;
/// Of Berlin, in metres.
const ALTITUDE: u16 = 35;
const SATELLITES: u8 = 11;
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_ARC);

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_login_is_the_length_and_the_imei() {
        let mut out = Vec::new();
        login("356307042441013", &mut out);
        assert_eq!(out, b"\0\x0F356307042441013");
    }

    #[test]
    fn a_packet_says_its_length_its_count_twice_and_its_checksum() {
        let (mut out, report) = (Vec::new(), report());
        packet([&report, &report].into_iter(), &mut out);
        let (head, rest) = out.split_at(8);
        let (data, crc) = rest.split_at(rest.len() - 4);
        assert_eq!(head[..4], [0; 4]);
        assert_eq!(
            u32::from_be_bytes(head[4..].try_into().unwrap()) as usize,
            data.len()
        );
        assert_eq!(data[..2], [0x8E, 2]);
        assert_eq!(data.last(), Some(&2));
        assert_eq!(data.len(), 3 + 2 * 51);
        assert_eq!(
            u32::from_be_bytes(crc.try_into().unwrap()),
            u32::from(CRC.checksum(data))
        );
    }

    #[test]
    fn a_record_stands_as_the_specification_draws_it() {
        let mut out = Vec::new();
        record(&report(), &mut out);
        let wanted = [
            1_793_500_000_250_u64.to_be_bytes().to_vec(),
            vec![0],
            133_501_000_i32.to_be_bytes().to_vec(),
            525_145_000_i32.to_be_bytes().to_vec(),
            vec![0, 35, 1, 10, 11, 0, 50],
            vec![0, 0, 0, 2, 0, 1, 0, 239, 1, 0, 0, 0, 0, 0, 1, 0xEA, 0x61],
            7_u64.to_be_bytes().to_vec(),
            vec![0, 0],
        ];
        assert_eq!(out, wanted.concat());
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
