//! TLS over one socket: the state machine of rustls between a socket and whoever carries bytes.
//! Decides nothing about trust.

use super::TlsError;
use crate::net::socket::Socket;
use crate::net::socket::unless_blocked;
use crate::net::watched::Interest;
use rustls::Connection;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;

/// A connection whose handshake is done. Memory beside the caller's: at most 16 KiB of what was
/// taken to be written, one record of what came, 20 KiB of keys and state.
#[derive(Debug)]
pub struct TlsSocket {
    socket: Socket,
    tls: Connection,
    /// Whether this side has a certificate to show.
    has_certificate: bool,
}

impl TlsSocket {
    /// Makes a connection of a socket and a state that has said nothing yet; `has_certificate`:
    /// this side shows one where it is asked for it. Waits on: the socket.
    ///
    /// # Errors
    /// A [`TlsError`] in an [`io::Error`], or as the system says; never that it takes too long.
    ///
    /// # Cancellation
    /// The socket is closed.
    pub(super) async fn shake_hands(
        socket: Socket,
        tls: impl Into<Connection>,
        has_certificate: bool,
    ) -> io::Result<Self> {
        let mut this = Self {
            socket,
            tls: tls.into(),
            has_certificate,
        };
        let mut received = 0;
        loop {
            this.flush()?;
            if !this.tls.is_handshaking() {
                return Ok(this);
            }
            // rustls would keep 64 KiB of a message that has no end, of everybody
            if received > HELLO_MAX && matches!(this.tls, Connection::Server(_)) {
                return Err(TlsError::Protocol("its TLS handshake is too long".to_owned()).into());
            }
            match unless_blocked(this.receive())? {
                Some(0) => return Err(this.cut_short().into()),
                Some(len) => received += len,
                None => this.ready(Interest::Read).await?,
            }
        }
    }

    /// How the handshake went, for the log.
    pub(super) fn description(&self) -> String {
        let version = self.tls.protocol_version().and_then(|it| it.as_str());
        let kind = match self.tls.handshake_kind() {
            Some(rustls::HandshakeKind::Resumed) => ", session resumed",
            _ => "",
        };
        let version = version.unwrap_or("TLS").replace('_', ".");
        format!("{version}{kind}")
    }

    /// As [`Socket::try_read`]. Where the far end closes the socket without having said so in
    /// TLS, that is an end as any other: every protocol above has lengths of its own.
    ///
    /// # Errors
    /// A [`TlsError`] in an [`io::Error`], or as the system says.
    pub fn try_read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let before = buffer.len();
        let received = unless_blocked(self.receive())?;
        let ended = match self.tls.reader().read_to_end(buffer) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => true,
            Err(error) => {
                unless_blocked::<()>(Err(error))?;
                false
            }
        };
        match buffer.len() - before {
            0 if ended || received == Some(0) => Ok(Some(0)),
            0 => Ok(None),
            read => Ok(Some(read)),
        }
    }

    /// As [`Socket::try_write`]; what is taken may wait in memory, and then nothing more is taken.
    ///
    /// # Errors
    /// As the system says.
    pub fn try_write(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let mut done: usize = 0;
        loop {
            self.flush()?;
            let rest = buffer.get(done..).unwrap_or_default();
            if self.tls.wants_write() || rest.is_empty() {
                break;
            }
            let chunk = rest.get(..RECORD_MAX).unwrap_or(rest);
            done += self.tls.writer().write(chunk)?;
        }
        buffer.drain(..done);
        Ok(done)
    }

    /// As [`Socket::ready`]; ends too when TLS itself can write.
    ///
    /// # Errors
    /// As the system says.
    pub async fn ready(&self, interest: Interest) -> io::Result<()> {
        let reads = matches!(interest, Interest::Read | Interest::Both).then_some(());
        let writes = matches!(interest, Interest::Write | Interest::Both) || self.tls.wants_write();
        self.socket
            .ready(Interest::of(reads, writes.then_some(())))
            .await
    }

    /// Says in TLS and in TCP that nothing more will be written.
    ///
    /// # Errors
    /// As the system says.
    pub fn finish(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        self.flush()?;
        self.socket.finish()
    }

    /// Takes what the socket has, at most one read; 0 at its end.
    fn receive(&mut self) -> io::Result<usize> {
        let received = self.tls.read_tls(&mut Wire(&self.socket))?;
        if let Err(error) = self.tls.process_new_packets() {
            // the far end is to hear why; whether it does is no matter
            self.flush().ok();
            return Err(self.fault(&error).into());
        }
        Ok(received)
    }

    fn fault(&self, error: &rustls::Error) -> TlsError {
        match self.tls {
            Connection::Client(_) if !self.has_certificate => TlsError::of_nameless(error),
            Connection::Client(_) => TlsError::of(error),
            Connection::Server(_) => TlsError::of_client(error),
        }
    }

    fn cut_short(&self) -> TlsError {
        match self.tls {
            Connection::Client(_) => TlsError::cut_short(),
            Connection::Server(_) => {
                TlsError::Protocol("closed in the middle of the TLS handshake".to_owned())
            }
        }
    }

    /// Writes what TLS has to say, as far as the socket takes it.
    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            if unless_blocked(self.tls.write_tls(&mut Wire(&self.socket)))?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// All that a client says before it is known: a hello of 2 KiB, certificates of some more.
const HELLO_MAX: usize = 16 * 1024;

/// The socket as rustls wants to see it.
struct Wire<'a>(&'a Socket);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What one record holds.
const RECORD_MAX: usize = 16 * 1024;
