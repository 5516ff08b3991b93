//! A recording: the last packets, without their secrets, and whose they are.

use super::Conn;
use crate::api::Packet;
use crate::api::PacketLook;
use crate::api::Way;
use crate::pattern::fits;
use crate::traffic::Forms;
use crate::traffic::Secrets;
use crate::traffic::Veil;
use base64::prelude::BASE64_STANDARD as BASE64;
use base64::prelude::Engine as _;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// The last packets: [`BYTES_MAX`] of them, of [`CONNECTIONS_MAX`] connections.
pub(super) struct Recording {
    forms: Forms,
    packets: VecDeque<Kept>,
    bytes: usize,
    connections: VecDeque<Known>,
}

/// One packet.
struct Kept {
    id: u64,
    since_1970: Duration,
    way: Way,
    conn: u64,
    peer: Rc<str>,
    data: Box<[u8]>,
    left_out: usize,
}

/// One connection.
struct Known {
    number: u64,
    peer: Rc<str>,
    /// Who named itself in it last, newest at the end.
    idents: VecDeque<Box<str>>,
    /// What comes, what goes.
    veils: (Veil, Veil),
}

impl Recording {
    pub(super) fn new(secrets: &Secrets) -> Self {
        Self {
            forms: secrets.forms(),
            packets: VecDeque::new(),
            bytes: 0,
            connections: VecDeque::new(),
        }
    }

    /// Keeps one more, and forgets the oldest.
    pub(super) fn note(
        &mut self,
        (id, since_1970): (u64, Duration),
        conn: Conn<'_>,
        way: Way,
        unit: &[u8],
        from: usize,
    ) {
        self.meet(conn);
        let Some(known) = self.connections.back_mut() else {
            return;
        };
        let veil = match way {
            Way::In => &mut known.veils.0,
            Way::Out => &mut known.veils.1,
        };
        let mut data = veil.shown(&self.forms, unit, from);
        let left_out = data.len().saturating_sub(PACKET_MAX);
        data.truncate(PACKET_MAX);
        let packet = Kept {
            id,
            since_1970,
            way,
            conn: conn.number,
            peer: Rc::clone(&known.peer),
            data: data.into_boxed_slice(),
            left_out,
        };
        self.bytes += packet.memory_used();
        self.packets.push_back(packet);
        while self.bytes > BYTES_MAX {
            let gone = self.packets.pop_front();
            self.bytes -= gone.map_or(self.bytes, |gone| gone.memory_used());
        }
    }

    /// Has a connection stand last; the one that was silent for longest may be forgotten.
    fn meet(&mut self, conn: Conn<'_>) {
        let mut all = self.connections.iter();
        let known = all.position(|known| known.number == conn.number);
        let known = known.and_then(|at| self.connections.remove(at));
        if known.is_none() && self.connections.len() >= CONNECTIONS_MAX {
            self.connections.pop_front();
        }
        self.connections.push_back(known.unwrap_or_else(|| Known {
            number: conn.number,
            peer: conn.peer.into(),
            idents: VecDeque::new(),
            veils: Default::default(),
        }));
    }

    /// An ident was named in a connection.
    pub(super) fn named(&mut self, conn: u64, ident: &str) {
        let mut all = self.connections.iter_mut();
        let Some(known) = all.find(|known| known.number == conn) else {
            return;
        };
        known.idents.retain(|known| **known != *ident);
        if known.idents.len() >= IDENTS_MAX {
            known.idents.pop_front();
        }
        known.idents.push_back(ident.into());
    }

    /// The number that a peer has had.
    pub(super) fn number_of(&self, peer: &str) -> Option<u64> {
        let mut all = self.connections.iter();
        let known = all.find(|known| *known.peer == *peer)?;
        Some(known.number)
    }

