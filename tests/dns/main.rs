//! DNS from outside: packets made from RFC 1035, lookups in virtual time, and the resolver against
//! a name server on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod lookup;
mod packet;
mod resolve;
#[path = "../end_to_end/weir.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod weir_run;

/// A small generator of numbers (xorshift64*): the same seed, the same test.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }
}

/// A name on the wire, without compression.
fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> = labels
        .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
        .collect();
    bytes.push(0);
    bytes
}

/// A record: its owner as on the wire, its type, its data.
type Record<'a> = (Vec<u8>, u16, &'a [u8]);

/// The question of a query, without what EDNS puts behind it.
fn question(query: &[u8]) -> &[u8] {
    let name = query[12..].iter().position(|byte| *byte == 0).unwrap();
    &query[12..12 + name + 5]
}

/// Whether a query speaks EDNS, and how long an answer may be then.
fn edns(query: &[u8]) -> Option<u16> {
    let rest = &query[12 + question(query).len()..];
    match rest {
        [0, 0, 41, high, low, 0, 0, 0, 0, 0, 0] => Some(u16::from_be_bytes([*high, *low])),
        [] => None,
        _ => panic!("{rest:?}"),
    }
}

/// An answer to `query` with these flags and records.
fn answer(query: &[u8], flags: u16, records: &[Record<'_>]) -> Vec<u8> {
    let count = records.len() as u16;
    let mut bytes = [&query[..2], &flags.to_be_bytes(), &[0, 1]].concat();
    bytes.extend(count.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(question(query));
    for (owner, kind, data) in records {
        bytes.extend(owner);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 1, 0, 0, 0, 60]);
        bytes.extend((data.len() as u16).to_be_bytes());
        bytes.extend(*data);
    }
    bytes
}

/// The type that a query asks for.
fn kind(query: &[u8]) -> u16 {
    let question = question(query);
    u16::from_be_bytes([question[question.len() - 4], question[question.len() - 3]])
}

/// A pointer to the name in the question.
const QUESTION: [u8; 2] = [0xC0, 12];

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

/// An answer to a query that wanted recursion, from a server that does it.
const OK: u16 = 0x8180;
const TRUNCATED: u16 = 0x8380;
const FORMERR: u16 = 0x8181;
const SERVFAIL: u16 = 0x8182;
const NXDOMAIN: u16 = 0x8183;
const NOTIMP: u16 = 0x8184;
const REFUSED: u16 = 0x8185;
