//! Where bytes of one connection are taken note of. It stands at the sockets: before what was read
//! is understood, after what is said was put together.

use super::Conn;
use super::Traffic;
use crate::api::Way;
use crate::daemon::shared::SharedState;

/// One connection.
pub(in crate::daemon) struct Tap {
    number: u64,
    /// Bytes at the head of what goes out that were there before, and noted if somebody looked.
    /// Behind them whole units stand: a far end that takes little at a time cuts them only here.
    noted: usize,
}

impl Tap {
    pub(in crate::daemon) fn new(shared: &SharedState) -> Self {
        Self {
            number: shared.lookers.connection(),
            noted: 0,
        }
    }

    /// The number of the connection.
    pub(in crate::daemon) fn number(&self) -> u64 {
        self.number
    }

    /// The last `count` bytes have just come; before them is what was not understood yet.
    #[inline]
    pub(in crate::daemon) fn came(
        &self,
        traffic: &Traffic,
        shared: &SharedState,
        peer: &str,
        (input, count): (&[u8], usize),
    ) {
        if traffic.is_watched() && count > 0 {
            let bytes = (input, input.len().saturating_sub(count));
            traffic.note(shared, self.conn(peer), Way::In, bytes);
        }
    }

    /// All of this is to be written now.
    #[inline]
    pub(in crate::daemon) fn goes(
        &self,
        traffic: &Traffic,
        shared: &SharedState,
        peer: &str,
        out: &[u8],
    ) {
        if traffic.is_watched()
            && let Some(fresh) = out.get(self.noted..).filter(|fresh| !fresh.is_empty())
        {
            traffic.note(shared, self.conn(peer), Way::Out, (fresh, 0));
        }
    }

    /// So much of it was not taken.
    #[inline]
    pub(in crate::daemon) fn left(&mut self, count: usize) {
        self.noted = count;
    }

    fn conn<'a>(&self, peer: &'a str) -> Conn<'a> {
        Conn {
            number: self.number,
            peer,
        }
    }
}
