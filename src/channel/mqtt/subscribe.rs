//! SUBSCRIBE and UNSUBSCRIBE, byte by byte (3.8 and 3.10 of both standards), and the publishing of
//! what was subscribed to: rumqttc takes options that cannot be, and identifiers that may not.

#![deny(clippy::arithmetic_side_effects)]

use super::Version;

/// Some filters are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscribe<'a> {
    /// Not 0.
    pub(super) id: u16,
    /// Of the subscriptions; not 0. Only in version 5.
    pub(super) identifier: Option<u32>,
    /// At least one.
    pub(super) wanted: Vec<Wanted<'a>>,
}

/// One filter that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a str,
    pub(super) retained: Retained,
    /// Whether what is retained is marked whenever it is sent.
    pub(super) keeps_mark: bool,
}

/// When what is retained is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retained {
    /// At each subscription.
    Always,
    /// At one that was not there.
    IfNew,
    /// Never.
    Never,
}

/// Some filters are given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsubscribe<'a> {
    /// Not 0.
    pub(super) id: u16,
    /// At least one.
    pub(super) filters: Vec<&'a str>,
}

/// Why a packet cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotRead {
    /// It is cut off, or has bits that no packet has.
    Malformed(&'static str),
    /// It says what may not be said.
    Protocol(&'static str),
}

/// Reads a whole SUBSCRIBE.
///
/// # Errors
/// See [`NotRead`].
pub(super) fn subscribe(version: Version, packet: &[u8]) -> Result<Subscribe<'_>, NotRead> {
    let mut rest = body(packet);
    let id = packet_id(&mut rest)?;
    let identifier = match version {
        Version::V311 => None,
        Version::V5 => properties(&mut rest, Some(SUBSCRIPTION_IDENTIFIER))?,
    };
    let mut wanted = Vec::new();
    while !rest.is_empty() {
        let filter = text(&mut rest)?;
        let (options, behind) = rest.split_first().ok_or(CUT)?;
        rest = behind;
        wanted.push(asked(version, filter, *options)?);
    }
    match wanted.is_empty() {
        true => Err(NotRead::Protocol("a subscription to nothing")),
        false => Ok(Subscribe {
            id,
            identifier,
            wanted,
        }),
    }
}

fn asked(version: Version, filter: &str, options: u8) -> Result<Wanted<'_>, NotRead> {
    let known = match version {
        Version::V311 => 0b11,
        Version::V5 => 0b11_1111,
    };
    if options & !known != 0 || options & 0b11 == 0b11 {
        return Err(NotRead::Malformed("a subscription with unknown options"));
    }
    Ok(Wanted {
        filter,
        retained: match options >> 4 {
            0 => Retained::Always,
            1 => Retained::IfNew,
            2 => Retained::Never,
            _ => return Err(NotRead::Protocol("a retain handling of 3")),
        },
        keeps_mark: options & 0b1000 != 0,
    })
}

/// Reads a whole UNSUBSCRIBE.
///
/// # Errors
/// See [`NotRead`].
pub(super) fn unsubscribe(version: Version, packet: &[u8]) -> Result<Unsubscribe<'_>, NotRead> {
    let mut rest = body(packet);
    let id = packet_id(&mut rest)?;
    if version == Version::V5 {
        properties(&mut rest, None)?;
    }
    let mut filters = Vec::new();
    while !rest.is_empty() {
        filters.push(text(&mut rest)?);
    }
    match filters.is_empty() {
        true => Err(NotRead::Protocol("no filter to give up")),
        false => Ok(Unsubscribe { id, filters }),
    }
}

