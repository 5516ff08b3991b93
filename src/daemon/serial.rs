//! Serial lines: one task for each. A device that is not there, or goes, is tried again for ever.

use super::accept::{Executor, Place, Start, converse};
use super::hub::Hub;
use super::intake::Channel;
use super::sleep;
use crate::net::serial::{self, Line};
use crate::net::{Connection, Socket};
use async_executor::Task;
use std::rc::Rc;
use std::time::Duration;

/// Reads a line for ever.
pub(super) fn read(
    executor: &Executor,
    hub: &Rc<Hub>,
    channel: &Rc<Channel>,
    line: &Line,
) -> Task<()> {
    let (hub, channel, line) = (Rc::clone(hub), Rc::clone(channel), line.clone());
    executor.spawn(async move { keep_reading(&hub, &channel, &line).await })
}

/// Waits on: the line; where there is none, the time to look again.
async fn keep_reading(hub: &Hub, channel: &Rc<Channel>, line: &Line) {
    let mut said = false;
    loop {
        let before = channel.understood();
        let why = match serial::open(line) {
            Ok(socket) => serve(hub, channel, line, socket).await,
            Err(error) => error.to_string(),
        };
        said &= channel.understood() == before;
        if !said {
            let (name, every) = (channel.name(), AGAIN.as_secs());
            log::warn!("channel `{name}`: {line}: {why}; tried again every {every} s");
            said = true;
        }
        sleep(Some(AGAIN)).await;
    }
}

/// Serves the line until it ends, and says why.
async fn serve(hub: &Hub, channel: &Rc<Channel>, line: &Line, socket: Socket) -> String {
    let place = Place::take(channel);
    let (name, socket) = (line.path.display().to_string(), Connection::Plain(socket));
    let end = converse(hub, channel, &name, socket, Start::Joined).await;
    drop(place);
    end.to_string()
}

/// A device that is plugged in again is there within seconds.
const AGAIN: Duration = Duration::from_secs(3);
