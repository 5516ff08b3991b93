//! Sockets that never block the loop: a try first, then a wait for one of several things.

use super::frames;
use super::watched::Interest;
use super::watched::Watched;
use rustix::buffer::spare_capacity;
use smol::Async;
use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::io::ErrorKind;
#[cfg(feature = "tls")]
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::task::Poll;

/// A connection, accepted or dialled, or a serial line.
#[derive(Debug)]
pub enum Socket {
    /// Over TCP.
    Tcp(Watched<TcpStream>),
    /// On this machine.
    Unix(Watched<UnixStream>),
    /// A wire, or a FIFO.
    Serial(Watched<File>),
    /// One frame of a bus a call.
    Frames(Watched<File>),
    /// A file that is read to its end.
    Stored(File),
}

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// Over TCP.
    Tcp(Async<TcpListener>),
    /// On this machine.
    Unix(Async<UnixListener>),
}

impl Socket {
    /// Connects over TCP; nagle is off: what is written is a whole unit.
    ///
    /// # Errors
    /// As the system says; it never says that it takes too long.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = Async::<TcpStream>::connect(address).await?;
        stream.get_ref().set_nodelay(true)?;
        Ok(Self::Tcp(Watched::new(stream)))
    }

    /// Appends what is there to `buffer`, at most what it has room for, and `ROOM` bytes where
    /// it has none: how many, 0 at the end; none where nothing is there yet.
    ///
    /// # Errors
    /// As the system says.
    pub fn try_read(&self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        if buffer.len() == buffer.capacity() {
            buffer.reserve(ROOM);
        }
        if let Self::Frames(socket) = self {
            return frames::read_frames(socket.of(), buffer);
        }
        let room = spare_capacity(buffer);
        let read = match self {
            Self::Tcp(stream) => rustix::io::read(stream.of(), room),
            Self::Unix(stream) => rustix::io::read(stream.of(), room),
            Self::Serial(file) | Self::Frames(file) => rustix::io::read(file.of(), room),
            Self::Stored(file) => rustix::io::read(file, room),
        };
        unless_blocked(read.map_err(io::Error::from))
    }

    /// Writes what the socket takes of `buffer` and removes it there; how many bytes that were.
    ///
    /// # Errors
    /// As the system says.
    pub fn try_write(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get(done..).filter(|rest| !rest.is_empty()) {
            match unless_blocked(self.write(rest))? {
                Some(0) => return Err(ErrorKind::WriteZero.into()),
                Some(count) => done += count,
                None => break,
            }
        }
        buffer.drain(..done);
        Ok(done)
    }

    /// Says that nothing more will be written.
    ///
    /// # Errors
    /// As the system says.
    pub fn finish(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.of().shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.of().shutdown(Shutdown::Write),
            Self::Serial(_) | Self::Frames(_) | Self::Stored(_) => Ok(()),
        }
    }

    /// Waits for the socket; may end without cause.
    ///
    /// # Errors
    /// As the system says.
    pub async fn ready(&self, interest: Interest) -> io::Result<()> {
        poll_fn(|context| match self {
            Self::Tcp(stream) => stream.poll_ready(interest, context),
            Self::Unix(stream) => stream.poll_ready(interest, context),
            Self::Serial(file) | Self::Frames(file) => file.poll_ready(interest, context),
            // all of it is there already
            Self::Stored(_) if interest == Interest::None => Poll::Pending,
            Self::Stored(_) => Poll::Ready(Ok(())),
        })
        .await
    }

    #[cfg(feature = "tls")]
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.of().read(buffer),
            Self::Unix(stream) => stream.of().read(buffer),
            Self::Serial(file) | Self::Frames(file) => file.of().read(buffer),
            Self::Stored(file) => (&mut &*file).read(buffer),
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.of().write(bytes),
            Self::Unix(stream) => stream.of().write(bytes),
            Self::Serial(file) => file.of().write(bytes),
            Self::Frames(socket) => frames::write_frame(socket.of(), bytes),
            // nobody is there to read it
            Self::Stored(_) => Ok(bytes.len()),
        }
    }
}

impl Listener {
    /// The next connection and the address that it came from; none for Unix sockets.
    ///
    /// # Errors
    /// As the system says; most pass with the connection that they are about.
    pub async fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.get_ref().set_nodelay(true)?;
                Ok((Socket::Tcp(Watched::new(stream)), Some(peer)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Socket::Unix(Watched::new(stream)), None))
            }
        }
    }
}

/// None where a call would have to wait, or was interrupted.
///
/// # Errors
/// Every other error.
pub fn unless_blocked<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Bytes of one read where connections share a buffer: all but what they have of it before. With
/// more, what a destination has not answered yet would fill `commit.bytes` and go to the disk.
pub const READ_MAX: usize = 16 * 1024;

/// Bytes of one read into a buffer without room.
const ROOM: usize = 4 * 1024;
