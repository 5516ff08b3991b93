//! The configuration: TOML files to settings, with every mistake at its place.
//!
//! Each step notes what it finds and goes on, so that all is said at once. What a mistake stands in
//! is left out, and the rest is used.
//!
//! Opens no socket and no ring: it says what is wanted, not whether it works.
//!
//! How text becomes values is in `keys`; which tables and keys there are is here.
//!
//! # From files to settings
//! ```text
//!  files ─▶ source ─▶ tree ─▶ merge ─▶ reader ──▶ ring, channel, stream … ─▶ check ─▶ Loaded
//!  which    text and  values  later    one table,  one file each:            between
//!           places    with    tables   key by key  keys, ranges, defaults    tables
//!                     places  over earlier
//! ```
//! Every step notes what it finds and goes on with the rest. A table with an error is left out;
//! the others are used.

mod account;
mod channel;
mod channel_way;
mod check;
mod described;
mod device;
mod edited;
mod files;
mod log_table;
mod made;
mod merge;
mod parameters;
mod premises;
mod rendered;
mod secrets;
mod section;
mod show;
mod stream;
mod stream_connection;
mod stream_message;
mod types;
mod watched;
mod written;

pub use crate::keys::diagnostic::Diagnostic;
pub use crate::keys::diagnostic::Position;
pub use crate::keys::diagnostic::Severity;
pub use crate::keys::diagnostic::count;
pub use crate::keys::diagnostic::in_one_line;
pub use crate::keys::diagnostic::render;
pub use crate::keys::environment::Environment;
pub use crate::keys::environment::Machine;
pub use described::Described;
pub use described::describe;
pub use edited::Edited;
pub use files::DEFAULT_FILE;
pub use files::MadeFile;
pub use files::SWITCHED_FILE;
pub use files::drop_in_folders;
pub use files::is_made;
pub use rendered::Rendered;
pub use rendered::keys_of;
pub use types::KeyRow;
pub use types::TypeRow;
pub use types::types;
pub use written::Change;
pub use written::Changed;
pub use written::Written;

use crate::keys::context::Context;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::document;
use crate::keys::document::Document;
use crate::keys::source::Place;
use crate::keys::source::Sources;
use crate::message::Value;
use crate::net::Address;
use crate::net::SocketRights;
use crate::pattern::Pattern;
use crate::ring;
use account::Account;
use files::Main;
use premises::AsUser;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use watched::Watched;

/// All that the files say.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[ring]`.
    pub ring: Ring,
    /// `[log]`.
    pub log: Log,
    /// `[api]`.
    pub api: Api,
    /// `[[channel]]`, those without a mistake.
    pub channels: Vec<crate::channel::settings::Settings>,
    /// `[[device]]`, in order.
    pub devices: Vec<Device>,
    /// `[[group]]`.
    pub groups: Vec<Group>,
    /// `[[stream]]`, those without a mistake.
    pub streams: Vec<crate::stream::settings::Settings>,
    /// Its keys, as far as a reload names them.
    pub written: Written,
}

/// `[ring]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Where it is.
    pub file: PathBuf,
    /// None: "auto", at most 64 MiB and a quarter of what is free.
    pub size: Option<u64>,
    /// The rest; its `size` means nothing while `size` above is none.
    pub settings: ring::Settings,
    /// Whether senders are answered while there is no disk.
    pub ack_when_degraded: bool,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What is less important is left out.
    pub level: log::LevelFilter,
    /// Where it goes.
    pub target: crate::logging::Target,
    /// How often each stream says in one line what it did; zero: never.
    pub summary: Duration,
}

/// `[api]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Where it listens; none: "off".
    pub listen: Option<Address>,
    /// Asked for as `Authorization: Bearer`; always there beyond loopback.
    pub token: Option<String>,
    /// Who may connect to it, where it is a Unix socket.
    pub socket: SocketRights,
}

/// `[[device]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Unique among devices.
    pub name: String,
    /// One ident, or many.
    pub ident: Pattern,
    /// `{device.data.NAME}` in templates.
    pub data: Vec<(String, Value)>,
}

/// `[[group]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Unique among groups.
    pub name: String,
    /// Names of devices.
    pub devices: Vec<String>,
}

/// What was read, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is right.
    pub config: Config,
    /// Why the daemon must not start with it.
    pub unusable: Option<Unusable>,
    /// Whether `[ring]` has mistakes: defaults stand for what is wrong with it.
    pub ring_wrong: bool,
    /// All that is wrong, by file, line and column.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a daemon cannot start with a configuration; there is an error that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The main file could not be read.
    File,
    /// A file is no TOML from some line on, and what follows could be anything.
    Syntax,
    /// No channel and no stream is left.
    Empty,
}

/// Reads a configuration: `main`, and the drop-ins laid over it.
#[must_use]
pub fn load(main: &Path, environment: &dyn Environment) -> Loaded {
    read(main, environment, Look::Away)
}

/// As [`load`], and looks at what the configuration names of this machine: certificates and keys,
/// folders, free space. Nothing is changed.
#[must_use]
pub fn inspect(main: &Path, environment: &dyn Environment) -> Loaded {
    read(main, environment, Look::Around(None))
}

