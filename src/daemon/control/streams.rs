//! Streams that the API makes, changes and removes. Each lies in a file of its own in the last
//! drop-in folder. What is to be written is read first as if it was there already, by the way that
//! a reload goes; only then it is kept, and takes effect as a reload does.

use super::Daemon;
use super::changes;
use crate::api::Denial;
use crate::api::Finding;
use crate::api::Keys;
use crate::api::Run;
use crate::api::StreamSettings;
use crate::api::Streams;
use crate::config;
use crate::config::Described;
use crate::config::Diagnostic;
use crate::config::Edited;
use crate::config::Loaded;
use crate::config::MadeFile;
use crate::config::Rendered;
use crate::config::Severity;
use serde_json::Value;
use std::path::Path;

impl Streams for Daemon {
    fn create(&self, keys: &Keys, run: Run) -> Result<Vec<Finding>, Denial> {
        let draft = Draft::new(self)?;
        let name = keys.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.contains("${") {
            let why = "a stream that the API makes has a plain name, without `${`";
            return Err(Denial::Conflict(why.to_owned()));
        }
        let known = draft.describe(name).is_some();
        if known || self.all_streams().iter().any(|it| it.settings.name == name) {
            let what = "change it with PATCH, or take another name";
            return Err(Denial::Conflict(format!(
                "there is a stream `{name}`; {what}"
            )));
        }
        if draft.made_count() >= MADE_MAX {
            let why = format!("{MADE_MAX} streams were made by the API; remove one first");
            return Err(Denial::Conflict(why));
        }
        let mut keys = keys.clone();
        keys.retain(|_, value| !value.is_null());
        let file = draft.render(MadeFile::Stream, name, &keys).anew();
        draft.write(name, Some(&file), Edited::default(), run)
    }

    fn edit(&self, stream: &str, keys: &Keys, run: Run) -> Result<Vec<Finding>, Denial> {
        let draft = Draft::new(self)?;
        let described = draft.describe(stream).ok_or(Denial::Unknown)?;
        let kind = draft.kind_of(stream);
        let mut merged = draft.own_keys(kind, stream)?;
        let mut edits = Edited::default();
        for (key, value) in keys {
            if described.keys.get(key) == Some(value) {
                continue; // a form sends what it was shown, stars included
            }
            let switch = value.as_bool().filter(|_| kind == MadeFile::Change);
            if key == "enabled" {
                edits = draft.switched(edits, stream, switch)?;
                if switch.is_some() {
                    continue; // kept with what is switched by hand
                }
            }
            match value {
                Value::Null => drop(merged.remove(key)),
                value => drop(merged.insert(key.clone(), value.clone())),
            }
        }
        if merged.get("name").is_some_and(|name| name != stream) {
            let why = "a stream keeps its name: what waits lies under it; make another one";
            return Err(Denial::Conflict(why.to_owned()));
        }
        merged.remove("name");
        let file = draft.render(kind, stream, &merged);
        if merged.is_empty() && kind == MadeFile::Change {
            edits = edits.with(file.path().to_owned(), None);
            return draft.write(stream, None, edits, run);
        }
        draft.write(stream, Some(&file), edits, run)
    }

    fn remove(&self, stream: &str) -> Result<u64, Denial> {
        let draft = Draft::new(self)?;
        let files = draft
            .describe(stream)
            .map(|it| it.files)
            .unwrap_or_default();
        let user = files.iter().find(|(path, _)| !draft.is_made(path));
        if let Some((path, line)) = user {
            let place = format!("{}:{line}", path.display());
            let what = "take it out there and reload, then remove it here to forget what waits";
            return Err(Denial::Conflict(format!(
                "`{stream}` is in {place}: {what}"
            )));
        }
        let id = self.shared.ring.read(|ring| {
            let mut known = ring.streams().filter(|(_, name)| *name == stream);
            known.next().map(|(id, _)| id)
        });
        if id.is_none() && files.is_empty() {
            return Err(Denial::Unknown);
        }
        let waited = id.map_or(0, |id| self.shared.ring.counters(id).backlog);
        let mut edits = Edited::default();
        for kind in [MadeFile::Stream, MadeFile::Change] {
            edits = edits.with(draft.path(kind, stream), None);
        }
        edits = draft.switched(edits, stream, None)?;
        draft.forget(stream, edits)?;
        self.forget_pause(stream);
        Ok(waited)
    }

    fn settings(&self, stream: &str) -> Option<StreamSettings> {
        let draft = Draft::new(self).ok()?;
        let described = draft.describe(stream)?;
        let place =
            |(path, line): &(std::path::PathBuf, usize)| format!("{}:{line}", path.display());
        let changed = draft.own_keys(MadeFile::Change, stream).unwrap_or_default();
        let changed = changed.keys().filter(|key| *key != "name");
        Some(StreamSettings {
            made_here: draft.kind_of(stream) == MadeFile::Stream,
            changed_here: changed.cloned().collect(),
            files: described.files.iter().map(place).collect(),
            settings: described.keys,
        })
    }

    fn types(&self) -> Value {
        serde_json::json!(config::types())
    }
}

/// A change on its way.
struct Draft<'a> {
    daemon: &'a Daemon,
    main: &'a Path,
    folder: &'a Path,
}

