//! Opening the ring that a configuration names. A gateway must not go dark for a bad disk: what
//! cannot be opened is left alone, and a ring in memory takes its place, loudly.

use crate::clock::Clock;
use crate::config;
use crate::ring::{IoError, Memory, OpenError, Ring, Settings};
use std::fs;
use std::path::Path;

/// Another process has the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked;

/// Opens the ring, or makes it.
///
/// # Errors
/// When another process has it: two daemons on one ring would lose messages.
pub fn open_ring(config: &config::Ring, clock: &Clock) -> Result<Ring, Locked> {
    let place = config.file.display();
    let mut settings = config.settings.clone();
    settings.size = config.size.unwrap_or_else(|| automatic_size(&config.file));
    loop {
        let now = clock.now();
        match Ring::open_file(&config.file, settings.clone(), now, random()) {
            Ok((ring, report)) => {
                log::info!("ring: {place}: {report}");
                return Ok(ring);
            }
            Err(OpenError::Locked) => return Err(Locked),
            Err(OpenError::Io(IoError::Full)) if settings.size / 2 >= SIZE_MIN => {
                settings.size /= 2;
                log::error!(
                    "ring: {place}: no space left; trying {} bytes",
                    settings.size
                );
            }
            Err(error) => {
                log::error!("ring: {place}: {error}; messages are kept in memory only");
                return Ok(in_memory(settings, clock));
            }
        }
    }
}

/// A ring that is gone with the power.
fn in_memory(mut settings: Settings, clock: &Clock) -> Ring {
    settings.size = MEMORY_SIZE as u64;
    let memory = Box::new(Memory::new(MEMORY_SIZE));
    match Ring::open(memory, settings, clock.now(), random()) {
        Ok((ring, _)) => ring,
        Err(error) => unreachable!("memory takes what it is given: {error}"),
    }
}

/// At most 64 MiB and a quarter of what is free.
fn automatic_size(file: &Path) -> u64 {
    let folder = file.parent().unwrap_or(Path::new("/"));
    if let Err(error) = fs::create_dir_all(folder) {
        log::error!("ring: {}: {error}", folder.display());
    }
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

/// A ring in memory, and what it costs.
const MEMORY_SIZE: usize = 1024 * 1024;
