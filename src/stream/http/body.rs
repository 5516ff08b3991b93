//! The body of a request: chosen message by message, written and, if asked for, compressed. Knows
//! no connection.

use super::gzip::Gzip;
use super::profile::Frame;
use super::profile::Profile;
use super::target;
use crate::ring::Seq;
use crate::stream::engine::Fit;
use crate::stream::engine::Outgoing;
use crate::stream::render::MessageView;
use crate::stream::render::unfilled;

/// A body that is ready to go. Costs its length.
pub(super) struct RequestBody {
    /// Of all its messages.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    /// Its messages, in order.
    pub(super) messages: Vec<Seq>,
}

/// A body that messages are put into.
pub(super) struct BodyBuilder<'a, 'v> {
    profile: &'a dyn Profile,
    frame: &'v Frame,
    view: &'v mut MessageView<'a>,
    bytes_max: usize,
    /// Of the first message: only others with the same go with it.
    path: String,
    key: String,
    messages: Vec<Seq>,
    /// Bytes of the body, before they are compressed.
    len: usize,
    sink: Option<Sink>,
    scratch: Vec<u8>,
}

/// Where the bytes of a body go.
enum Sink {
    Plain(Vec<u8>),
    Gzip(Box<Gzip>),
}

impl<'a, 'v> BodyBuilder<'a, 'v> {
    /// An empty body; of more than one message it has at most `bytes_max` before it is compressed.
    pub(super) fn new(
        profile: &'a dyn Profile,
        frame: &'v Frame,
        view: &'v mut MessageView<'a>,
        bytes_max: usize,
    ) -> Self {
        Self {
            profile,
            frame,
            view,
            bytes_max: bytes_max.min(frame.bytes_max),
            path: String::new(),
            key: String::new(),
            messages: Vec::new(),
            len: frame.open.len() + frame.close.len(),
            sink: None,
            scratch: Vec::new(),
        }
    }

    /// Puts a message in, if it fits.
    pub(super) fn pack(&mut self, message: &Outgoing<'_>) -> Fit {
        let is_first = self.messages.is_empty();
        if self.messages.len() >= self.frame.messages_max.max(1) {
            return Fit::Full;
        }
        match self.belongs(message) {
            Ok(true) => {}
            Ok(false) => return Fit::Later,
            Err(fit) => return fit,
        }
        self.scratch.clear();
        if self.frame.content_type.is_some() {
            let written = self.profile.write(self.view, message, &mut self.scratch);
            if let Err(lack) = written {
                return Fit::Unfit(lack);
            }
        }
        if let Some(long) = self.too_long() {
            return Fit::Refused(long);
        }
        let between = if is_first { "" } else { self.frame.between };
        let len = self.len + between.len() + self.scratch.len();
        if !is_first && len > self.bytes_max {
            return Fit::Full;
        }
        self.len = len;
        self.messages.push(message.seq);
        let sink = self.sink.get_or_insert_with(|| Sink::new(self.frame));
        sink.put(between.as_bytes());
        sink.put(&self.scratch);
        Fit::Taken
    }

    /// Whether a message goes with those that are there; with the first that does, its path and
    /// its key are those of the body.
    fn belongs(&mut self, message: &Outgoing<'_>) -> Result<bool, Fit> {
        let (mut path, mut key) = (String::new(), String::new());
        let written = self.profile.path(self.view, message, &mut path);
        written.map_err(Fit::Unfit)?;
        let (line, max) = (
            target::line_len(self.profile.method(), &path),
            self.frame.line_max,
        );
        if line > max {
            return Err(Fit::Refused(format!(
                "a request line of {line} bytes, the destination takes at most {max}"
            )));
        }
        let checked = target::check(self.profile.method(), &path);
        checked.map_err(|error| Fit::Unfit(unfilled(&error)))?;
        let written = self.profile.key(self.view, message, &mut key);
        written.map_err(Fit::Unfit)?;
        if self.messages.is_empty() {
            (self.path, self.key) = (path, key);
            return Ok(true);
        }
        Ok(path == self.path && key == self.key)
    }

    /// Why what is in `scratch` is longer than the platform takes, if it is.
    fn too_long(&self) -> Option<String> {
        let around = self.frame.open.len() + self.frame.close.len();
        let alone = self.frame.bytes_max.saturating_sub(around);
        let (len, max) = (self.scratch.len(), self.frame.message_max.min(alone));
        (len > max)
            .then(|| format!("a message of {len} bytes, the destination takes at most {max}"))
    }

    /// The body with all that was put in; none without any.
    pub(super) fn finish(self) -> Option<RequestBody> {
        let mut sink = self.sink?;
        sink.put(self.frame.close.as_bytes());
        let bytes = match sink {
            Sink::Plain(bytes) => bytes,
            Sink::Gzip(gzip) => gzip.finish(),
        };
        let (path, messages) = (self.path, self.messages);
        Some(RequestBody {
            path,
            bytes,
            messages,
        })
    }
}

impl Sink {
    fn new(frame: &Frame) -> Self {
        let mut sink = match frame.gzip {
            true => Self::Gzip(Box::new(Gzip::new())),
            false => Self::Plain(Vec::new()),
        };
        sink.put(frame.open.as_bytes());
        sink
    }

    fn put(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(body) => body.extend_from_slice(bytes),
            Self::Gzip(gzip) => gzip.put(bytes),
        }
    }
}