/// Appends a message of QoS 0. The identifiers are those of all subscriptions that it fits.
pub(super) fn publish(
    version: Version,
    topic: &str,
    payload: &[u8],
    mark: Mark,
    identifiers: impl Iterator<Item = u32>,
    out: &mut Vec<u8>,
) {
    let mut properties = Vec::new();
    if version == Version::V5 {
        for identifier in identifiers {
            properties.push(SUBSCRIPTION_IDENTIFIER);
            put_number(identifier, &mut properties);
        }
    }
    let mut head = Vec::new();
    if version == Version::V5 {
        put_number(u32::try_from(properties.len()).unwrap_or(0), &mut head);
    }
    let topic_len = u16::try_from(topic.len()).unwrap_or(u16::MAX);
    let len = [2, topic.len(), head.len(), properties.len(), payload.len()];
    let len = len
        .iter()
        .fold(0_usize, |sum, part| sum.saturating_add(*part));
    out.push(PUBLISH | mark as u8);
    put_number(u32::try_from(len).unwrap_or(u32::MAX), out);
    out.extend_from_slice(&topic_len.to_be_bytes());
    out.extend_from_slice(topic.as_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(&properties);
    out.extend_from_slice(payload);
}

/// Appends the answer to either.
pub(super) fn put_answer(first: u8, id: u16, body: &[u8], out: &mut Vec<u8>) {
    out.push(first);
    put_number(
        u32::try_from(body.len().saturating_add(2)).unwrap_or(0),
        out,
    );
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(body);
}

/// Whether a message is one that was there before who it is sent to asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    New = 0,
    Retained = 1,
}

/// What stands behind the fixed header.
fn body(packet: &[u8]) -> &[u8] {
    let mut rest = packet.get(1..).unwrap_or_default();
    match number(&mut rest) {
        Ok(_) => rest,
        Err(_) => &[],
    }
}

fn packet_id(rest: &mut &[u8]) -> Result<u16, NotRead> {
    let (id, behind) = rest.split_first_chunk().ok_or(CUT)?;
    *rest = behind;
    match u16::from_be_bytes(*id) {
        0 => Err(NotRead::Protocol("a packet without id")),
        id => Ok(id),
    }
}

/// Reads a list of properties, of which only user properties and one with a number are known.
fn properties(rest: &mut &[u8], known: Option<u8>) -> Result<Option<u32>, NotRead> {
    let len = usize::try_from(number(rest)?).map_err(|_| CUT)?;
    let (mut list, behind) = rest.split_at_checked(len).ok_or(CUT)?;
    *rest = behind;
    let mut found = None;
    while let Some((id, values)) = list.split_first() {
        list = values;
        if *id == USER_PROPERTY {
            text(&mut list)?;
            text(&mut list)?;
        } else if Some(*id) == known {
            match (number(&mut list)?, found) {
                (0, _) => return Err(NotRead::Protocol("a subscription identifier of 0")),
                (_, Some(_)) => return Err(NotRead::Protocol("two subscription identifiers")),
                (given, None) => found = Some(given),
            }
        } else {
            return Err(NotRead::Malformed("a property of another packet"));
        }
    }
    Ok(found)
}

fn text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, NotRead> {
    let (len, behind) = rest.split_first_chunk().ok_or(CUT)?;
    let len = usize::from(u16::from_be_bytes(*len));
    let (text, behind) = behind.split_at_checked(len).ok_or(CUT)?;
    *rest = behind;
    str::from_utf8(text).map_err(|_| NotRead::Malformed("a text that is no UTF-8"))
}

/// A number of 1 to 4 bytes.
fn number(rest: &mut &[u8]) -> Result<u32, NotRead> {
    let mut found = 0_u32;
    for place in [0, 7, 14, 21] {
        let (byte, behind) = rest.split_first().ok_or(CUT)?;
        *rest = behind;
        found |= u32::from(byte & 0x7F) << place;
        if byte & 0x80 == 0 {
            return Ok(found);
        }
    }
    Err(NotRead::Malformed("a number of more than 4 bytes"))
}

