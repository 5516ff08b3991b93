//! DNS messages: the one question that is asked, and the addresses in its answer.
//! Not a general codec: of all records only A, AAAA and CNAME are understood.
//!
//! ```text
//! message   id · flags · question count · answer count · authority count · additional count
//!           question* · answer* · …                                    each number u16 BE
//! question  name · type u16 · class u16
//! answer    name · type u16 · class u16 · ttl u32 · len u16 · data[len]
//! name      (len u8 · label[len])* · end          end: 0, or 0xC000 | where the name goes on
//! flags     QR 1 · opcode 4 · AA 1 · TC 1 · RD 1 · RA 1 · reserved 3 · RCODE 4
//! ```
//! RFC 1035, section 4.1; AAAA: RFC 3596; EDNS: RFC 6891; over TCP each message stands behind its
//! length, u16 BE: RFC 7766, section 8.

#![deny(clippy::arithmetic_side_effects)]

use super::ADDRESSES_MAX;
use std::fmt;
use std::net::IpAddr;

/// A host name as it travels: labels with their lengths and the ending 0, in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(heapless::Vec<u8, NAME_MAX>);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// One question to one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Random: what an answer is known by.
    pub id: u16,
    /// Whose addresses.
    pub name: Name,
    /// Of which family.
    pub kind: Kind,
}

/// What a server says to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// At most [`ADDRESSES_MAX`] addresses; empty: the name exists, but not for this family.
    Addresses(Vec<IpAddr>),
    /// The name does not exist.
    Absent,
    /// Nothing to go by: another server may know more.
    Failed(Failure),
}

/// Why a server was of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An error code of its own, 1 to 15.
    Code(u8),
    /// The answer did not fit into a datagram, not even one address of it, and was not to be had
    /// over TCP.
    Truncated,
    /// The answer breaks the format.
    Garbled,
    /// The server neither knows the name nor looks further.
    Lame,
    /// The datagram did not get there.
    Unreachable,
}

impl Name {
    /// A name of ASCII letters, digits, `-` and `_`; one dot at its end is left out.
    ///
    /// None where a label is empty or over 63 bytes, or all are over [`NAME_MAX`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut name = heapless::Vec::new();
        for label in text.strip_suffix('.').unwrap_or(text).split('.') {
            let len = u8::try_from(label.len()).ok()?;
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !(1..=LABEL_MAX).contains(&len) || !label.bytes().all(is_host) {
                return None;
            }
            name.push(len).ok()?;
            name.extend_from_slice(label.to_ascii_lowercase().as_bytes())
                .ok()?;
        }
        name.push(0).ok()?;
        Some(Self(name))
    }
}

