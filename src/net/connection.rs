//! A connection to a destination, with TLS or without: the same four calls for whoever carries
//! bytes. Knows no protocol.

use super::socket::Interest;
use super::socket::Socket;
use super::tls::TlsSocket;
use std::io;

/// A connection.
#[derive(Debug)]
pub enum Connection {
    /// Bytes as they are.
    Plain(Socket),
    /// In TLS, the handshake done.
    Tls(Box<TlsSocket>),
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
            #[cfg(test)]
            Self::Simulated(line) => line.try_read(buffer),
        }
    }

    /// As [`Socket::try_write`]; with TLS up to 16 KiB of what it took may still be in memory.
    ///
    /// # Errors
    /// As the system or TLS says.
    pub fn try_write(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.try_write(buffer),
            Self::Tls(socket) => socket.try_write(buffer),
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
            #[cfg(test)]
            Self::Simulated(line) => {
                std::future::poll_fn(|context| line.poll_ready(interest, context)).await;
                Ok(())
            }
        }
    }

    /// Says that nothing more will be written, as far as that can be said without waiting.
    ///
    /// # Errors
    /// As the system or TLS says.
    pub fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.finish(),
            Self::Tls(socket) => socket.finish(),
            #[cfg(test)]
            Self::Simulated(line) => {
                line.finish();
                Ok(())
            }
        }
    }
}
