//! HTTP: a request a batch, over a connection that is kept. While an answer is awaited the next
//! body is made ready, so that the way is not idle for longer than it has to; where the platform
//! allows it several requests are on their way, and their answers come in the same order.
//!
//! What a platform wants is said by its [`profile`]; what a request says, what its body is and what
//! an answer means are in files of their own; here is the course of a connection.
//!
//! ```text
//!            ┌───────────────┬─ ... ─┬───────────────┐
//!  answers ◀─┤ oldest        │       │ newest        │◀─ requests
//!            └───────────────┴─ ... ─┴───────────────┘
//!  each:  body ──▶ head ──▶ rest ──▶ gone       body: the request is being written
//!          └── an early answer ──▶ closed       head, rest: of the answer
//! ```

mod answer;
mod body;
mod exchange;
mod gzip;
mod head;
mod login;
pub(super) mod plain;
pub mod profile;
mod request;
mod target;

pub use plain::Http;
pub(super) use plain::KIND;

use super::DeliveryError;
use super::Disconnect;
use super::IN_MAX;
use super::Link;
use super::LinkContext;
use super::OUT_MAX;
use super::Open;
use super::engine::Engine;
use super::engine::Fit;
use super::render::MessageView;
use super::settings::Delivery;
use crate::ring::Seq;
use answer::Reply;
use body::BodyBuilder;
use body::RequestBody;
use exchange::Exchange;
use exchange::Stage;
use login::LoginOfNow;
use profile::Frame;
use profile::Profile;
use profile::Verdict;
use request::Begun;
use std::collections::VecDeque;
use std::time::Duration;
use ureq_proto::BodyMode;
use ureq_proto::client::Call;
use ureq_proto::client::MAX_RESPONSE_HEADERS;
use ureq_proto::client::RecvBodyResult;
use ureq_proto::client::RecvResponseResult;
use ureq_proto::client::state::RecvBody;
use ureq_proto::client::state::RecvResponse;
use ureq_proto::http::Response;
use ureq_proto::parser;

/// One connection to a server.
pub struct HttpLink<'a> {
    profile: &'a dyn Profile,
    frame: Frame,
    /// How requests name the server.
    host: String,
    view: MessageView<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    login: LoginOfNow,
    /// Requests without an answer, in the order in which they were sent. Only the last may still
    /// be on its way out, and only of the first an answer may have begun.
    exchanges: VecDeque<Exchange>,
    /// What goes next if all that is on its way is accepted, and nothing else happens.
    prepared: Option<RequestBody>,
    /// Bytes of a body that is like the last one, or a little longer.
    usual: usize,
    /// How many requests were answered.
    answers: u32,
    /// Whether the answer under way has begun.
    heard: bool,
    /// What its head says, while that is not whole.
    status: Option<Response<()>>,
    /// When the far end has to have moved on.
    deadline: Duration,
}

impl<'a> HttpLink<'a> {
    /// A connection that is just made. Costs less than 1 KiB, and while it sends the body of one
    /// request and up to [`OUT_MAX`] more, and 1 KiB for each request that has no answer.
    #[must_use]
    pub fn new(profile: &'a dyn Profile, open: Open<'a>) -> Self {
        Self {
            profile,
            frame: profile.frame(),
            host: request::host(open.endpoint.network()),
            view: open.view,
            delivery: open.delivery,
            epoch: open.epoch,
            login: LoginOfNow::new(open.endpoint.network()),
            exchanges: VecDeque::new(),
            prepared: None,
            usual: 0,
            answers: 0,
            heard: false,
            status: None,
            deadline: Duration::MAX,
        }
    }

    /// Requests without an answer at most. Before the first answer nobody knows whether the server
    /// keeps the connection: what follows would be lost with it.
    fn window(&self) -> usize {
        match self.answers {
            0 => 1,
            _ => self.frame.in_flight_max.max(1),
        }
    }

