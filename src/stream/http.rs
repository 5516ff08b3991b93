//! HTTP: one POST a batch, one request at a time, over a connection that is kept. While an answer
//! is awaited the next body is made ready, so that the way is not idle for longer than it has to.
//!
//! What an answer means, what a request says and what its body is are in files of their own; here
//! is the course of a connection.
//!
//! ```text
//!  idle ──▶ body ──▶ head ──▶ rest ──▶ idle          body: a request is being written
//!             └── an early answer ──▶ closed          head, rest: of the answer
//! ```

mod answer;
mod gzip;
mod head;
mod parcel;
mod plain;
mod request;
mod target;

pub use plain::Http;
pub(super) use plain::KIND;

use super::Fault;
use super::IN_MAX;
use super::Link;
use super::Lost;
use super::OUT_MAX;
use super::Open;
use super::Turn;
use super::engine::Engine;
use super::engine::Packing;
use super::render::View;
use super::settings::Delivery;
use crate::ring::Seq;
use answer::Answer;
use answer::Verdict;
use parcel::Packer;
use parcel::Parcel;
use std::time::Duration;
use ureq_proto::BodyMode;
use ureq_proto::client::Call;
use ureq_proto::client::MAX_RESPONSE_HEADERS;
use ureq_proto::client::RecvBodyResult;
use ureq_proto::client::RecvResponseResult;
use ureq_proto::client::state::Cleanup;
use ureq_proto::client::state::RecvBody;
use ureq_proto::client::state::RecvResponse;
use ureq_proto::client::state::SendBody;
use ureq_proto::http::Response;
use ureq_proto::parser;

/// One connection to a server.
pub struct HttpLink<'a> {
    settings: &'a Http,
    view: View<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    stage: Stage,
    /// What goes next if the request under way is accepted, and nothing else happens.
    prepared: Option<Parcel>,
    /// How many requests were answered.
    answers: u32,
    /// Whether the answer under way has begun.
    heard: bool,
    /// What its head says, while that is not whole.
    status: Option<Response<()>>,
    /// When the far end has to have moved on.
    deadline: Duration,
}

/// Where the request under way is.
enum Stage {
    /// There is none.
    Idle,
    /// Its head is written, its body is not.
    Body(Upload),
    /// It is written; of the answer there is no status yet.
    Head(Call<RecvResponse>, Vec<Seq>, Flushed),
    /// What the answer means is known; its body is read and thrown away.
    Rest(Call<RecvBody>, Vec<Seq>, Answer),
}

/// Whether all of a request has been written to the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flushed {
    Not,
    All,
}

/// A request that is being written.
struct Upload {
    call: Call<SendBody>,
    batch: Vec<Seq>,
    body: Vec<u8>,
    /// Bytes of it that are written.
    written: usize,
}

impl<'a> HttpLink<'a> {
    /// A connection that is just made. Costs less than 1 KiB, and while it sends the body of one
    /// request and up to [`OUT_MAX`] more.
    #[must_use]
    pub fn new(settings: &'a Http, open: Open<'a>) -> Self {
        Self {
            settings,
            view: open.view,
            delivery: open.delivery,
            epoch: open.epoch,
            stage: Stage::Idle,
            prepared: None,
            answers: 0,
            heard: false,
            status: None,
            deadline: Duration::MAX,
        }
    }

    /// Chooses a batch and writes the head of its request.
    fn begin(&mut self, turn: &mut Turn<'_>) -> Option<Upload> {
        let (batch, parcel) = match self.prepared.take() {
            Some(parcel) => self.confirm(parcel, turn)?,
            None => self.pack(turn)?,
        };
        (self.heard, self.status) = (false, None);
        match request::begin(self.settings, &parcel.path, parcel.body.len(), turn.out) {
            Ok(call) => Some(Upload {
                call,
                batch,
                body: parcel.body,
                written: 0,
            }),
            Err(reason) => {
                let (fault, now) = (Fault::new(0, reason), turn.now);
                turn.engine
                    .faulty(self.epoch, fault, None, now, turn.random);
                None
            }
        }
    }

