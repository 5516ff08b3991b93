//! One connection by hand: whether a destination answers, and whether it takes a message. It goes
//! through the loop that a daemon delivers with, over a ring in memory; neither the ring nor the
//! session of a daemon that runs is touched.

use super::Connected;
use super::LinkTask;
use super::broken;
use crate::api::Page;
use crate::clock::Clock;
use crate::clock::Now;
use crate::daemon::shared::SharedState;
use crate::daemon::stream::Stream;
use crate::message::Message;
use crate::message::body;
use crate::ring;
use crate::ring::From;
use crate::ring::Full;
use crate::ring::Memory;
use crate::ring::Ring;
use crate::route::Routes;
use crate::stream::Disconnect;
use crate::stream::Endpoint;
use crate::stream::Retry;
use crate::stream::settings::Settings;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A connection, up to the end of TLS and of the login.
    Connect,
    /// One message more, until it is taken.
    Deliver,
}

/// How far a connection is driven.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// To its end.
    None,
    /// Until it is ready, and not before this time.
    Ready(Duration),
    /// Until nothing is left to deliver, or what is left has to wait.
    Delivered,
}

/// Tries a stream's destination once; what came of it, in words. A broker is told another client
/// id than the daemon's, and no filter holds the message back. Waits on: the destination, for
/// `timeout` at each step.
///
/// # Errors
/// What failed, in words.
pub async fn try_destination(
    mut settings: Settings,
    probe: Probe,
    clock: Clock,
) -> Result<String, String> {
    settle_for_one(&mut settings);
    let prefix = format!("{}: ", settings.endpoint());
    let tried = match settings.endpoint() {
        Endpoint::File(file) => check_folder(&file.path, probe),
        Endpoint::Network(_) => None,
    };
    let tried = match tried {
        Some(tried) => tried,
        None => try_and_ask(settings, probe, clock).await,
    };
    match tried {
        Ok(words) => Ok(format!("{prefix}{words}")),
        Err(reason) => Err(format!(
            "{prefix}{}",
            reason.strip_prefix(&prefix).unwrap_or(&reason)
        )),
    }
}

/// A file has nobody to connect to: its folder has to be there. None: that does not tell it all.
fn check_folder(path: &Path, probe: Probe) -> Option<Result<String, String>> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if !folder.is_none_or(Path::is_dir) {
        return Some(Err("there is no such folder".to_owned()));
    }
    match probe {
        Probe::Connect => Some(Ok("its folder is there".to_owned())),
        Probe::Deliver => None,
    }
}

/// The same; of what fails is said what another knows of it, where there is one to ask.
async fn try_and_ask(settings: Settings, probe: Probe, clock: Clock) -> Result<String, String> {
    let inquiry = settings.destination.inquiry().map(|destination| Settings {
        destination,
        ..settings.clone()
    });
    let tried = try_once(settings, probe, clock.clone()).await;
    let (Err(reason), Some(inquiry)) = (&tried, inquiry) else {
        return tried;
    };
    let asked = inquiry.endpoint().to_string();
    Err(match try_once(inquiry, Probe::Deliver, clock).await {
        Ok(_) => format!("{reason}; {asked} lets it in"),
        Err(why) => format!("{reason}; {asked} says: {why}"),
    })
}

async fn try_once(settings: Settings, probe: Probe, clock: Clock) -> Result<String, String> {
    let mut task = task(settings, probe, clock)?;
    let ended = task.probe(probe).await;
    ended.map_err(|disconnect| disconnect.error.reason)?;
    task.outcome(probe)
}

/// Nothing of what makes a stream wait or leave a message out.
fn settle_for_one(settings: &mut Settings) {
    settings.enabled = true;
    (settings.filter, settings.thinning) = (None, None);
    (settings.ttl, settings.max_age, settings.interval) = (None, None, None);
    settings.rejects = None;
    settings.delivery.linger = Duration::ZERO;
    if let Some(destination) = settings.destination.for_check() {
        settings.destination = destination;
    }
}

