//! Opening the ring that a configuration names.

use super::waits::sleep;
use crate::clock::Clock;
use crate::config;
use crate::ring::File;
use crate::ring::OpenError;
use crate::ring::Report;
use crate::ring::Ring;
use crate::ring::RingPlace;
use crate::ring::Settings;
use crate::ring::inspect;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Opens the ring, or makes it. A gateway must not go dark for a bad disk: what cannot be opened
/// is left alone, and a ring in memory takes its place, loudly.
///
/// # Errors
/// When another process has it: two daemons on one ring would lose messages.
pub fn open_ring(config: &config::Ring, clock: &Clock) -> Result<Ring, OpenError> {
    if let Err(error) = make_folder(&config.file) {
        log::error!("ring: {}: {error}", config.file.display());
    }
    let opened = match try_file(config, clock) {
        Err(OpenError::Locked) => return Err(OpenError::Locked),
        Err(reason) => {
            let size = config.size.unwrap_or(config.settings.size);
            let settings = sized(config, size);
            Ring::open_memory(settings, clock.now(), random(), reason)?
        }
        Ok(opened) => opened,
    };
    Ok(told(config, opened))
}

/// Ends when the ring that a configuration names can be in its file after all: asks now and then,
/// less and less often; `failed` is told what went wrong each time. What cannot be read may be
/// readable in a moment, and trying writes nothing: that is asked soon. Waits on: the time.
pub(super) async fn ring_in_its_file(
    config: &config::Ring,
    clock: &Clock,
    soon: bool,
    failed: &dyn Fn(OpenError),
) -> Ring {
    let mut tries = Tries::begin(clock.now().mono, soon);
    loop {
        sleep(Some(tries.pause)).await;
        let error = match make_folder(&config.file).map(|()| try_file(config, clock)) {
            Ok(Ok(opened)) => return told(config, opened),
            Ok(Err(error)) => {
                failed(error);
                tries.failed(error, clock.now().mono);
                error.to_string()
            }
            Err(error) => {
                tries.slower();
                error.to_string()
            }
        };
        if tries.is_worth_a_line(clock.now().mono) {
            log::warn!(
                "ring: {}: still in memory: {error}; next try in {:.1} s",
                config.file.display(),
                tries.pause.as_secs_f64()
            );
        }
    }
}

/// Tries to have the ring in its file.
struct Tries {
    began: Duration,
    pause: Duration,
    /// When that was last said.
    said: Duration,
}

impl Tries {
    fn begin(mono: Duration, soon: bool) -> Self {
        Self {
            began: mono,
            pause: if soon { SOON } else { RETRY_MIN },
            said: mono,
        }
    }

    fn failed(&mut self, error: OpenError, mono: Duration) {
        match error {
            OpenError::Unreadable { .. } => {
                self.pause = ((mono - self.began) / 16).clamp(SOON, SOON_MAX);
            }
            _ => self.slower(),
        }
    }

    fn slower(&mut self) {
        self.pause = (self.pause * 2).clamp(RETRY_MIN, RETRY_MAX);
    }

    /// Each time twice as late as before.
    fn is_worth_a_line(&mut self, mono: Duration) -> bool {
        let since = mono - self.began;
        let worth = since >= 2 * (self.said - self.began);
        if worth {
            self.said = mono;
        }
        worth
    }
}

fn try_file(config: &config::Ring, clock: &Clock) -> Result<(Ring, Report), OpenError> {
    let size = match config.size {
        Some(size) => size,
        None => automatic_size(&config.file)?,
    };
    Ring::try_file(&config.file, &sized(config, size), clock.now(), random())
}

fn sized(config: &config::Ring, size: u64) -> Settings {
    Settings {
        size,
        ..config.settings.clone()
    }
}

fn told(config: &config::Ring, (mut ring, report): (Ring, Report)) -> Ring {
    if config.ack_when_degraded {
        ring.trust_memory();
    }
    let level = match report.place {
        RingPlace::File if report.is_as_wished() => log::Level::Info,
        _ => log::Level::Error,
    };
    log::log!(level, "ring: {}: {report}", config.file.display());
    let failures = ring.failed_reads();
    if failures > 0 {
        log::warn!("ring: {failures} reads failed while it was opened, and were tried again");
    }
    ring
}

fn make_folder(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}

/// What the ring was made with; of a new one at most 64 MiB and a quarter of what is free. The
/// free space differs at every start, and a ring that followed it would be copied at each.
///
/// # Errors
/// When there is a ring, and what it was made with cannot be read.
fn automatic_size(file: &Path) -> Result<u64, OpenError> {
    let asked = match File::peek(file) {
        Ok(mut ring) => inspect::asked(&mut ring)?,
        Err(_) => None,
    };
    Ok(asked.unwrap_or_else(|| size_for_free_space(file)))
}

fn size_for_free_space(file: &Path) -> u64 {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let free = rustix::fs::statvfs(folder)
        .map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize));
    (free / 4).clamp(SIZE_MIN, SIZE_AUTO_MAX)
}

/// Names a new ring: from the system, or from the clock where that has none yet.
fn random() -> u64 {
    let mut bytes = [0; 8];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::NONBLOCK) {
        Ok(8) => u64::from_le_bytes(bytes),
        _ => fastrand::u64(..),
    }
}

/// The smallest ring.
const SIZE_MIN: u64 = 256 * 1024;

/// The largest ring that nobody asked for.
const SIZE_AUTO_MAX: u64 = 64 * 1024 * 1024;

/// Between two tries to have the ring in its file.
const RETRY_MIN: Duration = Duration::from_secs(10);
const RETRY_MAX: Duration = Duration::from_secs(3600);

/// The same, where only a read failed: a sixteenth of the time that it has been failing.
const SOON: Duration = Duration::from_millis(100);
const SOON_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Full;

    #[test]
    fn a_ring_that_is_there_keeps_its_size() {
        let folder = std::env::temp_dir().join(format!("weir-size-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("ring");
        let before = automatic_size(&file).unwrap();
        let settings = Settings {
            size: SIZE_MIN + 4096,
            delay: Duration::ZERO,
            hold: Duration::ZERO,
            bytes: 4096,
            full: Full::DropOldest,
        };
        drop(Ring::open_file(&file, settings, Clock::new().now(), 7).unwrap());
        let after = automatic_size(&file).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_ne!(before, after);
        assert_eq!(after, SIZE_MIN + 4096);
    }
}
