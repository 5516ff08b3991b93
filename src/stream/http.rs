//! HTTP: one POST of a JSON array a batch, one request at a time, over a connection that is kept.
//!
//! What an answer means and what a request says are in files of their own; here is the course of
//! a connection.
//!
//! ```text
//!  idle ──▶ body ──▶ head ──▶ rest ──▶ idle          body: a request is being written
//!             └── an early answer ──▶ closed          head, rest: of the answer
//! ```

mod answer;
mod request;

use super::Fault;
use super::IN_MAX;
use super::Link;
use super::Lost;
use super::NO_ANSWER;
use super::OUT_MAX;
use super::Turn;
use super::engine::Engine;
use super::engine::Outgoing;
use super::engine::Packing;
use super::render::View;
use super::settings;
use super::settings::Delivery;
use crate::ring::Seq;
use crate::template::Escape;
use answer::Answer;
use answer::Verdict;
use std::ops::RangeInclusive;
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
pub struct Http<'a> {
    settings: &'a settings::Http,
    view: View<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    stage: Stage,
    /// How many requests were answered.
    answers: u32,
    /// Whether the answer under way has begun.
    heard: bool,
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
    Head(Call<RecvResponse>, RangeInclusive<Seq>, Flushed),
    /// What the answer means is known; its body is read and thrown away.
    Rest(Call<RecvBody>, RangeInclusive<Seq>, Answer),
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
    batch: RangeInclusive<Seq>,
    /// The first message that is not written.
    next: Seq,
    /// Before the next message.
    separator: u8,
}

/// A batch that is being chosen.
struct Parcel<'a, 'v> {
    settings: &'a settings::Http,
    view: &'v mut View<'a>,
    bytes_max: usize,
    /// Of all its messages.
    path: Option<String>,
    /// Of the JSON array.
    len: usize,
    scratch: Vec<u8>,
}

impl<'a> Http<'a> {
    /// A connection that is just made. Costs less than 1 KiB, and while it sends up to [`OUT_MAX`]
    /// and a message.
    #[must_use]
    pub fn new(
        settings: &'a settings::Http,
        view: View<'a>,
        delivery: &'a Delivery,
        epoch: u32,
    ) -> Self {
        Self {
            settings,
            view,
            delivery,
            epoch,
            stage: Stage::Idle,
            answers: 0,
            heard: false,
            deadline: Duration::MAX,
        }
    }

    /// Chooses a batch and writes the head of its request.
    fn begin(&mut self, turn: &mut Turn<'_>) -> Option<Upload> {
        let mut parcel = Parcel {
            settings: self.settings,
            view: &mut self.view,
            bytes_max: self.delivery.max_bytes,
            path: None,
            len: 1,
            scratch: Vec::new(),
        };
        let batch = turn
            .engine
            .next_batch(turn.now, |message| parcel.pack(message))?;
        let path = parcel.path.unwrap_or_default();
        self.heard = false;
        match request::begin(self.settings, &path, parcel.len, turn.out) {
            Ok(call) => Some(Upload {
                call,
                next: *batch.start(),
                batch,
                separator: b'[',
            }),
            Err(reason) => {
                let (fault, now) = (Fault::new(0, reason), turn.now);
                turn.engine
                    .faulty(self.epoch, fault, None, now, turn.random);
                None
            }
        }
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
        let parsed =
            parser::try_parse_response::<MAX_RESPONSE_HEADERS>(input).map_err(|e| wrong(&e))?;
        let Some((used, response)) = parsed else {
            self.stage = Stage::Body(upload);
            return unfinished(input);
        };
        let answer = self.answer(&response, turn);
        if response.status().is_informational() && response.status().as_u16() != 101 {
            self.stage = Stage::Body(upload);
            return Ok(used);
        }
        if answer.verdict == Verdict::Accepted {
            self.stage = Stage::Body(upload);
            return Ok(0);
        }
        self.conclude(upload.batch, &answer, turn);
        Err(Lost::ended("the server answered before it had the request"))
    }

