//! Reading the configuration again, while it runs. One with an error changes nothing. What stays as
//! it was keeps its connections and its sockets; what has changed begins anew, with its counters
//! and events. Only another ring has all of it begin anew.

use super::Daemon;
use super::open_files;
use super::parts::Parts;
use super::parts::attach;
use super::parts::part;
use super::waits::sleep;
use crate::config;
use crate::config::Config;
use crate::config::Severity;
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

    /// Has the configuration as it is in its files now; what it warns of.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place: then nothing has changed.
    pub fn reload(&self) -> Result<Vec<String>, Vec<String>> {
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
            log::warn!("{warning}");
        }
        if !errors.is_empty() || loaded.unusable.is_some() {
            return Err(refused(errors));
        }
        let config = loaded.config;
        if config.ring != self.parts.borrow().config.ring {
            log::info!("`[ring]` has changed: all begins anew");
            self.anew.config.replace(Some(config));
            self.anew.came.notify(usize::MAX);
        } else {
            self.change(config).map_err(|error| refused(vec![error]))?;
        }
        Ok(warnings)
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

    /// Another configuration, with the same ring.
    fn change(&self, config: Config) -> Result<(), String> {
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
        let before = self.parts.replace(parts);
        self.shared.routes.replace(self.parts.borrow().routes());
        self.shared.thinned.replace(self.parts.borrow().thinned());
        log::set_max_level(self.parts.borrow().config.log.level);
        open_files::allow(&self.parts.borrow().config);
        self.change_over(&before, changed);
        Ok(())
    }

    /// Ends what is not there any more, or has changed, then begins what is not there yet.
    fn change_over(&self, before: &Parts, changed: Vec<String>) {
        let parts = self.parts.borrow();
        let stays = |name: &str| parts.names().any(|known| known == name);
        let gone: Vec<String> = before
            .names()
            .filter(|name| !stays(name))
            .map(str::to_owned)
            .collect();
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
        let text = told(before, &changed, &gone);
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
            daemon.begin_missing();
            log::info!("the configuration was read again: {text}");
        };
        work.executor.spawn(change_over).detach();
    }
}

fn refused(errors: Vec<String>) -> Vec<String> {
    for error in &errors {
        log::error!("{error}");
    }
    log::error!("the configuration has errors and is not used: the old one goes on");
    errors
}

/// What is another than before, in words.
fn told(before: &Parts, changed: &[String], gone: &[String]) -> String {
    let was = |name: &&String| before.names().any(|known| known == *name);
    let list = |what: &str, names: Vec<&String>| {
        let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let (known, new): (Vec<&String>, Vec<&String>) = changed.iter().partition(was);
    let all = [
        list("new", new),
        list("changed", known),
        list("gone", gone.iter().collect()),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    match all.is_empty() {
        true => "no channel and no stream has changed".to_owned(),
        false => all.join("; "),
    }
}

/// Time for the answer to who asked.
const LAST_WORDS: Duration = Duration::from_millis(200);
