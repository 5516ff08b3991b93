//! The writing side of streams: created, changed and removed by JSON, checked as the files are.

use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

/// The keys of a `[[stream]]`, as JSON has them.
pub type Keys = Map<String, Value>;

/// What the API needs of a daemon to write streams. What is written is kept over restarts; what
/// is refused has changed nothing.
pub trait Streams {
    /// Makes a stream; what it is warned of.
    ///
    /// # Errors
    /// See [`Denial`].
    fn create(&self, keys: &Keys, run: Run) -> Result<Vec<Finding>, Denial>;

    /// Changes keys of a stream; `null` takes one back to what the files of the user say. What it
    /// is warned of.
    ///
    /// # Errors
    /// See [`Denial`].
    fn edit(&self, stream: &str, keys: &Keys, run: Run) -> Result<Vec<Finding>, Denial>;

    /// Removes a stream that the API has made, or of which only the ring knows, and forgets where
    /// it stood; how many messages waited.
    ///
    /// # Errors
    /// See [`Denial`].
    fn remove(&self, stream: &str) -> Result<u64, Denial>;

    /// The keys of a stream, as they are written.
    fn settings(&self, stream: &str) -> Option<StreamSettings>;

    /// All types of channels and streams with their keys.
    fn types(&self) -> Value;
}

/// Whether something is done, or only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It is checked, and nothing is changed.
    Dry,
    /// It is checked and done.
    Real,
}

/// Something that `weir check` says as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// All of it in lines, with its place.
    pub reason: String,
    /// The key that it belongs to, `tls.ca` within a table; none where it is about something else.
    pub key: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Why a stream was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// There is no stream of that name.
    Unknown,
    /// It cannot be done as things stand, and what to do.
    Conflict(String),
    /// The configuration would be wrong; errors and warnings.
    Wrong(Vec<Finding>),
    /// It could not be kept: why not.
    NotKept(String),
}

/// The keys of a stream, for who shows them in a form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamSettings {
    /// As they are written; secrets as `***`.
    pub settings: Keys,
    /// Whether the API has made it, so that it can remove it.
    pub made_here: bool,
    /// Keys of a stream of the user's files that were changed by the API.
    pub changed_here: Vec<String>,
    /// The files that say something of it, each with the line.
    pub files: Vec<String>,
}
