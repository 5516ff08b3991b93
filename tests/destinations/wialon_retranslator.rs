//! `wialon-retranslator`: a receiver of ours, which says nothing of a packet that it does not take.

use crate::contract::Contract;
use crate::contract::Taken;
use crate::row::Has;
use crate::row::Limit;
use crate::row::MARK;
use crate::row::Refusal;
use crate::row::Row;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

pub(crate) const ROW: Row = Row {
    name: "wialon-retranslator",
    start: || Contract::start(serve).with_keys(keys),
    login: Has::No("Wialon Retranslator has no login: who knows the port may send"),
    refusal: Has::Yes(Refusal {
        said: "each time it is sent: no answer within 300ms to a packet",
    }),
    limit: Has::Yes(Limit {
        large: many_parameters,
        said: "at most 65536 are sent",
    }),
    login_seen: Has::No("nobody is asked"),
};

fn keys(port: u16) -> String {
    let address = format!("address = \"127.0.0.1:{}\"", port);
    format!("{address}\nattempts = 1\ntimeout = \"300ms\"")
}

/// Acknowledges each packet without the mark.
fn serve(mut socket: TcpStream, taken: &Taken) {
    let mut head = [0; 4];
    while socket.read_exact(&mut head).is_ok() {
        let mut packet = vec![0; u32::from_le_bytes(head) as usize];
        if socket.read_exact(&mut packet).is_err() {
            return;
        }
        if packet.windows(MARK.len()).any(|it| it == MARK.as_bytes()) {
            continue;
        }
        taken.add(number(&packet));
        if socket.write_all(&[0x11]).is_err() {
            return;
        }
    }
}

/// The value of the block `seq`: of type 3 an integer of 4 bytes, high one first, of 5 one of 8.
fn number(packet: &[u8]) -> u64 {
    let at = packet.windows(4).position(|it| it == b"seq\0").unwrap();
    let (kind, value) = (packet[at - 1], &packet[at + 4..]);
    match kind {
        3 => u32::from_be_bytes(value[..4].try_into().unwrap()).into(),
        5 => u64::from_be_bytes(value[..8].try_into().unwrap()),
        _ => panic!("`seq` is of type {kind}"),
    }
}

/// What is short in the ring is long in a packet: a size and a type for each value.
fn many_parameters() -> String {
    let all: Vec<_> = (0..4_300).map(|n| format!("\"{n:x}\":1")).collect();
    all.join(",")
}
