//! What is said of one message: its publish, and what has to be said before it.

use super::codec::Codec;
use super::codec::How;
use super::profile::Profile;
use super::profile::Publish;
use super::profile::SAID_MAX;
use crate::stream::DeliveryError;
use crate::stream::engine::Outgoing;
use crate::stream::render::MessageView;
use crate::stream::render::unfilled;
use std::collections::BTreeSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

/// The message that goes next, as a platform has it.
pub(super) struct Draft<'a> {
    profile: &'a dyn Profile,
    view: MessageView<'a>,
    /// Kept for their memory.
    publish: Publish,
    announcement: Publish,
    /// What was announced in this connection, by its digest: at most [`SAID_MAX`].
    announced: BTreeSet<u64>,
    /// The digest of what was appended last.
    pending: Option<u64>,
}

impl<'a> Draft<'a> {
    /// Of a connection that has said nothing.
    pub(super) fn new(profile: &'a dyn Profile, view: MessageView<'a>) -> Self {
        Self {
            profile,
            view,
            publish: Publish::default(),
            announcement: Publish::default(),
            announced: BTreeSet::new(),
            pending: None,
        }
    }

    /// Takes a message.
    ///
    /// # Errors
    /// Why it cannot be published.
    pub(super) fn fill(&mut self, message: &Outgoing<'_>) -> Result<(), String> {
        let (profile, view) = (self.profile, &mut self.view);
        self.publish.clear();
        profile.write(view, message, &mut self.publish)?;
        check_topic(&self.publish.topic).map_err(|wrong| unfilled(&wrong))?;
        self.announcement.clear();
        if !profile.announce(view, message, &mut self.announcement) {
            self.announcement.clear();
        }
        Ok(())
    }

    /// Appends it, behind its announcement if that was not made yet; how long its own packet is.
    pub(super) fn append(
        &mut self,
        codec: &mut dyn Codec,
        how: How,
        out: &mut Vec<u8>,
    ) -> Result<usize, DeliveryError> {
        self.pending = None;
        let Publish { topic, payload, .. } = &self.announcement;
        let mut digest = DefaultHasher::new();
        (topic, payload).hash(&mut digest);
        let digest = digest.finish();
        if !topic.is_empty() && !self.announced.contains(&digest) {
            codec.publish(&self.announcement, How::Unanswered, out)?;
            self.pending = Some(digest);
        }
        let before = out.len();
        codec.publish(&self.publish, how, out)?;
        Ok(out.len() - before)
    }

    /// What was appended last goes out: its announcement is not made again.
    pub(super) fn keep(&mut self) {
        if self.announced.len() >= SAID_MAX {
            self.announced.clear();
        }
        self.announced.extend(self.pending.take());
    }
}

/// What a broker takes for a topic to publish to (MQTT 3.1.1, 4.7.3); some close the connection
/// for any other.
fn check_topic(topic: &str) -> Result<(), String> {
    if topic.is_empty() {
        return Err("the topic is empty".into());
    }
    if topic.len() > TOPIC_MAX {
        let len = topic.len();
        return Err(format!(
            "the topic has {len} bytes, at most {TOPIC_MAX} are allowed"
        ));
    }
    match topic.chars().find(|c| matches!(c, '+' | '#' | '\0')) {
        Some(bad) => Err(format!("the topic must not contain {bad:?}")),
        None => Ok(()),
    }
}

/// Longest topic, in bytes: its length is 16 bits long.
const TOPIC_MAX: usize = 65_535;
