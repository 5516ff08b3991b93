//! What a far end sends in a row that cannot be read: one that loses bytes now and then is borne,
//! one that speaks something else is not.

use super::Disconnect;
use super::InputError;
use super::Intake;

/// Why something cannot be read: as the counter `refused` has it, and in words for the log.
pub(super) type Broken = (InputError, &'static str);

/// How much could not be read since something could.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BadRun(u32);

impl BadRun {
    /// Something could be read.
    pub(super) fn end(&mut self) {
        self.0 = 0;
    }

    /// Something could not, which is counted and logged; [`BadRun::check`] says whether that was
    /// too much.
    pub(super) fn add(&mut self, reason: InputError, detail: &str, intake: &mut dyn Intake) {
        intake.malformed(reason, detail);
        self.grow();
    }

    /// Something could not that is a part of what was counted already, or will be.
    pub(super) fn grow(&mut self) {
        self.0 = self.0.saturating_add(1);
    }

    /// Lets pass up to 63 in a row.
    ///
    /// # Errors
    /// `reason`, where there were more: what comes is something else.
    pub(super) fn check(self, reason: &'static str) -> Result<(), Disconnect> {
        match self.0 {
            0..BAD_MAX => Ok(()),
            _ => Err(Disconnect { reason }),
        }
    }
}

/// Then what comes is something else.
const BAD_MAX: u32 = 64;
