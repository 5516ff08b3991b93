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
    growing: Growing,
    heard: Duration,
}

/// Data to which each frame that follows adds. Its first has the number 1.
#[derive(Clone, Debug)]
pub(super) struct Growing {
    /// The number that has to come.
    next: u8,
    /// The bits that a number has.
    mask: u8,
    len: usize,
    pub(super) data: Vec<u8>,
}

/// What begins one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced<'a> {
    /// By it the frames that follow are told from others.
    pub(super) key: u64,
    /// Comes back with the data.
    pub(super) tag: u32,
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

    /// Begins one. Another of its key was ended before.
    pub(super) fn begin(&mut self, now: Duration, announced: Announced<'_>) {
        if self.sessions.len() >= self.most {
            let heard = |at: &usize| self.sessions.get(*at).map(|session| session.heard);
            if let Some(oldest) = (0..self.sessions.len()).min_by_key(heard) {
                self.sessions.swap_remove(oldest);
            }
        }
        self.sessions.push(Session {
            key: announced.key,
            tag: announced.tag,
            growing: Growing::new(u8::MAX, announced.len, announced.data),
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
        let whole = is_in_time
            .then(|| session.growing.push(number, data))
            .flatten();
        session.heard = now;
        if whole == Some(false) {
            return None;
        }
        let session = self.sessions.swap_remove(at);
        whole.map(|_| (session.tag, session.growing.data))
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

impl Growing {
    /// Of `len` bytes, of which `data` is there.
    pub(super) fn new(mask: u8, len: usize, data: &[u8]) -> Self {
        let mut all = Vec::with_capacity(len);
        all.extend_from_slice(data);
        Self {
            next: 1,
            mask,
            len,
            data: all,
        }
    }

    /// Whether it is whole; none: it cannot become so.
    pub(super) fn push(&mut self, number: u8, data: &[u8]) -> Option<bool> {
        let missing = self.len.saturating_sub(self.data.len());
        let taken = data.get(..missing.min(FRAME_DATA))?;
        if number != self.next {
            return None;
        }
        self.data.extend_from_slice(taken);
        self.next = self.next.wrapping_add(1) & self.mask;
        Some(self.data.len() >= self.len)
    }
}

/// Bytes of a frame behind its number.
pub(super) const FRAME_DATA: usize = 7;

/// Longer is no sender silent within one.
const SILENCE: Duration = Duration::from_millis(750);
