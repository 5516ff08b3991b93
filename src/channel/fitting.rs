//! Packets of several messages of which one is longer than the ring can ever store: for protocols
//! that send again, for ever, what is not answered as taken.

use super::Intake;
use super::Refusal;
use crate::message::Message;

/// What became of the messages of a packet that is not to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    /// There are none in it.
    Empty,
    /// Taken, but for those that can never be stored.
    Taken,
    /// None of them can ever be stored.
    NeverFits,
}

/// Makes the messages of a packet and brings in all of them, or nothing; but where one can never be
/// stored, each of the others for itself. Those that are left out are counted by `intake`.
///
/// `make` is called once more where there are others: nothing is left of messages that were
/// refused. It has to make the same ones.
///
/// # Errors
/// Why the packet has to come again: what was brought in of it before that comes then twice.
pub(super) fn submit_what_fits(
    make: &mut dyn FnMut(&mut dyn Intake) -> Vec<Message>,
    intake: &mut dyn Intake,
) -> Result<Submitted, Refusal> {
    let mut batch = make(intake);
    if batch.is_empty() {
        return Ok(Submitted::Empty);
    }
    match intake.submit(&mut batch) {
        Ok(()) => Ok(Submitted::Taken),
        Err(refused) if refused.reason != Refusal::TooLong => Err(refused.reason),
        Err(_) if batch.len() == 1 => Ok(Submitted::NeverFits),
        Err(refused) => submit_others(make(intake), refused.index, intake),
    }
}

/// Each message for itself, but for the one at `too_long`.
fn submit_others(
    batch: Vec<Message>,
    too_long: usize,
    intake: &mut dyn Intake,
) -> Result<Submitted, Refusal> {
    let mut submitted = Submitted::NeverFits;
    for (index, message) in batch.into_iter().enumerate() {
        if index == too_long {
            continue;
        }
        match intake.submit(&mut [message]) {
            Ok(()) => submitted = Submitted::Taken,
            Err(refused) if refused.reason == Refusal::TooLong => {}
            Err(refused) => return Err(refused.reason),
        }
    }
    Ok(submitted)
}
