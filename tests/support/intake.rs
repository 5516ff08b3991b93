//! An intake that remembers what was brought, and a connection that has one.

use super::a_moment;
use weir::channel::BatchRefusal;
use weir::channel::Disconnect;
use weir::channel::InputError;
use weir::channel::Intake;
use weir::channel::Refusal;
use weir::channel::Session;
use weir::clock::Now;
use weir::message::Message;

/// Takes all but messages of `unwanted` and all after `full_after`.
#[derive(Default)]
pub(crate) struct FakeIntake {
    pub(crate) taken: Vec<Message>,
    pub(crate) malformed: Vec<(InputError, String)>,
    pub(crate) ack_tokens: Vec<u64>,
    pub(crate) full_after: Option<usize>,
}

impl Intake for FakeIntake {
    fn now(&self) -> Now {
        a_moment()
    }

    fn check_ident(&mut self, ident: &str) -> Result<(), BatchRefusal> {
        match ident {
            "unwanted" => Err(BatchRefusal {
                index: 0,
                reason: Refusal::Unwanted,
            }),
            _ => Ok(()),
        }
    }

    fn submit(&mut self, batch: &mut [Message]) -> Result<(), BatchRefusal> {
        for (index, message) in batch.iter().enumerate() {
            self.check_ident(message.ident())
                .map_err(|refused| BatchRefusal { index, ..refused })?;
        }
        if self
            .full_after
            .is_some_and(|most| self.taken.len() + batch.len() > most)
        {
            return Err(BatchRefusal {
                index: 0,
                reason: Refusal::Full,
            });
        }
        self.taken.extend_from_slice(batch);
        Ok(())
    }

    fn ack_when_durable(&mut self, ack_token: u64) {
        self.ack_tokens.push(ack_token);
    }

    fn malformed(&mut self, reason: InputError, detail: &str) {
        self.malformed.push((reason, detail.to_owned()));
    }
}

/// A connection as a driver keeps it: what came and was not used yet, and what was answered.
pub(crate) struct Connection<S> {
    pub(crate) session: S,
    pub(crate) intake: FakeIntake,
    pub(crate) closed: Option<Disconnect>,
    input: Vec<u8>,
    out: Vec<u8>,
}

impl<S: Session> Connection<S> {
    pub(crate) fn new(session: S) -> Self {
        let intake = FakeIntake::default();
        Self {
            session,
            intake,
            closed: None,
            input: Vec::new(),
            out: Vec::new(),
        }
    }

    /// Brings bytes, and returns what is answered at once.
    pub(crate) fn bring(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.input.extend_from_slice(bytes.as_ref());
        self.turn();
        self.answers()
    }

    /// Brings bytes one by one.
    pub(crate) fn trickle(&mut self, bytes: impl AsRef<[u8]>) -> String {
        bytes
            .as_ref()
            .iter()
            .map(|byte| self.bring([*byte]))
            .collect()
    }

    /// All that was taken is safe now; returns what is answered.
    pub(crate) fn commit(&mut self) -> String {
        let mut ack_tokens = std::mem::take(&mut self.intake.ack_tokens);
        if self.session.acks_cumulatively() {
            ack_tokens.drain(..ack_tokens.len().saturating_sub(1));
        }
        for ack_token in ack_tokens {
            self.session.on_durable(ack_token, &mut self.out);
        }
        self.turn();
        self.answers()
    }

    /// It has waited for too long; returns what is answered.
    pub(crate) fn overdue(&mut self) -> String {
        self.closed = self.session.on_ack_timeout(&mut self.out);
        self.answers()
    }

    /// How many bytes came and were not used.
    pub(crate) fn unused(&self) -> usize {
        self.input.len()
    }

    /// As long as the session uses something or answers something.
    fn turn(&mut self) {
        let mut sent = Vec::new();
        while self.closed.is_none() {
            match self
                .session
                .receive(&self.input, &mut self.intake, &mut self.out)
            {
                Ok(0) if self.out.is_empty() => break,
                Ok(used) => drop(self.input.drain(..used)),
                Err(close) => self.closed = Some(close),
            }
            sent.append(&mut self.out);
        }
        self.out = sent;
    }

    fn answers(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.out)).unwrap()
    }
}
