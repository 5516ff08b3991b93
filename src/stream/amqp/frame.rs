//! Frames: what kind, whose channel, how long, what is in it, and an end that shows that all were
//! counted right (AMQP 0-9-1, 4.2.3).

use crate::stream::DeliveryError;
use crate::stream::IN_MAX;

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// [`METHOD`], [`HEADER`], [`BODY`] or [`HEARTBEAT`].
    pub(super) kind: u8,
    /// 0 is the connection.
    pub(super) channel: u16,
    pub(super) payload: &'a [u8],
}

/// The frame at the head of `input`, and how many bytes it has; none: a part of one. With all
/// around it is at most `max` bytes long.
///
/// # Errors
/// What is no frame, or a longer one.
pub(super) fn read(input: &[u8], max: usize) -> Result<Option<(Frame<'_>, usize)>, DeliveryError> {
    if input.first().is_some_and(|kind| !KINDS.contains(kind)) {
        // one of another version says which, and ends the connection
        return Err(malformed("what came is no frame of AMQP 0-9-1"));
    }
    let Some(([kind, high, low, len @ ..], rest)) = input.split_first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
    if len.saturating_add(AROUND) > max {
        return Err(malformed(&format!("a frame with {len} bytes")));
    }
    match (rest.get(..len), rest.get(len)) {
        (Some(payload), Some(&END)) => {
            let channel = u16::from_be_bytes([*high, *low]);
            let frame = Frame {
                kind: *kind,
                channel,
                payload,
            };
            Ok(Some((frame, len + AROUND)))
        }
        (Some(_), Some(_)) => Err(malformed("a frame without its end")),
        _ => Ok(None),
    }
}

/// Appends a frame with what `fill` appends.
pub(super) fn write(kind: u8, channel: u16, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    out.extend_from_slice(&channel.to_be_bytes());
    let len_at = out.len();
    out.extend_from_slice(&[0; 4]);
    fill(out);
    let len = out.len().saturating_sub(len_at + 4);
    let len = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(len_at..len_at + 4) {
        place.copy_from_slice(&len);
    }
    out.push(END);
}

/// Appends what a message says, in as many frames of at most `max` bytes as it takes.
pub(super) fn write_body(channel: u16, body: &[u8], max: usize, out: &mut Vec<u8>) {
    for piece in body.chunks(max.saturating_sub(AROUND).max(1)) {
        write(BODY, channel, out, |out| out.extend_from_slice(piece));
    }
}

/// That the broker does not keep to the protocol.
pub(super) fn malformed(what: &str) -> DeliveryError {
    DeliveryError::new(0, format!("AMQP: {what}"))
}

/// What each side says first.
pub(super) const PROTOCOL: [u8; 8] = *b"AMQP\0\0\x09\x01";

/// A method: what is to be done, or was.
pub(super) const METHOD: u8 = 1;
/// What holds for the message whose body follows.
pub(super) const HEADER: u8 = 2;
/// A part of a message.
pub(super) const BODY: u8 = 3;
/// A sign of life.
pub(super) const HEARTBEAT: u8 = 8;

const KINDS: [u8; 4] = [METHOD, HEADER, BODY, HEARTBEAT];

/// The sign of life, whole.
pub(super) const ALIVE: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];

/// Bytes of a frame at most, as this side says.
pub(super) const FRAME_MAX: u32 = 16 * 1024;
const _: () = assert!(FRAME_MAX as usize <= IN_MAX, "a frame is a unit");

/// So long may each frame be in any case (AMQP 0-9-1, 4.2.3: `frame-min-size`).
pub(super) const FRAME_MIN: u32 = 4096;

const END: u8 = 0xce;

/// Bytes before what is in a frame.
const HEAD: usize = 7;

/// Those and the end.
const AROUND: usize = HEAD + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_ends_where_its_length_says_and_nowhere_else() {
        let mut whole = Vec::new();
        write(METHOD, 0x102, &mut whole, |out| {
            out.extend_from_slice(b"abc")
        });
        assert_eq!(whole, b"\x01\x01\x02\0\0\0\x03abc\xce");
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut], 11), Ok(None), "{cut}");
        }
        let frame = Frame {
            kind: METHOD,
            channel: 0x102,
            payload: b"abc",
        };
        let more = [&whole[..], b"\x08"].concat();
        assert_eq!(read(&more, 11), Ok(Some((frame, 11))));
        assert!(read(&whole, 10).is_err(), "longer than agreed");
        assert!(read(b"\x01\0\0\xff\xff\xff\xff", 16_384).is_err());
        assert!(read(b"\x08\0\0\0\0\0\0\xcd", 16_384).is_err(), "no end");
        assert_eq!(read(&ALIVE, 8).unwrap().unwrap().1, 8);
        for wrong in [&PROTOCOL[..], b"HTTP/1.1 400", b"\x04", b"\0"] {
            assert!(read(wrong, 16_384).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_body_is_split_at_the_agreed_size() {
        let body: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        let mut out = Vec::new();
        write_body(1, &body, 4096, &mut out);
        let (mut rest, mut joined, mut lens) = (&out[..], Vec::new(), Vec::new());
        while let Some((frame, len)) = read(rest, 4096).unwrap() {
            assert_eq!((frame.kind, frame.channel), (BODY, 1));
            joined.extend_from_slice(frame.payload);
            lens.push(len);
            rest = &rest[len..];
        }
        assert_eq!((joined, lens), (body, vec![4096, 4096, 1832]));
    }
}
