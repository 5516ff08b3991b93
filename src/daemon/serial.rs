//! Serial lines and buses: one conversation from when the device is there until it goes.

use super::channel::Channel;
use super::open_connection::OpenConnection;
use super::session_end::SessionEnd;
use super::session_task::Start;
use super::session_task::run_session;
use super::shared::SharedState;
use crate::net::Address;
use crate::net::Connection;
use crate::net::Socket;
use std::rc::Rc;
use std::time::Duration;

/// Serves the line until it ends, and says why.
pub(super) async fn serve(
    shared: &SharedState,
    channel: &Rc<Channel>,
    address: &Address,
    socket: Socket,
    start: Start,
) -> SessionEnd {
    let counted = OpenConnection::count(channel);
    let name = match address {
        Address::Serial(line) => line.path.display().to_string(),
        other => other.to_string(),
    };
    let end = run_session(shared, channel, &name, Connection::Plain(socket), start).await;
    drop(counted);
    end
}

/// A device that is plugged in again is there within seconds.
pub(super) const AGAIN: Duration = Duration::from_secs(3);
