//! A tracker: carries bytes between one vehicle and the daemon. Understands none of them.

use super::clock::DemoClock;
use super::clock::tick;
use super::outage::Outages;
use super::outage::Presence;
use super::road::Road;
use super::snapshot::Phase;
use super::snapshot::Seen;
use super::vehicle::Pace;
use super::vehicle::Vehicle;
use crate::net::Interest;
use crate::net::Socket;
use crate::net::Watched;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use smol::Async;
use smol::future::or;
use std::cell::Cell;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

/// Where a vehicle speaks.
pub(super) enum Target {
    /// To a port of the daemon.
    Port(SocketAddr),
    /// Into a FIFO that the daemon reads.
    Fifo(PathBuf),
}

/// One vehicle and its way to the daemon.
pub(super) struct Tracker {
    pub(super) vehicle: RefCell<Vehicle>,
    /// Where the daemon listens to it.
    target: Target,
    /// When it has no coverage.
    plan: Outages,
    link: Cell<Presence>,
}

impl Tracker {
    pub(super) fn new(vehicle: Vehicle, target: Target, plan: Outages) -> Self {
        Self {
            vehicle: RefCell::new(vehicle),
            target,
            plan,
            link: Cell::new(Presence::Away),
        }
    }

    /// What there is to see of it.
    pub(super) fn seen(&self, road: &Road) -> Seen {
        let vehicle = self.vehicle.borrow();
        Seen {
            name: vehicle.name,
            protocol: vehicle.protocol,
            fix: vehicle.fix(road),
            account: vehicle.account(),
            link: self.link.get(),
        }
    }

    /// Talks to the daemon while there is coverage, for ever. Waits on: the plan, the socket.
    pub(super) async fn run(self: Rc<Self>, clock: Rc<DemoClock>) {
        loop {
            clock.until(&self.plan, Presence::Here).await;
            let gone = async {
                clock.until(&self.plan, Presence::Away).await;
                Ok(())
            };
            let exchange = async {
                match &self.target {
                    Target::Port(address) => self.exchange(*address, &clock).await,
                    Target::Fifo(path) => self.speak(path, &clock).await,
                }
            };
            let _ended: io::Result<()> = or(gone, exchange).await;
            self.link.set(Presence::Away);
            self.vehicle.borrow_mut().disconnected();
            tick().await;
        }
    }

    /// One connection from its first byte to its end.
    ///
    /// # Cancellation
    /// What was under way in either direction is gone; the vehicle still has it.
    async fn exchange(&self, address: SocketAddr, clock: &DemoClock) -> io::Result<()> {
        let socket = Socket::connect(address).await?;
        self.link.set(Presence::Here);
        let (mut input, mut out) = (Vec::new(), Vec::new());
        self.vehicle.borrow_mut().connected(&mut out);
        loop {
            if socket.try_read(&mut input)? == Some(0) {
                return Ok(());
            }
            self.turn(clock, &mut input, &mut out)?;
            socket.try_write(&mut out)?;
            let interest = Interest::of(Some(()), (!out.is_empty()).then_some(()));
            or(socket.ready(interest), async {
                tick().await;
                Ok(())
            })
            .await?;
        }
    }

    /// Speaks for ever, and hears nothing; an error where nobody reads.
    async fn speak(&self, path: &Path, clock: &DemoClock) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fifo = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let fifo = Socket::Serial(Watched::new(Async::new_nonblocking(fifo)?));
        self.link.set(Presence::Here);
        let (mut input, mut out) = (Vec::new(), Vec::new());
        self.vehicle.borrow_mut().connected(&mut out);
        loop {
            self.turn(clock, &mut input, &mut out)?;
            fifo.try_write(&mut out)?;
            tick().await;
        }
    }

    /// Understands what came and says what there is to say.
    fn turn(&self, clock: &DemoClock, input: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        let mut vehicle = self.vehicle.borrow_mut();
        loop {
            match vehicle
                .receive(input)
                .map_err(|_| io::ErrorKind::InvalidData)?
            {
                0 => break,
                used => drop(input.drain(..used.min(input.len()))),
            }
        }
        let pace = match clock.phase() {
            Phase::Driving => Pace::Gather,
            Phase::Draining | Phase::Done => Pace::Flush,
        };
        if out.is_empty() {
            vehicle.send(pace, out);
        }
        Ok(())
    }
}
