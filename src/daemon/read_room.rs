//! The room that connections read into: one for all of them, as only one has its turn at a time. A
//! connection keeps what it has not understood yet, and no more.

use crate::net::Connection;
use crate::net::READ_MAX;
use std::cell::Cell;
use std::io;

/// [`READ_MAX`] bytes, or none while it is lent.
#[derive(Default)]
pub(super) struct ReadRoom(Cell<Vec<u8>>);

impl ReadRoom {
    /// Appends what is there to `input`, as [`Connection::try_read`] does; `input` may then be the
    /// room itself, until [`ReadRoom::take_back`].
    ///
    /// # Errors
    /// As [`Connection::try_read`].
    pub(super) fn read(
        &self,
        connection: &mut Connection,
        input: &mut Vec<u8>,
    ) -> io::Result<Option<usize>> {
        let mut room = self.0.take();
        room.reserve_exact(READ_MAX);
        let is_short = input.len() <= REST_MAX;
        if is_short {
            // so that it is one piece with what follows
            room.extend_from_slice(input);
        }
        let read = connection.try_read(&mut room);
        let came = matches!(read, Ok(Some(1..)));
        if came && is_short {
            *input = room;
            return read;
        }
        if came {
            input.extend_from_slice(&room);
        }
        self.keep(room);
        read
    }

    /// Takes back what was lent; what is left of it is the connection's own.
    pub(super) fn take_back(&self, input: &mut Vec<u8>) {
        if input.is_empty() {
            self.keep(std::mem::take(input));
        } else if input.capacity() >= READ_MAX && input.len() <= REST_MAX {
            let rest = input.as_slice().into();
            self.keep(std::mem::replace(input, rest));
        }
    }

    fn keep(&self, mut room: Vec<u8>) {
        // what TLS brought may have been more
        if room.capacity() == READ_MAX {
            room.clear();
            self.0.set(room);
        }
    }
}

/// What is copied to the head of the room and back of a unit that is not whole yet. A longer one
/// grows where it is.
const REST_MAX: usize = READ_MAX / 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Interest;
    use crate::net::Simulated;
    use std::task::Context;
    use std::task::Poll;

    /// Sends bytes as fast as they are read.
    #[derive(Debug)]
    struct Fast;

    impl Simulated for Fast {
        fn try_read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
            let room = buffer.capacity() - buffer.len();
            buffer.resize(buffer.capacity(), b'x');
            Ok(Some(room))
        }

        fn try_write(&mut self, _: &mut Vec<u8>) -> io::Result<usize> {
            Ok(0)
        }

        fn poll_ready(&self, _: Interest, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }

        fn finish(&mut self) {}
    }

    #[test]
    fn a_connection_reads_a_roomful_and_keeps_only_what_is_left() {
        let (room, mut connection) = (ReadRoom::default(), Connection::Simulated(Box::new(Fast)));
        let mut read = |input: &mut Vec<u8>| room.read(&mut connection, input).unwrap().unwrap();
        let mut input = b"rest".to_vec();
        assert_eq!(read(&mut input), READ_MAX - 4);
        assert!(input.starts_with(b"restx"));
        input.drain(..READ_MAX - 300);
        room.take_back(&mut input);
        assert_eq!((input.len(), input.capacity()), (300, 300));
        // the next one has the same room
        let mut other = Vec::new();
        assert_eq!(read(&mut other), READ_MAX);
        other.clear();
        room.take_back(&mut other);
        assert_eq!(other.capacity(), 0);
        // a long unit grows where it is, by a roomful a read
        let mut long = vec![b'x'; READ_MAX];
        for reads in 2..9 {
            assert_eq!(read(&mut long), READ_MAX);
            room.take_back(&mut long);
            assert_eq!(long.len(), reads * READ_MAX);
        }
    }
}
