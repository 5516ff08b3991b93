//! Listening: one task for each address of a channel. One that cannot be bound, or goes, is tried
//! again for ever, each on its own.

use super::accept::accept;
use super::channel::Channel;
use super::datagram::Datagrams;
use super::limit::Lasting;
use super::listen_state::AddressState;
use super::serial;
use super::session_end::SessionEnd;
use super::session_task::Start;
use super::shared::SharedState;
use super::waits::Executor;
use super::waits::Waits;
use super::waits::sleep;
use crate::api::FAULT;
use crate::api::RECOVERED;
use crate::channel::settings::Settings;
use crate::net;
use crate::net::Address;
use crate::net::Listener;
use crate::net::Socket;
use crate::net::Watched;
use crate::net::blame;
use crate::net::tls::Server;
use smol::Task;
use std::cell::Cell;
use std::cell::RefCell;
use std::io;
use std::net::UdpSocket;
use std::rc::Rc;
use std::time::Duration;

/// Listens on all addresses of a channel. Each is bound when this returns, or has said why not.
pub(super) fn listen(
    executor: &Executor,
    shared: &Rc<SharedState>,
    channel: &Rc<Channel>,
) -> Vec<Task<()>> {
    if let Some(Err(error)) = channel.tls.as_ref().map(Server::check) {
        log::error!(
            "channel `{}`: {error}; until then nobody is served",
            channel.name()
        );
    }
    let listen = |(index, address): (usize, &Address)| {
        let task = ListenTask {
            executor: Rc::clone(executor),
            shared: Rc::clone(shared),
            channel: Rc::clone(channel),
            index,
            address: address.clone(),
            trouble: RefCell::default(),
            pause: Cell::new(PAUSE_MIN),
        };
        let first = task.bind();
        executor.spawn(task.keep_listening(first))
    };
    channel
        .settings
        .listen
        .iter()
        .enumerate()
        .map(listen)
        .collect()
}

/// One address.
struct ListenTask {
    executor: Executor,
    shared: Rc<SharedState>,
    channel: Rc<Channel>,
    index: usize,
    address: Address,
    /// What was said of it, until it is over.
    trouble: RefCell<Lasting>,
    pause: Cell<Duration>,
}

/// What an address was bound to.
enum Bound {
    Connections(Listener),
    Datagrams(Watched<UdpSocket>),
    Serial(Socket),
    /// As it comes, or a log.
    Bus(Socket, Start),
}

impl ListenTask {
    /// Waits on: what was bound; while nothing is, the time to try again, and a call.
    async fn keep_listening(self, mut bound: Option<Bound>) {
        loop {
            let command = self.channel.command_event();
            if let Some(bound) = bound.take().or_else(|| self.bind()) {
                let before = self.channel.understood();
                let why = self.serve(bound).await;
                if self.channel.understood() > before {
                    self.trouble.borrow_mut().end();
                }
                self.is_not_bound(&why);
            }
            let pause = match self.address {
                Address::Serial(_) | Address::Bus(_) => serial::AGAIN,
                _ => self.pause.get(),
            };
            self.pause.set((pause * 2).min(PAUSE_MAX));
            Waits::on([command]).at_most(Some(pause)).end().await;
        }
    }

    /// Binds the address, or says why it cannot be bound.
    fn bind(&self) -> Option<Bound> {
        match open(&self.address, &self.channel.settings) {
            Ok(bound) => {
                self.channel.listening.set(self.index, AddressState::Bound);
                let may_end = matches!(bound, Bound::Serial(_) | Bound::Bus(..));
                if !may_end || !self.trouble.borrow().is_there() {
                    self.is_bound();
                }
                Some(bound)
            }
            Err(error) => {
                self.is_not_bound(&blame::listening(&self.address, &error).to_string());
                None
            }
        }
    }

    /// Serves until the end, and says why it ended: only a serial line does.
    async fn serve(&self, bound: Bound) -> String {
        match bound {
            Bound::Connections(listener) => {
                accept(&self.executor, &self.shared, &self.channel, listener).await
            }
            Bound::Datagrams(socket) => {
                Datagrams::new(&self.shared, &self.channel, socket)
                    .serve()
                    .await;
            }
            Bound::Serial(socket) => return self.converse(socket, Start::Joined).await.to_string(),
            Bound::Bus(socket, start) => {
                let end = self.converse(socket, start).await;
                if matches!((&end, start), (SessionEnd::Closed, Start::Heard)) {
                    log::info!(
                        "channel `{}`: {}: read to its end",
                        self.channel.name(),
                        self.address
                    );
                    return std::future::pending().await;
                }
                return match end {
                    SessionEnd::Io(error) => blame::listening(&self.address, &error).to_string(),
                    end => end.to_string(),
                };
            }
        }
        "ended".to_owned()
    }

    /// Serves what may end, and says why it ended.
    async fn converse(&self, socket: Socket, start: Start) -> SessionEnd {
        // one that ends at once again was none
        let settled = async {
            sleep(Some(SETTLED)).await;
            if self.trouble.borrow().is_there() && self.channel.listening.error().is_none() {
                self.is_bound();
            }
            std::future::pending().await
        };
        let serve = serial::serve(&self.shared, &self.channel, &self.address, socket, start);
        smol::future::or(serve, settled).await
    }

    fn is_bound(&self) {
        let (name, address) = (self.channel.name(), &self.address);
        self.pause.set(PAUSE_MIN);
        if self.trouble.borrow_mut().end() {
            let text = format!("listening on {address}");
            self.channel.note(&self.shared, RECOVERED, &text);
        }
        log::info!("channel `{name}`: listening on {address}");
    }

    fn is_not_bound(&self, why: &str) {
        let (name, text) = (self.channel.name(), format!("{}: {why}", self.address));
        self.channel
            .listening
            .set(self.index, AddressState::Not(text.as_str().into()));
        if self
            .trouble
            .borrow_mut()
            .admit(&text, self.shared.now().mono, SAY_EVERY)
        {
            log::warn!("channel `{name}`: not listening: {text}; tried again for ever");
            let text = format!("not listening: {text}");
            self.channel.note(&self.shared, FAULT, &text);
        }
    }
}

fn open(address: &Address, settings: &Settings) -> io::Result<Bound> {
    Ok(match address {
        Address::Tcp(_) | Address::Unix(_) => {
            Bound::Connections(net::listen(address, &settings.socket)?)
        }
        Address::Udp(udp) => Bound::Datagrams(net::bind(*udp)?),
        Address::Serial(line) => Bound::Serial(net::serial::open(line)?),
        Address::Bus(bus) => {
            let (socket, is_live) = net::bus::open(bus, &settings.protocol.0.filters())?;
            Bound::Bus(socket, if is_live { Start::Joined } else { Start::Heard })
        }
    })
}

/// Between two tries to bind an address; at once when one appears.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The same trouble is said again after so long.
const SAY_EVERY: Duration = Duration::from_mins(15);

/// A serial line that was lost is there again when it has stayed so long.
const SETTLED: Duration = Duration::from_secs(5);
