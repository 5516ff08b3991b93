//! Reading the configuration again, while it runs. One with an error changes nothing. What stays as
//! it was keeps its connections and its sockets; what has changed begins anew, with its counters
//! and events, see [`super::change_over`]. Only another ring has all of it begin anew.

use super::Daemon;
use super::waits::sleep;
use crate::api::RELOADED;
use crate::api::Reloaded;
use crate::config;
use crate::config::Change;
use crate::config::Changed;
use crate::config::Config;
use crate::config::Severity;
use event_listener::Event;
use std::cell::RefCell;
use std::path::Path;
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
}

/// What is another than before, in words. Of channels and streams only what begins anew, by name:
/// `restarted`; none: all of them do.
pub(super) fn told(before: &Config, now: &Config, restarted: Option<&[String]>) -> Vec<String> {
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

/// Time for the answer to who asked.
const LAST_WORDS: Duration = Duration::from_millis(200);
