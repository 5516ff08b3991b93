//! Sockets that read and write a frame of a CAN bus with each call. Knows frames by their length.

use rustix::io::Errno;
use std::fs::File;
use std::io;

/// Appends the frames that are there to `buffer`, as many as it has room for: each of 16 bytes, or
/// of 72 with [`FD_FLAG`] in its sixth, whatever the kernel says there.
///
/// # Errors
/// As the system says; that the interface is down comes once.
pub(super) fn read_frames(socket: &File, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let before = buffer.len();
    buffer.reserve(FD_LEN);
    while buffer.capacity() - buffer.len() >= FD_LEN {
        let mut frame = [0; FD_LEN];
        let len = match rustix::io::read(socket, &mut frame) {
            Ok(len) => len,
            Err(Errno::AGAIN | Errno::INTR) => break,
            Err(error) => return Err(error.into()),
        };
        match len {
            0 if buffer.len() == before => return Ok(Some(0)),
            0 => break,
            CLASSIC_LEN => frame[FLAGS_AT] &= !FD_FLAG,
            FD_LEN => frame[FLAGS_AT] |= FD_FLAG,
            // of a kind that was not asked for
            _ => continue,
        }
        buffer.extend(frame.iter().take(len));
    }
    Ok(Some(buffer.len() - before).filter(|read| *read > 0))
}

/// Writes the first of the frames. One for which the queue of the interface has no room is dropped:
/// nothing tells when there is room again, and a question that comes late is none.
///
/// # Errors
/// As the system says.
pub(super) fn write_frame(socket: &File, bytes: &[u8]) -> io::Result<usize> {
    let frame = bytes.get(..CLASSIC_LEN).unwrap_or(bytes);
    match rustix::io::write(socket, frame) {
        Err(Errno::NOBUFS) => Ok(frame.len()),
        wrote => Ok(wrote?),
    }
}

/// Bytes of a frame that is not of CAN FD.
const CLASSIC_LEN: usize = 16;

/// Bytes of a frame of CAN FD.
const FD_LEN: usize = 72;

/// In the sixth byte of a frame: it is of CAN FD.
const FD_FLAG: u8 = 4;

const FLAGS_AT: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::AddressFamily;
    use rustix::net::SocketFlags;
    use rustix::net::SocketType;
    use rustix::net::socketpair;
    use std::os::fd::OwnedFd;

    fn pair() -> (OwnedFd, File) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (far, near) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        (far, near.into())
    }

    #[test]
    fn frames_of_both_lengths_follow_each_other_and_say_which_they_are() {
        let (far, near) = pair();
        let mut classic = [1; CLASSIC_LEN];
        classic[FLAGS_AT] = 0xFF;
        rustix::io::write(&far, &classic).unwrap();
        rustix::io::write(&far, &[2; 20]).unwrap();
        rustix::io::write(&far, &[0; FD_LEN]).unwrap();
        let mut buffer = Vec::new();
        assert_eq!(read_frames(&near, &mut buffer).unwrap(), Some(16));
        buffer.reserve(1024);
        assert_eq!(read_frames(&near, &mut buffer).unwrap(), Some(72));
        assert_eq!(buffer.len(), CLASSIC_LEN + FD_LEN);
        assert_eq!(buffer[FLAGS_AT] & FD_FLAG, 0);
        assert_eq!(buffer[CLASSIC_LEN + FLAGS_AT], FD_FLAG);
        assert_eq!(read_frames(&near, &mut buffer).unwrap(), None);
        drop(far);
        assert_eq!(read_frames(&near, &mut buffer).unwrap(), Some(0));
    }

    #[test]
    fn a_frame_is_written_with_a_call_of_its_own() {
        let (far, near) = pair();
        let bytes = [[1; CLASSIC_LEN], [2; CLASSIC_LEN]].concat();
        assert_eq!(write_frame(&near, &bytes).unwrap(), CLASSIC_LEN);
        let mut came = [0; 99];
        assert_eq!(rustix::io::read(&far, &mut came).unwrap(), CLASSIC_LEN);
        assert_eq!(came[..CLASSIC_LEN], [1; CLASSIC_LEN]);
    }
}