fn put_number(mut number: u32, out: &mut Vec<u8>) {
    loop {
        let byte = (number & 0x7F) as u8;
        number >>= 7;
        if number == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

const CUT: NotRead = NotRead::Malformed("a packet that is cut off");

/// Type and flags of a message of QoS 0.
const PUBLISH: u8 = 0x30;

const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
const USER_PROPERTY: u8 = 0x26;

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with this body, which is shorter than 128 bytes.
    fn packet(first: u8, body: &[u8]) -> Vec<u8> {
        [&[first, u8::try_from(body.len()).unwrap()], body].concat()
    }

    #[test]
    fn options_of_both_versions_are_read() {
        let whole = packet(0x82, b"\0\x07\0\x03a/b\x01\0\x01#\x02");
        let read = subscribe(Version::V311, &whole).unwrap();
        assert_eq!((read.id, read.identifier), (7, None));
        let filters: Vec<_> = read.wanted.iter().map(|wanted| wanted.filter).collect();
        assert_eq!(filters, ["a/b", "#"]);
        let body = b"\0\x07\x0A\x26\0\x01a\0\x01b\x0B\x80\x01\0\x01a\x2C";
        let whole = packet(0x82, body);
        let read = subscribe(Version::V5, &whole).unwrap();
        assert_eq!(read.identifier, Some(128));
        let wanted = Wanted {
            filter: "a",
            retained: Retained::Never,
            keeps_mark: true,
        };
        assert_eq!(read.wanted, [wanted]);
        for end in 2..whole.len() {
            let cut = packet(0x82, &whole[2..end]);
            let read = subscribe(Version::V5, &cut);
            assert!(read.is_err(), "{end}: {read:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        let malformed = |read| matches!(read, Err(NotRead::Malformed(_)));
        let protocol = |read| matches!(read, Err(NotRead::Protocol(_)));
        let v5 = |body: &[u8]| subscribe(Version::V5, &packet(0x82, body)).map(|_| ());
        assert!(malformed(v5(b"\0\x01\0\0\x01a\x03")));
        assert!(malformed(v5(b"\0\x01\0\0\x01a\x40")));
        assert!(malformed(v5(b"\0\x01\0\0\x01\xFF\0")));
        assert!(malformed(v5(b"\0\x01\x02\x01\0\0\x01a\0")));
        assert!(protocol(v5(b"\0\x01\0\0\x01a\x30")));
        assert!(protocol(v5(b"\0\x01\x02\x0B\0\0\x01a\0")));
        assert!(protocol(v5(b"\0\x01\x04\x0B\x01\x0B\x02\0\x01a\0")));
        assert!(protocol(v5(b"\0\0\0\0\x01a\0")));
        assert!(protocol(v5(b"\0\x01\0")));
        let v311 = subscribe(Version::V311, &packet(0x82, b"\0\x01\0\x01a\x08")).map(|_| ());
        assert!(malformed(v311));
    }

    #[test]
    fn filters_are_given_up_by_name() {
        let whole = packet(0xA2, b"\0\x02\0\0\x01a\0\x03b/#");
        let read = unsubscribe(Version::V5, &whole).unwrap();
        assert_eq!((read.id, read.filters), (2, vec!["a", "b/#"]));
        let none = packet(0xA2, b"\0\x02\0");
        assert!(unsubscribe(Version::V5, &none).is_err());
        let identifier = packet(0xA2, b"\0\x02\x02\x0B\x01\0\x01a");
        assert!(unsubscribe(Version::V5, &identifier).is_err());
    }

    #[test]
    fn a_message_is_written_as_the_standards_say() {
        let mut out = Vec::new();
        let none = std::iter::empty();
        publish(Version::V311, "a/b", b"{}", Mark::New, none, &mut out);
        assert_eq!(out, b"\x30\x07\0\x03a/b{}");
        out.clear();
        let both = [1, 300].into_iter();
        publish(Version::V5, "a", b"1", Mark::Retained, both, &mut out);
        assert_eq!(out, b"\x31\x0A\0\x01a\x05\x0B\x01\x0B\xAC\x021");
        out.clear();
        let long = [b'x'; 200];
        publish(
            Version::V311,
            "a",
            &long,
            Mark::New,
            std::iter::empty(),
            &mut out,
        );
        assert_eq!(out[..3], [0x30, 0xCB, 0x01]);
    }
}
