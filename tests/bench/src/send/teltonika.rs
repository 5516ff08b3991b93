//! Teltonika trackers: a login, packets of codec 8 extended, and for each the wait for its answer,
//! as they do it.

use super::Sender;
use crate::message::SEQ_BASE;
use crate::message::TIME_BASE;
use std::io::Read;
use std::io::Result;
use std::io::Write;
use std::net::TcpStream;

/// Trackers that are connected.
pub const TRACKERS: u64 = 20;

/// Records of a packet.
pub const RECORDS: u64 = 10;

/// An element that has no name: the number comes out as `custom.param.60000`.
pub const SEQ_ELEMENT: u16 = 60_000;

/// Says who it is, and waits for the answer.
pub fn login(stream: &mut TcpStream, index: u64) -> Result<()> {
    let ident = format!("35209308{index:07}");
    stream.write_all(&(ident.len() as u16).to_be_bytes())?;
    stream.write_all(ident.as_bytes())?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    if answer != [1] {
        return Err(std::io::Error::other("the tracker is not taken"));
    }
    Ok(())
}

/// Each tracker sends a packet, then each waits for its answer; until all are sent.
pub fn send(sender: &mut Sender, first: u64, count: u64) -> Result<()> {
    let end = first + count;
    let mut next = first;
    while next < end {
        let mut waiting = vec![];
        for connection in &mut sender.connections {
            let records = RECORDS.min(end - next);
            if records == 0 {
                break;
            }
            connection.stream.write_all(&packet(next, records))?;
            waiting.push((connection, records));
            next += records;
        }
        for (connection, records) in waiting {
            let mut answer = [0; 4];
            connection.stream.read_exact(&mut answer)?;
            if u64::from(u32::from_be_bytes(answer)) != records {
                return Err(std::io::Error::other("a packet was not taken"));
            }
            connection.acknowledged += records;
        }
    }
    Ok(())
}

fn packet(first: u64, records: u64) -> Vec<u8> {
    let mut data = vec![0x8E, records as u8];
    for seq in first..first + records {
        record(seq, &mut data);
    }
    data.push(records as u8);
    let mut packet = vec![0; 4];
    packet.extend_from_slice(&(data.len() as u32).to_be_bytes());
    packet.extend_from_slice(&data);
    packet.extend_from_slice(&u32::from(crc(&data)).to_be_bytes());
    packet
}

fn record(seq: u64, out: &mut Vec<u8>) {
    let milliseconds = (TIME_BASE + seq % 10_000_000) * 1000 + 1 + seq % 999;
    out.extend_from_slice(&milliseconds.to_be_bytes());
    out.push(0);
    let turn = (seq % 1009) as f64;
    let longitude = 252_800_000 + (3_000_000.0 * (turn * 0.011).cos()) as i32;
    let latitude = 546_800_000 + (2_000_000.0 * (turn * 0.013).sin()) as i32;
    out.extend_from_slice(&longitude.to_be_bytes());
    out.extend_from_slice(&latitude.to_be_bytes());
    out.extend_from_slice(&(120 + seq as u16 % 60).to_be_bytes());
    out.extend_from_slice(&((seq * 13 % 360) as u16).to_be_bytes());
    out.push(6 + (seq % 9) as u8);
    out.extend_from_slice(&((seq * 7 % 110) as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0, 0, 5]);
    // ignition and signal, a byte each
    out.extend_from_slice(&[
        0,
        2,
        0,
        239,
        u8::from(seq % 50 != 0),
        0,
        21,
        1 + (seq % 5) as u8,
    ]);
    // voltages in mV
    out.extend_from_slice(&[0, 2, 0, 66]);
    out.extend_from_slice(&(12_010 + (seq % 230) as u16 * 10).to_be_bytes());
    out.extend_from_slice(&[0, 67]);
    out.extend_from_slice(&(3_910 + (seq % 30) as u16 * 10).to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out.extend_from_slice(&SEQ_ELEMENT.to_be_bytes());
    out.extend_from_slice(&((SEQ_BASE + seq) as u32).to_be_bytes());
    out.extend_from_slice(&[0, 0, 0, 0]);
}

/// CRC-16/ARC.
fn crc(data: &[u8]) -> u16 {
    data.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xA001 } else { 0 }
        })
    })
}
