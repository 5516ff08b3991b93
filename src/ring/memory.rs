//! A ring's bytes in memory: for tests, and where there is no disk. Keeps nothing.

use super::IoError;
use super::Storage;

/// Bytes that are gone with the process.
#[derive(Clone, Debug)]
pub struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    /// `len` zeros.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self {
            bytes: vec![0; len],
        }
    }
}

impl From<Vec<u8>> for Memory {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}

impl Storage for Memory {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn lasts(&self) -> bool {
        false
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), IoError> {
        let from = usize::try_from(offset).map_err(|_| IoError::Io)?;
        let bytes = self
            .bytes
            .get(from..)
            .and_then(|rest| rest.get(..buf.len()));
        buf.copy_from_slice(bytes.ok_or(IoError::Io)?);
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        let from = usize::try_from(offset).map_err(|_| IoError::Io)?;
        let place = self
            .bytes
            .get_mut(from..)
            .and_then(|rest| rest.get_mut(..bytes.len()));
        place.ok_or(IoError::Io)?.copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), IoError> {
        Ok(())
    }
}
