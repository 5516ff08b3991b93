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

    /// What holds where [`Profile::question`] is not answered soon: some platforms know it only in
    /// newer versions. None: then nothing can be published.
    fn unanswered(&self) -> Option<Granted> {
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

    /// Messages of one publish at most, from 1: those of one [`Profile::key`] go together where
    /// they wait, up to what [`Limits::packet_max`] and `max_bytes` allow.
    fn messages_max(&self) -> usize {
        1
    }

    /// Appends to `out` what messages of a publish have in common. Asked for only where some go
    /// together.
    ///
    /// # Errors
    /// As [`Profile::write`].
    fn key(
        &self,
        _view: &mut MessageView<'_>,
        _message: &Outgoing<'_>,
        _out: &mut String,
    ) -> Result<(), String> {
        Ok(())
    }

    /// Appends to the payload of a publish, which has a message already, one more of the same key.
    ///
    /// # Errors
    /// As [`Profile::write`].
    fn append(
        &self,
        _view: &mut MessageView<'_>,
        _message: &Outgoing<'_>,
        _publish: &mut Publish,
    ) -> Result<(), String> {
        Err("it goes alone".to_owned())
    }

    /// Appends to the payload what stands behind the last message.
    fn close(&self, _publish: &mut Publish) {}

    /// Whether the platform takes such a publish, as its documents have it: what it does not take
    /// is refused here and never sent. [`Limits::packet_max`] is looked at anyway.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, _publish: &Publish) -> Result<(), String> {
        Ok(())
    }

    /// What the log says behind a publish that got no answer: what may be the reason here.
    fn silence(&self) -> Option<&'static str> {
        None
    }

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Publishes without an acknowledgement at most; zero counts as 1.
    pub window: Option<u16>,
    /// Bytes of a publish with its header at most.
    pub packet_max: Option<usize>,
    /// What may go in a time; kept where messages share publishes, see [`Profile::messages_max`].
    pub rates: Rates,
}

/// What may go in a time: four fifths of it are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of all messages together.
    pub whole: Allowance,
    /// Of those of each key, see [`Profile::key`].
    pub each: Allowance,
}

/// Limits that hold at the same time; all empty: there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Of publishes; an announcement is one as well.
    pub publishes: Vec<Limit>,
    /// Of what is counted as [`Publish::points`].
    pub points: Vec<Limit>,
}

/// So many in each time of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// From 1.
    pub count: u32,
    /// Not zero.
    pub period: Duration,
}

impl Limit {
    /// Reads `COUNT:SECONDS,…`, the first [`LIMITS_MAX`] of them; what is none is passed over.
    #[must_use]
    pub fn list(text: &str) -> Vec<Self> {
        let limits = text.split(',').filter_map(|part| {
            let (count, seconds) = part.trim().split_once(':')?;
            let count = count.parse().ok().filter(|count| *count > 0)?;
            let seconds = seconds.parse::<u32>().ok().filter(|seconds| *seconds > 0)?;
            let period = Duration::from_secs(seconds.into());
            Some(Self { count, period })
        });
        limits.take(LIMITS_MAX).collect()
    }
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
    /// What the platform counts in it, see [`Allowance::points`]; nothing of it is sent.
    pub points: u32,
}

impl Publish {
    /// Empties it, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.topic.clear();
        self.payload.clear();
        self.content_type = None;
        self.properties.clear();
        self.points = 0;
    }
}

/// What the log says where a login was tried by another name than `name`, and refused.
pub(crate) fn spared_hint(name: &str) -> String {
    format!(
        "tried under another client id than `{name}`, so that a daemon which runs keeps its \
         session: a broker that knows its clients by that says no here, and yes to the daemon"
    )
}

/// Limits that are kept at the same time.
pub const LIMITS_MAX: usize = 4;

/// Announcements that are remembered in one connection.
pub const SAID_MAX: usize = 1024;
