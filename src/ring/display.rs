//! What the ring says, in words.

use super::AttachError;
use super::IoError;
use super::OpenError;
use super::Report;
use super::RingPlace;
use std::fmt;

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "no space left",
            Self::ReadOnly => "the file system is read-only",
            Self::Denied => "no permission: the file and its folder are not for this user",
            Self::Name => "there can be no file of this name: look at the folders",
            Self::Io => "the disk failed",
            Self::Gone => "the file was removed, replaced or cut short",
        })
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked => f.write_str("another process has it"),
            Self::Newer => f.write_str("written by a later version of weir"),
            Self::Foreign => f.write_str("not a ring, or only a part of one; it is left as it is"),
            Self::TooSmall => f.write_str("too small for a ring"),
            Self::Exists => f.write_str("there is a file already; it is left as it is"),
            Self::Unreadable { .. } => {
                f.write_str("it cannot be read, the disk failed; it is left as it is")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("a name has 1 to 32 bytes"),
            Self::TooMany => f.write_str("the ring has room for 32 streams"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            RingPlace::File => {}
            RingPlace::VolatileFile => f.write_str("on a file system in memory, not durable; ")?,
            RingPlace::Memory(reason) => {
                return write!(f, "{reason}; messages are kept in memory only, not durable");
            }
        }
        if self.newer_set_aside {
            f.write_str("a ring of a later version was set aside as `.newer`; ")?;
        }
        if let Some(reason) = self.not_written {
            write!(
                f,
                "it cannot be written, {reason}; messages are kept in memory only; "
            )?;
        }
        if let Some(reason) = self.not_resized {
            write!(f, "its size was to change and could not, {reason}; ")?;
        }
        if self.resized {
            f.write_str("copied into a file of another size; ")?;
        }
        if self.created {
            return f.write_str("new");
        }
        f.write_str(if self.clean {
            "closed cleanly"
        } else {
            "recovered"
        })?;
        write!(f, ", {} bytes read", self.read)?;
        let found = [
            (
                self.torn,
                "torn by the power cut, nothing in it was acknowledged",
            ),
            (self.rotten, "damaged by the medium"),
            (
                self.inferred,
                "segments without a header found by their records",
            ),
        ];
        for (count, what) in found.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "; {count} {what}")?;
        }
        if self.slots < 2 {
            write!(f, "; {} of 2 slots whole", self.slots)
        } else {
            Ok(())
        }
    }
}

impl std::error::Error for IoError {}
impl std::error::Error for OpenError {}
impl std::error::Error for AttachError {}
