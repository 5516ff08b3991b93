//! The end of a connection that its session has closed.

use super::SessionTask;
use crate::daemon::waits::Waits;
use crate::net::Interest;
use std::io;
use std::time::Duration;

impl SessionTask<'_> {
    /// Lets the last answer arrive: a socket that is closed with bytes unread would be reset, and
    /// the answer lost with it. Waits on: the socket, for [`PARTING`] at most.
    pub(super) async fn part(&mut self) {
        let until = self.shared.now().mono + PARTING;
        self.input = Vec::new();
        self.share.set(self.memory_used());
        while self.shared.now().mono < until && self.drain().unwrap_or(false) {
            let interest = Interest::of(Some(()), (!self.out.is_empty()).then_some(()));
            let left = Some(until.saturating_sub(self.shared.now().mono));
            let waits = Waits::on([]).at_most(left);
            waits.or_ready(self.socket.ready(interest)).await;
        }
    }

    /// Writes what is left, throws away what comes; whether the far end is still there.
    fn drain(&mut self) -> io::Result<bool> {
        self.put_out()?;
        if self.out.is_empty() {
            self.socket.finish()?;
        }
        Ok(self.socket.try_read(&mut Vec::new())? != Some(0))
    }
}

/// A connection that the session closed may take so long to hear why.
const PARTING: Duration = Duration::from_secs(2);
