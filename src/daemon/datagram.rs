//! A datagram socket of a channel: packets between one socket and its sessions, one for all senders
//! or one for each, as the protocol says.

use super::channel::Channel;
use super::ingress::ACK_TOKENS_MAX;
use super::ingress::AckTokens;
use super::ingress::Ingress;
use super::peers::KnownPeer;
use super::shared::SharedState;
use super::traffic::Conn;
use super::waits::PAUSE;
use super::waits::Waits;
use super::waits::sleep;
use crate::api::Way;
use crate::channel::Disconnect;
use crate::channel::Session;
use crate::channel::kind::Datagrams::BySender;
use crate::net::Interest;
use crate::net::Watched;
use crate::net::unless_blocked;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::time::Duration;

/// One datagram socket with what its senders wait for.
pub(super) struct Datagrams<'a> {
    shared: &'a SharedState,
    channel: &'a Channel,
    socket: Watched<UdpSocket>,
    /// At most `max_connections`.
    peers: Vec<Peer>,
}

/// A session and those who speak to it.
struct Peer {
    /// The only one, where each sender has a session of its own.
    address: Option<SocketAddr>,
    known: KnownPeer,
    session: Box<dyn Session>,
    ack_tokens: AckTokens,
    /// The sender of each ack token, in the same order.
    senders: VecDeque<SocketAddr>,
    /// Who sent last: to whom it says what nobody asked for.
    last: SocketAddr,
    active: Duration,
}

impl<'a> Datagrams<'a> {
    pub(super) fn new(
        shared: &'a SharedState,
        channel: &'a Channel,
        socket: Watched<UdpSocket>,
    ) -> Self {
        Self {
            shared,
            channel,
            socket,
            peers: Vec::new(),
        }
    }

    /// Serves for ever. Waits on: the socket, the ring's watermark, what is due.
    pub(super) async fn serve(mut self) {
        loop {
            self.answer();
            let due = self.wake();
            let mut packet = [0; PACKET_MAX];
            match unless_blocked(self.socket.of().recv_from(&mut packet)) {
                Ok(Some((len, sender))) => {
                    self.take(packet.get(..len).unwrap_or_default(), sender);
                    smol::future::yield_now().await;
                }
                Ok(None) => {
                    let wait = due.map(|due| due.saturating_sub(self.shared.now().mono).max(TICK));
                    let until = self.peers.iter().filter_map(|it| it.ack_tokens.first());
                    let durable = self.shared.ring.durable_event(until.min());
                    let waits = Waits::on_event(durable).at_most(wait);
                    waits.or_ready(self.ready()).await;
                }
                Err(error) => self.complain(&error).await,
            }
        }
    }

    async fn ready(&self) {
        if self.socket.ready(Interest::Read).await.is_err() {
            sleep(Some(PAUSE)).await;
        }
    }

    async fn complain(&self, error: &io::Error) {
        log::debug!("channel `{}`: udp: {error}", self.channel.name());
        sleep(Some(PAUSE)).await;
    }

    fn take(&mut self, packet: &[u8], sender: SocketAddr) {
        let (shared, channel, peer) = (self.shared, self.channel, sender.to_string());
        if !channel.admits(Some(sender)) {
            return channel.refuse("address", &peer, "not in `allow`", shared);
        }
        self.note(packet, sender, Way::In);
        let waiting: usize = self.peers.iter().map(|peer| peer.ack_tokens.len()).sum();
        if waiting >= ACK_TOKENS_MAX {
            return channel.refuse("busy", &peer, "too many wait for the ring", shared);
        }
        let Some(at) = self.peer(sender) else { return };
        let Some(known) = self.peers.get_mut(at) else {
            return;
        };
        (known.last, known.active) = (sender, shared.now().mono);
        if known.session.is_blocked() {
            return channel.refuse("busy", &peer, "too much of it waits for the ring", shared);
        }
        let mut out = Vec::new();
        let result = known.with_ingress(shared, channel, |session, ingress| {
            session.receive(packet, ingress, &mut out).map(drop)
        });
        self.send(&out, sender);
        self.settle(at, result);
    }

    /// Where the session of a sender is; a new one may take the place of the longest silent one
    /// that is owed no answer.
    fn peer(&mut self, sender: SocketAddr) -> Option<usize> {
        let settings = &self.channel.settings;
        let is_apart = settings.kind.datagrams() == Some(BySender);
        let address = is_apart.then_some(sender);
        let known = self.peers.iter().position(|peer| peer.address == address);
        if known.is_some() {
            return known;
        }
        let session = settings.protocol.datagram_session()?;
        let name = address.map_or_else(|| "udp".to_owned(), |address| address.to_string());
        if self.peers.len() >= settings.max_connections {
            let Some(silent) = self.longest_silent() else {
                let detail = "`max_connections` senders wait for answers";
                self.channel
                    .refuse("connections", &name, detail, self.shared);
                return None;
            };
            self.peers.swap_remove(silent);
        }
        self.peers.push(Peer {
            address,
            known: KnownPeer::of(&self.channel.peers, &name, self.shared.now().mono),
            session,
            ack_tokens: AckTokens::default(),
            senders: VecDeque::new(),
            last: sender,
            active: Duration::ZERO,
        });
        Some(self.peers.len() - 1)
    }

