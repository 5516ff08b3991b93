//! A datagram socket of a channel: packets between one socket and one session.

use super::hub::Hub;
use super::intake::{Channel, Door, TICKETS_MAX, Tickets};
use crate::channel::Session;
use crate::net::unless_blocked;
use async_io::Async;
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};

/// One datagram socket with what its senders wait for.
pub(super) struct Datagrams<'a> {
    hub: &'a Hub,
    channel: &'a Channel,
    socket: Async<UdpSocket>,
    session: Box<dyn Session>,
    tickets: Tickets,
    /// The sender of each ticket, in the same order.
    senders: VecDeque<SocketAddr>,
}

impl<'a> Datagrams<'a> {
    pub(super) fn new(
        hub: &'a Hub,
        channel: &'a Channel,
        socket: Async<UdpSocket>,
        session: Box<dyn Session>,
    ) -> Self {
        let (tickets, senders) = (Tickets::default(), VecDeque::new());
        Self {
            hub,
            channel,
            socket,
            session,
            tickets,
            senders,
        }
    }

    /// Serves for ever. Waits on: the socket, the ring's watermark.
    pub(super) async fn serve(mut self) {
        loop {
            let risen = self.hub.risen();
            self.answer();
            let mut packet = [0; PACKET_MAX];
            match unless_blocked(self.socket.get_ref().recv_from(&mut packet)) {
                Ok(Some((len, sender))) => {
                    self.take(packet.get(..len).unwrap_or_default(), sender);
                    futures_lite::future::yield_now().await;
                }
                Ok(None) => super::first_of(self.ready(), risen).await,
                Err(error) => self.complain(&error).await,
            }
        }
    }

    async fn ready(&self) {
        if self.socket.readable().await.is_err() {
            super::sleep(Some(super::PAUSE)).await;
        }
    }

    async fn complain(&self, error: &io::Error) {
        log::debug!("channel `{}`: udp: {error}", self.channel.name());
        super::sleep(Some(super::PAUSE)).await;
    }

    fn take(&mut self, packet: &[u8], sender: SocketAddr) {
        let peer = sender.to_string();
        if !self.channel.admits(Some(sender)) {
            return self
                .channel
                .refuse("address", &peer, "not in `allow`", self.hub);
        }
        if self.tickets.len() >= TICKETS_MAX {
            return self
                .channel
                .refuse("busy", &peer, "too many wait for the ring", self.hub);
        }
        let mut fresh = Tickets::default();
        let (hub, channel) = (self.hub, self.channel);
        let mut door = Door {
            hub,
            channel,
            peer: &peer,
            tickets: &mut fresh,
        };
        let mut out = Vec::new();
        if let Err(close) = self.session.receive(packet, &mut door, &mut out) {
            log::debug!(
                "channel `{}`: {peer}: {}",
                self.channel.name(),
                close.reason
            );
        }
        for (until, ticket) in fresh.into_waiting() {
            self.tickets.push(until, ticket);
            self.senders.push_back(sender);
        }
        self.send(&out, sender);
    }

    fn answer(&mut self) {
        let safe: Vec<u64> = self.tickets.safe(self.hub.safe()).collect();
        for ticket in safe {
            let Some(sender) = self.senders.pop_front() else {
                return;
            };
            let mut out = Vec::new();
            self.session.safe(ticket, &mut out);
            self.send(&out, sender);
        }
    }

    /// Sends or loses: the sender asks again, that is what UDP is.
    fn send(&self, answer: &[u8], sender: SocketAddr) {
        if answer.is_empty() {
            return;
        }
        if let Err(error) = self.socket.get_ref().send_to(answer, sender) {
            log::debug!(
                "channel `{}`: {sender}: answer lost: {error}",
                self.channel.name()
            );
        }
    }
}

/// The longest datagram that is read; what is longer is cut, and refused for it.
const PACKET_MAX: usize = 8 * 1024;
