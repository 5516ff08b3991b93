//! The end of a connection that weir ends itself: the stream was paused, disabled or removed, or
//! has other settings. Nothing new is sent then, and what is in flight is answered first, where
//! the destination does so soon: else it would be sent again by whoever goes on.

use super::Connected;
use super::LinkTask;

impl LinkTask {
    /// Whether the stream is to send no more, and nothing is awaited any more.
    pub(super) fn has_to_leave(&self) -> bool {
        let is_over = |at| at <= self.shared.now().mono;
        let halts = !self.stream.is_sending();
        halts && (self.engine.in_flight() == 0 || self.stream.halts_at().is_none_or(is_over))
    }

    /// Ends the connection in good order, as far as the socket takes it now.
    pub(super) fn leave(&mut self, connected: &mut Connected<'_>) {
        connected.link.leave(&mut connected.out);
        let now = self.shared.now();
        // that it is lost already changes nothing
        drop(self.write(connected, now));
        self.tell_all(now);
    }
}
