//! One request and its answer: how far they are. Decides nothing.

use super::answer::Reply;
use crate::ring::Seq;
use crate::stream::Disconnect;
use crate::stream::LinkContext;
use crate::stream::OUT_MAX;
use ureq_proto::client::Call;
use ureq_proto::client::state::Cleanup;
use ureq_proto::client::state::RecvBody;
use ureq_proto::client::state::RecvResponse;
use ureq_proto::client::state::SendBody;

/// A request that has no answer yet.
pub(super) struct Exchange {
    /// Those that it carries, in order.
    pub(super) messages: Vec<Seq>,
    pub(super) stage: Stage,
}

/// Where a request is.
pub(super) enum Stage {
    /// Its head is written, its body is not.
    Body(Box<Upload>),
    /// It is written; of the answer there is no whole head yet.
    Head {
        call: Call<RecvResponse>,
        /// Whether the socket has all of it.
        is_out: bool,
    },
    /// The body of the answer is read.
    Rest { call: Call<RecvBody>, reply: Reply },
}

/// A body that is being written.
pub(super) struct Upload {
    call: Call<SendBody>,
    body: Vec<u8>,
    /// Bytes of it that are written.
    written: usize,
}

impl Stage {
    /// The body goes next.
    pub(super) fn body(call: Call<SendBody>, body: Vec<u8>) -> Self {
        let written = 0;
        Self::Body(Box::new(Upload {
            call,
            body,
            written,
        }))
    }

    /// There is no body.
    pub(super) fn head(call: Call<RecvResponse>) -> Self {
        Self::Head {
            call,
            is_out: false,
        }
    }

    /// Whether all of the request is written to the buffer.
    pub(super) fn is_written(&self) -> bool {
        !matches!(self, Self::Body(_))
    }

    /// Whether the socket has all of the request.
    pub(super) fn is_out(&self) -> bool {
        match self {
            Self::Body(_) => false,
            Self::Head { is_out, .. } => *is_out,
            Self::Rest { .. } => true,
        }
    }

    /// The socket has taken all of the buffer; whether the request is out by that.
    pub(super) fn flush(&mut self) -> bool {
        match self {
            Self::Head { is_out, .. } => !std::mem::replace(is_out, true),
            Self::Body(_) | Self::Rest { .. } => false,
        }
    }
}

impl Exchange {
    /// Writes as much of the body as may go now; whether there was something to write.
    pub(super) fn write(mut self, context: &mut LinkContext<'_>) -> Result<Self, Disconnect> {
        let Stage::Body(mut upload) = self.stage else {
            return Ok(self);
        };
        let left = upload.body.get(upload.written..).unwrap_or_default();
        let piece = left.len().min(OUT_MAX.saturating_sub(context.out.len()));
        context
            .out
            .extend_from_slice(left.get(..piece).unwrap_or_default());
        upload.written += piece;
        upload
            .call
            .consume_direct_write(piece)
            .map_err(|e| wrong(&e))?;
        if upload.written < upload.body.len() {
            self.stage = Stage::Body(upload);
            return Ok(self);
        }
        match upload.call.proceed() {
            Some(call) => Ok(Self {
                stage: Stage::head(call),
                ..self
            }),
            None => Err(Disconnect::new(
                0,
                "the body is not as long as its head says",
            )),
        }
    }
}

/// Whoever has to be asked elsewhere is configured elsewhere: nothing follows a redirection.
pub(super) fn redirected() -> Disconnect {
    Disconnect::ended("the server redirects")
}

/// Whether another request may go over this connection.
pub(super) fn may_stay(call: &Call<Cleanup>) -> Result<(), Disconnect> {
    match call.close_reason() {
        None => Ok(()),
        Some(reason) => Err(Disconnect::ended(reason)),
    }
}

pub(super) fn wrong(error: &ureq_proto::Error) -> Disconnect {
    Disconnect::new(0, format!("HTTP: {error}"))
}
