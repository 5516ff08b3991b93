//! Sockets that never block the loop: a try first, then a wait for one of several things.

use smol::Async;
use smol::future::FutureExt;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;

/// A connection, accepted or dialled, or a serial line.
#[derive(Debug)]
pub enum Socket {
    /// Over TCP.
    Tcp(Async<TcpStream>),
    /// On this machine.
    Unix(Async<UnixStream>),
    /// A wire.
    Serial(Async<File>),
}

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// Over TCP.
    Tcp(Async<TcpListener>),
    /// On this machine.
    Unix(Async<UnixListener>),
}

/// Whether a wait also ends when bytes can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Ends for no socket event: what came is not to be read now.
    None,
    /// Ends when there is something to read, or the end.
    Read,
    /// Ends when something can be written.
    Write,
    /// Ends for either.
    Both,
}

impl Interest {
    /// What a loop waits for that would read, write, both or neither.
    #[must_use]
    pub fn of(reads: Option<()>, writes: Option<()>) -> Self {
        match (reads, writes) {
            (None, None) => Self::None,
            (Some(()), None) => Self::Read,
            (None, Some(())) => Self::Write,
            (Some(()), Some(())) => Self::Both,
        }
    }
}

impl Socket {
    /// Connects over TCP; nagle is off: what is written is a whole unit.
    ///
    /// # Errors
    /// As the system says; it never says that it takes too long.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = Async::<TcpStream>::connect(address).await?;
        stream.get_ref().set_nodelay(true)?;
        Ok(Self::Tcp(stream))
    }

    /// Appends what is there to `buffer`, at most [`READ_MAX`] bytes: how many, 0 at the end;
    /// none where nothing is there yet.
    ///
    /// # Errors
    /// As the system says.
    pub fn try_read(&self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let mut chunk = [0; READ_MAX];
        let read = unless_blocked(self.read(&mut chunk))?;
        buffer.extend_from_slice(chunk.get(..read.unwrap_or(0)).unwrap_or_default());
        Ok(read)
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
            Self::Tcp(stream) => stream.get_ref().shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.get_ref().shutdown(Shutdown::Write),
            Self::Serial(_) => Ok(()),
        }
    }

    /// Waits for the socket; may end without cause.
    ///
    /// # Errors
    /// As the system says.
    pub async fn ready(&self, interest: Interest) -> io::Result<()> {
        match interest {
            Interest::None => std::future::pending().await,
            Interest::Read => self.readable().await,
            Interest::Write => self.writable().await,
            Interest::Both => self.readable().or(self.writable()).await,
        }
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.get_ref().read(buffer),
            Self::Unix(stream) => stream.get_ref().read(buffer),
            Self::Serial(file) => file.get_ref().read(buffer),
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.get_ref().write(bytes),
            Self::Unix(stream) => stream.get_ref().write(bytes),
            Self::Serial(file) => file.get_ref().write(bytes),
        }
    }

    async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
            Self::Serial(file) => file.readable().await,
        }
    }

    async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
            Self::Serial(file) => file.writable().await,
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
                Ok((Socket::Tcp(stream), Some(peer)))
            }
            Self::Unix(listener) => Ok((Socket::Unix(listener.accept().await?.0), None)),
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

/// Bytes of one read: stack, not heap.
pub const READ_MAX: usize = 8 * 1024;
