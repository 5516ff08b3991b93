//! The API's sockets: one task for the listening one, one for each connection. Understands
//! nothing of what passes.

use super::accept::Executor;
use super::limit::Lasting;
use super::{Daemon, first_of, sleep};
use crate::api::{Access, Keep, Session};
use crate::config::Api;
use crate::net::{self, Address, Interest, Listener, Socket};
use async_executor::Task;
use std::cell::Cell;
use std::fs;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// Listens as the configuration says; nothing where it says "off". What cannot be bound is tried
/// again for ever: a gateway forwards without it too.
pub(super) fn listen(executor: &Executor, daemon: &Daemon, api: &Api) -> Option<Desk> {
    let address = api.listen.clone()?;
    let is_bound = Rc::new(Cell::new(false));
    let server = Rc::new(Server {
        executor: Rc::clone(executor),
        daemon: daemon.clone(),
        access: access(&address, api.token.as_deref()),
        open: Cell::new(0),
    });
    let mut trouble = Lasting::default();
    let first = bind_or_say(&address, &mut trouble, server.mono());
    is_bound.set(first.is_some());
    let serve = server.keep_listening(address.clone(), first, trouble, Rc::clone(&is_bound));
    Some(Desk {
        address,
        is_bound,
        task: Some(executor.spawn(serve)),
    })
}

/// The listening socket, and its file: both go with it.
pub(super) struct Desk {
    address: Address,
    is_bound: Rc<Cell<bool>>,
    task: Option<Task<()>>,
}

impl Desk {
    /// Ends once nothing listens any more.
    pub(super) async fn close(mut self) {
        if let Some(task) = self.task.take() {
            task.cancel().await;
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address
            && self.is_bound.get()
            && let Err(error) = fs::remove_file(path)
        {
            log::debug!("api: {}: {error}", path.display());
        }
    }
}

fn bind_or_say(address: &Address, trouble: &mut Lasting, now: Duration) -> Option<Listener> {
    match bind(address) {
        Ok(listener) => {
            log::info!("api: listening on {address}");
            Some(listener)
        }
        Err(error) => {
            let text = format!("{address}: {error}");
            if trouble.admit(&text, now, SAY_EVERY) {
                log::warn!(
                    "api: not listening: {text}; `weir status` and others cannot ask; tried again \
                     for ever"
                );
            }
            None
        }
    }
}

fn bind(address: &Address) -> io::Result<Listener> {
    let Address::Unix(path) = address else {
        return net::listen(address);
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    net::listen(address)
}

fn access(address: &Address, token: Option<&str>) -> Access {
    match (token, address) {
        (Some(token), _) => Access::Token(token.to_owned()),
        (None, Address::Unix(_)) => Access::Socket,
        (None, _) => Access::Loopback,
    }
}

struct Server {
    executor: Executor,
    daemon: Daemon,
    access: Access,
    /// Connections now.
    open: Cell<usize>,
}

/// One connection.
struct Line<'a> {
    server: &'a Server,
    socket: Socket,
    session: Session,
    input: Vec<u8>,
    out: Vec<u8>,
    /// It is closed once all is written.
    closing: bool,
    /// It is closed without more ado.
    deadline: Duration,
}

impl Server {
    /// Waits on: the listening socket; while there is none, the time to try again.
    async fn keep_listening(
        self: Rc<Self>,
        address: Address,
        mut bound: Option<Listener>,
        mut trouble: Lasting,
        is_bound: Rc<Cell<bool>>,
    ) {
        let mut pause = RETRY_MIN;
        loop {
            if let Some(listener) = bound.take() {
                is_bound.set(true);
                return self.accept(listener).await;
            }
            sleep(Some(pause)).await;
            pause = (pause * 2).min(RETRY_MAX);
            bound = bind_or_say(&address, &mut trouble, self.mono());
        }
    }

    /// Accepts for ever; a connection too many is closed. Waits on: the listening socket.
    async fn accept(self: Rc<Self>, listener: Listener) {
        loop {
            match listener.accept().await {
                Ok((socket, _)) if self.open.get() < CONNECTIONS_MAX => {
                    self.open.set(self.open.get() + 1);
                    let server = Rc::clone(&self);
                    let serve = async move {
                        let result = Line::new(&server, socket).serve().await;
                        server.open.set(server.open.get().saturating_sub(1));
                        if let Err(error) = result {
                            log::debug!("api: {error}");
                        }
                    };
                    self.executor.spawn(serve).detach();
                }
                Ok(_) => log::debug!("api: {CONNECTIONS_MAX} connections are open"),
                Err(error) => {
                    log::debug!("api: {error}");
                    sleep(Some(super::PAUSE)).await;
                }
            }
        }
    }

    fn mono(&self) -> Duration {
        self.daemon.hub.now().mono
    }
}

impl<'a> Line<'a> {
    fn new(server: &'a Server, socket: Socket) -> Self {
        Self {
            server,
            socket,
            session: Session::default(),
            input: Vec::new(),
            out: Vec::new(),
            closing: false,
            deadline: server.mono() + IDLE,
        }
    }

    /// Serves until the end. Waits on: the socket, the deadline.
    async fn serve(mut self) -> io::Result<()> {
        loop {
            self.socket.try_write(&mut self.out)?;
            if self.out.is_empty() && self.closing {
                return self.socket.finish();
            }
            let reads = self.out.is_empty();
            let read = match reads {
                true => self.socket.try_read(&mut self.input)?,
                false => None,
            };
            let answered = self.understand();
            let busy = !self.input.is_empty() || !self.out.is_empty();
            if answered || !busy {
                self.deadline = self.server.mono() + if busy { BUSY } else { IDLE };
            } else if read.is_some() {
                self.deadline = self.deadline.min(self.server.mono() + BUSY);
            }
            match read {
                Some(0) if !answered => return Ok(()),
                Some(_) => futures_lite::future::yield_now().await,
                None if answered => futures_lite::future::yield_now().await,
                None => self.wait(reads).await?,
            }
        }
    }

    /// Answers one request; whether there was one.
    fn understand(&mut self) -> bool {
        if self.closing || self.input.is_empty() || !self.out.is_empty() {
            return false;
        }
        let Server { access, daemon, .. } = self.server;
        match self
            .session
            .receive(&self.input, access, daemon, &mut self.out)
        {
            Keep::Waiting => false,
            Keep::Answered(used) => {
                self.input.drain(..used.min(self.input.len()));
                true
            }
            Keep::Closing => {
                self.closing = true;
                true
            }
        }
    }

    async fn wait(&self, reads: bool) -> io::Result<()> {
        let left = self.deadline.saturating_sub(self.server.mono());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let interest = match reads {
            true => Interest::Read,
            false => Interest::Write,
        };
        first_of(self.socket.ready(interest), sleep(Some(left))).await;
        Ok(())
    }
}

/// Connections at once.
const CONNECTIONS_MAX: usize = 16;

/// A request and its answer may take so long from the first byte to the last.
const BUSY: Duration = Duration::from_secs(10);

/// A connection without a request is kept so long.
const IDLE: Duration = Duration::from_mins(1);

/// Between two tries to listen.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// The same trouble is said again after so long.
const SAY_EVERY: Duration = Duration::from_mins(15);
