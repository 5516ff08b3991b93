//! A connection and its link, with what is on its way between them.

use crate::clock::Now;
use crate::daemon::traffic::Tap;
use crate::net::Connection;
use crate::stream::Disconnect;
use crate::stream::Link;
use crate::stream::LinkContext;
use crate::stream::engine::Engine;
use std::time::Duration;

/// One connection while it lasts. Its buffers are bounded by the link: it takes whole units of at
/// most [`crate::stream::IN_MAX`], and is asked for more only when all it said is written.
pub(super) struct Connected<'a> {
    pub(super) connection: Connection,
    pub(super) link: Box<dyn Link + 'a>,
    /// What came and is no whole unit yet.
    pub(super) input: Vec<u8>,
    /// What the link said and the socket has not taken yet.
    pub(super) out: Vec<u8>,
    pub(super) tap: Tap,
    /// Where it leads.
    pub(super) peer: String,
    /// There may be something to read: nobody would tell of it.
    pub(super) may_read: bool,
    /// Then there is something to do, and what came before that counts.
    pub(super) due: Option<Duration>,
}

impl<'a> Connected<'a> {
    pub(super) fn new(
        connection: Connection,
        link: Box<dyn Link + 'a>,
        (tap, peer): (Tap, String),
    ) -> Self {
        Self {
            connection,
            link,
            input: Vec::new(),
            out: Vec::new(),
            tap,
            peer,
            may_read: true,
            due: None,
        }
    }

    /// Lets the link take all whole units that came.
    pub(super) fn understand(&mut self, engine: &mut Engine, now: Now) -> Result<(), Disconnect> {
        let mut taken = 0;
        loop {
            let rest = self.input.get(taken..).unwrap_or_default();
            let mut turn = turn(engine, now, &mut self.out);
            match self.link.receive(rest, &mut turn)? {
                0 => break,
                used => taken += used,
            }
        }
        self.input.drain(..taken.min(self.input.len()));
        Ok(())
    }

    /// Lets the link say more once all is written, and do what is due.
    pub(super) fn send(&mut self, engine: &mut Engine, now: Now) -> Result<(), Disconnect> {
        let is_written = self.out.is_empty();
        let mut turn = turn(engine, now, &mut self.out);
        if is_written {
            self.link.send(&mut turn)?;
        }
        // asked after sending: what was just sent may have moved it on
        let due = self.link.wake_at(turn.engine);
        if due.is_some_and(|due| due <= now.mono) {
            self.link.wake(&mut turn)?;
        }
        Ok(())
    }

    /// The connection ended: what that means to the link.
    pub(super) fn closed(
        &mut self,
        engine: &mut Engine,
        now: Now,
        disconnect: Disconnect,
    ) -> Disconnect {
        let mut turn = turn(engine, now, &mut self.out);
        self.link.closed(disconnect, &mut turn)
    }
}

fn turn<'a>(engine: &'a mut Engine, now: Now, out: &'a mut Vec<u8>) -> LinkContext<'a> {
    LinkContext {
        engine,
        now,
        out,
        random: fastrand::u32(..),
    }
}
