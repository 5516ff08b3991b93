//! The API's sockets: one task for the listening one, one for each connection. Understands
//! nothing of what passes.

use super::daemon_clock::DaemonClock;
use super::limit::Lasting;
use super::live::Audience;
use super::live::End;
use super::waits::Executor;
use super::waits::PAUSE;
use super::waits::Waits;
use super::waits::Woke;
use super::waits::sleep;
use crate::api::Access;
use crate::api::Control;
use crate::api::Keep;
use crate::api::Session;
use crate::config::Api;
use crate::net;
use crate::net::Address;
use crate::net::Interest;
use crate::net::Listener;
use crate::net::Socket;
use crate::net::SocketRights;
use event_listener::Event;
use event_listener::EventListener;
use smol::Task;
use std::cell::Cell;
use std::cell::RefCell;
use std::fs;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// Listens as the configuration says; nothing where it says "off". What cannot be bound is tried
/// again for ever: a gateway forwards without it too.
pub(super) fn listen(
    executor: &Executor,
    control: Rc<dyn Control>,
    clock: &Rc<DaemonClock>,
    api: &Api,
) -> Option<ApiListener> {
    let address = api.listen.clone()?;
    let (is_bound, end) = (Rc::new(Cell::new(false)), Rc::<End>::default());
    let server = Rc::new(Server {
        executor: Rc::clone(executor),
        audience: Audience::new(Rc::clone(&control), Rc::clone(clock), Rc::clone(&end)),
        control,
        clock: Rc::clone(clock),
        access: access(&address, api.token.as_deref()),
        rights: api.socket.clone(),
        open: RefCell::default(),
    });
    let mut trouble = Lasting::default();
    let first = bind_or_say(&address, &server.rights, &mut trouble, server.mono());
    is_bound.set(first.is_some());
    let serve = server.keep_listening(address.clone(), first, trouble, Rc::clone(&is_bound));
    Some(ApiListener {
        address,
        is_bound,
        end,
        task: Some(executor.spawn(serve)),
    })
}

/// The listening socket, and its file: both go with it.
pub(super) struct ApiListener {
    address: Address,
    is_bound: Rc<Cell<bool>>,
    end: Rc<End>,
    task: Option<Task<()>>,
}

impl ApiListener {
    /// Ends once nothing listens any more.
    pub(super) async fn close(mut self) {
        if let Some(task) = self.task.take() {
            task.cancel().await;
        }
    }
}

impl Drop for ApiListener {
    fn drop(&mut self) {
        self.end.has_come();
        if let Address::Unix(path) = &self.address
            && self.is_bound.get()
            && let Err(error) = fs::remove_file(path)
        {
            log::debug!("api: {}: {error}", path.display());
        }
    }
}

fn bind_or_say(
    address: &Address,
    rights: &SocketRights,
    trouble: &mut Lasting,
    now: Duration,
) -> Option<Listener> {
    match bind(address, rights) {
        Ok(listener) => {
            log::info!("api: listening on {address}");
            Some(listener)
        }
        Err(error) => {
            let text = format!("{address}: {}", net::blame::listening(address, &error));
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

fn bind(address: &Address, rights: &SocketRights) -> io::Result<Listener> {
    let Address::Unix(path) = address else {
        return net::listen(address, rights);
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    net::listen(address, rights)
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
    control: Rc<dyn Control>,
    clock: Rc<DaemonClock>,
    audience: Audience,
    access: Access,
    rights: SocketRights,
    /// Connections now, in the order in which they came.
    open: RefCell<Vec<Rc<ConnectionSlot>>>,
}

/// A connection as those see it that want its slot.
#[derive(Default)]
struct ConnectionSlot {
    /// Since when nothing but a request is waited for, and whether one has begun.
    idle: Cell<Option<(Begun, Duration)>>,
    is_taken: Cell<bool>,
    wanted: Event,
}

/// Whether a request has begun; who is silent gives way first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Begun {
    No,
    Yes,
}

/// One connection.
struct ApiConnection<'a> {
    server: &'a Server,
    slot: &'a ConnectionSlot,
    /// Since when the next request is waited for.
    since: Duration,
    socket: Socket,
    session: Session,
    input: Vec<u8>,
    out: Vec<u8>,
    /// It is closed once all is written.
    closing: bool,
    /// It listens from now on, to events after this one.
    listening: Option<u64>,
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
            bound = bind_or_say(&address, &self.rights, &mut trouble, self.mono());
        }
    }

    /// Accepts for ever. Of connections too many the one gives way that is idle for longest: those
    /// that say nothing must not shut out who asks. Waits on: the listening socket.
    async fn accept(self: Rc<Self>, listener: Listener) {
        loop {
            match listener.accept().await {
                Ok((socket, _)) => match self.free_slot() {
                    Some(slot) => self.welcome(socket, slot),
                    None => log::debug!("api: {CONNECTIONS_MAX} connections are busy"),
                },
                Err(error) => {
                    log::debug!("api: {error}");
                    sleep(Some(PAUSE)).await;
                }
            }
            // who gives way goes before the next one comes
            smol::future::yield_now().await;
        }
    }

    /// A free slot, or that of the connection that is idle for longest.
    fn free_slot(&self) -> Option<Rc<ConnectionSlot>> {
        let mut open = self.open.borrow_mut();
        if open.len() >= CONNECTIONS_MAX {
            let idle = open.iter().enumerate();
            let idle = idle.filter_map(|(index, slot)| Some((slot.idle.get()?, index)));
            let (_, oldest) = idle.min()?;
            let taken = open.remove(oldest);
            taken.is_taken.set(true);
            taken.wanted.notify(usize::MAX);
        }
        let slot = Rc::<ConnectionSlot>::default();
        open.push(Rc::clone(&slot));
        Some(slot)
    }

    fn welcome(self: &Rc<Self>, socket: Socket, slot: Rc<ConnectionSlot>) {
        let server = Rc::clone(self);
        let serve = async move {
            if let Err(error) = ApiConnection::new(&server, &slot, socket).serve().await {
                log::debug!("api: {error}");
            }
            let mut open = server.open.borrow_mut();
            open.retain(|known| !Rc::ptr_eq(known, &slot));
        };
        self.executor.spawn(serve).detach();
    }

    fn mono(&self) -> Duration {
        self.clock.now().mono
    }
}

