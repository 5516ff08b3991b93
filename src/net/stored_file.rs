//! Files that are read while others wait: only what lies on a disk. A pipe would keep the only
//! thread until somebody writes to it.

use rustix::fs::OFlags;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a file to read it.
///
/// # Errors
/// As opening says; also when it is no file but a folder, a pipe, a device or a socket.
pub fn open_stored(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::other("it is no file but a pipe or a device")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;
    use rustix::fs::FileType;
    use rustix::fs::Mode;
    use rustix::fs::mknodat;
    use std::io::Read;

    #[test]
    fn a_pipe_is_refused_at_once_and_not_waited_for() {
        let folder = std::env::temp_dir().join(format!("weir-stored-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (pipe, file) = (folder.join("pipe"), folder.join("file"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        std::fs::write(&file, "text").unwrap();
        let wrong = open_stored(&pipe).unwrap_err().to_string();
        assert!(wrong.contains("pipe"), "{wrong}");
        let folder_error = open_stored(&folder).unwrap_err();
        assert_eq!(folder_error.kind(), io::ErrorKind::IsADirectory);
        let mut text = String::new();
        open_stored(&file)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "text");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
