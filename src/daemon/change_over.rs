//! From one configuration to another, while it runs: what is not there any more or has changed
//! ends, what is not there yet begins.
//!
//! There is one truth of what is wanted, the [`Parts`], and a reload during a change-over replaces
//! only that. What ends is known by its name until it has ended, and each end begins what is
//! missing then. Channels let go of their addresses first: one may want that of another. A stream
//! waits for the answers to what it has sent, so that nothing goes twice; others do not wait for
//! it, but for one of the same name, which would send that again.

use super::Daemon;
use super::kept::Whose;
use super::open_files;
use super::parts::Ending;
use super::parts::Parts;
use super::parts::Work;
use super::parts::attach;
use super::reload::told;
use super::serve_api::ApiListener;
use super::stream::Stream;
use crate::api::RELOADED;
use crate::config::Config;
use crate::logging;
use smol::Task;
use std::rc::Rc;

/// What has no place in the next configuration.
struct Ends<'a> {
    changed: &'a [String],
    gone: &'a [String],
    /// A stream that is not only gone: nor is its place in the ring wanted.
    forgotten: Option<&'a str>,
}

impl Ends<'_> {
    fn has(&self, name: &str) -> bool {
        self.changed
            .iter()
            .chain(self.gone)
            .any(|known| known == name)
    }
}

impl Daemon {
    /// Another configuration, with the same ring, without the stream `forgotten`; what is another
    /// in it, in words.
    pub(super) fn change(
        &self,
        config: Config,
        forgotten: Option<&str>,
    ) -> Result<Vec<String>, String> {
        self.end_forgotten(&config);
        let clock = self.shared.clock.source();
        let attached = self.shared.ring.change(|ring, _| {
            let streams = config.streams.iter().cloned();
            streams
                .map(|settings| attach(ring, settings, &clock))
                .collect::<Result<Vec<_>, _>>()
        })?;
        let notes = Rc::clone(&self.parts.borrow().notes);
        let mut parts = Parts::new(config, &clock, attached, notes);
        let changed = parts.keep(&self.parts.borrow());
        let changes = told(&self.config(), &parts.config, Some(&changed));
        let before = self.parts.replace(parts);
        self.shared.routes.replace(self.parts.borrow().routes());
        self.shared.thinned.replace(self.parts.borrow().thinned());
        let log = self.parts.borrow().config.log.clone();
        logging::configure(log.level, &log.target);
        open_files::allow(&self.parts.borrow().config);
        let gone = self.gone(&before);
        self.note_gone(&before, &gone);
        let ends = Ends {
            changed: &changed,
            gone: &gone,
            forgotten,
        };
        self.change_over(&before, &ends, in_one_line(&changes));
        Ok(changes)
    }

    /// Those that are not there any more.
    fn gone(&self, before: &Parts) -> Vec<String> {
        let parts = self.parts.borrow();
        let stays = |name: &str| parts.names().any(|known| known == name);
        let gone = before.names().filter(|name| !stays(name));
        gone.map(str::to_owned).collect()
    }

    /// What happened to parts that are there no more is still to be seen.
    fn note_gone(&self, before: &Parts, gone: &[String]) {
        let journals = &self.shared.journals;
        let is_gone = |name: &str| gone.iter().any(|known| known == name);
        for stream in before
            .streams
            .iter()
            .filter(|it| is_gone(&it.settings.name))
        {
            journals.has_gone(Whose::Stream, &stream.settings.name, &stream.shown.journal);
        }
        for channel in before.channels.iter().filter(|it| is_gone(it.name())) {
            journals.has_gone(Whose::Channel, channel.name(), &channel.journal);
        }
    }

    /// Ends what has no place any more, and begins what is not there yet.
    fn change_over(&self, before: &Parts, ends: &Ends<'_>, changes: String) {
        let mut work = self.work.borrow_mut();
        let Some(work) = work.as_mut() else { return };
        let executor = Rc::clone(&work.executor);
        for stream in before
            .streams
            .iter()
            .filter(|it| ends.has(&it.settings.name))
        {
            self.end_stream(work, &stream.settings.name);
        }
        if let Some(name) = ends.forgotten {
            match work.ending.get_mut(name) {
                Some(ending) => ending.is_forgotten = true,
                None => self.forget(name),
            }
        }
        let mut tasks = Vec::new();
        for channel in before.channels.iter().filter(|it| ends.has(it.name())) {
            tasks.extend(work.channels.remove(channel.name()).unwrap_or_default());
            channel.end();
        }
        self.shared.ring.wake_senders();
        let parts = self.parts.borrow();
        if before.config.log.summary != parts.config.log.summary {
            tasks.extend(work.summary.take());
        }
        let api = match before.config.api == parts.config.api {
            true => None,
            false => work.api.take(),
        };
        work.closing += 1;
        executor
            .spawn(self.clone().close(tasks, api, changes))
            .detach();
    }

    /// Lets go of addresses; then what is missing begins.
    async fn close(self, tasks: Vec<Task<()>>, api: Option<ApiListener>, changes: String) {
        for task in tasks {
            task.cancel().await;
        }
        if let Some(api) = api {
            api.close().await;
        }
        if let Some(work) = self.work.borrow_mut().as_mut() {
            work.closing = work.closing.saturating_sub(1);
        }
        self.begin_missing();
        log::info!("the configuration was read again: {changes}");
        self.shared
            .note_self(RELOADED, &format!("read again: {changes}"));
    }

    /// Tells a stream to end, if one of that name runs. What ends already goes on to do so: the one
    /// after it has not begun yet.
    fn end_stream(&self, work: &mut Work, name: &str) {
        if let Some(running) = work.streams.remove(name) {
            running.stream.end(self.shared.now());
            let ending = Ending {
                running,
                is_forgotten: false,
            };
            work.ending.insert(name.to_owned(), ending);
        }
    }

    /// A stream that was told to end has done so.
    pub(super) fn has_ended(&self, stream: &Stream) {
        let name = &stream.settings.name;
        let mut work = self.work.borrow_mut();
        let ending = work.as_mut().and_then(|work| work.ending.remove(name));
        drop(work);
        let Some(ending) = ending else { return };
        // it is the task that runs here
        ending.running.task.detach();
        if ending.is_forgotten {
            self.forget(name);
        }
        self.begin_missing();
    }

    /// Those that are made again while they still end to be forgotten begin with a new place in the
    /// ring: nothing is awaited any more.
    fn end_forgotten(&self, config: &Config) {
        let mut work = self.work.borrow_mut();
        let Some(work) = work.as_mut() else { return };
        let is_made = |name: &str| config.streams.iter().any(|it| it.name == name);
        let made = work
            .ending
            .extract_if(.., |name, it| it.is_forgotten && is_made(name));
        for (name, ending) in made {
            drop(ending.running.task);
            ending.running.stream.has_halted(&self.shared);
            self.forget(&name);
        }
    }

    /// Forgets where a stream stood that is not there any more: what waits for it alone is settled.
    fn forget(&self, stream: &str) {
        let removed = self
            .shared
            .ring
            .change(|ring, now| ring.remove(stream, now));
        if let Err(error) = removed {
            log::warn!("stream `{stream}`: forgotten until the next start: {error}");
        }
        self.shared.ring.wake_senders();
    }
}

fn in_one_line(changes: &[String]) -> String {
    match changes.is_empty() {
        true => "nothing has changed".to_owned(),
        false => changes.join("; "),
    }
}
