//! The system's log: datagrams to its socket, as busybox, OpenWrt's logd, rsyslog and systemd's
//! journal read them. One that begins anew is found again, one that is busy is not waited for.

use std::io;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::path::PathBuf;

/// A socket of the system's log.
pub(super) struct SystemLog {
    path: PathBuf,
    /// None: not connected.
    socket: Option<UnixDatagram>,
}

impl SystemLog {
    /// It is connected when there is something for it.
    pub(super) fn new(path: PathBuf) -> Self {
        let socket = None;
        Self { path, socket }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// One line.
    pub(super) fn send(&mut self, line: &[u8]) -> io::Result<()> {
        let mut sent = Err(ErrorKind::NotConnected.into());
        if let Some(socket) = &self.socket {
            sent = socket.send(line);
        }
        let is_gone = |error: &io::Error| error.kind() != ErrorKind::WouldBlock;
        if sent.as_ref().is_err_and(is_gone) {
            // there is none yet, or another one is there now
            self.socket = None;
            sent = self.socket.insert(connect(&self.path)?).send(line);
        }
        sent.map(drop)
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_log_that_begins_anew_is_found_and_one_that_is_busy_is_not_waited_for() {
        let path = std::env::temp_dir().join(format!("weir-log-{}", std::process::id()));
        let mut log = SystemLog::new(path.clone());
        assert!(log.send(b"lost").is_err());
        let reader = UnixDatagram::bind(&path).unwrap();
        log.send(b"one").unwrap();
        drop(reader);
        fs::remove_file(&path).unwrap();
        assert!(log.send(b"lost").is_err());
        let reader = UnixDatagram::bind(&path).unwrap();
        log.send(b"two").unwrap();
        let mut buffer = [0; 16];
        let length = reader.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"two");
        let full = (0..100_000).find_map(|_| log.send(b"more").err()).unwrap();
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        reader.recv(&mut buffer).unwrap();
        log.send(b"again").unwrap();
        fs::remove_file(&path).unwrap();
    }
}