/// A task over a ring in memory, and the message in it if that is asked for.
pub(super) fn task(settings: Settings, probe: Probe, clock: Clock) -> Result<LinkTask, String> {
    let now = clock.now();
    let sizes = ring::Settings {
        size: RING_LEN as u64,
        delay: Duration::ZERO,
        hold: Duration::from_secs(2),
        bytes: 64 * 1024,
        full: Full::DropOldest,
    };
    let storage = Box::new(Memory::new(RING_LEN));
    let (mut ring, _) = Ring::open(storage, sizes, now, 0).map_err(|error| error.to_string())?;
    let id = ring.attach(&settings.name, From::New, now);
    let id = id.map_err(|error| error.to_string())?;
    let shared = Rc::new(SharedState::new(
        clock,
        ring,
        Routes::new(Vec::new(), Vec::new()),
    ));
    if probe == Probe::Deliver {
        let message = message(now).ok_or("there is no message to send")?;
        shared
            .ring
            .append(id.mask(), now, &message)
            .map_err(|error| format!("the ring: {error:?}"))?;
        shared.ring.commit(now);
    }
    let client_id = format!("weir-check-{:08x}", fastrand::u32(..));
    let stream = Rc::new(Stream::new(id, settings, client_id));
    Ok(LinkTask::new(shared, stream))
}

/// A message that says what it is, and no place that a map would show.
fn message(now: Now) -> Option<Vec<u8>> {
    let mut message = Message::new("weir-check").ok()?;
    if now.wall.trusted {
        let micros = now.wall.since_1970.as_micros();
        message.set_timestamp(u64::try_from(micros).ok()?);
    }
    message.set("channel.name", "check");
    message.set("protocol.name", "weir");
    message.set("test", true);
    let mut bytes = Vec::new();
    body::encode(&message, &mut bytes);
    Some(bytes)
}

impl LinkTask {
    /// One connection, as far as the probe goes; a second where the first said how to speak.
    async fn probe(&mut self, probe: Probe) -> Result<(), Disconnect> {
        let stream = Rc::clone(&self.stream);
        if let Some(no_date) = self.connector.lacks_date() {
            return Err(Disconnect::new(0, no_date.reason));
        }
        let mut again = true;
        loop {
            let connection = self.connect(&stream).await;
            let connection = connection.map_err(|error| broken(&error))?;
            let goal = match probe {
                Probe::Connect => Goal::Ready(self.shared.now().mono + self.grace(&stream)),
                Probe::Deliver => Goal::Delivered,
            };
            match self.run_connection(&stream, connection, goal).await {
                // an older version of the protocol is spoken now
                Err(disconnect) if disconnect.retry == Retry::Renewed && again => again = false,
                ended => return ended,
            }
        }
    }

    /// With TLS 1.3 a server that wants another certificate says so after the handshake. Where a
    /// login follows, that is heard then.
    fn grace(&self, stream: &Stream) -> Duration {
        match (&stream.settings.tls, self.link(stream).stays()) {
            (Some(_), false) => GRACE,
            _ => Duration::ZERO,
        }
    }

    pub(super) fn has_reached(&self, goal: Goal, connected: &Connected<'_>) -> bool {
        let now = self.shared.now();
        match goal {
            Goal::None => false,
            Goal::Ready(not_before) => connected.link.is_ready() && now.mono >= not_before,
            Goal::Delivered => {
                let waits = self.shared.ring.counters(self.stream.id).backlog > 0;
                !waits || self.engine.paused_until(now).is_some()
            }
        }
    }

    /// What came of it, once there was a connection.
    fn outcome(&self, probe: Probe) -> Result<String, String> {
        let counters = self.shared.ring.counters(self.stream.id);
        match probe {
            Probe::Connect => Ok("connected".to_owned()),
            Probe::Deliver if counters.accepted > 0 => Ok("took a test message".to_owned()),
            Probe::Deliver => {
                let journal = self.stream.shown.journal.borrow();
                let all = Page {
                    count: usize::MAX,
                    after: 0,
                };
                let reasons = journal
                    .page(all)
                    .filter_map(|event| event.reason.as_deref());
                Err(reasons
                    .last()
                    .unwrap_or("the message was not taken")
                    .to_owned())
            }
        }
    }
}

impl Goal {
    /// When it may be reached though nothing happens.
    pub(super) fn looks_at(self) -> Option<Duration> {
        match self {
            Self::Ready(not_before) => Some(not_before),
            Self::None | Self::Delivered => None,
        }
    }
}

/// Of the ring in memory, in bytes: as small as one can be.
const RING_LEN: usize = 256 << 10;

/// How long a server may take to end a connection that it made.
const GRACE: Duration = Duration::from_millis(500);
