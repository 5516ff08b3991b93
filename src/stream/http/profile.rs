//! What one platform wants of HTTP: where a message goes, what a body looks like and how large it
//! may be, who asks and until when, and what an answer means. All else is done once, by the link
//! one floor up.
//!
//! A platform is one file with a type that implements [`Profile`] by [`Profile::frame`], and by
//! [`Profile::fixed_path`] or [`Profile::path`]. The rest has an answer that suits most servers.
//! Where the server is says the endpoint of the destination.

use crate::clock::Now;
use crate::stream::engine::Outgoing;
use crate::stream::render::MessageView;
use std::fmt;
use std::time::Duration;

/// One platform.
pub trait Profile: fmt::Debug {
    /// What holds for each request.
    fn frame(&self) -> Frame;

    /// One that has a body, or `GET`.
    fn method(&self) -> &str {
        "POST"
    }

    /// Headers of each request, which go before those of weir with the same name; not those that
    /// say where a body ends.
    fn headers(&self) -> &[(String, String)] {
        &[]
    }

    /// Path and query of every request, where all have the same.
    fn fixed_path(&self) -> &str {
        "/"
    }

    /// Appends path and query to `out`: [`Profile::fixed_path`], or what a message makes of it.
    /// Messages of a request have the same.
    ///
    /// # Errors
    /// What the message lacks: it is skipped.
    fn path(
        &self,
        _view: &mut MessageView<'_>,
        _message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        out.push_str(self.fixed_path());
        Ok(())
    }

    /// Appends to `out` what else messages of a request have in common; those of another key wait,
    /// and the order within a key stays.
    ///
    /// # Errors
    /// As [`Profile::path`].
    fn key(
        &self,
        _view: &mut MessageView<'_>,
        _message: &Outgoing<'_>,
        _out: &mut String,
    ) -> Result<(), String> {
        Ok(())
    }

    /// Appends to `out` what the body has of a message: a JSON object. Not asked for where the
    /// [`Frame`] has no body.
    ///
    /// # Errors
    /// As [`Profile::path`].
    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let written = view.object(message, out);
        written.map_err(|error| error.to_string())
    }

    /// Who asks. Called when a connection is made, in good time before [`Login::until`], and after
    /// an answer that blames the configuration. One that is made from the date says so in
    /// [`NetworkEndpoint::needs_date`]: then `now` has one that can be used.
    ///
    /// [`NetworkEndpoint::needs_date`]: crate::stream::NetworkEndpoint::needs_date
    fn authorize(&self, _now: Now) -> Login {
        Login::default()
    }

    /// What of a request an answer may repeat and nobody may read: a token in its path, a login.
    /// Servers say which path there is none; the log shows stars instead.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether an answer with this status says only in its body what it means. Of others the body
    /// that [`Profile::verdict`] sees is empty.
    fn needs_body(&self, status: u16) -> bool {
        !(200..300).contains(&status)
    }

    /// What an answer means.
    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        Verdict::usual(answer.status)
    }

    /// What the log says behind an answer that was not [`Verdict::Taken`]: the keys to look at, or
    /// what to do on the platform.
    fn hint(&self, _answer: &Answer<'_>) -> Option<String> {
        None
    }
}

/// What holds for each request to a platform. What the configuration of the stream allows may be
/// less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the body is; none: there is no body.
    pub content_type: Option<&'static str>,
    /// Before the first message.
    pub open: &'static str,
    /// Between two messages.
    pub between: &'static str,
    /// After the last message.
    pub close: &'static str,
    /// Messages of a request at most, from 1.
    pub messages_max: usize,
    /// Bytes of a request's first line at most: a message that makes it longer is refused here.
    pub line_max: usize,
    /// Bytes of a body at most, before it is compressed.
    pub bytes_max: usize,
    /// Bytes of what [`Profile::write`] makes of one message at most: one that is longer is refused
    /// here.
    pub message_max: usize,
    /// Requests without an answer at most, from 1, once a connection has shown that it stays after
    /// the first. With more than one an order is kept only as long as all are taken.
    pub in_flight_max: usize,
    /// Whether bodies are compressed.
    pub gzip: bool,
}

impl Frame {
    /// A JSON array of what [`Profile::write`] makes.
    pub const JSON_ARRAY: Self = Self {
        content_type: Some("application/json"),
        open: "[",
        between: ",",
        close: "]",
        messages_max: usize::MAX,
        line_max: usize::MAX,
        bytes_max: usize::MAX,
        message_max: usize::MAX,
        in_flight_max: 1,
        gzip: false,
    };

    /// One message as it is, of JSON.
    pub const JSON: Self = Self {
        open: "",
        between: "",
        close: "",
        messages_max: 1,
        ..Self::JSON_ARRAY
    };

    /// A message a line.
    pub const LINES: Self = Self {
        content_type: Some("text/plain; charset=utf-8"),
        open: "",
        between: "\n",
        close: "\n",
        ..Self::JSON_ARRAY
    };

    /// No body: all is said in the path.
    pub const NOTHING: Self = Self {
        content_type: None,
        ..Self::JSON
    };
}

/// Who asks. Shown nowhere: it has a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The value of `Authorization`; none: there is no such header.
    pub authorization: Option<String>,
    /// The date, since 1970, until which the platform takes it; none: for ever.
    pub until: Option<Duration>,
}

/// An answer, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Of the server, or of a proxy.
    pub status: u16,
    /// The first [`ANSWER_MAX`] bytes of its body.
    pub body: &'a [u8],
    /// Whether that is all of it.
    pub is_whole: bool,
    /// Messages of the request.
    pub messages: usize,
}

/// What becomes of the messages of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The platform has all of them.
    Taken,
    /// It has all but these, each by its place in the request, from 0.
    TakenBut {
        /// It will never take them.
        refused: Vec<usize>,
        /// They are sent again, after the pause.
        later: Vec<usize>,
    },
    /// It took none, and there is one that it will never take.
    Refused,
    /// The same, or it will never take any like them: others decide.
    Doubted,
    /// They are sent again: after the pause, and not before what the answer asks for, or this.
    Later(Option<Duration>),
    /// Something else than the messages is wrong: they are sent again, after the pause.
    Configuration,
}

impl Verdict {
    /// What a status means that a platform says nothing else of.
    #[must_use]
    pub fn usual(status: u16) -> Self {
        match status {
            200..300 => Self::Taken,
            408 | 425 | 429 | 500..600 => Self::Later(None),
            400 | 409 | 415 | 422 => Self::Refused,
            // a limit of the server may be too small for all
            413 => Self::Doubted,
            _ => Self::Configuration,
        }
    }
}

/// So much of an answer's body is kept for the verdict, in bytes.
pub const ANSWER_MAX: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        for (meaning, statuses) in [
            (Verdict::Taken, &[200, 201, 202, 204, 299][..]),
            (Verdict::Later(None), &[408, 425, 429, 500, 502, 503, 599]),
            (Verdict::Refused, &[400, 409, 415, 422]),
            (Verdict::Doubted, &[413]),
            (
                Verdict::Configuration,
                &[101, 301, 304, 401, 403, 404, 405, 410, 426, 600],
            ),
        ] {
            for status in statuses {
                assert_eq!(Verdict::usual(*status), meaning, "{status}");
            }
        }
    }
}
