//! Opening the ring that a configuration names.

use super::sleep;
use crate::clock::Clock;
use crate::config;
use crate::ring::{File, OpenError, Place, Report, Ring, Settings, inspect};
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
    let opened = Ring::open_file(&config.file, settings(config), clock.now(), random())?;
    Ok(told(config, opened))
}

/// Ends when the ring that a configuration names can be in its file after all: asks now and then,
/// less and less often. Waits on: the time.
pub async fn ring_in_its_file(config: &config::Ring, clock: &Clock) -> Ring {
    let mut pause = RETRY_MIN;
    loop {
        sleep(Some(pause)).await;
        pause = (pause * 2).min(RETRY_MAX);
        let opened = make_folder(&config.file)
            .map_err(|error| error.to_string())
            .and_then(|()| {
                let opened = Ring::try_file(&config.file, &settings(config), clock.now(), random());
                opened.map_err(|error| error.to_string())
            });
        match opened {
            Ok(opened) => return told(config, opened),
            Err(error) => log::warn!(
                "ring: {}: still in memory: {error}; next try in {} s",
                config.file.display(),
                pause.as_secs()
            ),
        }
    }
}

fn settings(config: &config::Ring) -> Settings {
    let mut settings = config.settings.clone();
    settings.size = config.size.unwrap_or_else(|| automatic_size(&config.file));
    settings
}

fn told(config: &config::Ring, (mut ring, report): (Ring, Report)) -> Ring {
    if config.ack_when_degraded {
        ring.trust_memory();
    }
    let level = match report.place {
        Place::File if !report.newer_set_aside => log::Level::Info,
        _ => log::Level::Error,
    };
    log::log!(level, "ring: {}: {report}", config.file.display());
    ring
}

fn make_folder(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}

/// What the ring was made with; of a new one at most 64 MiB and a quarter of what is free. The
/// free space differs at every start, and a ring that followed it would be copied at each.
fn automatic_size(file: &Path) -> u64 {
    let asked = File::peek(file)
        .ok()
        .and_then(|mut ring| inspect::asked(&mut ring));
    asked.unwrap_or_else(|| size_for_free_space(file))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Full;

    #[test]
    fn a_ring_that_is_there_keeps_its_size() {
        let folder = std::env::temp_dir().join(format!("weir-size-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("ring");
        let before = automatic_size(&file);
        let settings = Settings {
            size: SIZE_MIN + 4096,
            delay: Duration::ZERO,
            hold: Duration::ZERO,
            bytes: 4096,
            full: Full::DropOldest,
        };
        drop(Ring::open_file(&file, settings, Clock::new().now(), 7).unwrap());
        let after = automatic_size(&file);
        fs::remove_dir_all(&folder).unwrap();
        assert_ne!(before, after);
        assert_eq!(after, SIZE_MIN + 4096);
    }
}
