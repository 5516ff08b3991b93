//! Reading the configuration again, while it runs. One with an error changes nothing. What stays as
//! it was keeps its connections and its sockets; what has changed begins anew, with its counters
//! and events. Only another ring has all of it begin anew.

use super::Daemon;
use super::kept::Whose;
use super::open_files;
use super::parts::Parts;
use super::parts::attach;
use super::parts::part;
use super::waits::sleep;
use crate::api::RELOADED;
use crate::api::Reloaded;
use crate::config;
use crate::config::Change;
use crate::config::Changed;
use crate::config::Config;
use crate::config::Severity;
use crate::logging;
use event_listener::Event;
use smol::Task;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// A configuration that the running ring cannot have.
#[derive(Default)]
pub(super) struct Anew {
    config: RefCell<Option<Config>>,
    came: Event,
}

impl Daemon {
    /// Reads the configuration again from this file and its drop-ins, when it is asked to.
    #[must_use]
    pub fn reading(mut self, main: &Path) -> Self {
        self.main = Some(main.into());
        self
    }

    /// Has the configuration as it is in its files now.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place: then nothing has changed.
    pub fn reload(&self) -> Result<Reloaded, Vec<String>> {
        let Some(main) = &self.main else {
            return Err(vec!["it has no file".to_owned()]);
        };
        let loaded = config::load(main, &config::Machine);
        let texts = |wanted: Severity| {
            let found = loaded.diagnostics.iter();
            let found = found.filter(|one| one.severity == wanted);
            found.map(ToString::to_string).collect::<Vec<_>>()
        };
        let (errors, warnings) = (texts(Severity::Error), texts(Severity::Warning));
        for warning in &warnings {
            log::warn!("{}", config::in_one_line(warning));
        }
        if !errors.is_empty() || loaded.unusable.is_some() {
            return Err(self.refused(errors));
        }
        let changes = self
            .adopt(loaded.config, None)
            .map_err(|error| self.refused(vec![error]))?;
        Ok(Reloaded { warnings, changes })
    }

    /// Has another configuration, without the stream `gone`, whose place in the ring is forgotten;
    /// what is another in it, in words.
    pub(super) fn adopt(&self, config: Config, gone: Option<&str>) -> Result<Vec<String>, String> {
        let before = self.config();
        if config.ring == before.ring {
            return self.change(config, gone);
        }
        let mut changes = told(&before, &config, None);
        changes.push("all begins anew".to_owned());
        log::info!("`[ring]` has changed: all begins anew");
        let text = "read again: `[ring]` has changed, all begins anew";
        self.shared.note_self(RELOADED, text);
        self.anew.config.replace(Some(config));
        self.anew.came.notify(usize::MAX);
        Ok(changes)
    }

    /// Ends with a configuration with which all has to begin anew; who asked for it is answered
    /// first.
    pub async fn begins_anew(&self) -> Config {
        loop {
            let came = self.anew.came.listen();
            let config = self.anew.config.take();
            if let Some(config) = config {
                sleep(Some(LAST_WORDS)).await;
                return config;
            }
            came.await;
        }
    }

