//! What one platform wants of MQTT: who logs in and until when, what a publish says, what holds
//! for all of them, and what an answer means. All else is done once, by the link one floor up.
//!
//! A platform is one file with a type that implements [`Profile`] by [`Profile::limits`],
//! [`Profile::login`] and [`Profile::write`]. The rest has an answer that suits most brokers.

use super::reason;
pub use super::reason::Verdict;
use crate::clock::Now;
use crate::stream::engine::Outgoing;
use crate::stream::render::MessageView;
use std::fmt;
use std::time::Duration;

/// One platform.
pub trait Profile: fmt::Debug {
    /// What holds for each connection.
    fn limits(&self) -> Limits;

    /// Who logs in over a connection that is made now. `client_id` is the name that weir gives
    /// the stream, for platforms that leave it to the client. Where this is made from the date the
    /// destination says so in [`NetworkEndpoint::needs_date`]: then `now` has one that can be used.
    ///
    /// [`NetworkEndpoint::needs_date`]: crate::stream::NetworkEndpoint::needs_date
    fn login(&self, client_id: &str, now: Now) -> Login;

    /// What the log says behind a login that the broker refused: the keys to look at.
    fn hint(&self) -> Option<String> {
        None
    }

    /// What is asked after the login, before the first message; none: nothing.
    fn question(&self) -> Option<Question> {
        None
    }

    /// What the platform allows, if this message is its answer to [`Profile::question`]; nothing
    /// is published before.
    ///
    /// # Errors
    /// In words, when nothing can be published here.
    fn granted(&self, _topic: &str, _payload: &[u8]) -> Option<Result<Granted, String>> {
        None
    }

    /// Fills `publish`, which is empty, with what has to be said before `message`, and says whether
    /// there is something. It goes as QoS 0, and once a connection: [`SAID_MAX`] of these are
    /// remembered, then all are said again.
    fn announce(
        &self,
        _view: &mut MessageView<'_>,
        _message: &Outgoing<'_>,
        _publish: &mut Publish,
    ) -> bool {
        false
    }

    /// Fills `publish`, which is empty, with a message.
    ///
    /// # Errors
    /// What the message lacks: it is skipped.
    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String>;

    /// What the reason code of an acknowledgement means. MQTT 3.1.1 has only 0.
    fn verdict(&self, code: u8) -> Verdict {
        reason::verdict(code)
    }
}

/// What holds for each connection to a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the protocol.
    pub version: Version,
    /// Publishes without an acknowledgement at most, from 1; the broker may allow fewer.
    pub window: u16,
    /// Bytes of a publish with its header at most, as the platform's documents have it: a message
    /// that is longer is refused here, where the broker would end the connection or drop it
    /// unsaid. None: not known before.
    pub packet_max: Option<usize>,
    /// After so long without traffic a ping is sent; zero is never. The broker may say otherwise.
    pub keep_alive: Duration,
    /// Whether the broker keeps the last message of a topic, that of the will too.
    pub retain: bool,
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 5.0 first, 3.1.1 where the broker refuses that.
    Auto,
    /// 3.1.1.
    V311,
    /// 5.0.
    V5,
}

/// What a broker publishes in our name when the connection ends; QoS 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Where it is published, as it is.
    pub topic: String,
    /// What is published, as it is.
    pub payload: String,
}

/// Who logs in. Shown nowhere: it has a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// How the broker knows the session.
    pub client_id: String,
    /// None: no login by name.
    pub user: Option<String>,
    /// None: no secret.
    pub password: Option<String>,
    /// The date, since 1970, until which the broker takes that: a new connection is made in good
    /// time before. None: for ever.
    pub until: Option<Duration>,
    /// Whether the broker forgets the session when the connection ends.
    pub clean_session: bool,
    /// What the broker publishes when the connection ends; none: nothing.
    pub will: Option<Will>,
}

impl Login {
    /// Nobody in particular, in a session that is not kept.
    #[must_use]
    pub fn anonymous(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            user: None,
            password: None,
            until: None,
            clean_session: true,
            will: None,
        }
    }
}

/// What is asked after the login: a subscription, and a message of QoS 0 whose answer comes by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Where the answer comes: a topic, or a filter.
    pub subscribe: String,
    /// Where it is asked.
    pub topic: String,
    /// What is asked.
    pub payload: Vec<u8>,
}

/// What a platform allows in its answer, at most what [`Limits`] allow; none: as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Publishes without an acknowledgement at most; zero counts as 1.
    pub window: Option<u16>,
    /// Bytes of a publish with its header at most.
    pub packet_max: Option<usize>,
}

/// What is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// Where: no wildcards, at most 65535 bytes; the link looks at that.
    pub topic: String,
    /// Any bytes.
    pub payload: Vec<u8>,
    /// What the payload is, for example `application/json`; MQTT 3.1.1 has no place for it.
    pub content_type: Option<&'static str>,
    /// Names and values; MQTT 3.1.1 has no place for them.
    pub properties: Vec<(String, String)>,
}

impl Publish {
    /// Empties it, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.topic.clear();
        self.payload.clear();
        self.content_type = None;
        self.properties.clear();
    }
}

/// Announcements that are remembered in one connection.
pub const SAID_MAX: usize = 1024;
