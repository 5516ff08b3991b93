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
    /// How long it will likely be.
    usual: usize,
    bytes_max: usize,
    /// Of the first message: only others with the same go with it.
    path: String,
    key: String,
    /// Of the message that is looked at.
    other_path: String,
    other_key: String,
    messages: Vec<Seq>,
    /// Bytes of the body, before they are compressed.
    len: usize,
    /// The body; where it is compressed, what is not yet.
    bytes: Vec<u8>,
    gzip: Option<Box<Gzip>>,
}

impl<'a, 'v> BodyBuilder<'a, 'v> {
    /// An empty body; of more than one message it has at most `bytes_max` before it is compressed.
    /// Room is made for `usual` bytes.
    pub(super) fn new(
        profile: &'a dyn Profile,
        frame: &'v Frame,
        view: &'v mut MessageView<'a>,
        (usual, bytes_max): (usize, usize),
    ) -> Self {
        Self {
            profile,
            frame,
            view,
            usual,
            bytes_max: bytes_max.min(frame.bytes_max),
            path: String::new(),
            key: String::new(),
            other_path: String::new(),
            other_key: String::new(),
            messages: Vec::new(),
            len: 0,
            bytes: Vec::new(),
            gzip: None,
        }
    }

    /// Puts a message in, if it fits.
    pub(super) fn pack(&mut self, message: &Outgoing<'_>) -> Fit {
        if self.messages.len() >= self.frame.messages_max.max(1) {
            return Fit::Full;
        }
        match self.belongs(message) {
            Ok(true) => {}
            Ok(false) => return Fit::Later,
            Err(fit) => return fit,
        }
        let before = self.bytes.len();
        if let Err(fit) = self.write(message) {
            self.bytes.truncate(before);
            return fit;
        }
        if self.messages.is_empty() {
            self.len = self.bytes.len() + self.frame.close.len();
            std::mem::swap(&mut self.path, &mut self.other_path);
            std::mem::swap(&mut self.key, &mut self.other_key);
        } else {
            self.len += self.bytes.len() - before;
        }
        self.messages.push(message.seq);
        if self.frame.gzip {
            let gzip = self.gzip.get_or_insert_with(|| Box::new(Gzip::new()));
            gzip.put(&self.bytes);
            self.bytes.clear();
        }
        Fit::Taken
    }

    /// Appends a message.
    fn write(&mut self, message: &Outgoing<'_>) -> Result<(), Fit> {
        let (is_first, before) = (self.messages.is_empty(), self.bytes.len());
        if is_first {
            self.bytes.reserve(self.usual);
            self.messages
                .reserve(self.frame.messages_max.min(MESSAGES_USUAL));
            self.bytes.extend_from_slice(self.frame.open.as_bytes());
        } else {
            self.bytes.extend_from_slice(self.frame.between.as_bytes());
        }
        let start = self.bytes.len();
        if self.frame.content_type.is_some() {
            let written = self.profile.write(self.view, message, &mut self.bytes);
            written.map_err(Fit::Unfit)?;
        }
        let end = self.bytes.len();
        if let Some(long) = self.too_long(end - start) {
            return Err(Fit::Refused(long));
        }
        match !is_first && self.len + (end - before) > self.bytes_max {
            true => Err(Fit::Full),
            false => Ok(()),
        }
    }

    /// Whether a message goes with those that are there: has their path and their key, if there are
    /// any.
    fn belongs(&mut self, message: &Outgoing<'_>) -> Result<bool, Fit> {
        let is_first = self.messages.is_empty();
        self.other_path.clear();
        let written = self.profile.path(self.view, message, &mut self.other_path);
        written.map_err(Fit::Unfit)?;
        let is_same_path = !is_first && self.other_path == self.path;
        if !is_same_path {
            self.check_path()?;
        }
        self.other_key.clear();
        let written = self.profile.key(self.view, message, &mut self.other_key);
        written.map_err(Fit::Unfit)?;
        Ok(is_first || (is_same_path && self.other_key == self.key))
    }

    /// Whether a request can have the path of the message that is looked at.
    fn check_path(&self) -> Result<(), Fit> {
        let (method, path) = (self.profile.method(), &self.other_path);
        let (line, max) = (target::line_len(method, path), self.frame.line_max);
        if line > max {
            return Err(Fit::Refused(format!(
                "a request line of {line} bytes, the destination takes at most {max}"
            )));
        }
        let checked = target::check(method, path);
        checked.map_err(|error| Fit::Unfit(unfilled(&error)))
    }

    /// Why a message of so many bytes is longer than the platform takes, if it is.
    fn too_long(&self, len: usize) -> Option<String> {
        let around = self.frame.open.len() + self.frame.close.len();
        let alone = self.frame.bytes_max.saturating_sub(around);
        let max = self.frame.message_max.min(alone);
        (len > max)
            .then(|| format!("a message of {len} bytes, the destination takes at most {max}"))
    }

    /// The body with all that was put in; none without any.
    pub(super) fn finish(self) -> Option<RequestBody> {
        let (path, mut bytes, messages) = (self.path, self.bytes, self.messages);
        if messages.is_empty() {
            return None;
        }
        bytes.extend_from_slice(self.frame.close.as_bytes());
        if let Some(mut gzip) = self.gzip {
            gzip.put(&bytes);
            bytes = gzip.finish();
        }
        Some(RequestBody {
            path,
            bytes,
            messages,
        })
    }
}

/// Messages of most requests at most.
const MESSAGES_USUAL: usize = 128;