    fn pack(&mut self, turn: &mut Turn<'_>) -> Option<(Vec<Seq>, Parcel)> {
        let mut packer = self.packer();
        let batch = turn
            .engine
            .next_batch(turn.now, |message| packer.pack(message))?;
        Some((batch, packer.finish()?))
    }

    /// Sends what was prepared, if it is the next batch still: a message of it may have grown too
    /// old, or be suspected, or one before it may wait again. Then the body is made anew. Between
    /// its messages there are those of other bodies.
    fn confirm(&mut self, parcel: Parcel, turn: &mut Turn<'_>) -> Option<(Vec<Seq>, Parcel)> {
        let mut count = 0;
        let batch = turn.engine.next_batch(turn.now, |message| {
            match parcel.messages.get(count) == Some(&message.seq) {
                true => {
                    count += 1;
                    Packing::Taken
                }
                false if count > 0 => Packing::Later,
                false => Packing::Full,
            }
        });
        match batch {
            Some(batch) if count == parcel.messages.len() => Some((batch, parcel)),
            Some(batch) => {
                let mut packer = self.packer();
                for message in turn.engine.batch(&batch) {
                    packer.pack(&message);
                }
                Some((batch, packer.finish()?))
            }
            None => self.pack(turn),
        }
    }

    /// Makes the next body while an answer is awaited.
    fn prepare(&mut self, turn: &mut Turn<'_>) {
        let waits = match self.stage {
            Stage::Head(_, _, Flushed::All) | Stage::Rest(..) => true,
            Stage::Idle | Stage::Body(_) | Stage::Head(..) => false,
        };
        if waits && self.prepared.is_none() {
            let most = self.settings.body.as_ref().map_or(usize::MAX, |_| 1);
            let mut packer = self.packer();
            turn.engine
                .upcoming(most, turn.now, |message| packer.pack(message));
            self.prepared = packer.finish();
        }
    }

    fn packer(&mut self) -> Packer<'a, '_> {
        Packer::new(self.settings, &mut self.view, self.delivery.max_bytes)
    }

    /// Takes from the head of `input` what is whole; how many bytes that were.
    fn step(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost> {
        if input.is_empty() {
            return Ok(0);
        }
        self.heard = true;
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => Err(Lost::ended("the server spoke without being asked")),
            Stage::Body(upload) => self.early_head(upload, input, turn),
            Stage::Head(call, batch, flushed) => self.head(call, batch, flushed, input, turn),
            Stage::Rest(call, batch, answer) => self.rest(call, batch, answer, input, turn),
        }
    }