    /// Chooses a batch and writes the head of its request; none: nothing may go.
    fn begin(&mut self, context: &mut LinkContext<'_>) -> Result<Option<Exchange>, Disconnect> {
        if !context.engine.has_waiting() {
            return Ok(None);
        }
        self.login.renew(self.profile, context.now)?;
        let chosen = match self.prepared.take() {
            Some(body) => self.confirm(body, context),
            None => self.pack(context),
        };
        let Some((messages, body)) = chosen else {
            return Ok(None);
        };
        if !self.frame.gzip {
            let len = body.bytes.len();
            self.usual = len + len / 16;
        }
        let who = (&*self.host, self.login.get());
        let what = (&*body.path, body.bytes.len());
        let stage = match request::begin(self.profile, who, what, context.out) {
            Ok(Begun::Body(call)) => Stage::body(call, body.bytes),
            Ok(Begun::Nothing(call)) => Stage::head(call),
            Err(reason) => {
                let (error, now) = (DeliveryError::new(0, reason), context.now);
                let engine = &mut *context.engine;
                engine.later(self.epoch, &messages, (error, None), now, context.random);
                return Ok(None);
            }
        };
        self.deadline = context.now.mono + self.delivery.timeout;
        Ok(Some(Exchange { messages, stage }))
    }

    fn pack(&mut self, context: &mut LinkContext<'_>) -> Option<(Vec<Seq>, RequestBody)> {
        let mut builder = self.builder();
        let batch = context
            .engine
            .next_batch(context.now, |message| builder.pack(message))?;
        Some((batch, builder.finish()?))
    }

    /// Sends what was prepared, if it is the next batch still: a message of it may have grown too
    /// old, or be suspected, or one before it may wait again. Then the body is made anew. Between
    /// its messages there are those of other bodies.
    fn confirm(
        &mut self,
        body: RequestBody,
        context: &mut LinkContext<'_>,
    ) -> Option<(Vec<Seq>, RequestBody)> {
        let mut count = 0;
        let batch = context.engine.next_batch(context.now, |message| {
            match body.messages.get(count) == Some(&message.seq) {
                true => {
                    count += 1;
                    Fit::Taken
                }
                false if count > 0 => Fit::Later,
                false => Fit::Full,
            }
        });
        match batch {
            Some(batch) if count == body.messages.len() => Some((batch, body)),
            Some(batch) => {
                let mut builder = self.builder();
                for message in context.engine.batch(&batch) {
                    builder.pack(&message);
                }
                Some((batch, builder.finish()?))
            }
            None => self.pack(context),
        }
    }

    /// Makes the next body while answers are awaited and no more may go.
    fn prepare(&mut self, context: &mut LinkContext<'_>) {
        let is_out = self
            .exchanges
            .back()
            .is_some_and(|last| last.stage.is_out());
        if is_out && self.exchanges.len() >= self.window() && self.prepared.is_none() {
            let most = self.frame.messages_max;
            let mut builder = self.builder();
            let (engine, now) = (&mut *context.engine, context.now);
            engine.upcoming(most, now, |message| builder.pack(message));
            self.prepared = builder.finish();
        }
    }

    fn builder(&mut self) -> BodyBuilder<'a, '_> {
        let room = (self.usual, self.delivery.max_bytes);
        BodyBuilder::new(self.profile, &self.frame, &mut self.view, room)
    }

    /// Takes from the head of `input` what is whole; how many bytes that were.
    fn step(&mut self, input: &[u8], context: &mut LinkContext<'_>) -> Result<usize, Disconnect> {
        if input.is_empty() {
            return Ok(0);
        }
        self.heard = true;
        let Some(Exchange { messages, stage }) = self.exchanges.pop_front() else {
            return Err(Disconnect::ended("the server spoke without being asked"));
        };
        let (used, stage) = match stage {
            Stage::Body(_) => self.early_head(stage, &messages, input, context)?,
            Stage::Head { call, is_out } => self.head((call, is_out), &messages, input, context)?,
            Stage::Rest { call, reply } => self.rest((call, reply), &messages, input, context)?,
        };
        match stage {
            Some(stage) => self.exchanges.push_front(Exchange { messages, stage }),
            None => {
                // the next answer is that of the request behind it
                (self.heard, self.status) = (false, None);
                self.deadline = context.now.mono + self.delivery.timeout;
            }
        }
        Ok(used)
    }

