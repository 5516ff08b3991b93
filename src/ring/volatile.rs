//! Whether a file is gone with the power. Knows Linux' file systems, and nothing of rings.

use rustix::fs::fstat;
use rustix::fs::fstatfs;
use rustix::fs::major;
use rustix::fs::minor;
use rustix::fs::statfs;
use std::fs;
use std::os::fd::AsFd;

/// Whether a file lies in memory only. What cannot be found out counts as a disk.
pub(super) fn is_volatile(file: &fs::File) -> bool {
    let Ok(system) = fstatfs(file) else {
        return false;
    };
    match low(system.f_type) {
        TMPFS | RAMFS => true,
        OVERLAY => upper_layer(file).is_some_and(|upper| is_in_memory(&upper)),
        _ => false,
    }
}

fn is_in_memory(path: &str) -> bool {
    statfs(path).is_ok_and(|system| matches!(low(system.f_type), TMPFS | RAMFS))
}

/// The `upperdir` of the overlay on which a file lies.
fn upper_layer(file: impl AsFd) -> Option<String> {
    let device = fstat(file).ok()?.st_dev;
    let device = format!("{}:{}", major(device), minor(device));
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    upper_of(&mounts, &device)
}

/// Finds the option in the lines of `mountinfo`, the third field of which is the device.
fn upper_of(mounts: &str, device: &str) -> Option<String> {
    let line = mounts
        .lines()
        .find(|line| line.split(' ').nth(2) == Some(device))?;
    let options = line.rsplit(' ').next()?;
    let upper = options
        .split(',')
        .find_map(|option| option.strip_prefix("upperdir="))?;
    Some(upper.to_owned())
}

/// The type of a file system, which is wider on some machines than on others.
fn low(kind: impl TryInto<i64>) -> i64 {
    kind.try_into().unwrap_or(0) & 0xffff_ffff
}

/// From `linux/magic.h`.
const TMPFS: i64 = 0x0102_1994;
const RAMFS: i64 = 0x8584_58f6;
const OVERLAY: i64 = 0x794c_7630;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_layer_of_an_overlay_is_found_by_its_device() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      30 22 0:27 / /data rw - overlay overlay rw,lowerdir=/l,upperdir=/tmp/u,w=1";
        assert_eq!(upper_of(mounts, "0:27"), Some("/tmp/u".to_owned()));
        assert_eq!(upper_of(mounts, "8:1"), None);
    }
}
