//! Who is connected to a channel: a few figures of each connection, while it lives.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Those of a channel, in the order in which they came: no more than it has connections.
#[derive(Default)]
pub(super) struct Peers {
    known: RefCell<BTreeMap<u64, Rc<Peer>>>,
    next: Cell<u64>,
}

/// One connection, or one sender of datagrams.
pub(super) struct Peer {
    pub(super) name: Box<str>,
    /// When it came.
    pub(super) since: Duration,
    /// Messages taken of it.
    pub(super) messages: Cell<u64>,
    /// Of its last message; the room is kept for the next.
    ident: RefCell<String>,
}

/// A peer that is known as long as this lives.
pub(super) struct KnownPeer {
    channel: Rc<Peers>,
    id: u64,
    peer: Rc<Peer>,
}

impl Peers {
    /// Calls up those that came last, at most `count`.
    pub(super) fn newest(&self, count: usize) -> Vec<Rc<Peer>> {
        let known = self.known.borrow();
        known.values().rev().take(count).map(Rc::clone).collect()
    }
}

impl Peer {
    pub(super) fn ident(&self) -> String {
        self.ident.borrow().clone()
    }
}

impl KnownPeer {
    /// Makes it known.
    pub(super) fn of(peers: &Rc<Peers>, name: &str, since: Duration) -> Self {
        let peer = Rc::new(Peer {
            name: name.into(),
            since,
            messages: Cell::default(),
            ident: RefCell::default(),
        });
        let peers = Rc::clone(peers);
        let id = peers.next.get();
        peers.next.set(id.wrapping_add(1));
        peers.known.borrow_mut().insert(id, Rc::clone(&peer));
        Self {
            channel: peers,
            id,
            peer,
        }
    }

    /// Counts messages that it brought, of which the last was of `ident`.
    pub(super) fn brought(&self, messages: u64, ident: &str) {
        self.peer.messages.set(self.peer.messages.get() + messages);
        let mut known = self.peer.ident.borrow_mut();
        if known.as_str() != ident {
            known.clear();
            known.push_str(ident);
        }
    }
}

impl Drop for KnownPeer {
    fn drop(&mut self) {
        self.channel.known.borrow_mut().remove(&self.id);
    }
}
