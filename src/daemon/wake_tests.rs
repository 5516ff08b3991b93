//! Who is woken by what happens to the ring, and that looking at it wakes nobody.

use super::Daemon;
use super::durable_waits::DurableWait;
use super::shared::SharedState;
use super::sim::plan;
use super::sim::time;
use super::waits::Executor;
use super::waits::sleep;
use crate::api::Control;
use crate::clock::Clock;
use crate::ring::Full;
use crate::ring::IoError;
use crate::ring::Memory;
use crate::ring::Ring;
use crate::ring::Settings;
use crate::ring::Settled;
use crate::ring::Storage;
use crate::ring::StreamId;
use event_listener::EventListener;
use smol::future::block_on;
use smol::future::poll_once;
use std::rc::Rc;
use std::time::Duration;

const TEXT: &str = "[ring]\nfile = \"/ring\"\n[api]\nlisten = \"off\"\n\
    [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:5027\"\n\
    [[stream]]\nname = \"a\"\ntype = \"http\"\nurl = \"http://127.0.0.1/\"\nchannels = [\"in\"]\n\
    [[stream]]\nname = \"b\"\ntype = \"http\"\nurl = \"http://127.0.0.1/\"\nchannels = [\"in\"]\n\
    [[stream]]\nname = \"off\"\ntype = \"http\"\nurl = \"http://127.0.0.1/\"\nenabled = false\n\
    channels = [\"in\"]\n";

/// Everybody who waits for something of the ring.
struct Waiting<'a> {
    /// The streams, in their order.
    records: Vec<EventListener>,
    schedule: EventListener,
    durable: DurableWait<'a>,
}

impl<'a> Waiting<'a> {
    fn begin(shared: &'a SharedState, streams: &[StreamId]) -> Self {
        let any = shared.ring.next_safe();
        let mut durable = shared.ring.durable_event(Some(any));
        assert!(!is_woken(&mut durable));
        Self {
            records: streams
                .iter()
                .map(|id| shared.ring.records_event(*id))
                .collect(),
            schedule: shared.ring.schedule_event(),
            durable,
        }
    }

    /// Which of the streams were woken, and whether the committer and the senders were.
    fn woken(mut self) -> (Vec<bool>, bool, bool) {
        let streams = self.records.iter_mut().map(is_woken).collect();
        (
            streams,
            is_woken(&mut self.schedule),
            is_woken(&mut self.durable),
        )
    }
}

fn is_woken(wait: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    block_on(poll_once(wait)).is_some()
}

/// A disk that may go, so that it is looked for.
struct Removable(Memory);

impl Storage for Removable {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> Result<(), IoError> {
        self.0.read(at, into)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.0.write(at, bytes)
    }

    fn sync(&mut self) -> Result<(), IoError> {
        self.0.sync()
    }

    fn can_go(&self) -> bool {
        true
    }
}

fn daemon() -> (Daemon, Vec<StreamId>) {
    let clock = Clock::new();
    let settings = Settings {
        size: 256 << 10,
        delay: Duration::from_secs(1),
        hold: Duration::from_secs(1),
        bytes: 65536,
        full: Full::DropOldest,
    };
    let disk = Box::new(Removable(Memory::new(256 << 10)));
    let (ring, _) = Ring::open(disk, settings, clock.now(), 7).unwrap();
    let daemon = Daemon::new(plan::read(TEXT), clock, ring);
    let streams = daemon.all_streams();
    let ids = streams.iter().map(|stream| stream.id).collect();
    (daemon, ids)
}

#[test]
fn an_append_wakes_the_streams_that_want_it_and_no_other() {
    let (daemon, ids) = daemon();
    let shared = Rc::clone(&daemon.shared);
    for wanted in [vec![0], vec![1], vec![0, 2], vec![]] {
        let waiting = Waiting::begin(&shared, &ids);
        let masks = wanted.iter().map(|index: &usize| ids[*index].mask());
        let mask = masks.reduce(|a, b| a | b);
        if let Some(mask) = mask {
            shared.ring.append(mask, shared.now(), b"x").unwrap();
        }
        let expected: Vec<_> = (0..ids.len())
            .map(|index| wanted.contains(&index))
            .collect();
        let (streams, schedule, durable) = waiting.woken();
        assert_eq!(streams, expected);
        assert_eq!(
            (schedule, durable),
            (mask.is_some(), false),
            "the committer counts anew"
        );
    }
}

#[test]
fn looking_at_the_ring_and_at_the_status_wakes_nobody() {
    let (daemon, ids) = daemon();
    let shared = Rc::clone(&daemon.shared);
    let all = ids[0].mask() | ids[1].mask() | ids[2].mask();
    shared.ring.append(all, shared.now(), b"x").unwrap();
    shared.ring.commit(shared.now());
    let waiting = Waiting::begin(&shared, &ids);
    for _ in 0..3 {
        let status = daemon.status();
        assert_eq!((status.streams[2].backlog, status.ring.waiting), (1, 0));
        assert!(status.streams[2].oldest_age.is_some(), "nobody reads it");
        shared.ring.read(Ring::is_in_memory);
        shared.ring.occupancy();
        shared.ring.stats();
        shared.ring.counters(ids[0]);
    }
    assert_eq!(waiting.woken(), (vec![false; 3], false, false));
}

#[test]
fn what_is_settled_by_all_wakes_the_senders_and_the_committer_and_no_stream() {
    let (daemon, ids) = daemon();
    let shared = Rc::clone(&daemon.shared);
    shared
        .ring
        .append(ids[0].mask(), shared.now(), b"x")
        .unwrap();
    let waiting = Waiting::begin(&shared, &ids);
    shared.ring.change(|ring, now| {
        let seq = ring.read(ids[0], now).unwrap().seq;
        ring.settle(ids[0], seq, Settled::Accepted, now);
    });
    assert_eq!(waiting.woken(), (vec![false; 3], true, true));
}

/// Beside a connection that has a sign of life each minute, as one to a broker has.
#[test]
fn an_idle_daemon_wakes_once_a_minute_for_all_that_it_looks_at() {
    const MINUTES: u64 = 60;
    let (minute, mut now) = (Duration::from_mins(1), Duration::from_secs(5000));
    time::set(now, DATE, true);
    let (daemon, _) = daemon();
    let executor = Executor::default();
    let mut tasks = daemon.keep_looking(&executor);
    tasks.push(daemon.commit(&executor));
    let (end, mut wakes) = (now + minute * 60, 0);
    // the connection is some time older than the daemon's first look
    let beats = async move {
        sleep(Some(minute * 3 / 4)).await;
        loop {
            sleep(Some(minute)).await;
        }
    };
    tasks.push(executor.spawn(beats));
    while now < end {
        while executor.try_tick() {}
        now = time::due().unwrap();
        time::set(now, DATE, true);
        time::wake();
        wakes += 1;
    }
    drop(tasks);
    time::end();
    assert!((MINUTES..=MINUTES + 3).contains(&wakes), "{wakes}");
}

const DATE: Duration = Duration::from_secs(1_800_000_000);
