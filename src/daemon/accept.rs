//! Accepting: one task for each listening address, one for each connection.

use super::connection::{Connection, End};
use super::datagram::Datagrams;
use super::hub::Hub;
use super::intake::Channel;
use crate::api::{CONNECTED, CONNECTION_LOST};
use crate::channel;
use crate::net::{self, Address, Listener, Socket};
use async_executor::{LocalExecutor, Task};
use std::net::SocketAddr;
use std::rc::Rc;

type Executor = Rc<LocalExecutor<'static>>;

/// Listens on all addresses of a channel; one that cannot be bound says why and is left out.
pub(super) fn listen(executor: &Executor, hub: &Rc<Hub>, channel: &Rc<Channel>) -> Vec<Task<()>> {
    let mut tasks = Vec::new();
    for address in &channel.settings.listen {
        let bound = match address {
            Address::Udp(udp) => datagrams(executor, hub, channel, *udp),
            _ => net::listen(address).map(|listener| {
                let (hub, channel) = (Rc::clone(hub), Rc::clone(channel));
                let executor_too = Rc::clone(executor);
                executor.spawn(async move { accept(&executor_too, &hub, &channel, listener).await })
            }),
        };
        match bound {
            Ok(task) => {
                log::info!("channel `{}`: listening on {address}", channel.name());
                tasks.push(task);
            }
            Err(error) => log::error!("channel `{}`: {address}: {error}", channel.name()),
        }
    }
    tasks
}

fn datagrams(
    executor: &Executor,
    hub: &Rc<Hub>,
    channel: &Rc<Channel>,
    address: SocketAddr,
) -> std::io::Result<Task<()>> {
    let session =
        channel::datagram_session(&channel.settings).ok_or(std::io::ErrorKind::Unsupported)?;
    let socket = net::bind(address)?;
    let (hub, channel) = (Rc::clone(hub), Rc::clone(channel));
    Ok(executor.spawn(async move {
        Datagrams::new(&hub, &channel, socket, session)
            .serve()
            .await
    }))
}

/// Accepts for ever. Waits on: the listening socket.
async fn accept(executor: &Executor, hub: &Rc<Hub>, channel: &Rc<Channel>, listener: Listener) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => welcome(executor, hub, channel, socket, peer),
            Err(error) => {
                channel.refuse("accept failed", "-", &error.to_string(), hub);
                super::sleep(Some(super::PAUSE)).await;
            }
        }
    }
}

fn welcome(
    executor: &Executor,
    hub: &Rc<Hub>,
    channel: &Rc<Channel>,
    socket: Socket,
    peer: Option<SocketAddr>,
) {
    let name = peer.map_or_else(|| "unix".to_owned(), |peer| peer.to_string());
    if !channel.admits(peer) {
        return channel.refuse("address", &name, "not in `allow`", hub);
    }
    if channel.connections.get() >= channel.settings.max_connections {
        return channel.refuse("connections", &name, "`max_connections` are open", hub);
    }
    let place = Place::take(channel);
    let hub = Rc::clone(hub);
    let serve = async move {
        let channel = &place.0;
        let session = channel::session(&channel.settings);
        channel.note(&hub, CONNECTED, &name);
        let end = Connection::new(&hub, channel, name.clone(), socket, session)
            .serve()
            .await;
        channel.note(&hub, CONNECTION_LOST, &format!("{name}: {end}"));
        match end {
            End::Closed => log::debug!("channel `{}`: {name}: closed", channel.name()),
            End::Session(close) => {
                log::info!(
                    "channel `{}`: {name}: closed: {}",
                    channel.name(),
                    close.reason
                );
            }
            End::Idle => log::info!("channel `{}`: {name}: closed, idle", channel.name()),
            End::Io(error) => log::debug!("channel `{}`: {name}: {error}", channel.name()),
        }
    };
    executor.spawn(serve).detach();
}

/// One of a channel's connections, counted while it lives.
struct Place(Rc<Channel>);

impl Place {
    fn take(channel: &Rc<Channel>) -> Self {
        channel.connections.set(channel.connections.get() + 1);
        Self(Rc::clone(channel))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0
            .connections
            .set(self.0.connections.get().saturating_sub(1));
    }
}
