//! A line between the daemon and a broker, on which a test cuts, and counts what goes by.

use crate::random::Random;
use socket2::SockRef;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// The line.
pub(crate) struct Line {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    to: u16,
    /// Cuts that are still to be made.
    cuts: AtomicU32,
    /// Bytes of a connection, both ways, until it is cut: below this.
    below: u32,
    random: Mutex<Random>,
    /// None where it is not in the clear.
    traffic: Option<Mutex<Traffic>>,
}

/// What went by in the clear.
#[derive(Default)]
struct Traffic {
    /// Publishes without an acknowledgement in this connection, and the most that ever were.
    in_flight: usize,
    most: usize,
    /// What is left of both ways after the last whole packet.
    rests: [Vec<u8>; 2],
}

/// One way of a connection.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    ToBroker = 0,
    FromBroker = 1,
}

impl Line {
    /// A line of sealed bytes that is cut so often, each time after less than `below` of them.
    pub(crate) fn sealed(to: u16, cuts: u32, below: u32, seed: u64) -> Self {
        Self::new(to, cuts, below, seed, None)
    }

    /// The same in the clear.
    pub(crate) fn clear(to: u16, cuts: u32, below: u32, seed: u64) -> Self {
        Self::new(to, cuts, below, seed, Some(Mutex::default()))
    }

    fn new(to: u16, cuts: u32, below: u32, seed: u64, traffic: Option<Mutex<Traffic>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            to,
            cuts: AtomicU32::new(cuts),
            below,
            random: Mutex::new(Random(seed)),
            traffic,
        });
        let of_thread = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming() {
                serve(&of_thread, near.unwrap());
            }
        });
        Self { port, state }
    }

    /// How many cuts are left.
    pub(crate) fn cuts_left(&self) -> u32 {
        self.state.cuts.load(Ordering::SeqCst)
    }

    /// The most publishes that ever had no acknowledgement; none seen where they are sealed.
    pub(crate) fn most_in_flight(&self) -> usize {
        let traffic = self.state.traffic.as_ref();
        traffic.map_or(0, |traffic| traffic.lock().unwrap().most)
    }
}

/// Carries one connection to its end.
fn serve(state: &Arc<State>, near: TcpStream) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", state.to)) else {
        return;
    };
    for end in [&near, &far] {
        drop(end.set_nodelay(true));
    }
    let budget = match state.cuts.load(Ordering::SeqCst) {
        0 => i64::MAX,
        _ => i64::try_from(state.random.lock().unwrap().below(state.below as usize)).unwrap(),
    };
    let budget = Arc::new(AtomicI64::new(budget));
    if let Some(traffic) = &state.traffic {
        traffic.lock().unwrap().begin();
    }
    let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
    let (of_back, budget_of_back) = (Arc::clone(state), Arc::clone(&budget));
    let back = thread::spawn(move || {
        carry(&of_back, back, Way::FromBroker, &budget_of_back);
    });
    carry(state, (near, far), Way::ToBroker, &budget);
    drop(back.join());
}

fn carry(state: &State, (mut from, mut to): (TcpStream, TcpStream), way: Way, budget: &AtomicI64) {
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = from.read(&mut chunk) {
        let before = budget.fetch_sub(i64::try_from(len).unwrap(), Ordering::SeqCst);
        let room = usize::try_from(before).unwrap_or(0).min(len);
        if let Some(traffic) = &state.traffic {
            traffic.lock().unwrap().note(way, &chunk[..room]);
        }
        if to.write_all(&chunk[..room]).is_err() {
            break;
        }
        if room < len {
            // one of both ways makes the cut
            if before >= 0 {
                state.cuts.fetch_sub(1, Ordering::SeqCst);
                cut(state, [&from, &to]);
            }
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

/// Half of all cuts are resets, after which what was on its way is lost on both sides.
fn cut(state: &State, ends: [&TcpStream; 2]) {
    let kind = state.random.lock().unwrap().below(2);
    for end in ends {
        if kind == 0 {
            drop(SockRef::from(end).set_linger(Some(Duration::ZERO)));
        }
    }
}

impl Traffic {
    /// A new connection.
    fn begin(&mut self) {
        self.in_flight = 0;
        self.rests = Default::default();
    }

    /// Counts the publishes and acknowledgements in what went by.
    fn note(&mut self, way: Way, bytes: &[u8]) {
        let rest = &mut self.rests[way as usize];
        rest.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(len) = packet_len(&rest[at..]) {
            match (way, rest[at] >> 4) {
                (Way::ToBroker, 3) => self.in_flight += 1,
                (Way::FromBroker, 4) => self.in_flight -= 1,
                _ => {}
            }
            self.most = self.most.max(self.in_flight);
            at += len;
        }
        rest.drain(..at);
    }
}

/// How long the packet at the head is, if it is whole.
fn packet_len(bytes: &[u8]) -> Option<usize> {
    let mut len = 0;
    for (index, byte) in bytes.iter().skip(1).take(4).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let whole = 2 + index + len;
            return (bytes.len() >= whole).then_some(whole);
        }
    }
    None
}
