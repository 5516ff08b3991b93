//! The network and what is beyond it: connections that keep the order of their bytes and nothing
//! else, in virtual time.

use super::destination::Act;
use super::destination::Destination;
use super::destination::Kind;
use super::destination::Mood;
use super::destination::Said;
use super::oracle::Oracle;
use super::trace;
use crate::net::Connection;
use crate::net::Interest;
use crate::net::Simulated;
use crate::net::Target;
use crate::ring::sim::random::Random;
use crate::stream::engine::SEARCH_MESSAGES;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::io::ErrorKind;
use std::rc::Rc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

/// All that the gateway is connected with.
pub(super) struct Network {
    /// True time, since the life began.
    pub(super) t: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    count: u64,
    lines: BTreeMap<u64, Line>,
    pub(super) destinations: Vec<Destination>,
    pub(super) oracle: Oracle,
    pub(super) random: Random,
}

pub(super) type Shared = Rc<RefCell<Network>>;

thread_local! {
    static NETWORK: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// What happens at a time.
#[derive(Debug)]
pub(super) enum Event {
    /// Bytes of the gateway reach the destination.
    Arrive(u64, Vec<u8>),
    /// So does the end of the connection.
    Leave(u64),
    /// The destination does something that it decided on before.
    Act(u64, Act),
    /// Bytes of the destination reach the gateway.
    Come(u64, Vec<u8>, Said),
    /// So does the end of the connection, in good order or not.
    End(u64, End),
    /// A destination gets another mood.
    Mood(usize),
    /// Something else than the network.
    Plan(super::world::Plan),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    Reset,
}

/// One connection.
struct Line {
    destination: usize,
    latency: Duration,
    inbound: Vec<u8>,
    /// There is an answer in it that has to be read in one piece, see [`Said`].
    twice: bool,
    end: Option<End>,
    waker: Option<Waker>,
    /// Bytes of the gateway that did not arrive yet.
    under_way: usize,
    /// When the last bytes of each direction arrive.
    arrives: Duration,
    comes: Duration,
    /// When the last thing that was decided on is done.
    acts: Duration,
    /// Nothing gets through any more.
    cut: bool,
    /// The gateway has let go of it.
    dropped: bool,
}

/// Enters a network; without one, leaves it.
pub(super) fn enter(network: Option<Shared>) {
    NETWORK.set(network);
}

/// True time, as far as nobody is at work with the network.
pub(super) fn t() -> Option<Duration> {
    let network = NETWORK.with_borrow(Clone::clone)?;
    network.try_borrow().ok().map(|network| network.t)
}

/// Connects to a simulated destination; none where nothing is simulated.
pub(in crate::daemon) fn dial(
    target: &Target,
    timeout: Duration,
) -> Option<impl Future<Output = io::Result<Connection>> + use<>> {
    let network = NETWORK.with_borrow(Clone::clone)?;
    let destination = usize::from(target.port.saturating_sub(PORT));
    Some(async move {
        let (wait, error) = network.borrow_mut().dialled(destination, timeout);
        crate::daemon::sleep(Some(wait)).await;
        match error {
            Some(kind) => Err(network.borrow_mut().failed(destination, kind)),
            None => {
                let line = network.borrow_mut().open(destination);
                Ok(Connection::Simulated(Box::new(Socket { line, network })))
            }
        }
    })
}

impl Network {
    pub(super) fn new(destinations: Vec<Destination>, oracle: Oracle, random: Random) -> Self {
        Self {
            t: Duration::ZERO,
            events: BTreeMap::new(),
            count: 0,
            lines: BTreeMap::new(),
            destinations,
            oracle,
            random,
        }
    }

    pub(super) fn schedule(&mut self, at: Duration, event: Event) {
        self.count += 1;
        self.events.insert((at.max(self.t), self.count), event);
    }

    pub(super) fn next_event(&self) -> Option<Duration> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// The next event that is due now.
    pub(super) fn take_event(&mut self) -> Option<Event> {
        let first = self.events.first_entry()?;
        (first.key().0 <= self.t).then(|| first.remove())
    }

    fn dialled(&mut self, index: usize, timeout: Duration) -> (Duration, Option<ErrorKind>) {
        let latency = self.latency();
        self.oracle.dialled(index, self.t);
        let mood = self.destinations[index].mood;
        trace::tell(self.t, index, format_args!("dials, {mood:?}"));
        match mood {
            Mood::Dead => (timeout, Some(ErrorKind::TimedOut)),
            Mood::NoRoute => (Duration::ZERO, Some(ErrorKind::NetworkUnreachable)),
            Mood::Refusing => (2 * latency, Some(ErrorKind::ConnectionRefused)),
            _ => (2 * latency, None),
        }
    }

    fn failed(&mut self, index: usize, kind: ErrorKind) -> io::Error {
        self.oracle.streams[index].fails(self.t);
        kind.into()
    }

    fn open(&mut self, destination: usize) -> u64 {
        self.count += 1;
        let line = Line {
            destination,
            latency: self.latency(),
            inbound: Vec::new(),
            twice: false,
            end: None,
            waker: None,
            under_way: 0,
            arrives: Duration::ZERO,
            comes: Duration::ZERO,
            acts: Duration::ZERO,
            dropped: false,
            cut: !self.destinations[destination].mood.lets_through(),
        };
        self.lines.insert(self.count, line);
        self.destinations[destination].connected(self.count, &self.oracle, self.t);
        self.count
    }

    fn latency(&mut self) -> Duration {
        Duration::from_millis(10 + self.random.next() % 200)
    }

    /// Bytes leave the gateway: how many of them it gets rid of.
    fn write(&mut self, id: u64, bytes: &[u8]) -> io::Result<usize> {
        let t = self.t;
        let Some(line) = self.lines.get_mut(&id) else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        if line.end == Some(End::Reset) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let count = bytes.len().min(ROOM.saturating_sub(line.under_way));
        if count == 0 {
            return Ok(0);
        }
        line.under_way += count;
        if line.cut {
            let timeout = self.oracle.streams[line.destination].promised.timeout;
            self.schedule(t + timeout, Event::End(id, End::Reset));
            return Ok(count);
        }
        line.arrives = line.arrives.max(t + line.latency);
        let at = line.arrives;
        self.schedule(at, Event::Arrive(id, bytes[..count].to_vec()));
        Ok(count)
    }

    /// What an event of a connection does.
    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(id, bytes) => self.arrive(id, &bytes),
            Event::Leave(id) => {
                self.lines.remove(&id);
                self.destinations.iter_mut().for_each(|it| it.left(id));
            }
            Event::Act(id, act) => self.act(id, act),
            Event::Come(id, bytes, said) => self.come(id, bytes, said),
            Event::End(id, end) => self.touch(id, |line| line.end = line.end.or(Some(end))),
            Event::Mood(_) | Event::Plan(_) => {}
        }
    }

    fn come(&mut self, id: u64, bytes: Vec<u8>, said: Said) {
        let line = self.lines.get(&id).filter(|line| !line.dropped);
        if let Some(index) = line.map(|line| line.destination) {
            trace::tell(
                self.t,
                index,
                format_args!("hears {said:?} of line {id}: {bytes:02x?}"),
            );
            self.oracle.told(index, said, self.t);
            if let Some(number) = said.number {
                self.destinations[index].heard(id, number);
                self.oracle.heard(index, number);
            }
            self.touch(id, |line| {
                line.inbound.extend(bytes);
                line.twice |= said.twice;
            });
        }
    }

    fn touch(&mut self, id: u64, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines.get_mut(&id) {
            change(line);
            if let Some(waker) = line.waker.take() {
                waker.wake();
            }
        }
    }

    fn arrive(&mut self, id: u64, bytes: &[u8]) {
        let Some(line) = self.lines.get(&id).filter(|line| !line.cut) else {
            return;
        };
        let index = line.destination;
        if self.destinations[index].reads(id) {
            self.touch(id, |line| line.under_way -= bytes.len());
        }
        let acts = self.destinations[index].receive(id, bytes, &mut self.oracle, self.t);
        for (delay, act) in acts {
            let t = self.t;
            let Some(line) = self.lines.get_mut(&id) else {
                return;
            };
            // acknowledgements may pass each other, the rest keeps its order
            let at = match act {
                Act::Say(_, false, _) => t + delay,
                _ => line.acts.max(t + delay),
            };
            line.acts = line.acts.max(at);
            self.schedule(at, Event::Act(id, act));
        }
    }

    fn act(&mut self, id: u64, act: Act) {
        let t = self.t;
        let Some(line) = self.lines.get_mut(&id).filter(|line| !line.cut) else {
            return;
        };
        line.comes = line.comes.max(t + line.latency);
        let (at, index) = (line.comes, line.destination);
        match act {
            Act::Say(bytes, _, said) => {
                self.destinations[index].answered(id, said);
                if let Some(again) = said.again {
                    let act = Act::Say(bytes.clone(), false, Said::default());
                    self.schedule(t + again, Event::Act(id, act));
                }
                self.schedule(at, Event::Come(id, bytes, said));
            }
            Act::Close => self.schedule(at, Event::End(id, End::Closed)),
            Act::Break => self.schedule(at, Event::End(id, End::Reset)),
        }
    }

    /// What a destination's new mood does to its connections: those over a way that is gone find
    /// that out by their keep-alive, or when they write.
    pub(super) fn cut_lines(&mut self, index: usize) {
        let timeout = self.oracle.streams[index].promised.timeout;
        let of = self
            .lines
            .iter_mut()
            .filter(|(_, line)| line.destination == index);
        let cut: Vec<u64> = of
            .map(|(id, line)| {
                line.cut = true;
                *id
            })
            .collect();
        for id in cut {
            let at = self.t + SILENCE + timeout;
            self.schedule(at, Event::End(id, End::Reset));
        }
    }

    /// Whether a stream has heard of nothing that was taken, and the messages that wait are none
    /// that could be: a receiver that says nothing of them may then be out of order as well. Only
    /// those in memory decide; a device that is forbidden and fills it right after a start is
    /// where weir's reach ends.
    pub(super) fn lacks_proof(&self, index: usize, backlog: u64) -> bool {
        let (destination, stream) = (&self.destinations[index], &self.oracle.streams[index]);
        let promised = &stream.promised;
        if destination.kind == Kind::Http || stream.heard || backlog == 0 {
            return false;
        }
        if promised.every.is_some() && backlog < promised.in_memory_max as u64 {
            return true;
        }
        let instances = self.oracle.instances.iter().enumerate().rev();
        let waiting: Vec<_> = instances
            .filter(|(_, it)| it.acknowledged && it.mask & (1 << index) != 0)
            .take(usize::try_from(backlog).unwrap_or(usize::MAX))
            .collect();
        // a broker is asked about no more than is read while one is looked for that it takes
        let most = match destination.kind {
            Kind::Mqtt => promised.in_memory_max.max(SEARCH_MESSAGES),
            _ => usize::MAX,
        };
        waiting.into_iter().rev().take(most).all(|(n, it)| {
            let passed_over = promised.speed_min.is_some_and(|min| it.speed <= min);
            let refuses = |n| destination.is_poison(n) || destination.is_forbidden(n);
            let poison = u32::try_from(n).is_ok_and(refuses);
            // what was refused may be given up, and keeps its place behind one that waits
            stream.taken[n] || passed_over || poison || stream.refused[n]
        })
    }

    /// Pauses that a stream may need until a message moves, once its destination is well.
    pub(super) fn tries_max(&self, index: usize) -> u32 {
        let (destination, stream) = (&self.destinations[index], &self.oracle.streams[index]);
        let searches = destination.forbids.is_some();
        let in_doubt = stream.promised.attempts + TRIES_IN_DOUBT;
        match destination.kind {
            Kind::Http => 5,
            // behind the oldest one other goes after each pause, until one is taken
            Kind::Mqtt if searches => in_doubt + u32::try_from(SEARCH_MESSAGES).unwrap_or(u32::MAX),
            Kind::Wialon | Kind::Mqtt => in_doubt,
        }
    }

    /// The gateway's end is gone.
    fn dropped(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        line.dropped = true;
        let (index, at) = (line.destination, line.arrives.max(self.t + line.latency));
        trace::tell(self.t, index, format_args!("ends line {id}"));
        self.oracle.streams[index].fails(self.t);
        for packet in self.destinations[index].unheard(id) {
            self.oracle.unheard(index, packet);
        }
        self.schedule(at, Event::Leave(id));
    }
}

