//! A frame as the kernel reads and writes it.
//!
//! ```text
//! classic  u32 id │ u8 length │ 3 bytes │ 8 bytes of data                     16 bytes
//! FD       u32 id │ u8 length │ u8 flags │ 2 bytes │ 64 bytes of data         72 bytes
//! id       29 bits │ 0x2000_0000 error │ 0x4000_0000 remote │ 0x8000_0000 of 29 bits
//! ```
//! Numbers are in the order of the machine.

use super::CLASSIC_MAX;
use super::Frame;
use super::Id;
use super::Kind;

/// Bytes of a frame that is not of CAN FD.
pub const CLASSIC_LEN: usize = 16;

/// Bytes of a frame of CAN FD.
pub const FD_LEN: usize = 72;

/// In an id: it has 29 bits.
pub const EXTENDED: u32 = 0x8000_0000;

/// In an id: the frame asks for data.
pub const REMOTE: u32 = 0x4000_0000;

/// In an id: the frame tells of an error.
pub const ERROR: u32 = 0x2000_0000;

/// The bytes of the first of several frames, and the rest; none where they are cut. A frame of CAN
/// FD has the flag for that in its sixth byte: old kernels leave it out, and whoever reads sets it.
#[must_use]
pub fn split_first(frames: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = match frames.get(FLAGS_AT)? & FD_FLAG {
        0 => CLASSIC_LEN,
        _ => FD_LEN,
    };
    frames.split_at_checked(len)
}

/// The frame that the bytes of one read are; none where they are no frame.
#[must_use]
#[expect(
    clippy::host_endian_bytes,
    reason = "it comes from this machine's kernel"
)]
pub fn read(bytes: &[u8]) -> Option<Frame> {
    let (id, rest) = bytes.split_first_chunk()?;
    let (head, data) = rest.split_first_chunk::<4>()?;
    let [len, flags, ..] = *head;
    let fd = match bytes.len() {
        CLASSIC_LEN => false,
        FD_LEN => true,
        _ => return None,
    };
    let marked = u32::from_ne_bytes(*id);
    let mut frame = Frame::new(id_of(marked)?, data.get(..usize::from(len))?)?;
    frame.kind = kind(marked);
    frame.fd = fd;
    frame.flags = if fd { flags } else { 0 };
    if frame.kind == Kind::Remote {
        // its length is what it asks for
        frame.len = 0;
    }
    Some(frame)
}

/// The bytes to write for a frame with data; none for one that is longer than 8 bytes or that only
/// a controller makes.
#[must_use]
#[expect(clippy::host_endian_bytes, reason = "it goes to this machine's kernel")]
pub fn write(frame: &Frame) -> Option<[u8; CLASSIC_LEN]> {
    if frame.kind != Kind::Data || frame.fd || frame.data().len() > CLASSIC_MAX {
        return None;
    }
    let marked = match frame.id {
        Id::Standard(id) => u32::from(id),
        Id::Extended(id) => id | EXTENDED,
    };
    let mut bytes = [0; CLASSIC_LEN];
    let (head, data) = bytes.split_at_mut(8);
    head.get_mut(..4)?.copy_from_slice(&marked.to_ne_bytes());
    *head.get_mut(4)? = frame.len;
    data.get_mut(..frame.data().len())?
        .copy_from_slice(frame.data());
    Some(bytes)
}

const FLAGS_AT: usize = 5;

/// In the flags of a frame: it is of CAN FD.
const FD_FLAG: u8 = 4;

fn kind(marked: u32) -> Kind {
    match (marked & ERROR, marked & REMOTE) {
        (0, 0) => Kind::Data,
        (0, _) => Kind::Remote,
        _ => Kind::Error,
    }
}

/// Of an error the classes, which take all 29 bits.
fn id_of(marked: u32) -> Option<Id> {
    let id = marked & !(EXTENDED | REMOTE | ERROR);
    match marked & (EXTENDED | ERROR) {
        0 => Id::standard(id),
        _ => Id::extended(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(id: u32, len: u8, flags: u8, data: &[u8]) -> Vec<u8> {
        let id = if cfg!(target_endian = "little") {
            id.to_le_bytes()
        } else {
            id.to_be_bytes()
        };
        [&id[..], &[len, flags, 0, 0], data].concat()
    }

    #[test]
    fn a_frame_is_what_was_written() {
        for id in [Id::Standard(0x7DF), Id::Extended(0x18DB_33F1)] {
            let frame = Frame::new(id, &[2, 1, 12]).unwrap();
            let written = write(&frame).unwrap();
            assert_eq!(read(&written), Some(frame));
        }
        let extended = bytes(0x98FE_F100, 2, 0, &[1, 2, 3, 4, 5, 6, 7, 8]);
        let frame = read(&extended).unwrap();
        assert_eq!(
            (frame.id, frame.data()),
            (Id::Extended(0x18FE_F100), &[1, 2][..])
        );
    }

    #[test]
    fn fd_is_told_by_its_length() {
        let frame = read(&bytes(0x123, 64, 5, &[7; 64])).unwrap();
        assert_eq!(
            (frame.fd, frame.flags, frame.data()),
            (true, 5, &[7; 64][..])
        );
        let frame = read(&bytes(0x123, 3, 4, &[7; 64])).unwrap();
        assert_eq!((frame.fd, frame.data().len()), (true, 3));
        assert_eq!(write(&frame), None);
    }

    #[test]
    fn frames_of_both_lengths_are_told_apart() {
        let both = [
            bytes(0x123, 8, 0xFB, &[7; 8]),
            bytes(0x124, 64, 4, &[7; 64]),
        ]
        .concat();
        let (classic, rest) = split_first(&both).unwrap();
        assert_eq!((classic.len(), rest.len()), (CLASSIC_LEN, FD_LEN));
        assert_eq!(split_first(rest), Some((rest, &[][..])));
        assert_eq!(split_first(&rest[..71]), None);
        assert_eq!(split_first(&[]), None);
    }

    #[test]
    fn what_brings_no_data_says_so() {
        let remote = read(&bytes(0x123 | REMOTE, 8, 0, &[0; 8])).unwrap();
        assert_eq!((remote.kind, remote.data()), (Kind::Remote, &[][..]));
        let error = read(&bytes(ERROR | crate::wire::can::BUS_OFF, 8, 0, &[0; 8])).unwrap();
        assert_eq!((error.kind, error.id), (Kind::Error, Id::Extended(0x40)));
        assert_eq!((write(&remote), write(&error)), (None, None));
    }

    #[test]
    fn what_is_no_frame_is_none() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0; 15]), None);
        assert_eq!(read(&[0; 17]), None);
        assert_eq!(read(&bytes(0x123, 9, 0, &[0; 8])), None);
        assert_eq!(read(&bytes(0x123, 65, 0, &[0; 64])), None);
        assert_eq!(read(&bytes(0x800, 1, 0, &[0; 8])), None);
    }
}