    /// A server may refuse a request that it has not read to its end; it cannot accept it.
    fn early_head(
        &mut self,
        upload: Upload,
        input: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<usize, Lost> {
        let parsed = parser::try_parse_response::<MAX_RESPONSE_HEADERS>(input);
        let (used, response) = match parsed {
            Ok(Some((used, response))) => (used, response),
            Ok(None) if input.len() < IN_MAX => {
                self.stage = Stage::Body(upload);
                return Ok(0);
            }
            broken => broken_head(input, broken.err())?,
        };
        if is_interim(&response) {
            self.stage = Stage::Body(upload);
            return Ok(used);
        }
        let answer = self.answer(&response, turn);
        if answer.verdict != Verdict::Accepted {
            self.conclude(&upload.batch, &answer, turn);
            return Err(Lost::ended("the server answered before it had the request"));
        }
        self.stage = Stage::Body(upload);
        match input.len() < 2 * IN_MAX {
            true => Ok(0),
            false => Err(Lost::new(0, "the server speaks and does not listen")),
        }
    }

    /// The head of an answer. What is accepted is accepted at once: the rest adds nothing to it.
    fn head(
        &mut self,
        mut call: Call<RecvResponse>,
        batch: Vec<Seq>,
        flushed: Flushed,
        input: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<usize, Lost> {
        let (used, response) = match call.try_response(input, false) {
            Ok((used, Some(response))) => (used, response),
            Ok((used, None)) if used > 0 || input.len() < IN_MAX => {
                self.status = head::read(input).filter(|response| !is_interim(response));
                self.stage = Stage::Head(call, batch, flushed);
                return Ok(used);
            }
            broken => {
                let (used, response) = broken_head(input, broken.err())?;
                if is_interim(&response) {
                    self.stage = Stage::Head(call, batch, flushed);
                    return Ok(used);
                }
                let answer = self.answer(&response, turn);
                self.conclude(&batch, &answer, turn);
                return Err(Lost::ended("the head of the answer cannot be read"));
            }
        };
        self.answers = self.answers.saturating_add(1);
        let answer = self.answer(&response, turn);
        if answer.verdict == Verdict::Accepted {
            self.conclude(&batch, &answer, turn);
        }
        match call.proceed() {
            Some(RecvResponseResult::RecvBody(call)) => {
                self.stage = Stage::Rest(call, batch, answer);
                Ok(used)
            }
            Some(RecvResponseResult::Cleanup(call)) => {
                self.conclude(&batch, &answer, turn);
                may_stay(&call).map(|()| used)
            }
            Some(RecvResponseResult::Redirect(_)) | None => {
                self.conclude(&batch, &answer, turn);
                Err(Lost::ended("the server redirects"))
            }
        }
    }

    /// A piece of the body of an answer.
    fn rest(
        &mut self,
        mut call: Call<RecvBody>,
        batch: Vec<Seq>,
        mut answer: Answer,
        input: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<usize, Lost> {
        let mut piece = [0; PIECE];
        let Ok((used, written)) = call.read(input, &mut piece) else {
            self.conclude(&batch, &answer, turn);
            return Err(Lost::ended("the body of the answer cannot be read"));
        };
        answer.take(piece.get(..written).unwrap_or_default());
        if answer.is_too_long() {
            self.conclude(&batch, &answer, turn);
            return Err(Lost::ended("the answer is too long"));
        }
        if call.body_mode() == BodyMode::CloseDelimited || !call.can_proceed() {
            self.stage = Stage::Rest(call, batch, answer);
            return Ok(used);
        }
        self.conclude(&batch, &answer, turn);
        match call.proceed() {
            Some(RecvBodyResult::Cleanup(call)) => may_stay(&call).map(|()| used),
            Some(RecvBodyResult::Redirect(_)) | None => Err(Lost::ended("the server redirects")),
        }
    }

    /// What the head of an answer means.
    fn answer(&self, response: &Response<()>, turn: &Turn<'_>) -> Answer {
        Answer::new(response, &self.settings.success, turn.now)
    }

    /// What the head means that has begun and does not end: its status counts.
    fn begun(&mut self, turn: &Turn<'_>) -> Option<Answer> {
        let status = self.status.take();
        status.map(|response| self.answer(&response, turn))
    }

    /// Tells the engine; a batch that is not in flight any more is not told of twice.
    fn conclude(&self, batch: &[Seq], answer: &Answer, turn: &mut Turn<'_>) {
        let (epoch, now, random) = (self.epoch, turn.now, turn.random);
        let engine = &mut *turn.engine;
        match answer.verdict {
            Verdict::Accepted => engine.accepted(epoch, batch, now),
            Verdict::Refused => engine.refused(epoch, batch, &answer.fault(), now, random),
            Verdict::Doubted => engine.doubted(epoch, batch, &answer.fault(), now, random),
            Verdict::Busy | Verdict::Misconfigured => {
                engine.faulty(epoch, answer.fault(), answer.after, now, random);
            }
        }
    }
}

impl Link for HttpLink<'_> {
    fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<usize, Lost> {
        let mut used = 0;
        loop {
            match self.step(input.get(used..).unwrap_or_default(), turn)? {
                0 => return Ok(used),
                step => used += step,
            }
        }
    }

    fn send(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        turn.check_epoch(self.epoch)?;
        let upload = match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => self.begin(turn),
            Stage::Body(upload) => Some(upload),
            Stage::Head(call, batch, Flushed::Not) => {
                self.stage = Stage::Head(call, batch, Flushed::All);
                self.deadline = turn.now.mono + self.delivery.timeout;
                None
            }
            answered => {
                self.stage = answered;
                None
            }
        };
        if let Some(upload) = upload {
            self.deadline = turn.now.mono + self.delivery.timeout;
            self.stage = upload.write(turn)?;
        }
        self.prepare(turn);
        Ok(())
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        match self.stage {
            Stage::Idle => None,
            _ => Some(self.deadline),
        }
    }

    fn wake(&mut self, turn: &mut Turn<'_>) -> Result<(), Lost> {
        if turn.now.mono < self.deadline {
            return Ok(());
        }
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => Ok(()),
            Stage::Head(_, batch, _) if self.status.is_some() => {
                if let Some(answer) = self.begun(turn) {
                    self.conclude(&batch, &answer, turn);
                }
                Err(Lost::ended("the head of the answer did not end"))
            }
            Stage::Body(_) | Stage::Head(..) => {
                turn.engine.unanswered(self.epoch);
                Err(Fault::no_answer(self.delivery.timeout, "a request").into())
            }
            Stage::Rest(_, batch, answer) => {
                self.conclude(&batch, &answer, turn);
                Err(Lost::ended("the answer did not end"))
            }
        }
    }

