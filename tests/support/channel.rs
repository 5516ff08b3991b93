//! The daemon's side of a channel protocol: it remembers all, makes safe only what it is told to,
//! and knows no protocol.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;
use weir::channel::BatchRefusal;
use weir::channel::Disconnect;
use weir::channel::InputError;
use weir::channel::Intake;
use weir::channel::Refusal;
use weir::channel::Session;
use weir::channel::passing::Passing;
use weir::clock::Now;
use weir::message::Message;
use weir::message::Value;

/// One connection, or one datagram socket, with all that a daemon would keep for it.
pub(crate) struct Connection<S> {
    /// The protocol.
    pub(crate) session: S,
    /// Where it brings what it understood.
    pub(crate) intake: FakeIntake,
    /// Why it was closed.
    pub(crate) closed: Option<Disconnect>,
    /// Received and not yet taken.
    input: Vec<u8>,
}

/// No answer.
pub(crate) const SILENCE: [u8; 0] = [];

/// An intake that keeps everything and makes nothing safe by itself.
#[derive(Default)]
pub(crate) struct FakeIntake {
    /// What was taken, in order.
    pub(crate) taken: Vec<Message>,
    /// How many messages each taken batch had.
    pub(crate) batches: Vec<usize>,
    /// Idents that asked to come in.
    pub(crate) admitted: Vec<String>,
    /// Set: no login and no batch is taken.
    pub(crate) refusal: Option<Refusal>,
    /// Bytes of a message that a batch may have, as the ring bounds them.
    pub(crate) room: Option<usize>,
    /// Batches that were refused for want of that room.
    pub(crate) too_long: usize,
    /// What was no message.
    pub(crate) malformed: Vec<InputError>,
    /// What was said of it.
    pub(crate) details: Vec<String>,
    /// What was said of a device whose messages are taken.
    pub(crate) warnings: Vec<String>,
    /// Names that were claimed.
    pub(crate) claimed: Vec<String>,
    /// What is to be remembered.
    pub(crate) notes: Vec<String>,
    /// What passes, for who may subscribe.
    pub(crate) passing: Option<Rc<dyn Passing>>,
    /// Messages that passed and were not told.
    pub(crate) missed: u64,
    /// What is not as it should be, and that it is again.
    pub(crate) troubles: Vec<Option<&'static str>>,
    /// Ack tokens that wait, oldest first.
    pub(crate) ack_tokens: VecDeque<u64>,
    /// The time that has passed since [`super::a_moment`].
    pub(crate) elapsed: Duration,
    /// Whether the date is not to be believed.
    pub(crate) is_doubted: bool,
}

impl<S: Session> Connection<S> {
    /// One that was just opened.
    pub(crate) fn new(session: S) -> Self {
        Self {
            session,
            intake: FakeIntake::default(),
            closed: None,
            input: Vec::new(),
        }
    }

    /// The other side sends `bytes` on a stream; what is answered at once comes back.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.closed.is_some() {
            return out;
        }
        self.input.extend_from_slice(bytes);
        match self
            .session
            .receive(&self.input, &mut self.intake, &mut out)
        {
            Ok(len) => drop(self.input.drain(..len)),
            Err(close) => self.closed = Some(close),
        }
        out
    }

    /// The other side sends one datagram.
    pub(crate) fn send_datagram(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let taken = self.session.receive(bytes, &mut self.intake, &mut out);
        assert_eq!(taken, Ok(bytes.len()), "a datagram is taken whole");
        out
    }

    /// The other side sends `bytes` and waits for no answer; all that it is answered, in the end.
    /// What it sends is left in the socket while too much is owed to it.
    pub(crate) fn send_without_waiting(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answers = self.send(bytes);
        while self.session.is_blocked() {
            // else its answers would fill the memory
            assert_eq!(self.intake.ack_tokens.len(), 256);
            answers.extend(self.make_safe());
            answers.extend(self.send(&[]));
        }
        answers.extend(self.make_safe());
        answers
    }

    /// How many bytes came and were not taken yet.
    pub(crate) fn unused(&self) -> usize {
        self.input.len()
    }

    /// Time passes; what is said without a word from the other side comes back.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<u8> {
        let mut out = Vec::new();
        self.intake.elapsed += time;
        let due = self.session.wake_at();
        if due.is_some_and(|due| due <= self.intake.now().mono) {
            let woken = self.session.wake(&mut self.intake, &mut out);
            self.closed = woken.err();
        }
        out
    }

    /// All that was taken becomes safe; the answers come back.
    pub(crate) fn make_safe(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.session.acks_cumulatively() && self.intake.ack_tokens.len() > 1 {
            self.intake
                .ack_tokens
                .drain(..self.intake.ack_tokens.len() - 1);
        }
        for ack_token in self.intake.ack_tokens.drain(..) {
            self.session.on_durable(ack_token, &mut out);
        }
        out
    }
}

impl FakeIntake {
    fn refuse(&self) -> Result<(), BatchRefusal> {
        self.refusal
            .map_or(Ok(()), |reason| Err(BatchRefusal { index: 0, reason }))
    }
}

impl Intake for FakeIntake {
    fn now(&self) -> Now {
        let mut now = super::a_moment();
        now.mono += self.elapsed;
        now.wall.since_1970 += self.elapsed;
        now.wall.trusted = !self.is_doubted;
        now
    }

    fn check_ident(&mut self, ident: &str) -> Result<(), BatchRefusal> {
        self.refuse()?;
        self.admitted.push(ident.to_owned());
        Ok(())
    }

    fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal> {
        self.refuse()?;
        let fits = |message: &Message| {
            self.room
                .is_none_or(|room| message.as_bytes().len() <= room)
        };
        if let Some(index) = batch.iter().position(|message| !fits(message)) {
            self.too_long += 1;
            let reason = Refusal::TooLong;
            return Err(BatchRefusal { index, reason });
        }
        self.batches.push(batch.len());
        self.taken.extend_from_slice(batch);
        Ok(())
    }

    fn ack_when_durable(&mut self, ack_token: u64) {
        self.ack_tokens.push_back(ack_token);
    }

    fn claim(&mut self, name: &str) {
        self.claimed.push(name.to_owned());
    }

    fn remember(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }

    fn look(&mut self) -> Option<Rc<dyn Passing>> {
        self.passing.clone()
    }

    fn trouble(&mut self, why: Option<&'static str>) {
        self.troubles.push(why);
    }

    fn missed(&mut self, count: u64) {
        self.missed += count;
    }

    fn warn(&mut self, detail: &str) {
        self.warnings.push(detail.to_owned());
    }

    fn malformed(&mut self, reason: InputError, detail: &str) {
        assert!(!detail.is_empty(), "a log line needs words");
        self.malformed.push(reason);
        self.details.push(detail.to_owned());
    }
}

/// The value of a parameter that must be there.
pub(crate) fn value(message: &Message, name: &str) -> Value {
    let value = message.get(name).map(Value::from);
    value.unwrap_or_else(|| panic!("no `{name}` in {message:?}"))
}
