//! Keeping what happened over restarts: a task that writes the file of events when something is
//! due, and what is made of the file at the start.

use super::Daemon;
use super::events_file::EventsFile;
use super::events_file::Sync;
use super::journals::DAEMON;
use super::journals::RING;
use super::journals::boot;
use super::kept;
use super::kept::Told;
use super::kept::Whose;
use super::waits::Waits;
use crate::api;
use crate::api::STARTED;
use crate::api::STOPPED;
use std::cell::RefCell;
use std::time::Duration;

impl Daemon {
    /// Keeps events in a file beside the ring, and has those that are in it.
    #[must_use]
    pub fn keeping_events(self) -> Self {
        let (file, found) = EventsFile::beside(self.config().ring.file);
        self.shared.journals.begin_keeping(file, found.ids);
        for told in found.events {
            self.restore(told);
        }
        self
    }

    /// Notes that the process has begun, and how the one before ended, as far as that can be seen.
    pub fn note_start(&self) {
        let journals = &self.shared.journals;
        let last = journals
            .daemon
            .borrow()
            .kept()
            .last()
            .map(|event| event.event_code);
        let boots = journals
            .file
            .borrow()
            .as_ref()
            .map(EventsFile::is_same_boot);
        let before = match (last, boots.flatten()) {
            (None | Some(STOPPED), _) | (_, None) => "",
            (Some(_), Some(true)) => "; before, it crashed or was killed",
            (Some(_), Some(false)) => "; before, the power was cut, or the machine reset",
        };
        let text = format!("weir {}{before}", env!("CARGO_PKG_VERSION"));
        self.shared.note_self(STARTED, &text);
    }

    /// Notes why the process ends.
    pub fn note_stop(&self, why: &str) {
        self.shared.note_self(STOPPED, why);
    }

    /// Writes what is due, for ever. Waits on: events, the date, the time.
    pub(super) async fn keep_writing_events(self) {
        let journals = &self.shared.journals;
        loop {
            let (came, stepped) = (journals.came.listen(), self.shared.clock.stepped_event());
            let now = self.shared.now();
            if boot(now).is_some() && journals.has_doubts() {
                journals.set_due(now.mono);
            }
            let due = journals.unwritten.borrow().due();
            let wait = due.map(|due| due.saturating_sub(now.mono));
            if wait == Some(Duration::ZERO) {
                self.write_events(Sync::Later);
                continue;
            }
            Waits::on([came, stepped]).at_most(wait).end().await;
        }
    }

    /// Writes what waits.
    pub(super) fn write_events(&self, sync: Sync) {
        let journals = &self.shared.journals;
        let now = self.shared.now();
        let file = journals.file.borrow();
        let Some(file) = file.as_ref() else { return };
        let told = journals.unwritten.borrow_mut().take(now.mono);
        if told.is_empty() && sync == Sync::Now {
            return;
        }
        let date = boot(now);
        if date.is_some() && journals.has_doubts() {
            // what was written without a date has one now
            file.renew();
        }
        let mut lines = kept::head(journals.reserve_ids(), &file.boot);
        for told in told {
            let told = dated(told, date);
            journals.note_doubt(&told.event);
            lines.push_str(&kept::event_line(&told));
        }
        let all = || {
            journals.end_doubts();
            let all = self.all_kept().into_iter().map(|told| dated(told, date));
            let all: Vec<_> = all
                .inspect(|told| journals.note_doubt(&told.event))
                .collect();
            kept::head(journals.reserve_ids(), &file.boot) + &kept::newest(all)
        };
        file.write(&lines, all, sync);
    }

    /// All that is worth keeping.
    fn all_kept(&self) -> Vec<Told> {
        let journals = &self.shared.journals;
        let mut all = journals.gone.borrow().clone();
        let mut add = |whose, name: &str, journal: &RefCell<api::Journal>| {
            let journal = journal.borrow();
            all.extend(journal.kept().map(|event| Told::new(whose, name, event)));
        };
        for stream in self.all_streams() {
            add(Whose::Stream, &stream.settings.name, &stream.shown.journal);
        }
        for channel in self.all_channels() {
            add(Whose::Channel, channel.name(), &channel.journal);
        }
        add(Whose::Ring, RING, &journals.ring);
        add(Whose::Daemon, DAEMON, &journals.daemon);
        all
    }

    /// Gives an event back to whom it happened to, if that is still there.
    fn restore(&self, told: Told) {
        let (journals, name) = (&self.shared.journals, told.name.as_str());
        let (streams, channels) = (self.all_streams(), self.all_channels());
        let journal = match told.whose {
            Whose::Stream => {
                let mut named = streams.iter().filter(|it| it.settings.name == name);
                named.next().map(|stream| &stream.shown.journal)
            }
            Whose::Channel => {
                let mut named = channels.iter().filter(|it| it.name() == name);
                named.next().map(|channel| &channel.journal)
            }
            Whose::Ring => Some(&journals.ring),
            Whose::Daemon => Some(&journals.daemon),
        };
        match journal {
            Some(journal) => journal.borrow_mut().restore(told.event),
            None => journals.add_gone(told),
        }
    }
}

fn dated(told: Told, boot: Option<Duration>) -> Told {
    let event = told.event.dated(boot);
    Told { event, ..told }
}