impl<'a> Draft<'a> {
    fn new(daemon: &'a Daemon) -> Result<Self, Denial> {
        let none = || Denial::NotKept("there is no folder for it".to_owned());
        Ok(Self {
            daemon,
            main: daemon.main.as_deref().ok_or_else(none)?,
            folder: daemon.changes.as_deref().ok_or_else(none)?,
        })
    }

    fn path(&self, kind: MadeFile, stream: &str) -> std::path::PathBuf {
        self.folder.join(kind.name(stream))
    }

    /// Whether a file is one of those that the API makes.
    fn is_made(&self, path: &Path) -> bool {
        path.parent() == Some(self.folder) && config::is_made(path)
    }

    fn render(&self, kind: MadeFile, stream: &str, keys: &Keys) -> Rendered {
        Rendered::new(self.path(kind, stream), stream, keys)
    }

    fn describe(&self, stream: &str) -> Option<Described> {
        config::describe(self.main, &config::Machine, stream)
    }

    /// In which file the keys of a stream lie.
    fn kind_of(&self, stream: &str) -> MadeFile {
        match self.path(MadeFile::Stream, stream).exists() {
            true => MadeFile::Stream,
            false => MadeFile::Change,
        }
    }

    fn made_count(&self) -> usize {
        let files = std::fs::read_dir(self.folder).into_iter().flatten();
        let files = files.flatten().map(|entry| entry.path());
        let made = files.filter(|path| self.is_made(path));
        made.filter(|path| !path.ends_with(config::SWITCHED_FILE))
            .count()
    }

    /// What the API's own file of a stream says; nothing where there is none.
    fn own_keys(&self, kind: MadeFile, stream: &str) -> Result<Keys, Denial> {
        let path = self.path(kind, stream);
        let text = changes::text_of(&path).map_err(|error| not_kept(&error))?;
        let keys = config::keys_of(&text.unwrap_or_default());
        keys.ok_or_else(|| Denial::NotKept(format!("{} is damaged", path.display())))
    }

    /// The edits with what was switched by hand; none: nothing was.
    fn switched(
        &self,
        edits: Edited,
        stream: &str,
        enabled: Option<bool>,
    ) -> Result<Edited, Denial> {
        let (path, text) = changes::switched(self.folder, stream, enabled, None)
            .map_err(|error| not_kept(&error))?;
        Ok(edits.with(path, text))
    }

    /// Checks it, and does it where that is wanted.
    fn write(
        &self,
        stream: &str,
        file: Option<&Rendered>,
        mut edits: Edited,
        run: Run,
    ) -> Result<Vec<Finding>, Denial> {
        let refusals = file.map(Rendered::refusals).unwrap_or_default();
        if !refusals.is_empty() {
            return Err(Denial::Wrong(findings(file, &refusals)));
        }
        if let Some(file) = file {
            edits = edits.with(file.path().to_owned(), Some(file.text().to_owned()));
        }
        let made = file.map(Rendered::path);
        let loaded = config::load_made(self.main, &edits, made);
        let found = self.judge(file, &loaded)?;
        if run == Run::Real {
            self.keep(edits, loaded, None)?;
            log::info!("stream `{stream}`: written by the API");
        }
        Ok(found)
    }

    /// Takes a stream away, and its place in the ring.
    fn forget(&self, stream: &str, edits: Edited) -> Result<(), Denial> {
        let loaded = config::load_made(self.main, &edits, None);
        self.judge(None, &loaded)?;
        self.keep(edits, loaded, Some(stream))?;
        log::info!("stream `{stream}`: removed by the API, what waited is forgotten");
        Ok(())
    }

    /// The warnings of the file that is written; all errors, where there are any.
    fn judge(&self, file: Option<&Rendered>, loaded: &Loaded) -> Result<Vec<Finding>, Denial> {
        let of = |severity: Severity| {
            let all = loaded.diagnostics.iter();
            let all = all.filter(|one| one.severity == severity).cloned();
            all.collect::<Vec<_>>()
        };
        let (errors, mut warnings) = (of(Severity::Error), of(Severity::Warning));
        if !errors.is_empty() || loaded.unusable.is_some() {
            return Err(Denial::Wrong(findings(file, &errors)));
        }
        if loaded.config.ring != self.daemon.parts.borrow().config.ring {
            let why = "`[ring]` has changed in the files: `weir reload` first";
            return Err(Denial::Conflict(why.to_owned()));
        }
        warnings.retain(|one| file.is_some_and(|file| one.file == file.path()));
        Ok(findings(file, &warnings))
    }

    /// On disk first, then in effect; what cannot be is taken back.
    fn keep(&self, edits: Edited, loaded: Loaded, gone: Option<&str>) -> Result<(), Denial> {
        let before = changes::keep(self.folder, edits.files()).map_err(|error| not_kept(&error))?;
        self.daemon.adopt(loaded.config, gone).map_err(|error| {
            drop(changes::keep(self.folder, &before));
            Denial::NotKept(error)
        })?;
        Ok(())
    }
}

fn not_kept(error: &std::io::Error) -> Denial {
    Denial::NotKept(error.to_string())
}

fn findings(file: Option<&Rendered>, diagnostics: &[Diagnostic]) -> Vec<Finding> {
    let finding = |one: &Diagnostic| Finding {
        severity: match one.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        reason: one.to_string(),
        key: file.and_then(|file| file.key_of(one)),
        message: one.message.clone(),
        hint: one.hint.clone(),
    };
    diagnostics.iter().map(finding).collect()
}

/// Streams that the API makes or changes at most; the ring has no more places.
const MADE_MAX: usize = 32;
