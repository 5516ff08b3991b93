//! What a far end sends in a row that cannot be read: one that loses bytes now and then is borne,
//! one that speaks something else is not.

use super::Disconnect;

/// What could not be read, since the last that could.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BadRun(u32);

impl BadRun {
    /// Something could be read.
    pub(super) fn end(&mut self) {
        self.0 = 0;
    }

    /// Something could not.
    pub(super) fn grow(&mut self) {
        self.0 = self.0.saturating_add(1);
    }

    /// # Errors
    /// The reason, where it was too much.
    pub(super) fn check(self, reason: &'static str) -> Result<(), Disconnect> {
        match self.0 {
            0..BAD_MAX => Ok(()),
            _ => Err(Disconnect { reason }),
        }
    }
}

/// Then what comes is something else.
const BAD_MAX: u32 = 64;
