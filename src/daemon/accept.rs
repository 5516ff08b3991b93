//! Accepting: one task for each connection.

use super::connection::{Connection as Served, End};
use super::connector::HANDSHAKE;
use super::hub::Hub;
use super::intake::Channel;
use super::waits::{Executor, PAUSE, sleep, within};
use crate::api::{CONNECTED, CONNECTION_LOST};
use crate::net::tls::Fault;
use crate::net::{Connection, Listener, Socket};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// Accepts for ever. Waits on: the listening socket.
pub(super) async fn accept(
    executor: &Executor,
    hub: &Rc<Hub>,
    channel: &Rc<Channel>,
    listener: Listener,
) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => welcome(executor, hub, channel, socket, peer),
            Err(error) => {
                channel.refuse("accept failed", "-", &error.to_string(), hub);
                sleep(Some(PAUSE)).await;
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
        match wrap(channel, socket).await {
            Ok(socket) => drop(converse(&hub, channel, &name, socket, Start::Heard).await),
            Err(error) => {
                let kind = match Fault::is_certificate(&error) {
                    true => "certificate",
                    false => "tls",
                };
                channel.refuse(kind, &name, &error.to_string(), &hub);
            }
        }
    };
    executor.spawn(serve).detach();
}

/// In TLS where the channel speaks it. Waits on: the handshake, for [`HANDSHAKE_MAX`] at most.
async fn wrap(channel: &Channel, socket: Socket) -> io::Result<Connection> {
    let Some(tls) = &channel.tls else {
        return Ok(Connection::Plain(socket));
    };
    // on the heap: a connection without TLS has no room for it
    let handshake = Box::pin(within(HANDSHAKE_MAX, HANDSHAKE, tls.accept(socket)));
    let socket = handshake.await?;
    Ok(Connection::Tls(Box::new(socket)))
}

/// Who speaks first.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// The far end.
    Heard,
    /// The far end, and it began before: a serial line.
    Joined,
    /// This side may, it connected.
    Said,
}

/// Serves a connection until its end, and tells of both. Waits on: what [`Served::serve`] does.
pub(super) async fn converse(
    hub: &Hub,
    channel: &Channel,
    name: &str,
    socket: Connection,
    start: Start,
) -> End {
    let id = hub.with_ring(|ring, _| ring.id());
    let client_id = format!("weir-{id:016x}-{}", channel.name());
    let Some(session) = channel.settings.protocol.session(&client_id) else {
        return End::Closed;
    };
    let mut served = Served::new(hub, channel, name.to_owned(), socket, session);
    match start {
        Start::Heard => {}
        Start::Joined => served.joined(),
        Start::Said => served.opened(),
    }
    channel.note(hub, CONNECTED, name);
    let end = served.serve().await;
    channel.note(hub, CONNECTION_LOST, &format!("{name}: {end}"));
    // what was wrong with it is said where it is counted, now and then; strangers fill no log
    log::debug!("channel `{}`: {name}: closed: {end}", channel.name());
    end
}

/// One of a channel's connections, counted while it lives.
pub(super) struct Place(Rc<Channel>);

impl Place {
    pub(super) fn take(channel: &Rc<Channel>) -> Self {
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

/// A client may take so long for its handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