    /// What it runs with now.
    #[must_use]
    pub fn config(&self) -> Config {
        self.parts.borrow().config.clone()
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
            journals.has_gone(Whose::Stream, &stream.settings.name, &stream.journal);
        }
        for channel in before.channels.iter().filter(|it| is_gone(it.name())) {
            journals.has_gone(Whose::Channel, channel.name(), &channel.journal);
        }
    }

    fn refused(&self, errors: Vec<String>) -> Vec<String> {
        for error in &errors {
            log::error!("{}", config::in_one_line(error));
        }
        log::error!("the configuration has errors and is not used: the old one goes on");
        let first = errors.first().map_or("it cannot be read", String::as_str);
        let text = format!("not used, the old one goes on: {first}");
        self.shared.note_self(RELOADED, &text);
        errors
    }

    /// Another configuration, with the same ring; what is another in it, in words.
    fn change(&self, config: Config, gone: Option<&str>) -> Result<Vec<String>, String> {
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
        self.change_over(&before, &changed, (in_one_line(&changes), gone));
        Ok(changes)
    }

    /// Ends what is not there any more, or has changed, then begins what is not there yet.
    fn change_over(&self, before: &Parts, changed: &[String], told: (String, Option<&str>)) {
        let parts = self.parts.borrow();
        let stays = |name: &str| parts.names().any(|known| known == name);
        let gone: Vec<String> = before
            .names()
            .filter(|name| !stays(name))
            .map(str::to_owned)
            .collect();
        self.note_gone(before, &gone);
        let ends = |name: &str| changed.iter().chain(&gone).any(|known| known == name);
        let mut work = self.work.borrow_mut();
        let Some(work) = work.as_mut() else { return };
        let mut tasks: Vec<Task<()>> = Vec::new();
        for channel in before
            .channels
            .iter()
            .filter(|channel| ends(channel.name()))
        {
            tasks.extend(work.channels.remove(channel.name()).unwrap_or_default());
            channel.end();
        }
        self.shared.ring.wake_senders();
        let ending = before
            .streams
            .iter()
            .filter(|stream| ends(&stream.settings.name));
        let ending: Vec<_> = ending.cloned().collect();
        for stream in &ending {
            tasks.extend(
                work.streams
                    .remove(&stream.settings.name)
                    .unwrap_or_default(),
            );
        }
        if before.config.log.summary != parts.config.log.summary {
            tasks.extend(work.summary.take());
        }
        let api = match before.config.api == parts.config.api {
            true => None,
            false => work.api.take(),
        };
        let daemon = self.clone();
        let (changes, forgotten) = (told.0, told.1.map(str::to_owned));
        let change_over = async move {
            for task in tasks {
                task.cancel().await;
            }
            if let Some(api) = api {
                api.close().await;
            }
            ending
                .iter()
                .for_each(|stream| part(&daemon.shared, stream));
            forgotten.iter().for_each(|name| daemon.forget(name));
            daemon.begin_missing();
            log::info!("the configuration was read again: {changes}");
            let text = format!("read again: {changes}");
            daemon.shared.note_self(RELOADED, &text);
        };
        work.executor.spawn(change_over).detach();
    }

    /// Forgets where a stream stood that is not there any more: what waits for it alone is settled.
    fn forget(&self, stream: &str) {
        if self.parts.borrow().names().any(|known| known == stream) {
            return; // it was made again meanwhile
        }
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

/// What is another than before, in words. Of channels and streams only what begins anew, by name:
/// `restarted`; none: all of them do.
fn told(before: &Config, now: &Config, restarted: Option<&[String]>) -> Vec<String> {
    let is_part = |change: &Change| !change.name.is_empty();
    let begins = |name: &String| restarted.is_none_or(|restarted| restarted.contains(name));
    let is_news = |change: &Change| match change.what {
        Changed::Keys(_) if is_part(change) => begins(&change.name),
        _ => true,
    };
    let mut changes = now.written.since(&before.written);
    changes.retain(is_news);
    let named = |name: &String| changes.iter().any(|change| change.name == *name);
    let moved = restarted.into_iter().flatten().filter(|name| !named(name));
    let moved: Vec<_> = moved.collect();
    let mut told: Vec<_> = changes.iter().map(ToString::to_string).collect();
    if before.devices != now.devices {
        told.push("devices changed".to_owned());
    }
    if before.groups != now.groups {
        told.push("groups changed".to_owned());
    }
    told.extend(moved.iter().map(|name| format!("`{name}` begins anew")));
    told
}

fn in_one_line(changes: &[String]) -> String {
    match changes.is_empty() {
        true => "nothing has changed".to_owned(),
        false => changes.join("; "),
    }
}

/// Time for the answer to who asked.
const LAST_WORDS: Duration = Duration::from_millis(200);
