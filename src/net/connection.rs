//! A connection: to a far end, with TLS or without, or to a file. The same calls for whoever moves
//! bytes. Knows no protocol.

use super::file_connection::FileConnection;
use super::socket::Socket;
use super::tls::TlsSocket;
use super::watched::Interest;
use std::io;

/// A connection.
#[derive(Debug)]
pub enum Connection {
    /// Bytes as they are.
    Plain(Socket),
    /// In TLS, the handshake done.
    Tls(Box<TlsSocket>),
    /// A file of this machine.
    File(Box<FileConnection>),
    /// In a simulated network.
    #[cfg(test)]
    Simulated(Box<dyn Simulated>),
}

/// A connection without a socket.
#[cfg(test)]
pub trait Simulated: std::fmt::Debug {
    /// As [`Connection::try_read`].
    ///
    /// # Errors
    /// As that.
    fn try_read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>>;

    /// As [`Connection::try_write`].
    ///
    /// # Errors
    /// As that.
    fn try_write(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize>;

    /// As [`Connection::ready`].
    fn poll_ready(
        &self,
        interest: Interest,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()>;

    /// As [`Connection::finish`].
    fn finish(&mut self);
}

impl Connection {
    /// As [`Socket::try_read`]; with TLS it may be 16 KiB more.
    ///
    /// # Errors
    /// As the system or TLS says.
    pub fn try_read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        match self {
            Self::Plain(socket) => socket.try_read(buffer),
            Self::Tls(socket) => socket.try_read(buffer),
            Self::File(file) => Ok(file.read(buffer)),
            #[cfg(test)]
            Self::Simulated(line) => line.try_read(buffer),
        }
    }

    /// Whether a read that leaves room has brought all that was there, and [`Connection::ready`]
    /// tells of what comes after it.
    #[must_use]
    pub fn is_emptied_by_reads(&self) -> bool {
        matches!(self, Self::Plain(Socket::Tcp(_) | Socket::Unix(_)))
    }

    /// As [`Socket::try_write`]; with TLS up to 16 KiB of what it took may still be in memory. A
    /// file takes all, and blocks as long as the disk does.
    ///
    /// # Errors
    /// As the system or TLS says.
    pub fn try_write(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.try_write(buffer),
            Self::Tls(socket) => socket.try_write(buffer),
            Self::File(file) => Ok(file.write(buffer)),
            #[cfg(test)]
            Self::Simulated(line) => line.try_write(buffer),
        }
    }

    /// As [`Socket::ready`].
    ///
    /// # Errors
    /// As the system says.
    pub async fn ready(&self, interest: Interest) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.ready(interest).await,
            Self::Tls(socket) => socket.ready(interest).await,
            // nothing comes of itself
            Self::File(_) => std::future::pending().await,
            #[cfg(test)]
            Self::Simulated(line) => {
                std::future::poll_fn(|context| line.poll_ready(interest, context)).await;
                Ok(())
            }
        }
    }

    /// Whether what was written is answered already: a file's disk has taken it or not.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        matches!(self, Self::File(file) if file.has_answered())
    }

    /// Whether its bytes leave the machine, or could.
    #[must_use]
    pub fn is_network(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// Says that nothing more will be written, as far as that can be said without waiting.
    ///
    /// # Errors
    /// As the system or TLS says.
    pub fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.finish(),
            Self::Tls(socket) => socket.finish(),
            Self::File(_) => Ok(()),
            #[cfg(test)]
            Self::Simulated(line) => {
                line.finish();
                Ok(())
            }
        }
    }
}
