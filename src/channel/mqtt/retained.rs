//! What a broker keeps for whoever subscribes comes again with each subscription: here is what of
//! it has come before.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

/// The last message of each topic, as digests: at most 1024, 16 bytes each and what the
/// map needs. Lives as long as the channel, not as a connection.
#[derive(Debug, Default)]
pub struct LastOfTopics(RefCell<BTreeMap<u64, u64>>);

impl Eq for LastOfTopics {}

/// It is no setting: two channels that are set alike are alike.
impl PartialEq for LastOfTopics {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl LastOfTopics {
    /// Whether the last message of this topic said the same.
    pub(super) fn is_last(&self, topic: &str, payload: &[u8]) -> bool {
        let topics = self.0.borrow();
        topics.get(&digest(topic)) == Some(&digest(payload))
    }

    /// Keeps what a topic said last. Of more topics than are kept some are forgotten: what was
    /// retained of those is taken once more.
    pub(super) fn keep(&self, topic: &str, payload: &[u8]) {
        let (topic, mut topics) = (digest(topic), self.0.borrow_mut());
        if topics.len() >= TOPICS_MAX && !topics.contains_key(&topic) {
            topics.pop_first();
        }
        topics.insert(topic, digest(payload));
    }
}

fn digest(bytes: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

const TOPICS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_does_not_grow_with_the_number_of_topics() {
        let topics = LastOfTopics::default();
        for number in 0..3000 {
            topics.keep(&format!("t/{number}"), b"1");
            assert!(topics.0.borrow().len() <= TOPICS_MAX);
        }
        topics.keep("t", b"1");
        topics.keep("t", b"2");
        assert!(topics.is_last("t", b"2") && !topics.is_last("t", b"1"));
        assert!(!topics.is_last("other", b"2"));
    }
}
