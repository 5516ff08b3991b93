//! The receiver: the destination of the daemon's stream, which goes away and comes back. When it
//! is away nobody listens, and connections are cut as they stand.

use super::balance::Ledger;
use super::clock::DemoClock;
use super::clock::tick;
use super::outage::Outages;
use super::outage::Presence;
use super::sink;
use crate::net;
use crate::net::Address;
use crate::net::Interest;
use crate::net::Listener;
use crate::net::Socket;
use crate::net::SocketRights;
use smol::LocalExecutor;
use smol::Task;
use smol::future::or;
use smol::future::yield_now;
use std::cell::Cell;
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// A server that counts.
pub(super) struct Receiver {
    address: SocketAddr,
    /// When it is away.
    plan: Outages,
    presence: Cell<Presence>,
    pub(super) ledger: RefCell<Ledger>,
}

impl Receiver {
    pub(super) fn new(address: SocketAddr, plan: Outages, ledger: Ledger) -> Self {
        let (presence, ledger) = (Cell::new(Presence::Away), RefCell::new(ledger));
        Self {
            address,
            plan,
            presence,
            ledger,
        }
    }

    /// Whether it listens.
    pub(super) fn presence(&self) -> Presence {
        self.presence.get()
    }

    /// Comes and goes, for ever. Waits on: the plan, its socket.
    pub(super) async fn run(
        self: Rc<Self>,
        executor: Rc<LocalExecutor<'static>>,
        clock: Rc<DemoClock>,
    ) {
        loop {
            clock.until(&self.plan, Presence::Here).await;
            if let Ok(listener) = net::listen(&Address::Tcp(self.address), &SocketRights::default())
            {
                self.presence.set(Presence::Here);
                let gone = clock.until(&self.plan, Presence::Away);
                or(gone, self.accept(&executor, listener)).await;
                self.presence.set(Presence::Away);
            }
            tick().await;
        }
    }

    /// Accepts for ever.
    ///
    /// # Cancellation
    /// The socket and all connections are closed.
    async fn accept(self: &Rc<Self>, executor: &LocalExecutor<'static>, listener: Listener) {
        let mut connections: Vec<Task<io::Result<()>>> = Vec::new();
        loop {
            match listener.accept().await {
                Ok((socket, _)) if connections.len() < CONNECTIONS_MAX => {
                    connections.push(executor.spawn(Rc::clone(self).exchange(socket)));
                }
                _ => tick().await,
            }
            connections.retain(|connection| !connection.is_finished());
        }
    }

    /// Takes requests until the far end has no more. Waits on: the socket, the way to the far end.
    async fn exchange(self: Rc<Self>, socket: Socket) -> io::Result<()> {
        let (mut input, mut out) = (Vec::new(), Vec::new());
        loop {
            match socket.try_read(&mut input)? {
                Some(0) => return Ok(()),
                Some(_) => yield_now().await,
                None => {
                    let interest = Interest::of(Some(()), (!out.is_empty()).then_some(()));
                    socket.ready(interest).await?;
                }
            }
            while let Some(len) = self.take(&input)? {
                input.drain(..len);
                smol::Timer::after(LATENCY).await;
                out.extend(sink::ACCEPTED);
            }
            socket.try_write(&mut out)?;
        }
    }

    fn take(&self, input: &[u8]) -> io::Result<Option<usize>> {
        let taken = sink::take(input, &mut self.ledger.borrow_mut());
        taken.map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

/// There and back over a mobile network: in this time an outage finds requests that were counted
/// and not answered, which makes repeats.
const LATENCY: Duration = Duration::from_millis(60);

const CONNECTIONS_MAX: usize = 16;
