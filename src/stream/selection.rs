//! The selection of a stream: which of the messages that it subscribes to it takes. Counts
//! nothing and sends nothing.
//!
//! `filter` decides when a message is read, so that a change of it applies to all that waits.
//! `every` decides when it comes, and the ring keeps that: what it thins by is in memory only, so
//! decided later, after a start, what had been left out would follow what was sent instead of it.

use super::outgoing::Outgoing;
use super::outgoing::Repeat;
use super::render;
use super::settings::Settings;
use crate::clock::Now;
use crate::filter::Filter;
use crate::filter::Watch;
use crate::message::body::Body;
use crate::ring::Seq;
use crate::thinning::Mark;
use crate::thinning::Thinner;
use std::time::Duration;

/// What decides of each message of a stream, in the order of the ring.
#[derive(Debug, Default)]
pub struct Selection {
    filter: Option<(Filter, Watch)>,
    /// For what came before the stream was there: nobody decided of that.
    older: Option<Thinner>,
    /// See [`Selection::suspicion`].
    never_seen: Option<Vec<String>>,
}

impl Selection {
    /// As the configuration of a stream has it.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let watched = |filter: Filter| {
            let watch = Watch::new(&filter);
            (filter, watch)
        };
        Self {
            filter: settings.filter.clone().map(watched),
            older: settings.thinning.clone().map(Thinner::new),
            never_seen: None,
        }
    }

    /// Whether one is taken that is older than the stream, and was received `age` before `mono`.
    pub(super) fn takes_older(
        &mut self,
        message: &Outgoing<'_>,
        mono: Duration,
        age: Duration,
    ) -> bool {
        if !self.takes(message) {
            return false;
        }
        let (Some(thinner), Ok(body)) = (&mut self.older, Body::new(message.body)) else {
            return true;
        };
        let (ident, mark) = (body.ident(), thinner.mark(&body, mono, age));
        let due = thinner.passes(ident, mark);
        if due {
            thinner.passed(ident, mark);
        }
        due
    }

    /// All that was taken is shown again.
    pub(super) fn forget(&mut self) {
        if let Some(thinner) = &mut self.older {
            thinner.forget();
        }
    }

    /// Whether a message is taken: passes the filter.
    pub(super) fn takes(&mut self, message: &Outgoing<'_>) -> bool {
        let Some((filter, watch)) = &mut self.filter else {
            return true;
        };
        let find = |name: &str| render::find(message, name);
        if filter.passes(find) {
            watch.passed();
            return true;
        }
        if watch.refused(filter, find) {
            let names = watch.never_seen(filter).map(str::to_owned);
            self.never_seen = Some(names.collect());
        }
        false
    }

    /// Once, when a filter has passed none of the last [`crate::filter::REFUSED_MAX`] messages:
    /// the parameters that it names and that none of them had.
    pub(super) fn suspicion(&mut self) -> Option<Vec<String>> {
        self.never_seen.take()
    }
}

/// What a stream with `every` leaves out of what comes.
#[derive(Debug)]
pub struct ArrivalThinner {
    filter: Option<Filter>,
    thinner: Thinner,
}

/// What is decided of a message that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is one too many.
    LeftOut,
    /// It is not: once it is in the ring, [`ArrivalThinner::passed`] has to know.
    Passes(Mark),
    /// Nor does it count: the filter, as it is now, will skip it.
    Filtered,
}

impl ArrivalThinner {
    /// As the configuration of a stream has it; none: nothing is left out.
    #[must_use]
    pub fn new(settings: &Settings) -> Option<Self> {
        let thinning = settings.thinning.clone()?;
        Some(Self {
            filter: settings.filter.clone(),
            thinner: Thinner::new(thinning),
        })
    }

    /// Decides of a message that comes now; changes nothing.
    #[must_use]
    pub fn judge(&self, body: &[u8], now: Now) -> Arrival {
        // The filter sees what it will see again, but for its place.
        let message = Outgoing {
            seq: Seq(0),
            ring: 0,
            received: now.wall,
            body,
            repeat: Repeat::First,
        };
        let filter = self.filter.as_ref();
        let passes = filter.is_none_or(|filter| filter.passes(|name| render::find(&message, name)));
        let Some(body) = Body::new(body).ok().filter(|_| passes) else {
            return Arrival::Filtered;
        };
        let mark = self.thinner.mark(&body, now.mono, Duration::ZERO);
        match self.thinner.passes(body.ident(), mark) {
            true => Arrival::Passes(mark),
            false => Arrival::LeftOut,
        }
    }

    /// A message that passes is in the ring.
    pub fn passed(&mut self, body: &[u8], mark: Mark) {
        if let Ok(body) = Body::new(body) {
            self.thinner.passed(body.ident(), mark);
        }
    }

    /// Goes on where one before ended, unless that compared other things.
    pub fn continue_from(&mut self, before: &mut Self) {
        self.thinner.continue_from(&mut before.thinner);
    }
}
