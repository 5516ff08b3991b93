//! One of a channel's connections, counted while it lives.

use super::channel::Channel;
use std::rc::Rc;

/// One of a channel's connections, counted while it lives.
pub(super) struct OpenConnection(Rc<Channel>);

impl OpenConnection {
    pub(super) fn count(channel: &Rc<Channel>) -> Self {
        channel.connections.set(channel.connections.get() + 1);
        Self(Rc::clone(channel))
    }

    pub(super) fn channel(&self) -> &Rc<Channel> {
        &self.0
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0
            .connections
            .set(self.0.connections.get().saturating_sub(1));
    }
}