impl Query {
    /// The message to send, as it was before EDNS.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.message(0)
    }

    /// The message to send, with EDNS 0: it lets the answer have [`DATAGRAM_MAX`] bytes, so that
    /// chains of aliases fit.
    #[must_use]
    pub fn to_bytes_with_edns(&self) -> Vec<u8> {
        let mut bytes = self.message(1);
        bytes.push(0);
        for number in [TYPE_OPT, ANNOUNCED, 0, 0, 0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    fn message(&self, additional: u16) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(QUERY_LEN_MAX);
        for number in [self.id, RECURSION_DESIRED, 1, 0, 0, additional] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(&self.name.0);
        bytes.extend(self.kind.number().to_be_bytes());
        bytes.extend(CLASS_INTERNET.to_be_bytes());
        bytes
    }

    /// What `datagram` says to this question, aliases in it followed; none where it is no answer
    /// to this question, by its id and the question that it repeats.
    #[must_use]
    pub fn read(&self, datagram: &[u8]) -> Option<Reply> {
        let mut reader = Reader::new(datagram);
        let (id, flags, questions) = (reader.u16()?, reader.u16()?, reader.u16()?);
        let count = reader.u16()?;
        reader.bytes(AUTHORITY_AND_ADDITIONAL_LEN)?;
        let is_answer = flags & (RESPONSE | OPCODE) == RESPONSE && questions == 1;
        let question = (reader.name()?, reader.u16()?, reader.u16()?);
        if !is_answer || id != self.id || !self.is(&question) {
            return None;
        }
        Some(match flags & CODE {
            CODE_NONE => self.addresses(
                Answers {
                    reader,
                    left: count,
                },
                flags,
            ),
            CODE_ABSENT => Reply::Absent,
            code => Reply::Failed(Failure::Code(code.to_le_bytes()[0])),
        })
    }

    fn is(&self, (name, kind, class): &(Name, u16, u16)) -> bool {
        *name == self.name && *kind == self.kind.number() && *class == CLASS_INTERNET
    }

    /// A truncated message counts for what is in it.
    fn addresses(&self, answers: Answers<'_>, flags: u16) -> Reply {
        let is_truncated = flags & TRUNCATED != 0;
        let is_whole = answers.clone().count() == usize::from(answers.left);
        let owner = canonical(&self.name, &answers);
        let found: Vec<IpAddr> = answers
            .clone()
            .filter(|answer| answer.owner == owner)
            .filter_map(|answer| answer.data.address(self.kind))
            .take(ADDRESSES_MAX)
            .collect();
        let is_lame = flags & (AUTHORITATIVE | RECURSION_AVAILABLE) == 0 && answers.left == 0;
        if !is_whole && !is_truncated {
            Reply::Failed(Failure::Garbled)
        } else if found.is_empty() && is_truncated {
            Reply::Failed(Failure::Truncated)
        } else if is_lame {
            Reply::Failed(Failure::Lame)
        } else {
            Reply::Addresses(found)
        }
    }
}

/// The name at the end of the aliases that begin at `name`, or after [`ALIASES_MAX`] of them.
fn canonical(name: &Name, answers: &Answers<'_>) -> Name {
    let mut owner = name.clone();
    for _ in 0..ALIASES_MAX {
        let alias = answers.clone().find_map(|answer| match answer.data {
            Data::Alias(target) if answer.owner == owner => Some(target),
            _ => None,
        });
        let Some(target) = alias else { break };
        owner = *target;
    }
    owner
}

impl Kind {
    fn number(self) -> u16 {
        match self {
            Self::A => TYPE_A,
            Self::Aaaa => TYPE_AAAA,
        }
    }
}

struct Answer {
    owner: Name,
    data: Data,
}

enum Data {
    Address(IpAddr),
    Alias(Box<Name>),
    Other,
}

impl Data {
    fn address(&self, kind: Kind) -> Option<IpAddr> {
        match self {
            Self::Address(address) if address.is_ipv4() == (kind == Kind::A) => Some(*address),
            _ => None,
        }
    }
}

/// The answers one by one, up to the first that is not whole. Each has 11 bytes or more, so a
/// datagram bounds their number.
#[derive(Clone)]
struct Answers<'a> {
    reader: Reader<'a>,
    left: u16,
}

impl Iterator for Answers<'_> {
    type Item = Answer;

    fn next(&mut self) -> Option<Answer> {
        self.left = self.left.checked_sub(1)?;
        let answer = self.reader.answer();
        if answer.is_none() {
            self.left = 0;
        }
        answer
    }
}

