//! What is said of messages: their publish, and what has to be said before it.

use super::codec::Codec;
use super::codec::How;
use super::profile::Profile;
use super::profile::Publish;
use super::profile::Rates;
use super::profile::SAID_MAX;
use super::rates::Cost;
use super::rates::Held;
use super::rates::Meter;
use crate::clock::Now;
use crate::stream::DeliveryError;
use crate::stream::engine::Fit;
use crate::stream::engine::Outgoing;
use crate::stream::render::MessageView;
use crate::stream::render::unfilled;
use std::collections::BTreeSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::time::Duration;

/// The publish that goes next, as a platform has it.
pub(super) struct Draft<'a> {
    profile: &'a dyn Profile,
    view: MessageView<'a>,
    /// Kept for their memory.
    publish: Publish,
    announcement: Publish,
    /// None: each message has a publish of its own.
    packing: Option<Box<Packing>>,
    /// What was announced in this connection, by its digest: at most [`SAID_MAX`].
    announced: BTreeSet<u64>,
    /// The digest of what was appended last.
    pending: Option<u64>,
}

/// Messages of one publish.
#[derive(Default)]
struct Packing {
    /// How many it has.
    count: usize,
    /// What they have in common, and what that of the message that is looked at is.
    key: String,
    other_key: String,
    /// Keys of messages that were held back, by their digest: what follows in them waits as well.
    held: BTreeSet<u64>,
    /// What may go in a time, as the platform has granted it in this connection.
    meter: Meter,
}

impl<'a> Draft<'a> {
    /// Of a connection that has said nothing.
    pub(super) fn new(profile: &'a dyn Profile, view: MessageView<'a>) -> Self {
        Self {
            profile,
            view,
            publish: Publish::default(),
            announcement: Publish::default(),
            packing: (profile.messages_max() > 1).then(Box::default),
            announced: BTreeSet::new(),
            pending: None,
        }
    }

    /// Takes a message, the only one.
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

    /// What may go in a time from now on.
    pub(super) fn allow(&mut self, rates: Rates, now: Now) {
        if let Some(packing) = &mut self.packing {
            packing.meter = Meter::new(rates, now);
        }
    }

    /// When something that was held back may go.
    pub(super) fn due(&self) -> Option<Duration> {
        self.packing.as_ref()?.meter.due()
    }

    /// Begins with a publish of some messages.
    pub(super) fn begin(&mut self) {
        if let Some(packing) = &mut self.packing {
            packing.count = 0;
            packing.held.clear();
        }
    }

    /// All that was held back is asked for again.
    pub(super) fn ask_again(&mut self) {
        if let Some(packing) = &mut self.packing {
            packing.meter.begin();
        }
    }

    /// Takes a message if it fits to those that are there, of so many messages and bytes at most,
    /// and is not held back.
    pub(super) fn pack(
        &mut self,
        message: &Outgoing<'_>,
        (messages_max, bytes_max): (usize, usize),
        now: Now,
    ) -> Fit {
        let Some(mut packing) = self.packing.take() else {
            return Fit::Full;
        };
        let fit = match packing.count {
            0 => self.pack_first(&mut packing, message, now),
            count if count >= messages_max => Fit::Full,
            _ => self.pack_more(&mut packing, message, bytes_max, now),
        };
        packing.count += usize::from(fit == Fit::Taken);
        self.packing = Some(packing);
        fit
    }

    /// The message says what others may go with it.
    fn pack_first(&mut self, packing: &mut Packing, message: &Outgoing<'_>, now: Now) -> Fit {
        packing.key.clear();
        let key = self.profile.key(&mut self.view, message, &mut packing.key);
        if let Err(reason) = key.and_then(|()| self.fill(message)) {
            return Fit::Unfit(reason);
        }
        let key = digest(&packing.key);
        if packing.held.contains(&key) {
            return Fit::Later;
        }
        let cost = Cost {
            publishes: 1 + u32::from(self.announces().is_some()),
            points: self.publish.points,
        };
        match packing.meter.spend(key, cost, now) {
            Held::No => Fit::Taken,
            Held::Whole => Fit::Full,
            Held::Key => {
                packing.held.insert(key);
                Fit::Later
            }
        }
    }

    /// The message may be one of those that go with the first.
    fn pack_more(
        &mut self,
        packing: &mut Packing,
        message: &Outgoing<'_>,
        bytes_max: usize,
        now: Now,
    ) -> Fit {
        packing.other_key.clear();
        let key = self
            .profile
            .key(&mut self.view, message, &mut packing.other_key);
        if let Err(reason) = key {
            return Fit::Unfit(reason);
        }
        if packing.key != packing.other_key {
            return Fit::Later;
        }
        let (len, points) = (self.publish.payload.len(), self.publish.points);
        let written = self
            .profile
            .append(&mut self.view, message, &mut self.publish);
        let cost = Cost {
            publishes: 0,
            points: self.publish.points.saturating_sub(points),
        };
        let fits = self.publish.topic.len() + self.publish.payload.len() + HEAD <= bytes_max;
        let fit = match written {
            Err(reason) => Fit::Unfit(reason),
            Ok(()) if !fits => Fit::Full,
            Ok(()) => match packing.meter.spend(digest(&packing.key), cost, now) {
                Held::No => return Fit::Taken,
                Held::Key | Held::Whole => Fit::Full,
            },
        };
        self.publish.payload.truncate(len);
        self.publish.points = points;
        fit
    }

    /// Ends what [`Draft::pack`] has taken.
    pub(super) fn close(&mut self) {
        self.profile.close(&mut self.publish);
    }

    /// Whether the platform takes it.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self) -> Result<(), String> {
        self.profile.check(&self.publish)
    }

    /// The digest of what has to be announced first; none: nothing, or it was said.
    fn announces(&self) -> Option<u64> {
        let Publish { topic, payload, .. } = &self.announcement;
        if topic.is_empty() {
            return None;
        }
        let digest = digest(&(topic, payload));
        (!self.announced.contains(&digest)).then_some(digest)
    }

    /// Appends it, behind its announcement if that was not made yet; how long its own packet is.
    pub(super) fn append(
        &mut self,
        codec: &mut dyn Codec,
        how: How,
        out: &mut Vec<u8>,
    ) -> Result<usize, DeliveryError> {
        self.pending = self.announces();
        if self.pending.is_some() {
            codec.publish(&self.announcement, How::Unanswered, out)?;
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

fn digest(of: &impl Hash) -> u64 {
    let mut digest = DefaultHasher::new();
    of.hash(&mut digest);
    digest.finish()
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

/// Bytes of a publish beside its topic and its payload at most, where it has no properties: what
/// stands behind the last message is among them.
const HEAD: usize = 32;

/// Longest topic, in bytes: its length is 16 bits long.
const TOPIC_MAX: usize = 65_535;
