//! Packets of several messages of which one is longer than the ring can ever store: for protocols
//! that send again, for ever, what is not answered as taken.

use super::Intake;
use super::Refusal;
use crate::message::Message;

/// Brings in all of `batch`, or nothing; but where a message can never be stored, each of the
/// others for itself: `again` makes the batch a second time, as nothing is left of the first. How
/// many were left out, each of them counted.
pub(super) fn submit_what_fits(
    batch: &mut [Message],
    intake: &mut dyn Intake,
    again: &mut dyn FnMut(&mut dyn Intake) -> Vec<Message>,
) -> Result<usize, Refusal> {
    let first = match intake.submit(batch) {
        Ok(()) => return Ok(0),
        Err(refused) if refused.reason != Refusal::TooLong => return Err(refused.reason),
        Err(refused) => refused.index,
    };
    let mut left_out = 1;
    if batch.len() == 1 {
        return Ok(left_out);
    }
    for (index, message) in again(intake).into_iter().enumerate() {
        if index == first {
            continue;
        }
        match intake
            .submit(&mut [message])
            .map_err(|refused| refused.reason)
        {
            Ok(()) => {}
            Err(Refusal::TooLong) => left_out = left_out.saturating_add(1),
            Err(reason) => return Err(reason),
        }
    }
    Ok(left_out)
}
