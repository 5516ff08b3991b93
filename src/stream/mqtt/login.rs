//! The two ends of a connection: the login, with what is asked behind it, and the leaving of one
//! whose login is about to expire.

use super::MqttLink;
use super::Stage;
use super::codec::DISCONNECT;
use super::codec::How;
use super::codec::Terms;
use super::codec_of;
use super::profile::Granted;
use super::profile::Publish;
use super::profile::Version;
use crate::clock::Now;
use crate::stream::DeliveryError;
use crate::stream::Disconnect;
use crate::stream::LinkContext;
use crate::stream::dialect::Failed;
use crate::stream::dialect::Spoken;
use crate::stream::lease::Lease;
use std::time::Duration;

impl MqttLink<'_> {
    /// Says who we are.
    pub(super) fn log_in(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        if self.limits.version == Version::Auto {
            let spoken = context.engine.dialect.choose(context.now);
            self.spoken = Some(spoken);
            self.codec = codec_of(match spoken {
                Spoken::Newer => Version::V5,
                Spoken::Older => Version::V311,
            });
        }
        let login = self.profile.login(self.client_id, context.now);
        // Counted from before it is sent: on a slow way it holds for less, never for more.
        let until = login.until.map(|date| Lease::until(date, context.now));
        self.lease = until.transpose()?;
        self.codec.connect(&login, &self.limits, context.out)?;
        self.has_will = login.will.is_some();
        self.keep_alive.asked(context.now);
        self.stage = Stage::LoginSent;
        Ok(())
    }

    /// The broker lets us in, on its terms.
    pub(super) fn logged_in(
        &mut self,
        terms: &Terms,
        context: &mut LinkContext<'_>,
    ) -> Result<(), Disconnect> {
        if let Some(spoken) = self.spoken {
            let lasts = context.engine.dialect.understood(spoken, context.now);
            let lease = lasts.map(|time| Lease::lasting(time, context.now));
            self.lease = self.lease.or(lease);
        }
        self.keep_alive.answered();
        self.keep_alive.every = terms.keep_alive.unwrap_or(self.keep_alive.every);
        self.broker_max = terms.packet_max;
        // Sending one more than the broker agreed to ends the connection (MQTT 5, 4.9).
        self.limits.window = self.limits.window.min(terms.receive_max);
        self.window.agree(self.limits.window);
        self.stage = match self.profile.question() {
            None => Stage::Open,
            Some(question) => {
                self.codec.subscribe(&question.subscribe, context.out)?;
                // As QoS 0: an answer that comes by the subscription says more than a PUBACK.
                let asks = Publish {
                    topic: question.topic,
                    payload: question.payload,
                    ..Publish::default()
                };
                self.codec.publish(&asks, How::Unanswered, context.out)?;
                self.subscribing = true;
                self.keep_alive.asked(context.now);
                Stage::Asked
            }
        };
        Ok(())
    }

    /// The platform has answered the question.
    pub(super) fn open(&mut self, granted: Granted, now: Now) {
        self.keep_alive.answered();
        self.draft.allow(granted.rates, now);
        let window = granted.window.unwrap_or(self.limits.window);
        self.limits.window = self.limits.window.min(window);
        self.window.agree(self.limits.window);
        let known = self.limits.packet_max.into_iter();
        self.limits.packet_max = known.chain(granted.packet_max).min();
        self.stage = Stage::Open;
    }

    /// Ends the connection in good order once the last answers are there, or cannot be waited for:
    /// what has none is sent again by the next connection.
    pub(super) fn leave(&mut self, context: &mut LinkContext<'_>) {
        let is_over = self.lease.is_some_and(|lease| lease.is_over(context.now));
        if self.window.is_empty() || is_over {
            context.out.extend_from_slice(&DISCONNECT);
            self.keep_alive.asked(context.now);
            self.stage = Stage::Left;
        }
    }

    /// A connection that was left in good order, and why.
    pub(super) fn renewed(&self) -> Disconnect {
        Disconnect::renewed(match self.spoken {
            Some(Spoken::Older) => "whether the broker speaks MQTT 5 is tried again",
            _ => "the login is renewed",
        })
    }

    /// A login came to nothing; whether the next connection is due at once, by the other version.
    pub(super) fn changes_version(&self, how: Failed, context: &mut LinkContext<'_>) -> bool {
        let spoken = self.spoken.filter(|_| self.stage == Stage::LoginSent);
        spoken.is_some_and(|spoken| context.engine.dialect.failed(spoken, how, context.now))
    }

    /// Why the connection ended; where the login is at fault, and not the broker's version or
    /// state, with the keys to look at. Some brokers only close the connection then.
    pub(super) fn explained(
        &self,
        mut disconnect: Disconnect,
        how: Failed,
        context: &mut LinkContext<'_>,
    ) -> Disconnect {
        if self.changes_version(how, context) {
            let reason = disconnect.error.reason;
            return Disconnect::renewed(format!("not by MQTT 5: {reason}; 3.1.1 is spoken"));
        }
        let is_login = self.stage == Stage::LoginSent && !matches!(disconnect.error.code, 1 | 3);
        let hint = is_login.then(|| self.profile.hint());
        if let Some(hint) = hint.flatten() {
            disconnect.error.reason.push_str("; ");
            disconnect.error.reason.push_str(&hint);
        }
        disconnect
    }

    /// How long an answer is awaited.
    pub(super) fn patience(&self) -> Duration {
        let may_lack = self.stage == Stage::Asked && self.profile.unanswered().is_some();
        let most = if may_lack { ASKED } else { Duration::MAX };
        self.delivery.timeout.min(most)
    }

    /// When a login that expires asks for something.
    pub(super) fn lease_due(&self) -> Option<Duration> {
        let lease = self.lease?;
        match self.stage {
            Stage::Open => Some(lease.leave_at()),
            Stage::Draining => Some(lease.ends_at()),
            _ => None,
        }
    }
}

/// How a login failed that ended in this; a packet that cannot be read says nothing of it.
pub(super) fn failed(error: &DeliveryError) -> Failed {
    match error.code {
        1 => Failed::Version,
        2..=5 => Failed::Other,
        _ => Failed::Silent,
    }
}

/// How long an answer is awaited that some versions of a platform never give.
const ASKED: Duration = Duration::from_secs(5);
