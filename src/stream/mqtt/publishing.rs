//! What goes out once a connection is open: which messages, in which publish, and when.

use super::MqttLink;
use super::codec::How;
use crate::ring::Seq;
use crate::stream::DeliveryError;
use crate::stream::Disconnect;
use crate::stream::LinkContext;
use crate::stream::OUT_MAX;
use crate::stream::engine::Repeat;

impl MqttLink<'_> {
    /// Publishes what waits, in order, while there is room for it.
    pub(super) fn publish(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        self.draft.ask_again();
        // No more than fits into one write: what comes in is read before the next.
        while context.out.len() < OUT_MAX && self.window.has_room() {
            let has_more = match self.profile.messages_max() {
                ..=1 => self.publish_next(context)?,
                _ => self.publish_some(context)?,
            };
            if !has_more {
                break;
            }
        }
        let waits = context.engine.paused_until(context.now).is_some();
        if self.outgrown && waits && self.window.is_empty() {
            // It says only at a login what it takes, and may take more then. Not before the pause:
            // until then the engine tries whether others are short enough.
            return Err(Disconnect::ended("the broker takes only shorter packets"));
        }
        Ok(())
    }

    /// Publishes the next message; whether there was one.
    fn publish_next(&mut self, context: &mut LinkContext<'_>) -> Result<bool, Disconnect> {
        let Some(message) = context.engine.next(context.now) else {
            return Ok(false);
        };
        let seq = message.seq;
        let Some(message) = context.engine.message(seq) else {
            return Ok(true);
        };
        let repeat = message.repeat;
        match self.draft.fill(&message) {
            Ok(()) => self.send_draft(&[seq], repeat, context)?,
            Err(reason) => context.engine.skip(seq, reason),
        }
        Ok(true)
    }

    /// Publishes the next messages that go together; whether there were some.
    fn publish_some(&mut self, context: &mut LinkContext<'_>) -> Result<bool, Disconnect> {
        let (bytes_max, messages_max) = (self.packet_max(), self.profile.messages_max());
        let bytes_max = bytes_max.min(self.delivery.max_bytes);
        let (draft, now) = (&mut self.draft, context.now);
        draft.begin();
        let batch = context.engine.next_batch(now, |message| {
            draft.pack(message, (messages_max, bytes_max), now)
        });
        let Some(batch) = batch else {
            return Ok(false);
        };
        self.draft.close();
        let first = context.engine.batch(&batch).next();
        let repeat = first.map_or(Repeat::First, |message| message.repeat);
        self.send_draft(&batch, repeat, context)?;
        Ok(true)
    }

    /// Sends what is drafted of messages that are in flight, if it can be sent.
    fn send_draft(
        &mut self,
        messages: &[Seq],
        repeat: Repeat,
        context: &mut LinkContext<'_>,
    ) -> Result<(), Disconnect> {
        let Some(first) = messages.first().copied() else {
            return Ok(());
        };
        // Only the oldest message tells how the last connections ended.
        if self.window.is_empty() {
            self.window.narrow(context.engine.unanswered_count(first));
        }
        if let Err(reason) = self.draft.check() {
            for seq in messages {
                let (engine, now) = (&mut *context.engine, context.now);
                engine.refused_unsent(self.epoch, *seq, reason.clone(), now);
            }
            return Ok(());
        }
        // What the engine gives is the same each time, also after a start: a broker that kept the
        // session sees a repeat where it has the first copy.
        let identifier = context.engine.tag(first);
        let how = How::Answered {
            identifier,
            retain: self.limits.retain,
            repeat,
        };
        let before = context.out.len();
        let len = self.draft.append(&mut *self.codec, how, context.out)?;
        if len > self.packet_max() {
            // The announcement as well: it is made with a message that goes.
            context.out.truncate(before);
            self.refuse_long(messages, len, context);
        } else {
            self.draft.keep();
            self.keep_alive.sent(context.now);
            self.window.insert(identifier, messages);
        }
        Ok(())
    }

    /// Bytes of a publish at most.
    fn packet_max(&self) -> usize {
        let known = self.limits.packet_max.unwrap_or(usize::MAX);
        known.min(self.broker_max)
    }

    /// Tells the engine of a message that is too long to be sent. What a platform is known not to
    /// take is refused here; what the broker says at a login may be more the next time, and then
    /// too little for all would be its fault and not theirs.
    fn refuse_long(&mut self, messages: &[Seq], len: usize, context: &mut LinkContext<'_>) {
        let max = self.packet_max();
        let reason = format!("a packet of {len} bytes, the broker takes at most {max}");
        let (epoch, now, random) = (self.epoch, context.now, context.random);
        match (self.limits.packet_max, messages) {
            (Some(known), [seq]) if len > known => {
                context.engine.refused_unsent(epoch, *seq, reason, now);
            }
            _ => {
                self.outgrown = true;
                let error = DeliveryError::new(0, reason);
                context.engine.doubted(epoch, messages, &error, now, random);
            }
        }
    }
}
