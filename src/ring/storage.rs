//! Where the ring's bytes are: a file, memory, or a simulated disk.

/// Bytes at offsets, and a promise about them.
///
/// A write is durable when a later [`Storage::sync`] has returned `Ok`; until then a power cut
/// may leave each sector of it old, new, or, in the sector under way, garbage.
pub trait Storage {
    /// How many bytes there are; fixed from the creation on.
    fn len(&self) -> u64;

    /// Whether there is no byte at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it outlives the process at all.
    fn lasts(&self) -> bool {
        true
    }

    /// Whether what was written can still be found by who opens it next. Asks nothing of the
    /// medium.
    ///
    /// # Errors
    /// [`IoError::Gone`] when it cannot.
    fn check(&mut self) -> Result<(), IoError> {
        Ok(())
    }

    /// Whether [`Storage::check`] can find anything.
    fn can_go(&self) -> bool {
        false
    }

    /// How many reads failed so far, those that succeeded when they were tried again included.
    fn read_failures(&self) -> u64 {
        0
    }

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// When not all of it could be read.
    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError>;

    /// Writes `bytes` at `offset`, inside the length.
    ///
    /// # Errors
    /// When not all of it could be written; any part of it may have been.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError>;

    /// Makes every write before it durable.
    ///
    /// # Errors
    /// When it failed: what was written since the last successful sync may be lost, and a second
    /// sync that succeeds would not mean that it is not.
    fn sync(&mut self) -> Result<(), IoError>;
}

impl IoError {
    /// Whether another try at once would be in vain.
    pub(super) fn is_lasting(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Denied | Self::Gone)
    }
}

/// What a disk answers when it does not do as told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoError {
    /// No space is left.
    Full,
    /// The file system is read-only.
    ReadOnly,
    /// The file or its folder is not for this user.
    Denied,
    /// There can be no file of this name: a folder is missing or in its place.
    Name,
    /// Anything else: the medium.
    Io,
    /// The file is no longer what its name means, or shorter than it was: what is written to it
    /// is lost.
    Gone,
}
