//! Accepting: one task for each connection.

use super::channel::Channel;
use super::connector::HANDSHAKE;
use super::open_connection::OpenConnection;
use super::session_task::Start;
use super::session_task::run_session;
use super::shared::SharedState;
use super::waits::Executor;
use super::waits::PAUSE;
use super::waits::sleep;
use super::waits::within;
use crate::net::Connection;
use crate::net::Listener;
use crate::net::Socket;
use crate::net::tls::TlsError;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// Accepts for ever. Waits on: the listening socket.
pub(super) async fn accept(
    executor: &Executor,
    shared: &Rc<SharedState>,
    channel: &Rc<Channel>,
    listener: Listener,
) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => welcome(executor, shared, channel, socket, peer),
            Err(error) => {
                channel.refuse("accept failed", "-", &error.to_string(), shared);
                sleep(Some(PAUSE)).await;
            }
        }
    }
}

fn welcome(
    executor: &Executor,
    shared: &Rc<SharedState>,
    channel: &Rc<Channel>,
    socket: Socket,
    peer: Option<SocketAddr>,
) {
    let name = peer.map_or_else(|| "unix".to_owned(), |peer| peer.to_string());
    if !channel.admits(peer) {
        return channel.refuse("address", &name, "not in `allow`", shared);
    }
    if channel.connections.get() >= channel.settings.max_connections {
        return channel.refuse("connections", &name, "`max_connections` are open", shared);
    }
    let connection = OpenConnection::count(channel);
    let shared = Rc::clone(shared);
    let serve = async move {
        let channel = connection.channel();
        match wrap(channel, socket).await {
            Ok(socket) => drop(run_session(&shared, channel, &name, socket, Start::Heard).await),
            Err(error) => {
                let kind = match TlsError::is_certificate(&error) {
                    true => "certificate",
                    false => "tls",
                };
                channel.refuse(kind, &name, &error.to_string(), &shared);
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

/// A client may take so long for its handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
