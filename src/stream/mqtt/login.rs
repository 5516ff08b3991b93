//! The two ends of a connection: the login, with what is asked behind it, and the leaving of one
//! whose login is about to expire.

use super::MqttLink;
use super::Stage;
use super::codec::DISCONNECT;
use super::codec::How;
use super::codec::Terms;
use super::profile::Granted;
use super::profile::Publish;
use crate::stream::Disconnect;
use crate::stream::LinkContext;
use crate::stream::lease::Lease;
use std::time::Duration;

impl MqttLink<'_> {
    /// Says who we are.
    pub(super) fn log_in(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        let login = self.profile.login(self.client_id, context.now);
        // Counted from before it is sent: on a slow way it holds for less, never for more.
        let until = login.until.map(|date| Lease::until(date, context.now));
        self.lease = until.transpose()?;
        self.codec.connect(&login, &self.limits, context.out)?;
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
    pub(super) fn open(&mut self, granted: Granted) {
        self.keep_alive.answered();
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

    /// The same; where the login is at fault, and not the broker's version or state, with the keys
    /// to look at. Some brokers only close the connection then.
    pub(super) fn explained(&self, mut lost: Disconnect) -> Disconnect {
        let is_login = self.stage == Stage::LoginSent && !matches!(lost.error.code, 1 | 3);
        let hint = is_login.then(|| self.profile.hint());
        if let Some(hint) = hint.flatten() {
            lost.error.reason.push_str("; ");
            lost.error.reason.push_str(&hint);
        }
        lost
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
