//! A program without TLS: a configuration that asks for it is refused, so that nothing of this is
//! ever called with a socket.

use super::Identity;
use super::ServerTls;
use super::Tls;
use crate::clock::Clock;
use crate::net::socket::Socket;
use crate::net::watched::Interest;
use std::fmt;
use std::io;
use std::io::ErrorKind;
use std::path::Path;

/// A stream's TLS, of which there is none.
#[derive(Debug)]
pub struct Client;

/// A channel's TLS, of which there is none.
#[derive(Debug)]
pub struct Server;

/// A connection in TLS, which nobody can have.
#[derive(Debug)]
pub enum TlsSocket {}

/// Why there is no TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// The program was built without it.
    LeftOut,
}

/// What is wrong with a file: nobody looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key that names the file.
    pub key: &'static str,
    /// Lowercase, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl Client {
    /// Keeps nothing.
    #[must_use]
    pub fn new(_tls: Tls, _clock: Clock) -> Self {
        Self
    }

    /// Makes no connection.
    ///
    /// # Errors
    /// Always.
    pub async fn connect(&mut self, _socket: Socket, _host: &str) -> io::Result<TlsSocket> {
        Err(left_out())
    }
}

impl Server {
    /// Keeps nothing.
    #[must_use]
    pub fn new(_tls: ServerTls, _clock: Clock) -> Self {
        Self
    }

    /// Whether it could serve.
    ///
    /// # Errors
    /// Always.
    pub fn check(&self) -> Result<(), TlsError> {
        Err(TlsError::LeftOut)
    }

    /// Serves nobody.
    ///
    /// # Errors
    /// Always.
    pub async fn accept(&self, _socket: Socket) -> io::Result<TlsSocket> {
        Err(left_out())
    }
}

impl TlsSocket {
    /// There is none to read from.
    ///
    /// # Errors
    /// None.
    pub fn try_read(&mut self, _buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        match *self {}
    }

    /// There is none to write to.
    ///
    /// # Errors
    /// None.
    pub fn try_write(&mut self, _buffer: &mut Vec<u8>) -> io::Result<usize> {
        match *self {}
    }

    /// There is none to wait for.
    ///
    /// # Errors
    /// None.
    pub async fn ready(&self, _interest: Interest) -> io::Result<()> {
        match *self {}
    }

    /// There is none to end.
    ///
    /// # Errors
    /// None.
    pub fn finish(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl TlsError {
    /// No error is about a certificate.
    #[must_use]
    pub fn is_certificate(_error: &io::Error) -> bool {
        false
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this program was built without TLS")
    }
}

impl std::error::Error for TlsError {}

/// No certificate is looked at.
#[must_use]
pub fn expiry(_certificate: &Path) -> Option<String> {
    None
}

/// No certificate is looked at.
#[must_use]
pub fn inspect_identity(_identity: &Identity) -> Vec<Finding> {
    Vec::new()
}

/// No certificate is looked at.
#[must_use]
pub fn inspect_issuers(_key: &'static str, _path: &Path) -> Vec<Finding> {
    Vec::new()
}

fn left_out() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, TlsError::LeftOut)
}
