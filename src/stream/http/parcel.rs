//! The body of a request: chosen message by message, rendered and, if asked for, compressed.
//! Knows no connection.

use super::Http;
use super::gzip::Gzip;
use super::target;
use crate::ring::Seq;
use crate::stream::engine::Outgoing;
use crate::stream::engine::Packing;
use crate::stream::render::View;
use crate::stream::render::unfilled;
use crate::template::Escape;

/// A body that is ready to go. Costs its length.
pub(super) struct Parcel {
    /// Of all its messages.
    pub(super) path: String,
    pub(super) body: Vec<u8>,
    /// Its messages, in order.
    pub(super) messages: Vec<Seq>,
}

/// A body that messages are put into.
pub(super) struct Packer<'a, 'v> {
    settings: &'a Http,
    view: &'v mut View<'a>,
    bytes_max: usize,
    path: String,
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

impl<'a, 'v> Packer<'a, 'v> {
    /// An empty body; of more than one message it has at most `bytes_max` before it is compressed.
    pub(super) fn new(settings: &'a Http, view: &'v mut View<'a>, bytes_max: usize) -> Self {
        Self {
            settings,
            view,
            bytes_max,
            path: String::new(),
            messages: Vec::new(),
            len: 1,
            sink: None,
            scratch: Vec::new(),
        }
    }

    /// Puts a message in, if it fits.
    pub(super) fn pack(&mut self, message: &Outgoing<'_>) -> Packing {
        let is_first = self.messages.is_empty();
        if !is_first && self.settings.body.is_some() {
            return Packing::Full;
        }
        let path = match self.render(message) {
            Ok(path) => path,
            Err(lack) => return Packing::Unfit(lack),
        };
        let len = self.len + self.scratch.len() + 1;
        if !is_first && path != self.path {
            return Packing::Later;
        }
        if !is_first && len > self.bytes_max {
            return Packing::Full;
        }
        (self.len, self.path) = (len, path);
        self.messages.push(message.seq);
        let gzip = self.settings.gzip;
        let sink = self.sink.get_or_insert_with(|| Sink::new(gzip));
        match (&self.settings.body, is_first) {
            (Some(_), _) => {}
            (None, true) => sink.put(b"["),
            (None, false) => sink.put(b","),
        }
        sink.put(&self.scratch);
        Packing::Taken
    }

    /// The path of a message; what its body has of it is in `scratch` then.
    fn render(&mut self, message: &Outgoing<'_>) -> Result<String, String> {
        let mut path = String::new();
        self.view
            .template(&self.settings.path, Escape::Url, message, &mut path)?;
        target::check(&self.settings.method, &path).map_err(|wrong| unfilled(&wrong))?;
        self.scratch.clear();
        if let Some(body) = &self.settings.body {
            let mut text = String::new();
            self.view.template(body, Escape::Json, message, &mut text)?;
            self.scratch = text.into_bytes();
        } else {
            let written = self.view.object(message, &mut self.scratch);
            written.map_err(|error| error.to_string())?;
        }
        Ok(path)
    }

    /// The body with all that was put in; none without any.
    pub(super) fn finish(self) -> Option<Parcel> {
        let mut sink = self.sink?;
        if self.settings.body.is_none() {
            sink.put(b"]");
        }
        let body = match sink {
            Sink::Plain(bytes) => bytes,
            Sink::Gzip(gzip) => gzip.finish(),
        };
        let (path, messages) = (self.path, self.messages);
        Some(Parcel {
            path,
            body,
            messages,
        })
    }
}

impl Sink {
    fn new(gzip: bool) -> Self {
        match gzip {
            true => Self::Gzip(Box::new(Gzip::new())),
            false => Self::Plain(Vec::new()),
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(body) => body.extend_from_slice(bytes),
            Self::Gzip(gzip) => gzip.put(bytes),
        }
    }
}