    /// The head of an answer. What is accepted is accepted at once: the rest adds nothing to it.
    fn head(
        &mut self,
        mut call: Call<RecvResponse>,
        batch: RangeInclusive<Seq>,
        flushed: Flushed,
        input: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<usize, Lost> {
        let (used, response) = call.try_response(input, false).map_err(|e| wrong(&e))?;
        let Some(response) = response else {
            self.stage = Stage::Head(call, batch, flushed);
            return if used > 0 {
                Ok(used)
            } else {
                unfinished(input)
            };
        };
        self.answers = self.answers.saturating_add(1);
        let answer = self.answer(&response, turn);
        if answer.verdict == Verdict::Accepted {
            self.conclude(batch.clone(), &answer, turn);
        }
        match call.proceed() {
            Some(RecvResponseResult::RecvBody(call)) => {
                self.stage = Stage::Rest(call, batch, answer);
                Ok(used)
            }
            Some(RecvResponseResult::Cleanup(call)) => {
                self.conclude(batch, &answer, turn);
                may_stay(&call).map(|()| used)
            }
            Some(RecvResponseResult::Redirect(_)) | None => {
                self.conclude(batch, &answer, turn);
                Err(Lost::ended("the server redirects"))
            }
        }
    }

    /// A piece of the body of an answer.
    fn rest(
        &mut self,
        mut call: Call<RecvBody>,
        batch: RangeInclusive<Seq>,
        mut answer: Answer,
        input: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<usize, Lost> {
        let mut piece = [0; PIECE];
        let (used, written) = call.read(input, &mut piece).map_err(|e| wrong(&e))?;
        answer.take(piece.get(..written).unwrap_or_default());
        if answer.is_too_long() {
            self.conclude(batch, &answer, turn);
            return Err(Lost::ended("the answer is too long"));
        }
        if call.body_mode() == BodyMode::CloseDelimited || !call.can_proceed() {
            self.stage = Stage::Rest(call, batch, answer);
            return Ok(used);
        }
        self.conclude(batch, &answer, turn);
        match call.proceed() {
            Some(RecvBodyResult::Cleanup(call)) => may_stay(&call).map(|()| used),
            Some(RecvBodyResult::Redirect(_)) | None => Err(Lost::ended("the server redirects")),
        }
    }

    /// What the head of an answer means.
    fn answer(&self, response: &Response<()>, turn: &Turn<'_>) -> Answer {
        Answer::new(response, &self.settings.success, turn.now)
    }

    /// Tells the engine; a batch that is not in flight any more is not told of twice.
    fn conclude(&self, batch: RangeInclusive<Seq>, answer: &Answer, turn: &mut Turn<'_>) {
        let (epoch, now, random) = (self.epoch, turn.now, turn.random);
        let engine = &mut *turn.engine;
        match answer.verdict {
            Verdict::Accepted => engine.accepted(epoch, batch, now),
            Verdict::Refused => engine.refused(epoch, batch, &answer.fault(), now, random),
            Verdict::Busy | Verdict::Misconfigured => {
                engine.faulty(epoch, answer.fault(), answer.after, now, random);
            }
        }
    }
}

impl Link for Http<'_> {
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
            self.stage = upload.write(&mut self.view, turn)?;
        }
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
            Stage::Body(_) | Stage::Head(..) => {
                turn.engine.unanswered(self.epoch);
                Err(Lost::new(NO_ANSWER, "no answer to a request"))
            }
            Stage::Rest(_, batch, answer) => {
                self.conclude(batch, &answer, turn);
                Err(Lost::ended("the answer did not end"))
            }
        }
    }

    /// A server may close a connection that it keeps at any time, also when a request is on its
    /// way to it: that request is repeated once.
    fn closed(&mut self, lost: Lost, turn: &mut Turn<'_>) -> Lost {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Rest(_, batch, answer) => self.conclude(batch, &answer, turn),
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
    /// Writes as much as may go now. The messages are rendered a second time, from the engine: the
    /// first time only their length was wanted, and a body is never in memory as a whole.
    fn write(mut self, view: &mut View<'_>, turn: &mut Turn<'_>) -> Result<Stage, Lost> {
        let start = turn.out.len();
        let mut left = turn.engine.batch(self.next..=*self.batch.end());
        let all = loop {
            if turn.out.len() >= OUT_MAX {
                break false;
            }
            let Some(message) = left.next() else {
                turn.out.push(b']');
                break true;
            };
            turn.out.push(self.separator);
            let written = view.object(&message, turn.out);
            written.map_err(|error| Lost::new(0, error.to_string()))?;
            self.separator = b',';
            self.next = Seq(message.seq.0.saturating_add(1));
        };
        self.call
            .consume_direct_write(turn.out.len() - start)
            .map_err(|e| wrong(&e))?;
        if !all {
            return Ok(Stage::Body(self));
        }
        match self.call.proceed() {
            Some(call) => Ok(Stage::Head(call, self.batch, Flushed::Not)),
            None => Err(Lost::new(0, "a batch got shorter while it was sent")),
        }
    }
}

impl Parcel<'_, '_> {
    /// Counts a message in, if it fits.
    fn pack(&mut self, message: &Outgoing<'_>) -> Packing {
        let mut path = String::new();
        if let Err(missing) =
            self.view
                .template(&self.settings.path, Escape::Url, message, &mut path)
        {
            return Packing::Unfit(missing.to_string());
        }
        self.scratch.clear();
        if let Err(error) = self.view.object(message, &mut self.scratch) {
            return Packing::Unfit(error.to_string());
        }
        let len = self.len + self.scratch.len() + 1;
        match &self.path {
            Some(first) if *first != path || len > self.bytes_max => return Packing::Full,
            Some(_) => {}
            None => self.path = Some(path),
        }
        self.len = len;
        Packing::Taken
    }
}

/// Whether another request may go over this connection.
fn may_stay(call: &Call<Cleanup>) -> Result<(), Lost> {
    match call.close_reason() {
        None => Ok(()),
        Some(reason) => Err(Lost::ended(reason)),
    }
}

/// Waits for more of an answer's head, unless it is too long already.
fn unfinished(input: &[u8]) -> Result<usize, Lost> {
    match input.len() < IN_MAX {
        true => Ok(0),
        false => Err(Lost::new(0, "the head of the answer is too long")),
    }
}

fn wrong(error: &ureq_proto::Error) -> Lost {
    Lost::new(0, format!("HTTP: {error}"))
}

/// So much of an answer's body is read at a time, in bytes.
const PIECE: usize = 1024;