/// The gateway's end of a connection.
struct Socket {
    line: u64,
    network: Shared,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)
    }
}

impl Simulated for Socket {
    fn try_read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let network = &mut *self.network.borrow_mut();
        let Some(line) = network.lines.get_mut(&self.line) else {
            return Ok(Some(0));
        };
        network.oracle.holds_input(buffer.len());
        if line.inbound.is_empty() {
            return match line.end {
                Some(End::Reset) => Err(ErrorKind::ConnectionReset.into()),
                Some(End::Closed) => Ok(Some(0)),
                None => Ok(None),
            };
        }
        let in_pieces = network.random.once_in(4) && !std::mem::take(&mut line.twice);
        let most = match in_pieces {
            true => 1 + network.random.below(line.inbound.len()),
            false => line.inbound.len(),
        };
        let count = most.min(crate::net::READ_MAX);
        buffer.extend(line.inbound.drain(..count));
        Ok(Some(count))
    }

    fn try_write(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let network = &mut *self.network.borrow_mut();
        network.oracle.holds_output(buffer.len());
        let count = network.write(self.line, buffer)?;
        buffer.drain(..count);
        Ok(count)
    }

    fn poll_ready(&self, interest: Interest, context: &mut Context<'_>) -> Poll<()> {
        let network = &mut *self.network.borrow_mut();
        let Some(line) = network.lines.get_mut(&self.line) else {
            return Poll::Ready(());
        };
        let reads = matches!(interest, Interest::Read | Interest::Both);
        let writes = matches!(interest, Interest::Write | Interest::Both);
        let readable = !line.inbound.is_empty() || line.end.is_some();
        if reads && readable || writes && line.under_way < ROOM {
            return Poll::Ready(());
        }
        line.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn finish(&mut self) {}
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.network.borrow_mut().dropped(self.line);
    }
}

/// Connections of a message that gets no answer, once it is in doubt: it is refused after two
/// that ended right behind a proof, each with one before it on which it goes by itself. An end that
/// comes too soon counts a third, so there may be three of these and two of the others.
const TRIES_IN_DOUBT: u32 = 10;

/// The port of the first destination.
pub(super) const PORT: u16 = 9000;

/// What the network holds of a connection before its writer has to wait, in bytes.
const ROOM: usize = 16 * 1024;

/// The way to a destination that is gone is found out after this and `timeout`.
const SILENCE: Duration = Duration::from_secs(60);