/// A message and what of it is not yet read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    message: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(message: &'a [u8]) -> Self {
        Self {
            message,
            rest: message,
        }
    }

    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(head)
    }

    fn u16(&mut self) -> Option<u16> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u16::from_be_bytes(*head))
    }

    fn answer(&mut self) -> Option<Answer> {
        let owner = self.name()?;
        let (kind, class) = (self.u16()?, self.u16()?);
        self.bytes(TTL_LEN)?;
        let len = usize::from(self.u16()?);
        let mut inside = *self;
        let data = self.bytes(len)?;
        let data = match (class, kind) {
            (CLASS_INTERNET, TYPE_A) => Data::Address(<[u8; 4]>::try_from(data).ok()?.into()),
            (CLASS_INTERNET, TYPE_AAAA) => Data::Address(<[u8; 16]>::try_from(data).ok()?.into()),
            (CLASS_INTERNET, TYPE_CNAME) => {
                let target = inside.name()?;
                (inside.rest.len() == self.rest.len()).then_some(Data::Alias(Box::new(target)))?
            }
            _ => Data::Other,
        };
        Some(Answer { owner, data })
    }

    /// A pointer must lead to before the labels that it ends: so each is followed at most once.
    fn name(&mut self) -> Option<Name> {
        let mut name = heapless::Vec::new();
        let mut start = self.message.len().checked_sub(self.rest.len())?;
        let mut end = labels(&mut self.rest, &mut name)?;
        while let End::Elsewhere(offset) = end {
            if offset >= start {
                return None;
            }
            start = offset;
            end = labels(&mut self.message.get(offset..)?, &mut name)?;
        }
        Some(Name(name))
    }
}

/// How a run of labels ends.
enum End {
    Here,
    Elsewhere(usize),
}

fn labels(rest: &mut &[u8], name: &mut heapless::Vec<u8, NAME_MAX>) -> Option<End> {
    loop {
        let (&len, after) = rest.split_first()?;
        match len {
            0 => {
                *rest = after;
                name.push(0).ok()?;
                return Some(End::Here);
            }
            1..=LABEL_MAX => {
                let (label, after) = after.split_at_checked(usize::from(len))?;
                *rest = after;
                name.push(len).ok()?;
                name.extend_from_slice(&label.to_ascii_lowercase()).ok()?;
            }
            POINTER.. => {
                let (&low, after) = after.split_first()?;
                *rest = after;
                let offset = u16::from_be_bytes([len & !POINTER, low]);
                return Some(End::Elsewhere(offset.into()));
            }
            _ => return None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        let mut dot = "";
        while let Some((&len, after)) = rest.split_first().filter(|(len, _)| **len > 0) {
            let (label, after) = after.split_at_checked(len.into()).unwrap_or((after, &[]));
            write!(f, "{dot}{}", label.escape_ascii())?;
            (rest, dot) = (after, ".");
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(1) => f.write_str("answers `FORMERR`"),
            Self::Code(2) => f.write_str("answers `SERVFAIL`"),
            Self::Code(4) => f.write_str("answers `NOTIMP`"),
            Self::Code(5) => f.write_str("answers `REFUSED`"),
            Self::Code(code) => write!(f, "answers with error `{code}`"),
            Self::Truncated => {
                f.write_str("answers more than fits into a datagram, and not over TCP")
            }
            Self::Garbled => f.write_str("answers what cannot be read"),
            Self::Lame => f.write_str("does not look further than its own names"),
            Self::Unreachable => f.write_str("cannot be reached"),
        }
    }
}

/// Longest name as it travels, in bytes (RFC 1035, section 2.3.4).
pub const NAME_MAX: usize = 255;

/// Longest datagram that is read: what gets through any network in one piece, as name servers
/// have agreed on. Without EDNS no server should send over 512 bytes.
pub const DATAGRAM_MAX: usize = ANNOUNCED as usize;
/// The same, as a number on the wire.
const ANNOUNCED: u16 = 1232;

/// Longest answer over TCP that is read, in bytes.
pub const STREAM_MAX: usize = 16 * 1024;

/// Most aliases that are followed.
const ALIASES_MAX: usize = 8;

const LABEL_MAX: u8 = 63;
const POINTER: u8 = 0xC0;

const QUERY_LEN_MAX: usize = 12 + NAME_MAX + 4 + 11;
const AUTHORITY_AND_ADDITIONAL_LEN: usize = 4;
const TTL_LEN: usize = 4;

const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_AAAA: u16 = 28;
const TYPE_OPT: u16 = 41;
const CLASS_INTERNET: u16 = 1;

const RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RECURSION_AVAILABLE: u16 = 0x0080;
const CODE: u16 = 0x000F;
const CODE_NONE: u16 = 0;
const CODE_ABSENT: u16 = 3;
