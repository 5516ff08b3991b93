//! News of the network: when a route appears, streams and channels that wait for their next try go
//! at once; when an address does, channels that could not listen. Connects nothing itself.

use super::Daemon;
use super::waits::sleep;
use crate::api::Wake;
use crate::net::Routes;
use std::io;
use std::time::Duration;

/// Watches for ever. Waits on: the kernel's news of routes.
pub(super) async fn watch(daemon: Daemon) {
    if let Err(error) = wake_by_routes(&daemon).await {
        log::warn!("routes cannot be watched: {error}; streams go by their `retry` alone");
    }
}

async fn wake_by_routes(daemon: &Daemon) -> io::Result<()> {
    let routes = Routes::watch()?;
    loop {
        routes.appeared().await?;
        log::debug!("a route has appeared");
        wake(daemon);
        sleep(Some(SETTLING)).await;
        if routes.has_appeared()? {
            wake(daemon);
        }
        sleep(Some(REST)).await;
    }
}

/// Watches for ever. Waits on: the kernel's news of addresses.
pub(super) async fn watch_addresses(daemon: Daemon) {
    if let Err(error) = wake_by_addresses(&daemon).await {
        log::warn!("addresses cannot be watched: {error}; what listens tries now and then");
    }
}

async fn wake_by_addresses(daemon: &Daemon) -> io::Result<()> {
    let addresses = Routes::watch_addresses()?;
    loop {
        addresses.appeared().await?;
        let waiting = daemon.all_channels().into_iter();
        let waiting = waiting.filter(|channel| channel.listening.error().is_some());
        waiting.for_each(|channel| channel.wake());
        sleep(Some(SETTLING)).await;
    }
}

fn wake(daemon: &Daemon) {
    let (streams, channels) = (daemon.all_streams(), daemon.all_channels());
    streams
        .iter()
        .for_each(|stream| stream.wake(Wake::UnlessAsked));
    channels.iter().for_each(|channel| channel.wake());
}

/// The first route of an interface is rarely the one that leads out; that one comes with it. An
/// address of IPv6 is told of twice: when it comes, and when nobody else turned out to have it.
const SETTLING: Duration = Duration::from_secs(1);

/// Where routes come and go all the time, `retry` still means something.
const REST: Duration = Duration::from_secs(10);