    /// Without its answer a sender would bring again what is here already.
    fn longest_silent(&self) -> Option<usize> {
        let senders = self.peers.iter().enumerate();
        let free = senders.filter(|(_, peer)| peer.ack_tokens.is_empty());
        let silent = free.min_by_key(|(_, peer)| peer.active);
        silent.map(|(at, _)| at)
    }

    /// Forgets the session of a sender that it does not want to hear more of.
    fn settle(&mut self, at: usize, result: Result<(), Disconnect>) {
        let Err(close) = result else { return };
        if let Some(peer) = self.peers.get(at) {
            let (name, last) = (self.channel.name(), peer.last);
            log::debug!("channel `{name}`: {last}: {}", close.reason);
            if peer.address.is_some() {
                self.peers.swap_remove(at);
            }
        }
    }

    fn answer(&mut self) {
        let safe_until = self.shared.ring.safe();
        let mut answers = Vec::new();
        for peer in &mut self.peers {
            let safe: Vec<u64> = peer.ack_tokens.safe(safe_until).collect();
            let senders = peer.senders.drain(..safe.len().min(peer.senders.len()));
            for (ack_token, sender) in safe.into_iter().zip(senders) {
                let mut out = Vec::new();
                peer.session.on_durable(ack_token, &mut out);
                answers.push((out, sender));
            }
        }
        for (out, sender) in answers {
            self.send(&out, sender);
        }
    }

    /// Lets sessions do what is due, forgets those that are silent for long; when the next is.
    fn wake(&mut self) -> Option<Duration> {
        let (shared, channel, now) = (self.shared, self.channel, self.shared.now().mono);
        let idle = channel.settings.idle_timeout;
        self.peers
            .retain(|peer| peer.address.is_none() || peer.active + idle > now);
        let due = |peer: &Peer| peer.session.wake_at().is_some_and(|due| due <= now);
        while let Some(at) = self.peers.iter().position(due) {
            let Some(peer) = self.peers.get_mut(at) else {
                break;
            };
            let (mut out, last) = (Vec::new(), peer.last);
            let result = peer.with_ingress(shared, channel, |session, ingress| {
                session.wake(ingress, &mut out)
            });
            let stuck = result.is_ok() && due(peer);
            self.send(&out, last);
            self.settle(at, result);
            if stuck {
                break;
            }
        }
        let next = |peer: &Peer| {
            let idle_at = peer.address.map(|_| peer.active + idle);
            peer.session.wake_at().into_iter().chain(idle_at).min()
        };
        self.peers.iter().filter_map(next).min()
    }

    /// Sends or loses: the sender asks again, that is what UDP is.
    fn send(&self, answer: &[u8], sender: SocketAddr) {
        if answer.is_empty() {
            return;
        }
        self.note(answer, sender, Way::Out);
        if let Err(error) = self.socket.of().send_to(answer, sender) {
            let name = self.channel.name();
            log::debug!("channel `{name}`: {sender}: answer lost: {error}");
        }
    }

    /// Shows a datagram to whoever looks.
    fn note(&self, packet: &[u8], peer: SocketAddr, way: Way) {
        let traffic = &self.channel.traffic;
        if traffic.is_watched() {
            let peer = &peer.to_string();
            let number = traffic.number_of(peer, self.shared);
            traffic.note(self.shared, Conn { number, peer }, way, (packet, 0));
        }
    }
}

impl Peer {
    /// Has the session do something, and remembers for whom its ack tokens are.
    fn with_ingress(
        &mut self,
        shared: &SharedState,
        channel: &Channel,
        work: impl FnOnce(&mut dyn Session, &mut Ingress<'_>) -> Result<(), Disconnect>,
    ) -> Result<(), Disconnect> {
        let (peer, before) = (self.last.to_string(), self.ack_tokens.len());
        let conn = match channel.traffic.is_watched() {
            true => channel.traffic.number_of(&peer, shared),
            false => 0,
        };
        let mut ingress = Ingress {
            shared,
            channel,
            now: shared.now(),
            peer: &peer,
            conn,
            known: Some(&self.known),
            ack_tokens: &mut self.ack_tokens,
            claim: &mut None,
        };
        let result = work(self.session.as_mut(), &mut ingress);
        let fresh = self.ack_tokens.len().saturating_sub(before);
        self.senders.extend(std::iter::repeat_n(self.last, fresh));
        result
    }
}

/// The longest datagram that is read; what is longer is cut, and refused for it.
const PACKET_MAX: usize = 8 * 1024;

/// Shortest sleep: a time that has passed is not waited for in a circle.
const TICK: Duration = Duration::from_millis(1);
