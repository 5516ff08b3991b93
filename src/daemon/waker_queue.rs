//! Tasks that wait for something that only rises, such as time, in the order of what they wait for.

use std::collections::BTreeMap;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

/// Their wakers, by what they wait for and a number.
pub(super) struct WakerQueue<K>(BTreeMap<(K, u64), Waker>);

impl<K> Default for WakerQueue<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Copy> WakerQueue<K> {
    /// A wait's step: it is in the queue from the first on, and over when it was taken out.
    pub(super) fn poll(
        &mut self,
        key: (K, u64),
        is_first: bool,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        match self.0.get_mut(&key) {
            Some(waker) => waker.clone_from(context.waker()),
            None if !is_first => return Poll::Ready(()),
            None => {
                self.0.insert(key, context.waker().clone());
            }
        }
        Poll::Pending
    }

    /// Takes a wait out that is given up.
    pub(super) fn remove(&mut self, key: (K, u64)) {
        self.0.remove(&key);
    }

    /// What is waited for first.
    pub(super) fn first(&self) -> Option<K> {
        self.0.keys().next().map(|(first, _)| *first)
    }

    /// Takes out the first, if it waits for no more than this.
    pub(super) fn take_until(&mut self, reached: K) -> Option<Waker> {
        let first = self.0.first_entry()?;
        (first.key().0 <= reached).then(|| first.remove())
    }

    /// Takes out all.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<K> {
        std::mem::take(&mut self.0).into_values()
    }
}
