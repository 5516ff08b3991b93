//! The channel type `self`: the gateway's own report, at a steady pace. It is brought in as any
//! other channel's message is. Between two reports it only sleeps, and nobody waits until one is
//! safe, so that none is written sooner than it would be anyhow.

use super::channel::Channel;
use super::ingress::AckTokens;
use super::ingress::Ingress;
use super::shared::SharedState;
use super::waits::Executor;
use super::waits::sleep;
use crate::api::Control;
use crate::api::health;
use crate::channel::Intake;
use crate::channel::self_report::Keys;
use smol::Task;
use std::rc::Rc;
use std::time::Duration;

/// Reports through a channel of that type, for ever; none for another. Waits on: the time.
pub(super) fn begin(
    executor: &Executor,
    control: Rc<dyn Control>,
    shared: &Rc<SharedState>,
    channel: &Rc<Channel>,
) -> Option<Task<()>> {
    let Keys { every } = *channel.settings.protocol.keys()?;
    let (shared, channel) = (Rc::clone(shared), Rc::clone(channel));
    let keep_reporting = async move {
        // soon at first: when streams have had the time to connect
        let mut wait = every.min(FIRST);
        loop {
            sleep(Some(wait)).await;
            submit_report(&*control, &shared, &channel);
            wait = every;
        }
    };
    Some(executor.spawn(keep_reporting))
}

fn submit_report(control: &dyn Control, shared: &SharedState, channel: &Channel) {
    let ident = channel.settings.ident.as_deref().unwrap_or_default();
    let mut ingress = Ingress {
        shared,
        channel,
        now: shared.now(),
        peer: "self",
        conn: 0,
        known: None,
        ack_tokens: &mut AckTokens::default(),
        claim: &mut None,
    };
    let room = shared.ring.body_max().saturating_sub(ADDED);
    if let Ok(message) = health(ident, &control.status(), room) {
        // refused is counted, and there is nobody to answer to
        drop(ingress.submit(&mut [message]));
    }
}

/// Before the first report at most.
const FIRST: Duration = Duration::from_secs(5);

/// Bytes of a report for what every channel adds to its messages, `set` and `rename` among it.
const ADDED: usize = 1024;
