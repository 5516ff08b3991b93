//! What the link next door needs of a version of MQTT, and what a packet of the broker means.

use crate::stream::Fault;
use crate::stream::engine::Repeat;
use crate::stream::settings;
use std::time::Duration;

/// The packets of one version. Knows no message and no time.
pub(super) trait Session {
    /// Appends the login.
    fn connect(
        &mut self,
        settings: &settings::Mqtt,
        client_id: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault>;

    /// What one whole packet means; what has to be answered is answered.
    fn receive(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<Meaning, Fault>;

    /// Appends one publish. Precondition: no other that has no acknowledgement has its identifier.
    fn publish(&mut self, publication: &Publication<'_>, out: &mut Vec<u8>) -> Result<(), Fault>;

    /// Appends a ping.
    fn ping(&mut self, out: &mut Vec<u8>) -> Result<(), Fault>;
}

/// What a packet of the broker means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Messages can go.
    LoggedIn(Terms),
    /// The publish with this identifier has its answer.
    Answered(u16, Verdict),
    /// The ping is answered.
    Pong,
    /// It is of no concern to us.
    Nothing,
}

/// What the broker allows. It may say less the next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Publishes without an acknowledgement at most, from 1; the window is in it.
    pub(super) in_flight_max: u16,
    /// Bytes of a packet at most.
    pub(super) packet_max: usize,
    /// What it wants instead of ours; zero is never.
    pub(super) keep_alive: Option<Duration>,
}

/// What the broker says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has it.
    Taken,
    /// It has it, and nobody wants it.
    Unheard,
    /// It will never take it.
    Refused(Fault),
    /// It does not take it; whether it takes others is not said.
    Doubted(Fault),
    /// It has no room for it now.
    NotNow(Fault),
}

/// What is published.
pub(super) struct Publication<'a> {
    /// From 1.
    pub(super) identifier: u16,
    pub(super) topic: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) retain: bool,
    pub(super) repeat: Repeat,
}

/// A packet that has no place where it came.
pub(super) fn out_of_turn() -> Fault {
    Fault::new(0, "the broker sent a packet out of turn")
}

/// What rumqttc did not like.
pub(super) fn wrong(error: &dyn std::error::Error) -> Fault {
    Fault::new(0, format!("MQTT: {error}"))
}

/// Seconds; 0 is never.
pub(super) fn keep_alive(settings: &settings::Mqtt) -> u16 {
    let seconds = settings.keep_alive.as_millis().div_ceil(1000);
    u16::try_from(seconds).unwrap_or(u16::MAX)
}
