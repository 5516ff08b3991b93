//! The sieve of a stream: which of the messages that it subscribes to it takes. Counts nothing and
//! sends nothing.

use super::engine::Outgoing;
use super::render;
use super::settings::Settings;
use crate::filter::Filter;
use crate::filter::Watch;
use crate::message::body::Body;
use crate::thinning::Thinner;
use std::time::Duration;

/// What decides of each message of a stream, in the order of the ring.
#[derive(Debug, Default)]
pub struct Sieve {
    filter: Option<(Filter, Watch)>,
    thinner: Option<Thinner>,
    /// See [`Sieve::suspicion`].
    never_seen: Option<Vec<String>>,
}

impl Sieve {
    /// As the configuration of a stream has it.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let watched = |filter: Filter| {
            let watch = Watch::new(&filter);
            (filter, watch)
        };
        Self {
            filter: settings.filter.clone().map(watched),
            thinner: settings.thinning.clone().map(Thinner::new),
            never_seen: None,
        }
    }

    /// Whether a message is taken that was received `age` before `mono`, as it stands in the ring.
    pub(super) fn takes(&mut self, message: &Outgoing<'_>, mono: Duration, age: Duration) -> bool {
        if !self.passes(message) {
            return false;
        }
        let (Some(thinner), Ok(body)) = (&mut self.thinner, Body::new(message.body)) else {
            return true;
        };
        let (ident, mark) = (body.text("ident"), thinner.mark(&body, mono, age));
        let due = thinner.passes(ident, mark);
        if due {
            thinner.passed(ident, mark);
        }
        due
    }

    /// All that was taken is shown again.
    pub(super) fn forget(&mut self) {
        if let Some(thinner) = &mut self.thinner {
            thinner.forget();
        }
    }

    /// Whether a message passes the filter.
    fn passes(&mut self, message: &Outgoing<'_>) -> bool {
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