    /// A server may close a connection that it keeps at any time, also when a request is on its
    /// way to it: that request is repeated once.
    fn closed(&mut self, lost: Lost, turn: &mut Turn<'_>) -> Lost {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Rest(_, batch, answer) => self.conclude(&batch, &answer, turn),
            Stage::Head(_, batch, _) if self.status.is_some() => {
                if let Some(answer) = self.begun(turn) {
                    self.conclude(&batch, &answer, turn);
                }
            }
            Stage::Body(_) | Stage::Head(..) if self.answers == 0 || self.heard => {
                return lost.fault.into();
            }
            Stage::Idle | Stage::Body(_) | Stage::Head(..) => {}
        }
        Lost::ended(lost.fault.reason)
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn stays(&self) -> bool {
        false
    }
}

impl Upload {
    /// Writes as much as may go now.
    fn write(mut self, turn: &mut Turn<'_>) -> Result<Stage, Lost> {
        let left = self.body.get(self.written..).unwrap_or_default();
        let piece = left.len().min(OUT_MAX.saturating_sub(turn.out.len()));
        turn.out
            .extend_from_slice(left.get(..piece).unwrap_or_default());
        self.written += piece;
        self.call
            .consume_direct_write(piece)
            .map_err(|e| wrong(&e))?;
        if self.written < self.body.len() {
            return Ok(Stage::Body(self));
        }
        match self.call.proceed() {
            Some(call) => Ok(Stage::Head(call, self.batch, Flushed::Not)),
            None => Err(Lost::new(0, "the body is not as long as its head says")),
        }
    }
}

/// Whether another request may go over this connection.
fn may_stay(call: &Call<Cleanup>) -> Result<(), Lost> {
    match call.close_reason() {
        None => Ok(()),
        Some(reason) => Err(Lost::ended(reason)),
    }
}

/// A head that breaks the rules or is too long: how many bytes it has, and what can be read of it.
fn broken_head(
    input: &[u8],
    error: Option<ureq_proto::Error>,
) -> Result<(usize, Response<()>), Lost> {
    match head::read(input) {
        // the answer stands behind it, if it can be told where it ends
        Some(response) if is_interim(&response) => head::len(input).map(|len| (len, response)),
        Some(response) => Some((0, response)),
        None => None,
    }
    .ok_or_else(|| match error {
        Some(error) => wrong(&error),
        None => Lost::new(0, "the head of the answer is too long"),
    })
}

/// Whether the answer itself is still to come.
fn is_interim(response: &Response<()>) -> bool {
    response.status().is_informational() && response.status().as_u16() != 101
}

fn wrong(error: &ureq_proto::Error) -> Lost {
    Lost::new(0, format!("HTTP: {error}"))
}

/// So much of an answer's body is read at a time, in bytes.
const PIECE: usize = 1024;
