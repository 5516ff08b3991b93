//! What is told of a stream's work: shown to whoever asks, noted as events, said in the log. Each
//! thing is told once where it lasts, and now and then where it comes again and again.

use super::LinkTask;
use crate::api::CONNECTED;
use crate::api::CONNECTION_LOST;
use crate::api::NOT_DELIVERED;
use crate::clock::Now;
use crate::daemon::limit::left_out;
use crate::daemon::stream::Trouble;
use crate::filter::REFUSED_MAX;
use crate::stream;
use crate::stream::Disconnect;
use crate::stream::Retry;
use crate::stream::engine::Event;
use std::time::Duration;

impl LinkTask {
    /// Has the stream show where its engine is.
    pub(super) fn show(&mut self, now: Now) {
        let tally = self.engine.take_tally();
        let next_try = self.engine.paused_until(now);
        self.stream
            .show(&tally, self.engine.oldest_age(now), next_try, now);
        self.stream
            .shown
            .asked_until
            .set(self.engine.asked_until(now));
        self.untold.add(&tally);
        if self.tell_due().is_some_and(|due| due <= now.mono) {
            self.tell_sent(now);
        }
    }

    /// When what was done is due to be told: single batches, but no more than one event a second.
    pub(super) fn tell_due(&self) -> Option<Duration> {
        let due = self.told_at.map_or(Duration::ZERO, |at| at + TELL_EVERY);
        (!self.untold.is_empty()).then_some(due)
    }

    /// Tells what was done and what happened, without waiting for more.
    pub(super) fn tell_all(&mut self, now: Now) {
        self.show(now);
        self.tell_sent(now);
        self.tell_events();
    }

    fn tell_sent(&mut self, now: Now) {
        let untold = std::mem::take(&mut self.untold);
        if !untold.is_empty() {
            self.told_at = Some(now.mono);
            self.stream.note_sent(&self.shared, &untold);
        }
    }

    /// Tells what the engine saw happen.
    pub(super) fn tell_events(&mut self) {
        let events: Vec<_> = self.engine.events().collect();
        for event in events {
            let (kind, code, text) = match event {
                Event::NotDelivered(error) => ("not delivered", error.code, error.reason),
                Event::GivenUp { seq, reason } => {
                    let text = format!("message {}, refused: {reason}", seq.0);
                    ("given up", 0, text)
                }
                Event::Skipped { seq, reason } => {
                    ("skipped", 0, format!("message {}: {reason}", seq.0))
                }
                Event::AtFault { reason } => {
                    let text = "everything is refused, nothing more is skipped";
                    ("at fault", 0, format!("{text}: {reason}"))
                }
                Event::NoSubscribers => {
                    self.warn("accepted", "and nobody there has subscribed to it");
                    continue;
                }
                Event::NothingPasses { never_seen } => ("filter", 0, nothing_passes(&never_seen)),
            };
            self.tell(kind, code, &text);
        }
    }

    /// Says what went wrong with messages, and notes it. Of those that are skipped each may be: the
    /// list of events is as limited as the log.
    fn tell(&mut self, kind: &'static str, code: i32, text: &str) {
        let admitted = self.warn(kind, text);
        if !admitted && kind == "skipped" {
            return;
        }
        let text = match kind {
            "not delivered" => text.to_owned(),
            _ => format!("{kind}: {text}"),
        };
        if matches!(kind, "not delivered" | "at fault") {
            self.stream.set_trouble(&text, Trouble::OfMessages);
        }
        self.stream
            .note(&self.shared, NOT_DELIVERED, Some(code), Some(&text));
    }

    /// Shows whether the destination would take something now, and tells when that begins.
    pub(super) fn set_connected(&self, connected: bool) {
        if self.stream.set_connected(&self.shared, connected) && connected && !self.comes_and_goes {
            self.stream.note(&self.shared, CONNECTED, None, None);
            log::info!("stream `{}`: connected", self.stream.settings.name);
        }
    }

    /// The connection ended, or none was made. One that is not kept while there is nothing to send
    /// may end between two requests: that is said once, and counted. `says_little`: an earlier
    /// reason stays the last error.
    pub(super) fn disconnected(&mut self, disconnect: &Disconnect, says_little: bool) {
        let was_connected = self.stream.shown.connected.get();
        let (kind, event) = match was_connected {
            true => ("connection lost", CONNECTION_LOST),
            false => ("not connected", NOT_DELIVERED),
        };
        if disconnect.retry == Retry::Paused {
            self.connector.failed();
        }
        self.set_connected(false);
        let now = self.shared.now();
        self.engine.disconnected(
            self.engine.epoch(),
            disconnect.retry,
            now,
            fastrand::u32(..),
        );
        // what was done before the end is told before it
        self.tell_all(now);
        let paused = self.engine.paused_until(now).is_some();
        let in_good_order = disconnect.retry == Retry::AtOnce && !paused;
        if was_connected && !self.stream.shown.stays.get() && in_good_order {
            return self.tell_of_coming_and_going();
        }
        if disconnect.retry == Retry::Renewed {
            self.comes_and_goes |= was_connected;
            return self.tell_of_renewal(&disconnect.error.reason);
        }
        self.comes_and_goes = false;
        let target = format!("{}: ", self.stream.settings.endpoint());
        let reason = &disconnect.error.reason;
        // of one address it is said once
        let reason = reason.strip_prefix(&target).unwrap_or(reason);
        let text = format!("{target}{reason}");
        let trouble = match disconnect.error.code {
            stream::NO_ANSWER => Trouble::OfMessages,
            _ if says_little => Trouble::AnyOther,
            _ => Trouble::OfConnection,
        };
        self.stream.set_trouble(&text, trouble);
        self.stream.note(
            &self.shared,
            event,
            Some(disconnect.error.code),
            Some(&text),
        );
        let next = match self.engine.paused_until(now) {
            Some(until) => format!("next try in {:.1} s", (until - now.mono).as_secs_f64()),
            None => "next try at once".to_owned(),
        };
        self.warn(kind, &format!("{text}; {next}"));
    }

    fn tell_of_coming_and_going(&mut self) {
        if !std::mem::replace(&mut self.comes_and_goes, true) {
            let settings = &self.stream.settings;
            let (name, target) = (&settings.name, settings.endpoint());
            let text = "ends between two requests; that is only counted now";
            log::info!("stream `{name}`: the connection to {target} {text}");
        }
    }

    /// It comes back at once, and that is no news either.
    fn tell_of_renewal(&self, reason: &str) {
        log::info!("stream `{}`: {reason}", self.stream.settings.name);
    }

    /// Says something now and then, in the log more and more seldom; whether it may be noted.
    pub(super) fn warn(&mut self, kind: &'static str, text: &str) -> bool {
        let now = self.shared.now();
        if let Some(hidden) = self.lines.admit(kind, now) {
            let (name, more) = (&self.stream.settings.name, left_out(hidden));
            log::warn!("stream `{name}`: {kind}: {text}{more}");
        }
        self.limiter.admit(kind, now).is_some()
    }
}

/// What is said of a filter that has passed nothing for long.
fn nothing_passes(never_seen: &[String]) -> String {
    let text = format!("it passed none of the last {REFUSED_MAX} messages");
    match never_seen {
        [] => text,
        names => format!("{text}; never seen: `{}`", names.join("`, `")),
    }
}

/// Between two events that tell of batches.
const TELL_EVERY: Duration = Duration::from_secs(1);
