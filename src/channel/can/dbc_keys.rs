//! The keys `dbc` and `dbc_signals`.

use super::dbc::entries;
use super::signals::Entry;
use crate::keys::context::Text;
use crate::keys::context::ValueError;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::text::path;
use crate::keys::value;
use crate::message::is_reserved;
use crate::pattern::Pattern;
use crate::pattern::PatternSet;
use crate::wire::can::dbc;
use crate::wire::can::dbc::Dbc;

/// The signals of the files that are wanted; what is wrong is noted; none where that is so.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Vec<Entry>> {
    let wanted = value::patterns(reader, "dbc_signals");
    if wanted.is_some() && !reader.has("dbc") {
        let message = "`dbc_signals` chooses from the files of `dbc`, and there is none";
        reader.error(reader.place_of("dbc_signals"), message, "add `dbc`");
    }
    let wanted = wanted.unwrap_or_else(|| vec![Pattern::new("*")]);
    let (plain, any) = (plain(&wanted), PatternSet::new(wanted.clone()));
    let texts = reader.texts("dbc").unwrap_or_default();
    let files: Vec<_> = texts
        .iter()
        .map(|text| file(reader, text, &any, &plain))
        .collect();
    let files: Vec<Dbc> = files.into_iter().collect::<Option<_>>()?;
    let is_there = |pattern: &&Pattern| {
        let mut signals = files.iter().flat_map(|file| &file.signals);
        signals.any(|signal| pattern.matches(&signal.name))
    };
    if !files.is_empty()
        && let Some(none) = wanted.iter().find(|pattern| !is_there(pattern))
    {
        let message = format!("no signal of these files that can be read fits `{none}`");
        reader.error(reader.value_place("dbc"), message, "see their `SG_` lines");
        return None;
    }
    Some(files.iter().flat_map(|file| entries(file, &name)).collect())
}

/// Those that name one signal each.
fn plain(wanted: &[Pattern]) -> PatternSet {
    let plain = wanted.iter().filter(|pattern| pattern.is_plain());
    PatternSet::new(plain.cloned().collect())
}

/// One file; none, and noted, where it cannot be read.
fn file(reader: &Reader<'_>, text: &Text, wanted: &PatternSet, plain: &PatternSet) -> Option<Dbc> {
    let file = reader.parse(text, path)?;
    let context = reader.context();
    let read = context.environment.read(&file, dbc::FILE_MAX);
    let read = read.map_err(|error| format!("{}: {error}", file.display()));
    context.name(Named::Read(file.clone(), text.place));
    let found = read.and_then(|bytes| {
        let shown = |line: u32, what: &str| format!("{}:{line}: {what}", file.display());
        let found = dbc::read(&bytes, &|name| wanted.matches(name))
            .map_err(|error| shown(error.line, error.text))?;
        // one that is named; what `*` takes beside others is left out
        let mut named = found.refused.iter().filter(|it| plain.matches(&it.name));
        match named.next() {
            Some(it) => Err(shown(it.line, &format!("`{}` {}", it.name, it.reason))),
            None => Ok(found),
        }
    });
    let noted = found.map_err(|why| {
        let hint = "take a DBC file of at most 4 MiB, and signals of one level";
        context.wrong(text, ValueError::new(why).hint(hint));
    });
    noted.ok()
}

/// As the file has it; what has a meaning of its own in a message is told apart.
fn name(signal: &str) -> Box<str> {
    match matches!(signal, "ident" | "timestamp") || is_reserved(signal) {
        true => format!("can.{signal}").into(),
        false => signal.into(),
    }
}