/// As [`inspect`], and looks at what this user may do with it, by ids and modes; none where there
/// is no such user.
#[must_use]
pub fn inspect_as(main: &Path, environment: &dyn Environment, user: &str) -> Option<Loaded> {
    let account = Account::named(user)?;
    let machine = Watched::new(environment);
    let user = AsUser {
        account,
        machine: &machine,
    };
    Some(read(main, &machine, Look::Around(Some(user))))
}

/// The configuration in effect as TOML: each key with its file and line, secrets as `***`.
#[must_use]
pub fn show(main: &Path, environment: &dyn Environment) -> String {
    let (mut sources, mut diagnostics) = (Sources::default(), Vec::new());
    let (merged, _) = gather(main, environment, &mut sources, &mut diagnostics);
    show::show(&merged, environment, &sources)
}

/// All files as one.
fn gather(
    main: &Path,
    environment: &dyn Environment,
    sources: &mut Sources,
    diagnostics: &mut Vec<DiagnosticAt>,
) -> (merge::Merged, Main) {
    let (documents, main_file) = documents(main, environment, sources, diagnostics);
    let merged = merge::merge(documents, environment, sources, diagnostics);
    (merged, main_file)
}

/// Each file by itself, in the order in which they are read.
fn documents(
    main: &Path,
    environment: &dyn Environment,
    sources: &mut Sources,
    diagnostics: &mut Vec<DiagnosticAt>,
) -> (Vec<Document>, Main) {
    let main_file = files::gather(main, environment, sources, diagnostics);
    let files = 0..sources.count();
    let parsed = files.map(|file| document::parse(sources, file, diagnostics));
    (parsed.collect(), main_file)
}

/// As [`load`], with what the API makes: its file `made` may not name any file to write to.
#[must_use]
pub fn load_made(main: &Path, environment: &dyn Environment, made: Option<&Path>) -> Loaded {
    read(main, environment, made.map_or(Look::Away, Look::Made))
}

/// Which files that are only named are looked at.
enum Look<'a> {
    Away,
    /// All, and what this user may do with them.
    Around(Option<AsUser<'a>>),
    /// Those that this file names.
    Made(&'a Path),
}

fn read(main: &Path, environment: &dyn Environment, look: Look<'_>) -> Loaded {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let (merged, main_file) = gather(main, environment, &mut sources, &mut diagnostics);

    let context = Context::new(environment, &sources, diagnostics);
    let (config, ring_clean) = build(&context, &merged);
    match look {
        Look::Away => {}
        Look::Around(user) => premises::look(&context, user),
        Look::Made(made) => made::look(&context, main, made),
    }
    let empty = config.channels.is_empty() && config.streams.is_empty();
    if empty && merged.is_empty() && main_file == Main::Read {
        let message = "there is nothing to run: no `[[channel]]` and no `[[stream]]`";
        context.note(DiagnosticAt::error(Place::file(0), message));
    }
    let unusable = match main_file {
        Main::Missing | Main::Unreadable => Some(Unusable::File),
        _ if merged.hidden => Some(Unusable::Syntax),
        _ if empty => Some(Unusable::Empty),
        _ => None,
    };
    let diagnostics = locate(context.into_diagnostics(), &sources);
    Loaded {
        config,
        unusable,
        ring_wrong: !ring_clean,
        diagnostics,
    }
}

/// Reads every table, then what lies between them; whether `[ring]` has no mistake.
fn build(context: &Context<'_>, merged: &merge::Merged) -> (Config, bool) {
    let (ring, ring_clean) = section::ring(context, merged);
    let (log, api) = (
        log_table::log(context, merged),
        section::api(context, merged),
    );
    let mut drafts = check::Drafts {
        devices: merged
            .devices
            .iter()
            .filter_map(|d| device::device(context, &d.table))
            .collect(),
        groups: merged
            .groups
            .iter()
            .map(|g| device::group(context, &g.table))
            .collect(),
        channels: merged
            .channels
            .iter()
            .filter_map(|c| channel::read(context, &c.table))
            .collect(),
        streams: merged
            .streams
            .iter()
            .map(|s| stream::read(context, &s.table))
            .collect(),
    };
    check::check(context, merged, &api, &mut drafts);
    let config = Config {
        ring,
        log,
        api,
        channels: drafts
            .channels
            .into_iter()
            .map(|draft| draft.settings)
            .collect(),
        devices: drafts.devices.into_iter().map(|it| it.device).collect(),
        groups: drafts
            .groups
            .into_iter()
            .filter_map(|it| it.group)
            .collect(),
        streams: drafts
            .streams
            .into_iter()
            .filter_map(|draft| draft.settings)
            .collect(),
        written: Written::of(merged, context.environment),
    };
    (config, ring_clean)
}

/// By file, line and column, with the lines themselves; what is too much is only counted.
fn locate(mut diagnostics: Vec<DiagnosticAt>, sources: &Sources) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| diagnostic.place);
    let left_out = diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
    diagnostics.truncate(DIAGNOSTICS_MAX);
    if let Some(last) = diagnostics.last().filter(|_| left_out > 0) {
        let message = format!("{left_out} more mistakes are not shown");
        diagnostics.push(DiagnosticAt::error(Place::file(last.place.file), message));
    }
    diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.locate(sources))
        .collect()
}

/// Mistakes that are shown at most.
const DIAGNOSTICS_MAX: usize = 100;
