//! One connection by hand: whether a destination answers, and whether it takes a message. Neither
//! the ring nor the session of a daemon that runs is touched.

use super::{Again, Courier, Line, broken};
use crate::api::Page;
use crate::clock::{Clock, Now};
use crate::daemon::hub::Hub;
use crate::daemon::stream::Stream;
use crate::daemon::{first_of, sleep};
use crate::message::{Message, body};
use crate::net::{Interest, Target};
use crate::ring::{self, From, Full, Memory, Ring};
use crate::route::Routes;
use crate::stream::Lost;
use crate::stream::file::FileLink;
use crate::stream::settings::{Destination, Settings};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A connection, up to the end of TLS and of the login.
    Connect,
    /// One message more, until it is taken.
    Deliver,
}

/// Tries a stream's destination once; what came of it, in words. A broker is told another client
/// id than the daemon's, and no filter holds the message back. Waits on: the destination, for
/// `timeout` at each step.
///
/// # Errors
/// What failed, in words.
pub async fn attempt(
    mut settings: Settings,
    errand: Errand,
    clock: Clock,
) -> Result<String, String> {
    settle_for_one(&mut settings);
    let target = match &settings.destination {
        Destination::Http(http) => http.target.clone(),
        Destination::Mqtt(mqtt) => mqtt.target.clone(),
        Destination::WialonRetranslator(wialon) => wialon.target.clone(),
        Destination::File(file) => return try_file(&file.path.clone(), settings, errand, clock),
    };
    let mut courier = courier(settings, errand, clock)?;
    let done = courier.call(&target, errand).await;
    let told = done.map_err(|lost| lost.fault.reason);
    let told = told.and_then(|()| courier.outcome(errand));
    let prefix = format!("{target}: ");
    match told {
        Ok(words) => Ok(format!("{prefix}{words}")),
        Err(reason) => Err(format!(
            "{prefix}{}",
            reason.strip_prefix(&prefix).unwrap_or(&reason)
        )),
    }
}

/// A file has nobody to connect to: its folder has to be there.
fn try_file(
    path: &Path,
    settings: Settings,
    errand: Errand,
    clock: Clock,
) -> Result<String, String> {
    let shown = path.display();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if !folder.is_none_or(Path::is_dir) {
        return Err(format!("{shown}: there is no such folder"));
    }
    if errand == Errand::Connect {
        return Ok(format!("{shown}: its folder is there"));
    }
    let mut courier = courier(settings, errand, clock)?;
    courier.serve();
    let now = courier.hub.now();
    if let Destination::File(file) = &courier.stream.settings.destination {
        let shape = courier.stream.settings.shape.clone();
        let mut link = FileLink::new(file.clone(), shape);
        link.deliver(&mut courier.engine, now, 0);
    }
    courier.serve();
    let told = courier.outcome(errand);
    told.map(|words| format!("{shown}: {words}"))
        .map_err(|reason| format!("{shown}: {reason}"))
}

/// Nothing of what makes a stream wait or leave a message out.
fn settle_for_one(settings: &mut Settings) {
    (settings.filter, settings.thinning) = (None, None);
    (settings.ttl, settings.max_age, settings.interval) = (None, None, None);
    settings.rejects = None;
    settings.delivery.linger = Duration::ZERO;
    if let Destination::Mqtt(mqtt) = &mut settings.destination {
        mqtt.client_id = Some(format!("weir-check-{:08x}", fastrand::u32(..)));
        mqtt.clean_session = true;
        // it is not the gateway that goes when this connection ends
        mqtt.will = None;
    }
}

/// A courier over a ring in memory, and the message in it if that is asked for.
fn courier(settings: Settings, errand: Errand, clock: Clock) -> Result<Courier, String> {
    let now = clock.now();
    let sizes = ring::Settings {
        size: RING_LEN as u64,
        delay: Duration::ZERO,
        hold: Duration::ZERO,
        bytes: 64 * 1024,
        full: Full::DropOldest,
    };
    let storage = Box::new(Memory::new(RING_LEN));
    let (mut ring, _) = Ring::open(storage, sizes, now, 0).map_err(|error| error.to_string())?;
    let id = ring.attach(&settings.name, From::New, now);
    let id = id.map_err(|error| error.to_string())?;
    let hub = Rc::new(Hub::new(clock, ring, Routes::new(Vec::new(), Vec::new())));
    if errand == Errand::Deliver {
        let message = message(now).ok_or("there is no message to send")?;
        hub.append(id.mask(), &message)
            .map_err(|error| format!("the ring: {error:?}"))?;
        hub.commit(now);
    }
    let stream = Rc::new(Stream::new(id, settings, String::new()));
    Ok(Courier::new(hub, stream))
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

impl Courier {
    /// One connection, as far as the errand goes.
    async fn call(&mut self, target: &Target, errand: Errand) -> Result<(), Lost> {
        let stream = Rc::clone(&self.stream);
        if let Some(no_date) = self.dialler.lacks_date() {
            return Err(Lost::new(0, no_date.reason));
        }
        let connection = self.dialler.connect(target).await;
        let connection = connection.map_err(|error| broken(&error))?;
        let link = self.link(&stream);
        let link = link.ok_or_else(|| Lost::ended("there is nothing to say"))?;
        let mut line = Line::new(connection, link);
        let silent_until = self.hub.now().mono + self.grace(&line);
        loop {
            let again = self.turn(&mut line)?;
            let is_done = match errand {
                Errand::Connect => self.hub.now().mono >= silent_until,
                Errand::Deliver => self.has_ended(),
            };
            if line.link.is_ready() && is_done {
                line.connection.finish().ok();
                return Ok(());
            }
            let due = match again {
                Again::Now => Duration::ZERO,
                Again::At(_) => LOOK_EVERY,
            };
            let interest = Interest::of(Some(()), (!line.out.is_empty()).then_some(()));
            first_of(line.connection.ready(interest), sleep(Some(due))).await;
        }
    }

    /// With TLS 1.3 a server that wants another certificate says so after the handshake. Where a
    /// login follows, that is heard then.
    fn grace(&self, line: &Line<'_>) -> Duration {
        match (&self.stream.settings.tls, line.link.stays()) {
            (Some(_), false) => GRACE,
            _ => Duration::ZERO,
        }
    }

    /// Whether the message is taken or will not be now.
    fn has_ended(&self) -> bool {
        let waits = self.hub.counters(self.stream.id).backlog > 0;
        !waits || self.engine.paused_until(self.hub.now()).is_some()
    }

    /// What came of it, once there was a connection.
    fn outcome(&self, errand: Errand) -> Result<String, String> {
        let counters = self.hub.counters(self.stream.id);
        match errand {
            Errand::Connect => Ok("connected".to_owned()),
            Errand::Deliver if counters.accepted > 0 => Ok("took a test message".to_owned()),
            Errand::Deliver => {
                let journal = self.stream.journal.borrow();
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

/// Of the ring in memory, in bytes: as small as one can be.
const RING_LEN: usize = 256 << 10;

/// How long a server may take to end a connection that it made.
const GRACE: Duration = Duration::from_millis(500);

/// Between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_millis(50);
