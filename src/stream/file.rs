//! A file of JSON lines, one message a line. There is no far end: whoever reads the file is none
//! of its business. The driver appends and syncs what the link writes, and answers with a line:
//! see [`crate::net::FileConnection`]. One batch at a time is on its way.

use super::DeliveryError;
use super::Destination;
use super::Disconnect;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::LinkContext;
use super::OUT_MAX;
use super::Open;
use super::engine::Engine;
use super::engine::Fit;
use super::engine::Outgoing;
use super::render::MessageView;
use crate::keys::context::ValueError;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::text::path;
use crate::net::DATE;
use crate::net::Rotation;
use crate::ring::Seq;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// `type = "file"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where the lines go. With [`DATE`] in its name a new file begins each day.
    pub path: PathBuf,
    /// `max_size`, `rotate` and `keep`.
    pub rotation: Rotation,
}

impl File {
    /// What is left out of the configuration is as here: one file that grows.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            rotation: Rotation {
                max_size: None,
                every: None,
                keep: Some(1),
            },
        }
    }
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("file", |reader| Some(Rc::new(read(reader)?)));

impl Destination for File {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint::File(self)
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(FileLink::new(self, open.view))
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<File> {
    let path = reader.required("path", "path = \"/var/lib/weir/messages.jsonl\"");
    let path = path.and_then(|text| reader.parse(&text, dated_path));
    if let Some(path) = &path {
        let place = reader.value_place("path");
        reader.context().name(Named::Written(path.clone(), place));
    }
    let is_dated = path.as_ref().is_some_and(|path| has_date(path));
    let max_size = reader.size("max_size", 64 << 10..=1 << 40);
    let every = reader.period(
        "rotate",
        Duration::from_mins(1)..=Duration::from_hours(366 * 24),
    );
    let keep = reader.integer("keep", 0..=100_000);
    let is_over_once = is_dated || reader.has("max_size") || reader.has("rotate");
    if reader.has("keep") && !is_over_once {
        let hint = "write `max_size = \"16 MiB\"` as well, or `{date}` in the name";
        reader.error(
            reader.place_of("keep"),
            "without `max_size` or `rotate` no file is set aside",
            hint,
        );
    }
    let defaults = File::new(path?);
    // those of earlier days are collected by hand: none goes unless that is asked for
    let all = if is_dated {
        None
    } else {
        defaults.rotation.keep
    };
    Some(File {
        rotation: Rotation {
            max_size,
            every,
            keep: keep.or(all),
        },
        ..defaults
    })
}

/// A path, in whose last part [`DATE`] may stand.
fn dated_path(text: &str) -> Result<PathBuf, ValueError> {
    let path = path(text)?;
    let name_at = text.rfind('/').map_or(0, |at| at + 1);
    let mut dates = text.match_indices(DATE).map(|(at, _)| at);
    if let Some(at) = dates.find(|at| *at < name_at) {
        let error = ValueError::new("a folder cannot have a date").at(at..at + DATE.len());
        return Err(error.hint("write `{date}` in the name of the file"));
    }
    if let Some(at) = text.match_indices(DATE).nth(1).map(|(at, _)| at) {
        let error = ValueError::new("there are two dates").at(at..at + DATE.len());
        return Err(error.hint("leave one out"));
    }
    let mut braces = text.match_indices('{').map(|(at, _)| at);
    let is_other = |at: &usize| text.get(*at..).is_some_and(|rest| !rest.starts_with(DATE));
    let Some(at) = braces.find(is_other) else {
        return Ok(path);
    };
    let error = ValueError::new("only `{date}` is replaced in a path").at(at..at + 1);
    Err(error.hint("write `messages-{date}.jsonl`, or a name without braces"))
}

fn has_date(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains(DATE))
}

/// What goes to one file.
pub struct FileLink<'a> {
    settings: &'a File,
    view: MessageView<'a>,
    /// The batch that is not answered yet, and the engine's epoch when it was taken.
    batch: Option<(u32, Vec<Seq>)>,
    /// The last batch is on the disk.
    is_ready: bool,
}

impl<'a> FileLink<'a> {
    /// A file to which nothing was written yet.
    #[must_use]
    pub fn new(settings: &'a File, view: MessageView<'a>) -> Self {
        Self {
            settings,
            view,
            batch: None,
            is_ready: false,
        }
    }
}

impl Link for FileLink<'_> {
    fn receive(
        &mut self,
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<usize, Disconnect> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            return Ok(0);
        };
        let Some((epoch, batch)) = self.batch.take() else {
            return Err(Disconnect::new(0, "an answer to nothing"));
        };
        let reason = input.get(..end).unwrap_or_default();
        self.is_ready = reason.is_empty();
        if self.is_ready {
            context.engine.accepted(epoch, &batch, context.now);
        } else {
            // what the disk does not take now it takes later: the line stays, the engine pauses
            let error = DeliveryError::new(0, String::from_utf8_lossy(reason));
            context
                .engine
                .faulty(epoch, error, None, context.now, context.random);
        }
        Ok(end + 1)
    }

    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        if self.batch.is_some() {
            return Ok(());
        }
        let (view, most, out) = (&mut self.view, batch_max(self.settings), &mut *context.out);
        let pack = |message: &Outgoing<'_>| pack(view, message, most, out);
        let batch = context.engine.next_batch(context.now, pack);
        self.batch = batch.map(|batch| (context.engine.epoch(), batch));
        Ok(())
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        None
    }

    fn wake(&mut self, _turn: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn stays(&self) -> bool {
        false
    }
}

/// Adds the line of a message, if it fits.
fn pack(
    view: &mut MessageView<'_>,
    message: &Outgoing<'_>,
    most: usize,
    lines: &mut Vec<u8>,
) -> Fit {
    let start = lines.len();
    if let Err(error) = view.object(message, lines) {
        return Fit::Unfit(error.to_string());
    }
    lines.push(b'\n');
    if start > 0 && lines.len() > most {
        lines.truncate(start);
        return Fit::Full;
    }
    Fit::Taken
}

/// Bytes of a batch at most: what fits into a file of its own.
fn batch_max(settings: &File) -> usize {
    let file = settings.rotation.max_size.unwrap_or(u64::MAX);
    usize::try_from(file).unwrap_or(usize::MAX).min(OUT_MAX)
}
