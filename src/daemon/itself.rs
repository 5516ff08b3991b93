//! The channel type `self`: the gateway's own report, at a steady pace. It is brought in as any
//! other channel's message is. Between two reports it only sleeps, and nobody waits until one is
//! safe, so that none is written sooner than it would be anyhow.

use super::Daemon;
use super::channel::Channel;
use super::ingress::{AckTokens, Ingress};
use super::waits::{Executor, sleep};
use crate::api::{Gateway, health};
use crate::channel::Intake;
use crate::channel::self_report::Keys;
use async_executor::Task;
use std::rc::Rc;
use std::time::Duration;

/// Reports through a channel of that type, for ever; none for another.
pub(super) fn report(
    executor: &Executor,
    daemon: &Daemon,
    channel: &Rc<Channel>,
) -> Option<Task<()>> {
    let Keys { every } = *channel.settings.protocol.keys()?;
    let (daemon, channel) = (daemon.clone(), Rc::clone(channel));
    Some(executor.spawn(async move { keep_reporting(&daemon, &channel, every).await }))
}

/// Waits on: the time.
async fn keep_reporting(daemon: &Daemon, channel: &Channel, every: Duration) {
    let mut wait = every.min(FIRST);
    loop {
        sleep(Some(wait)).await;
        bring(daemon, channel);
        wait = every;
    }
}

/// Brings a report in.
fn bring(daemon: &Daemon, channel: &Channel) {
    let ident = channel.settings.ident.as_deref().unwrap_or_default();
    let mut ingress = Ingress {
        shared: &daemon.shared,
        channel,
        peer: "self",
        ack_tokens: &mut AckTokens::default(),
        claim: &mut None,
    };
    let room = daemon.shared.ring.body_max().saturating_sub(ADDED);
    if let Ok(message) = health(ident, &daemon.status(), room) {
        // refused is counted, and there is nobody to answer to
        drop(ingress.submit(vec![message]));
    }
}

/// When streams have had the time to connect.
const FIRST: Duration = Duration::from_secs(5);

/// Bytes of a report for what every channel adds to its messages, `set` and `rename` among it.
const ADDED: usize = 1024;