impl<'a> ApiConnection<'a> {
    fn new(server: &'a Server, slot: &'a ConnectionSlot, socket: Socket) -> Self {
        Self {
            server,
            slot,
            since: server.mono(),
            socket,
            session: Session::default(),
            input: Vec::new(),
            out: Vec::new(),
            closing: false,
            listening: None,
            deadline: server.mono() + IDLE,
        }
    }

    /// Serves until the end, or until another one gets its slot. Waits on: the socket, the
    /// deadline, who wants its slot.
    async fn serve(mut self) -> io::Result<()> {
        loop {
            let wanted = self.slot.wanted.listen();
            if self.slot.is_taken.get() {
                log::debug!("api: an idle connection gives way to a new one");
                return Ok(());
            }
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
            if let Some(last) = self.listening {
                return self.server.audience.send_to(&self.socket, last).await;
            }
            let busy = !self.input.is_empty() || !self.out.is_empty();
            if answered {
                self.since = self.server.mono();
            }
            if answered || !busy {
                self.deadline = self.server.mono() + if busy { BUSY } else { IDLE };
            } else if read.is_some() {
                self.deadline = self.deadline.min(self.server.mono() + BUSY);
            }
            match read {
                Some(0) if !answered => return Ok(()),
                Some(_) => smol::future::yield_now().await,
                None if answered => smol::future::yield_now().await,
                None => self.wait(reads, wanted).await?,
            }
        }
    }

    /// Answers one request; whether there was one.
    fn understand(&mut self) -> bool {
        if self.closing || self.input.is_empty() || !self.out.is_empty() {
            return false;
        }
        let Server {
            access, control, ..
        } = self.server;
        match self
            .session
            .receive(&self.input, access, &**control, &mut self.out)
        {
            Keep::Waiting => false,
            Keep::Answered(used) => {
                self.input.drain(..used.min(self.input.len()));
                true
            }
            Keep::Listening(last) => {
                self.listening = Some(last);
                true
            }
            Keep::Closing => {
                self.closing = true;
                true
            }
        }
    }

    async fn wait(&self, reads: bool, wanted: EventListener) -> io::Result<()> {
        let left = self.deadline.saturating_sub(self.server.mono());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let interest = match reads {
            true => Interest::Read,
            false => Interest::Write,
        };
        let begun = match self.input.is_empty() {
            true => Begun::No,
            false => Begun::Yes,
        };
        self.slot.idle.set(reads.then_some((begun, self.since)));
        let waits = Waits::on([wanted]).at_most(Some(left));
        let woke = waits.or_ready(self.socket.ready(interest)).await;
        self.slot.idle.set(None);
        match woke {
            Woke::Time => Err(io::ErrorKind::TimedOut.into()),
            Woke::Ready | Woke::Event => Ok(()),
        }
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
