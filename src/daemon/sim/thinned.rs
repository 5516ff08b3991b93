//! What a stream with `every` leaves out, as the oracle knows it.

use super::oracle::Instance;
use super::oracle::Oracle;
use super::plan::IDENTS;
use super::plan::Promised;
use std::time::Duration;

/// The last message of each sender that was let through since the daemon was started.
#[derive(Default)]
pub(super) struct LastPassed([Option<(u32, Moment)>; IDENTS.len()]);

/// When a message was measured, else when it came.
#[derive(Clone, Copy)]
enum Moment {
    Measured(Duration),
    Came(Duration),
}

impl LastPassed {
    /// Message `number` comes, and the stream subscribes to it. If it is one too many: the one that
    /// was let through instead.
    fn one_instead(&mut self, promised: &Promised, it: &Instance, number: u32) -> Option<u32> {
        let every = promised.every.filter(|_| promised.passes(it.speed))?;
        let now = match it.undated {
            true => Moment::Came(it.at),
            false => Moment::Measured(it.measured),
        };
        let last = &mut self.0[usize::from(it.ident)];
        let apart = match (*last, now) {
            (Some((_, Moment::Measured(one))), Moment::Measured(other))
            | (Some((_, Moment::Came(one))), Moment::Came(other)) => one.abs_diff(other),
            _ => Duration::MAX,
        };
        if apart < every {
            return last.map(|(instead, _)| instead);
        }
        *last = Some((number, now));
        None
    }
}

impl Oracle {
    /// A message was taken in. A stream that leaves it out does not want it, for ever.
    pub(super) fn thin(&mut self, instance: &mut Instance, number: u32) {
        for (index, stream) in self.streams.iter_mut().enumerate() {
            if instance.mask & 1 << index != 0 {
                let instead = stream
                    .last_passed
                    .one_instead(&stream.promised, instance, number);
                instance.instead[index] = instead;
                instance.mask -= u8::from(instead.is_some()) << index;
            }
        }
    }

    /// The sender of a message hears that it is safe; where it was left out, so is the one that was
    /// let through instead of it.
    pub(super) fn acknowledged(&mut self, n: u32) {
        let instead = self.instances[n as usize].instead;
        for n in instead.into_iter().flatten().chain([n]) {
            self.instances[n as usize].acknowledged = true;
        }
    }
}