    /// A server may refuse a request that it has not read to its end; it cannot accept it.
    fn early_head(
        &mut self,
        stage: Stage,
        messages: &[Seq],
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<(usize, Option<Stage>), Disconnect> {
        let parsed = parser::try_parse_response::<MAX_RESPONSE_HEADERS>(input);
        let (used, response) = match parsed {
            Ok(Some((used, response))) => (used, response),
            Ok(None) if input.len() < IN_MAX => return Ok((0, Some(stage))),
            broken => head::broken(input, broken.err())?,
        };
        if head::is_interim(&response) {
            return Ok((used, Some(stage)));
        }
        let mut reply = Reply::new(&response, context.now);
        if reply.judge(self.profile, messages.len(), false).0 != Verdict::Taken {
            self.conclude(messages, &mut reply, context);
            return Err(Disconnect::ended(
                "the server answered before it had the request",
            ));
        }
        match input.len() < 2 * IN_MAX {
            true => Ok((0, Some(stage))),
            false => Err(Disconnect::new(0, "the server speaks and does not listen")),
        }
    }

    /// The head of an answer. Where it says what the answer means that counts at once.
    fn head(
        &mut self,
        (mut call, is_out): (Call<RecvResponse>, bool),
        messages: &[Seq],
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<(usize, Option<Stage>), Disconnect> {
        let (used, response) = match call.try_response(input, false) {
            Ok((used, Some(response))) => (used, response),
            Ok((used, None)) if used > 0 || input.len() < IN_MAX => {
                self.status = head::read(input).filter(|response| !head::is_interim(response));
                return Ok((used, Some(Stage::Head { call, is_out })));
            }
            broken => {
                let (used, response) = head::broken(input, broken.err())?;
                if head::is_interim(&response) {
                    return Ok((used, Some(Stage::Head { call, is_out })));
                }
                self.conclude(messages, &mut Reply::new(&response, context.now), context);
                return Err(Disconnect::ended("the head of the answer cannot be read"));
            }
        };
        self.answers = self.answers.saturating_add(1);
        let mut reply = Reply::new(&response, context.now);
        if reply.is_plain(self.profile) {
            self.conclude(messages, &mut reply, context);
        }
        match call.proceed() {
            Some(RecvResponseResult::RecvBody(call)) => {
                Ok((used, Some(Stage::Rest { call, reply })))
            }
            Some(RecvResponseResult::Cleanup(call)) => {
                self.conclude_whole(messages, &mut reply, context);
                exchange::may_stay(&call).map(|()| (used, None))
            }
            Some(RecvResponseResult::Redirect(_)) | None => {
                self.conclude(messages, &mut reply, context);
                Err(exchange::redirected())
            }
        }
    }

    /// A piece of the body of an answer.
    fn rest(
        &mut self,
        (mut call, mut reply): (Call<RecvBody>, Reply),
        messages: &[Seq],
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<(usize, Option<Stage>), Disconnect> {
        let mut piece = [0; PIECE];
        let Ok((used, written)) = call.read(input, &mut piece) else {
            self.conclude(messages, &mut reply, context);
            return Err(Disconnect::ended("the body of the answer cannot be read"));
        };
        reply.take(piece.get(..written).unwrap_or_default());
        if reply.is_too_long() {
            self.conclude(messages, &mut reply, context);
            return Err(Disconnect::ended("the answer is too long"));
        }
        if call.body_mode() == BodyMode::CloseDelimited || !call.can_proceed() {
            return Ok((used, Some(Stage::Rest { call, reply })));
        }
        self.conclude_whole(messages, &mut reply, context);
        match call.proceed() {
            Some(RecvBodyResult::Cleanup(call)) => exchange::may_stay(&call).map(|()| (used, None)),
            Some(RecvBodyResult::Redirect(_)) | None => Err(exchange::redirected()),
        }
    }

    /// Acts on what has come of an answer, of which nothing more will.
    fn conclude(&mut self, messages: &[Seq], reply: &mut Reply, context: &mut LinkContext<'_>) {
        if !std::mem::replace(&mut reply.is_settled, true) {
            self.tell(messages, reply, false, context);
        }
    }

    /// Acts on an answer that is whole.
    fn conclude_whole(
        &mut self,
        messages: &[Seq],
        reply: &mut Reply,
        context: &mut LinkContext<'_>,
    ) {
        if !std::mem::replace(&mut reply.is_settled, true) {
            self.tell(messages, reply, true, context);
        }
    }

    /// Tells the engine.
    fn tell(
        &mut self,
        messages: &[Seq],
        reply: &Reply,
        is_whole: bool,
        context: &mut LinkContext<'_>,
    ) {
        let (verdict, error) = reply.judge(self.profile, messages.len(), is_whole);
        let (epoch, now, random) = (self.epoch, context.now, context.random);
        let engine = &mut *context.engine;
        match verdict {
            Verdict::Taken => engine.accepted(epoch, messages, now),
            Verdict::TakenBut { refused, later } => {
                let seqs = |places: &[usize]| -> Vec<Seq> {
                    let seqs = places.iter().filter_map(|place| messages.get(*place));
                    seqs.copied().collect()
                };
                let (refused, later) = (seqs(&refused), seqs(&later));
                engine.taken_but(epoch, messages, (&refused, &later), &error, now, random);
            }
            Verdict::Refused => engine.refused(epoch, messages, &error, now, random),
            Verdict::Doubted => engine.doubted(epoch, messages, &error, now, random),
            Verdict::Later(pause) => {
                let after = reply.after.max(pause);
                engine.later(epoch, messages, (error, after), now, random);
            }
            Verdict::Configuration => {
                // a login may be what is wrong with it
                self.login.forget();
                engine.later(epoch, messages, (error, reply.after), now, random);
            }
        }
    }

    /// The connection ends; what is known of the answer under way counts. Whether that is enough
    /// to know what it means.
    fn conclude_cut(&mut self, context: &mut LinkContext<'_>) -> bool {
        let Some(Exchange { messages, stage }) = self.exchanges.pop_front() else {
            return false;
        };
        let mut reply = match (stage, self.status.take()) {
            (Stage::Rest { reply, .. }, _) => reply,
            (Stage::Head { .. }, Some(response)) => Reply::new(&response, context.now),
            (stage, _) => {
                self.exchanges.push_front(Exchange { messages, stage });
                return false;
            }
        };
        self.conclude(&messages, &mut reply, context);
        true
    }
}

impl Link for HttpLink<'_> {
    fn receive(
        &mut self,
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<usize, Disconnect> {
        let mut used = 0;
        loop {
            match self.step(input.get(used..).unwrap_or_default(), context)? {
                0 => return Ok(used),
                step => used += step,
            }
        }
    }

    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        context.check_epoch(self.epoch)?;
        for exchange in &mut self.exchanges {
            // all that was written before is out
            if exchange.stage.flush() {
                self.deadline = context.now.mono + self.delivery.timeout;
            }
        }
        loop {
            if let Some(last) = self.exchanges.pop_back_if(|last| !last.stage.is_written()) {
                let last = last.write(context)?;
                self.deadline = context.now.mono + self.delivery.timeout;
                let is_written = last.stage.is_written();
                self.exchanges.push_back(last);
                if !is_written {
                    break;
                }
            }
            if self.exchanges.len() >= self.window() || context.out.len() >= OUT_MAX {
                break;
            }
            match self.begin(context)? {
                Some(exchange) => self.exchanges.push_back(exchange),
                None => break,
            }
        }
        self.prepare(context);
        Ok(())
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        (!self.exchanges.is_empty()).then_some(self.deadline)
    }

    fn wake(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        if self.exchanges.is_empty() || context.now.mono < self.deadline {
            return Ok(());
        }
        if self.conclude_cut(context) {
            return Err(Disconnect::ended("the answer did not end"));
        }
        context.engine.unanswered(self.epoch);
        Err(DeliveryError::no_answer(self.delivery.timeout, "a request").into())
    }

    /// A server may close a connection that it keeps at any time, also when requests are on their
    /// way to it: these are repeated once.
    fn closed(&mut self, disconnect: Disconnect, context: &mut LinkContext<'_>) -> Disconnect {
        let is_known = self.conclude_cut(context);
        let is_first = self.answers == 0 || self.heard;
        match is_known || self.exchanges.is_empty() || !is_first {
            true => Disconnect::ended(disconnect.error.reason),
            false => disconnect.error.into(),
        }
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn stays(&self) -> bool {
        false
    }
}

/// So much of an answer's body is read at a time, in bytes.
const PIECE: usize = 1024;
