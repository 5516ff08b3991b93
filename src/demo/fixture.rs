//! The fixture: a folder for temporary files with a configuration and a ring in it, and addresses
//! that nobody uses. Starts nothing.

use super::Error;
use super::encode;
use super::sink;
use crate::clock::Clock;
use crate::config;
use crate::config::Config;
use crate::config::Machine;
use crate::net;
use crate::net::Address;
use crate::net::SocketRights;
use crate::ring::Ring;
use rustix::fs::CWD;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::mknodat;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

/// Where a demo takes place. Dropped, it leaves nothing behind.
pub(super) struct Fixture {
    folder: PathBuf,
    /// Where the daemon takes Teltonika.
    pub(super) trackers: SocketAddr,
    /// Where the daemon takes JSON lines.
    pub(super) programs: SocketAddr,
    /// Where the receiver listens.
    pub(super) receiver: SocketAddr,
}

impl Fixture {
    /// Makes the folder and finds addresses.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn new() -> Result<Self, Error> {
        let name = format!("weir-demo-{:08x}", fastrand::u32(..));
        let folder = std::env::temp_dir().join(name);
        let [trackers, programs, receiver] = free_addresses().map_err(Error::Address)?;
        let made = fs::DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|error| Error::Folder(folder.clone(), error))?;
        let fixture = Self {
            folder,
            trackers,
            programs,
            receiver,
        };
        let mode = Mode::RUSR | Mode::WUSR;
        let made = mknodat(CWD, fixture.bus(), FileType::Fifo, mode, 0);
        made.map_err(|error| Error::Folder(fixture.bus(), error.into()))?;
        Ok(fixture)
    }

    /// The FIFO through which a truck's bus is heard.
    pub(super) fn bus(&self) -> PathBuf {
        self.folder.join("bus")
    }

    /// The ring's file.
    pub(super) fn ring(&self) -> PathBuf {
        self.folder.join("ring")
    }

    /// The daemon's configuration, by the same way as that of every other daemon.
    ///
    /// # Errors
    /// When it cannot be written, or has a mistake.
    pub(super) fn config(&self) -> Result<Config, Error> {
        let file = self.folder.join("weir.toml");
        fs::write(&file, self.text()).map_err(|error| Error::Folder(file.clone(), error))?;
        let loaded = config::load(&file, &Machine);
        if loaded.diagnostics.is_empty() {
            Ok(loaded.config)
        } else {
            Err(Error::Config(config::render(&loaded.diagnostics)))
        }
    }

    /// The ring that the configuration names.
    ///
    /// # Errors
    /// As the ring says.
    pub(super) fn open(&self, config: &Config, clock: &Clock) -> Result<Ring, Error> {
        let settings = config.ring.settings.clone();
        let opened = Ring::open_file(&config.ring.file, settings, clock.now(), fastrand::u64(..));
        opened.map(|(ring, _)| ring).map_err(Error::Ring)
    }

    fn text(&self) -> String {
        let Self {
            trackers,
            programs,
            receiver,
            ..
        } = self;
        let quoted = |path: PathBuf| {
            let path = path.to_string_lossy().replace('\\', "\\\\");
            path.replace('"', "\\\"")
        };
        let (ring, bus) = (quoted(self.ring()), quoted(self.bus()));
        let (number, number_id) = (encode::NUMBER, encode::CAN_NUMBER);
        let path = sink::PATH;
        format!(
            r#"
[ring]
file = "{ring}"
size = "4 MiB"

[api]
listen = "off"

[[channel]]
name = "trackers"
type = "teltonika"
listen = "{trackers}"

[[channel]]
name = "programs"
type = "json"
listen = "{programs}"

[[channel]]
name = "bus"
type = "can"
connect = "candump:{bus}"
ident = "truck-1"
every = "1m"
or_change = ["{number}"]
standard = ["j1939"]
position = true
signals = [{{ name = "{number}", id = "{number_id}", start = 0, length = 64 }}]

[[stream]]
name = "cloud"
type = "http"
url = "http://{receiver}{path}"
channels = ["*"]
timeout = "5s"
retry = {{ min = "200ms", max = "1s" }}
"#
        )
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            log::warn!("`{}` stays: {error}", self.folder.display());
        }
    }
}

/// Addresses on loopback that nobody listens on. Not of those that the system gives to who dials:
/// while the receiver is away, one who dials it could be given its own address.
fn free_addresses() -> io::Result<[SocketAddr; 3]> {
    let (mut found, mut last) = (Vec::new(), io::ErrorKind::AddrInUse.into());
    for _ in 0..TRIES_MAX {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(20_000..30_000)));
        match net::listen(&Address::Tcp(address), &SocketRights::default()) {
            Ok(listener) => found.push((address, listener)),
            Err(error) => last = error,
        }
        if let [(first, _), (second, _), (third, _)] = found.as_slice() {
            return Ok([*first, *second, *third]);
        }
    }
    Err(last)
}

const TRIES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_no_mistake_and_nothing_stays() {
        let fixture = Fixture::new().unwrap();
        let config = fixture.config().unwrap();
        assert_eq!((config.channels.len(), config.streams.len()), (3, 1));
        assert_eq!(config.ring.file, fixture.ring());
        let folder = fixture.folder.clone();
        drop(fixture);
        assert!(!folder.exists());
    }

    #[test]
    fn addresses_differ_and_are_free() {
        let [first, second, third] = free_addresses().unwrap();
        assert!(first != second && second != third && third != first);
        assert!(net::listen(&Address::Tcp(second), &SocketRights::default()).is_ok());
    }
}
