//! A file system of its own in an image, so that the kernel's count of what its device was made
//! to write is this test's alone.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A mounted image; gone when the test ends.
pub(crate) struct Disk {
    image: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Disk {
    /// A fresh ext4 with the usual options and all of its tables written.
    pub(crate) fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let image = root.join(format!("wear-{}.image", std::process::id()));
        let folder = image.with_extension("mounted");
        fs::create_dir_all(&folder).unwrap();
        fs::File::create(&image)
            .unwrap()
            .set_len(512 << 20)
            .unwrap();
        let this = Self { image, folder };
        let options = "lazy_itable_init=0,lazy_journal_init=0";
        run(Command::new("mkfs.ext4")
            .args(["-q", "-b", "4096", "-E", options])
            .arg(&this.image));
        let mount = ["-o", "loop", "-t", "ext4"];
        run(Command::new("mount")
            .args(mount)
            .args([&this.image, &this.folder]));
        this
    }

    /// What `work` makes the device write, the journal and all that was put off included.
    pub(crate) fn written(&self, work: impl FnOnce()) -> u64 {
        self.flush();
        let before = self.bytes();
        work();
        self.flush();
        self.bytes() - before
    }

    /// Bytes that were written to the device.
    fn bytes(&self) -> u64 {
        let device = fs::metadata(&self.folder).unwrap().dev();
        let (major, minor) = ((device >> 8) & 0xfff, device & 0xff);
        let path = format!("/sys/dev/block/{major}:{minor}/stat");
        let counts = fs::read_to_string(path).unwrap();
        let sectors = counts.split_whitespace().nth(SECTORS_WRITTEN).unwrap();
        512 * sectors.parse::<u64>().unwrap()
    }

    fn flush(&self) {
        run(Command::new("sync").arg("-f").arg(&self.folder));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.folder).status());
        drop(fs::remove_dir(&self.folder));
        drop(fs::remove_file(&self.image));
    }
}

fn run(command: &mut Command) {
    let status = command.status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{command:?}: {status:?}; making a file system needs root"
    );
}

/// A column of a block device's `stat`, counted from 0.
const SECTORS_WRITTEN: usize = 6;
