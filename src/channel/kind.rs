//! What one type of channel says of itself: a row of [`super::KINDS`], and what its keys become.

use super::Session;
use super::connect::Connect;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::same::Same;
use crate::net::bus::Filter;
use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// A type that weir speaks.
#[derive(Debug)]
pub struct Kind {
    /// As `type` and `protocol.name` have it.
    pub name: &'static str,
    /// The line to write where it is said neither where to listen nor where to connect.
    pub example: &'static str,
    /// How its devices and it come together; none where nobody sends.
    pub(crate) ways: &'static [Way],
    /// Whether `ident` has to be there.
    pub(crate) ident: Ident,
    /// Reads the keys of its own; none if one that it needs is wrong or not there.
    pub(crate) read: fn(&mut Reader<'_>) -> Option<Rc<dyn Protocol>>,
}

/// Reads `connect`: a host and port, a URL.
pub(crate) type ReadConnect = fn(&str) -> Result<Connect, ValueError>;

/// A way to bring bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// It listens on TCP and Unix sockets.
    Tcp,
    /// It listens on UDP.
    Udp(Datagrams),
    /// It reads serial lines.
    Serial,
    /// It connects, to what this reads from `connect`.
    Connect(ReadConnect),
    /// It listens to a bus that `connect` names: it makes its messages at times of its own.
    Bus,
}

/// What the datagrams of a protocol are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datagrams {
    /// Each is whole in itself: one session serves all senders.
    Whole,
    /// What one says counts for the next: each sender has a session of its own.
    BySender,
}

/// What a call of [`Session::receive`] brings, where a protocol is the same over both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Bytes as they came.
    Bytes,
    /// Whole units, the last one with or without its end.
    Datagram,
}

/// Whether messages name who sent them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ident {
    /// All do, or are refused.
    Named,
    /// Those that come through sockets that are listened on may.
    Sometimes,
    /// None does.
    Never,
}

/// The keys of one type, as they were read: they begin its sessions. What compares them is there
/// for every type with `PartialEq`.
pub trait Protocol: Same + fmt::Debug {
    /// The session of a new connection, accepted or made, or of a serial line; `client_id` is what
    /// this side calls itself where it connects. None where there are no connections.
    fn session(self: Rc<Self>, client_id: &str) -> Option<Box<dyn Session>> {
        let _ = client_id;
        None
    }

    /// The session of a datagram socket, or of one sender to it, as [`Datagrams`] says; none where
    /// the protocol has no datagrams.
    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        None
    }

    /// Which frames of a bus say something; empty: all of them.
    fn filters(&self) -> Vec<Filter> {
        Vec::new()
    }
}

/// The keys of a channel, whichever its type is; shared with its sessions.
#[derive(Clone, Debug)]
pub struct AnyProtocol(pub Rc<dyn Protocol>);

impl Kind {
    /// What its datagrams are; none where it does not listen on UDP.
    #[must_use]
    pub fn datagrams(&self) -> Option<Datagrams> {
        self.ways.iter().find_map(|way| match way {
            Way::Udp(datagrams) => Some(*datagrams),
            Way::Tcp | Way::Serial | Way::Connect(_) | Way::Bus => None,
        })
    }

    /// Reads `connect`; none where it does not connect.
    pub(crate) fn connect(&self) -> Option<ReadConnect> {
        self.ways.iter().find_map(|way| match way {
            Way::Connect(read) => Some(*read),
            Way::Tcp | Way::Udp(_) | Way::Serial | Way::Bus => None,
        })
    }

    /// Whether it listens on anything.
    pub(crate) fn listens(&self) -> bool {
        let connects = |way: &Way| matches!(way, Way::Connect(_) | Way::Bus);
        !self.ways.iter().all(connects)
    }

    /// Whether it listens to a bus.
    pub(crate) fn is_of_bus(&self) -> bool {
        self.ways.iter().any(|way| matches!(way, Way::Bus))
    }

    /// Whether `every` thins what devices send, and is not the type's own.
    pub(crate) fn is_thinned(&self) -> bool {
        !self.ways.is_empty() && !self.is_of_bus()
    }
}

/// Names are unique.
impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl AnyProtocol {
    /// The keys, where they are of this type.
    #[must_use]
    pub fn keys<T: Protocol>(&self) -> Option<&T> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }

    /// See [`Protocol::session`].
    #[must_use]
    pub fn session(&self, client_id: &str) -> Option<Box<dyn Session>> {
        Rc::clone(&self.0).session(client_id)
    }

    /// See [`Protocol::datagram_session`].
    #[must_use]
    pub fn datagram_session(&self) -> Option<Box<dyn Session>> {
        Rc::clone(&self.0).datagram_session()
    }
}

impl PartialEq for AnyProtocol {
    fn eq(&self, other: &Self) -> bool {
        // of what is in the box, not of the box: that is no type with `PartialEq` itself
        (*self.0).is_same(&*other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::KINDS;

    #[test]
    fn every_type_has_one_name_and_an_example_where_it_needs_one() {
        for (at, kind) in KINDS.iter().enumerate() {
            let before = KINDS.iter().take(at);
            assert!(before.clone().all(|other| *other != *kind), "{}", kind.name);
            assert_eq!(kind.example.is_empty(), kind.ways.is_empty());
            let listens = kind.example.starts_with("listen");
            assert_eq!(listens, kind.listens(), "{}", kind.name);
        }
    }

    #[test]
    fn keys_are_the_same_only_for_the_same_type() {
        #[derive(Debug, PartialEq)]
        struct One(u8);
        #[derive(Debug, PartialEq)]
        struct Other(u8);
        impl Protocol for One {}
        impl Protocol for Other {}
        let one = AnyProtocol(Rc::new(One(1)));
        assert_eq!(one, AnyProtocol(Rc::new(One(1))));
        assert_ne!(one, AnyProtocol(Rc::new(One(2))));
        assert_ne!(one, AnyProtocol(Rc::new(Other(1))));
        assert_eq!(one.keys::<One>(), Some(&One(1)));
        assert_eq!(one.keys::<Other>(), None);
    }
}