    /// Those that are asked for; no id is greater than `last`.
    pub(super) fn packets(&self, look: &PacketLook, last: u64) -> Vec<Packet> {
        // a number of an earlier life means nothing
        let after = look.after.filter(|after| *after <= last);
        let all = self.packets.iter().filter(|packet| {
            let is_named = |ident: &String| {
                self.known(packet.conn)
                    .is_some_and(|known| known.idents.iter().any(|named| fits(ident, named)))
            };
            after.is_none_or(|after| packet.id > after)
                && look.conn.is_none_or(|conn| conn == packet.conn)
                && look.ident.as_ref().is_none_or(is_named)
        });
        match after {
            Some(_) => all
                .take(look.count)
                .map(|packet| self.show(packet))
                .collect(),
            None => {
                let last = all.rev().take(look.count);
                let mut last: Vec<_> = last.map(|packet| self.show(packet)).collect();
                last.reverse();
                last
            }
        }
    }

    fn known(&self, conn: u64) -> Option<&Known> {
        self.connections.iter().find(|known| known.number == conn)
    }

    fn show(&self, packet: &Kept) -> Packet {
        let ident = self
            .known(packet.conn)
            .and_then(|known| known.idents.back());
        let micros = u64::try_from(packet.since_1970.as_micros()).unwrap_or(u64::MAX);
        Packet {
            id: packet.id,
            timestamp: Duration::from_micros(micros).as_secs_f64(),
            way: packet.way,
            conn: packet.conn,
            peer: packet.peer.to_string(),
            ident: ident.map(|ident| ident.to_string()),
            data: BASE64.encode(&packet.data),
            left_out: packet.left_out,
        }
    }
}

impl Kept {
    fn memory_used(&self) -> usize {
        size_of::<Self>() + self.data.len()
    }
}

/// Bytes of RAM that the packets take.
const BYTES_MAX: usize = 64 * 1024;

/// Bytes that are kept of one packet.
const PACKET_MAX: usize = 16 * 1024;

/// Connections that are told apart: two tails of a quarter of a KiB each.
const CONNECTIONS_MAX: usize = 64;

/// Idents of one connection that are known: of a program many may come over one.
const IDENTS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn note(recording: &mut Recording, id: u64, conn: u64, data: &[u8]) {
        let peer = "p";
        let conn = Conn { number: conn, peer };
        recording.note((id, Duration::ZERO), conn, Way::In, data, 0);
    }

    fn ids(recording: &Recording, look: &PacketLook) -> Vec<u64> {
        let packets = recording.packets(look, u64::MAX).into_iter();
        packets.map(|packet| packet.id).collect()
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut recording = Recording::new(&Secrets::default());
        for id in 0..2000 {
            note(&mut recording, id, id, b"x");
            recording.named(id, "i");
            (0..20).for_each(|ident| recording.named(id, &ident.to_string()));
        }
        assert!(recording.bytes <= BYTES_MAX && recording.packets.len() < 2000);
        assert_eq!(recording.connections.len(), CONNECTIONS_MAX);
        assert_eq!(recording.connections[0].idents.len(), IDENTS_MAX);
        note(&mut recording, 2000, 1, &[b'x'; 3 * PACKET_MAX]);
        let last = recording.packets.back().unwrap();
        assert_eq!(
            (last.data.len(), last.left_out),
            (PACKET_MAX, 2 * PACKET_MAX)
        );
        assert!(recording.bytes <= BYTES_MAX);
    }

    #[test]
    fn a_look_is_at_a_connection_or_at_an_ident() {
        let mut recording = Recording::new(&Secrets::default());
        for id in 1..=6 {
            note(&mut recording, id, id % 2, b"x");
        }
        recording.named(1, "352");
        let all = PacketLook::default();
        assert_eq!(ids(&recording, &all), [1, 2, 3, 4, 5, 6]);
        let conn = PacketLook {
            conn: Some(0),
            ..all.clone()
        };
        assert_eq!(ids(&recording, &conn), [2, 4, 6]);
        let ident = PacketLook {
            ident: Some("35*".to_owned()),
            ..all.clone()
        };
        assert_eq!(ids(&recording, &ident), [1, 3, 5]);
        let last = PacketLook {
            count: 2,
            ..all.clone()
        };
        assert_eq!(ids(&recording, &last), [5, 6]);
        let next = PacketLook {
            count: 2,
            after: Some(2),
            ..all
        };
        assert_eq!(ids(&recording, &next), [3, 4]);
        assert_eq!(recording.packets(&next, 1)[0].id, 5, "of an earlier life");
    }
}
