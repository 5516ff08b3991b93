//! What is put together from several frames, in their order.

use std::time::Duration;

/// Those that are on their way.
#[derive(Clone, Debug)]
pub(super) struct Assemblies {
    sessions: Vec<Session>,
    most: usize,
}

/// One that is on its way.
#[derive(Clone, Debug)]
struct Session {
    key: u64,
    tag: u32,
    /// The number that has to come.
    next: u8,
    len: usize,
    data: Vec<u8>,
    heard: Duration,
}

/// What begins one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced<'a> {
    /// By it the frames that follow are told from others.
    pub(super) key: u64,
    /// Comes back with the data.
    pub(super) tag: u32,
    /// The number of the first frame that follows.
    pub(super) first: u8,
    /// Bytes of all.
    pub(super) len: usize,
    /// What came with it already.
    pub(super) data: &'a [u8],
}

impl Assemblies {
    /// At most so many at once; one more takes the place of that which was silent for longest.
    pub(super) fn new(most: usize) -> Self {
        Self {
            sessions: Vec::new(),
            most,
        }
    }

    /// Begins one; another of its key is over.
    pub(super) fn begin(&mut self, now: Duration, announced: Announced<'_>) {
        let Announced { key, len, .. } = announced;
        self.end(key);
        if self.sessions.len() >= self.most {
            let heard = |at: &usize| self.sessions.get(*at).map(|session| session.heard);
            if let Some(oldest) = (0..self.sessions.len()).min_by_key(heard) {
                self.sessions.swap_remove(oldest);
            }
        }
        let mut data = Vec::with_capacity(len);
        data.extend_from_slice(announced.data);
        self.sessions.push(Session {
            key,
            tag: announced.tag,
            next: announced.first,
            len,
            data,
            heard: now,
        });
    }

    /// Takes what one frame has; gives the tag and all data where that was the last. A number that
    /// does not follow, too little data, or a silence before, ends it.
    pub(super) fn push(
        &mut self,
        now: Duration,
        key: u64,
        number: u8,
        data: &[u8],
    ) -> Option<(u32, Vec<u8>)> {
        let at = self.sessions.iter().position(|it| it.key == key)?;
        let session = self.sessions.get_mut(at)?;
        let is_in_time = now.saturating_sub(session.heard) <= SILENCE;
        let whole = is_in_time.then(|| session.push(number, data)).flatten();
        session.heard = now;
        if whole == Some(false) {
            return None;
        }
        let session = self.sessions.swap_remove(at);
        whole.map(|_| (session.tag, session.data))
    }

    /// It goes on, later.
    pub(super) fn hear(&mut self, now: Duration, key: u64) {
        if let Some(session) = self.sessions.iter_mut().find(|it| it.key == key) {
            session.heard = now;
        }
    }

    /// Whether none is on its way.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// It is over.
    pub(super) fn end(&mut self, key: u64) {
        self.sessions.retain(|session| session.key != key);
    }
}

impl Session {
    /// Whether it is whole; none: it cannot become so.
    fn push(&mut self, number: u8, data: &[u8]) -> Option<bool> {
        let missing = self.len.saturating_sub(self.data.len());
        let taken = data.get(..missing.min(FRAME_DATA))?;
        if number != self.next {
            return None;
        }
        self.data.extend_from_slice(taken);
        self.next = self.next.wrapping_add(1);
        Some(self.data.len() >= self.len)
    }
}

/// Bytes of a frame behind its number.
pub(super) const FRAME_DATA: usize = 7;

/// Longer is no sender silent within one.
const SILENCE: Duration = Duration::from_millis(750);
