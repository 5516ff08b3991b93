//! A day of one vehicle and one stream in virtual time: the project's own engine and link, driven
//! as the daemon drives them, over a far end that answers after a tenth of a second.

use crate::far_end::FarEnd;
use crate::far_end::Speaks;
use crate::moment::at;
use crate::sample;
use crate::wire::Air;
use crate::wire::Ends;
use crate::wire::TlsEnds;
use crate::wire::Traffic;
use crate::wire::Way;
use std::time::Duration;
use weir::ring;
use weir::ring::From;
use weir::ring::Full;
use weir::ring::Memory;
use weir::ring::Ring;
use weir::ring::StreamId;
use weir::stream;
use weir::stream::Disconnect;
use weir::stream::Link;
use weir::stream::LinkContext;
use weir::stream::TlsUse;
use weir::stream::engine::Engine;
use weir::stream::engine::Limits;
use weir::stream::selection::Arrival;
use weir::stream::selection::ArrivalThinner;
use weir::stream::selection::Selection;
use weir::stream::settings::Settings;

/// What happens.
pub(crate) struct Plan<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) speaks: Speaks,
    /// So many messages come at once, and so many times longer is it until the next.
    pub(crate) batch: u64,
    pub(crate) messages: u64,
}

/// What it took.
pub(crate) struct Bill {
    pub(crate) traffic: Traffic,
    /// Messages that came, and those that the destination took.
    pub(crate) came: u64,
    pub(crate) taken: u64,
}

struct Day<'a> {
    plan: &'a Plan<'a>,
    ends: &'a TlsEnds,
    ring: Ring,
    stream: StreamId,
    engine: Engine,
    thinner: Option<ArrivalThinner>,
    air: Air,
    mono: Duration,
    came: u64,
}

/// A connection that is there.
struct Connected<'a> {
    link: Box<dyn Link + 'a>,
    input: Vec<u8>,
    ends: Ends,
    far: FarEnd,
    /// When the last bytes went.
    active: Duration,
    /// When both were last silent for long enough to be probed, or spoke.
    probed: Duration,
}

impl Plan<'_> {
    pub(crate) fn run(&self, ends: &TlsEnds) -> Bill {
        let mut day = Day::new(self, ends);
        let mut connected = None;
        let interval = INTERVAL * u32::try_from(self.batch).unwrap();
        let mut next_message = day.mono;
        let end = day.mono + INTERVAL * u32::try_from(self.messages).unwrap();
        while day.mono < end {
            if next_message <= day.mono {
                (0..self.batch).for_each(|_| day.message());
                next_message += interval;
            }
            day.turn(&mut connected);
            let due = day.due(connected.as_ref());
            let next = due.min(next_message);
            assert!(next > day.mono, "time stands still at {:?}", day.mono);
            day.mono = next;
        }
        let counters = day.ring.counters(day.stream);
        let lost = [
            counters.given_up,
            counters.dropped,
            counters.expired,
            counters.filtered,
        ];
        assert_eq!(lost, [0; 4]);
        Bill {
            traffic: day.air.traffic,
            came: day.came,
            taken: counters.accepted,
        }
    }
}

impl<'a> Day<'a> {
    fn new(plan: &'a Plan<'a>, ends: &'a TlsEnds) -> Self {
        let settings = plan.settings;
        let sizes = ring::Settings {
            size: RING as u64,
            delay: Duration::from_millis(200),
            hold: Duration::from_secs(2),
            bytes: 64 * 1024,
            full: Full::DropOldest,
        };
        let mono = Duration::from_secs(3600);
        let storage = Box::new(Memory::new(RING));
        let (mut ring, _) = Ring::open(storage, sizes, at(mono), 7).unwrap();
        let stream = ring.attach("cloud", From::New, at(mono)).unwrap();
        let engine = Engine::new(stream, settings.delivery.clone(), Limits::of(settings));
        Self {
            plan,
            ends,
            ring,
            stream,
            engine: engine.behind(Selection::new(settings)),
            thinner: ArrivalThinner::new(settings),
            air: Air::default(),
            mono,
            came: 0,
        }
    }

    /// A message comes in.
    fn message(&mut self) {
        let (body, now) = (sample::body(self.came), at(self.mono));
        self.came += 1;
        if let Some(thinner) = &mut self.thinner {
            match thinner.judge(&body, now) {
                Arrival::LeftOut => return,
                Arrival::Passes(mark) => thinner.passed(&body, mark),
                Arrival::Filtered => {}
            }
        }
        self.ring.append(self.stream.mask(), now, &body).unwrap();
        self.ring.commit(now).unwrap();
    }

    /// All that is to be done now.
    fn turn(&mut self, connected: &mut Option<Connected<'a>>) {
        self.serve();
        if let Some(open) = connected.as_mut() {
            let silent = self.mono.saturating_sub(open.active);
            let closes = self.plan.speaks.closes_after();
            if closes.is_some_and(|after| silent >= after) {
                self.end(connected.take(), Way::Down, None);
            } else if self.mono >= open.probed + self.silence() {
                self.air.probe(self.mono);
                open.probed = self.mono;
            }
        }
        if connected.is_none() && self.engine.paused_until(at(self.mono)).is_none() {
            let link = self.link();
            // as the daemon has it
            let batch = self.engine.batch_due();
            if link.stays() || batch.is_some_and(|due| due <= self.mono + AHEAD) {
                *connected = Some(self.connect(link));
            }
        }
        if let Some(open) = connected
            && let Err(disconnect) = self.converse(open)
        {
            // it ends by itself: a login that is to be renewed
            self.end(connected.take(), Way::Up, Some(disconnect));
        }
        self.air.rest(self.mono);
    }

    /// Says and hears until nobody has anything to say.
    fn converse(&mut self, open: &mut Connected<'a>) -> Result<(), Disconnect> {
        let mut out = Vec::new();
        loop {
            self.serve();
            let mut context = LinkContext {
                engine: &mut self.engine,
                now: at(self.mono),
                out: &mut out,
                random: 0,
            };
            open.link.send(&mut context)?;
            let due = open.link.wake_at(context.engine);
            if due.is_some_and(|due| due <= context.now.mono) {
                open.link.wake(&mut context)?;
            }
            if out.is_empty() {
                return Ok(());
            }
            self.air.traffic.said += out.len() as u64;
            let len = open.ends.carry(Way::Up, &out);
            self.air.flight(Way::Up, len, self.mono);
            let answer = open.far.hears(&out);
            self.mono += TRIP;
            let len = open.ends.carry(Way::Down, &answer);
            self.air.flight(Way::Down, len, self.mono);
            open.active = self.mono;
            open.probed = self.mono;
            open.input.extend(answer);
            out.clear();
            self.hear(open, &mut out)?;
        }
    }

    /// What came is understood; what that makes the link say goes into `out`.
    fn hear(&mut self, open: &mut Connected<'a>, out: &mut Vec<u8>) -> Result<(), Disconnect> {
        while !open.input.is_empty() {
            let mut context = LinkContext {
                engine: &mut self.engine,
                now: at(self.mono),
                out,
                random: 0,
            };
            let used = open.link.receive(&open.input, &mut context)?;
            open.input.drain(..used);
            if used == 0 {
                break;
            }
        }
        Ok(())
    }

    fn silence(&self) -> Duration {
        SILENCE.max(self.plan.settings.delivery.linger)
    }

    fn serve(&mut self) {
        let now = at(self.mono);
        self.engine.settle(&mut self.ring, now);
        self.engine.fill(&mut self.ring, now, &|_| true);
    }

    fn link(&self) -> Box<dyn Link + 'a> {
        stream::link(self.plan.settings, "weir-1", &self.engine, at(self.mono))
    }

    fn connect(&mut self, link: Box<dyn Link + 'a>) -> Connected<'a> {
        self.air.opens(self.mono);
        let endpoint = self.plan.settings.endpoint();
        let network = endpoint.network().expect("it is no file");
        let ends = match network.tls {
            TlsUse::Always => self.ends.connect(&mut self.air, self.mono),
            _ => Ends::plain(),
        };
        Connected {
            link,
            input: Vec::new(),
            ends,
            far: FarEnd::new(self.plan.speaks),
            active: self.mono,
            probed: self.mono,
        }
    }

    /// One side closes: weir with a reason, or the server.
    fn end(&mut self, open: Option<Connected<'a>>, way: Way, why: Option<Disconnect>) {
        let mut open = open.expect("it is there");
        let len = open.ends.farewell();
        self.air.flight(way, len, self.mono);
        self.air.flight(way.back(), len, self.mono);
        self.air.closes(self.mono);
        let now = at(self.mono);
        let disconnect = why.unwrap_or_else(|| {
            let mut context = LinkContext {
                engine: &mut self.engine,
                now,
                out: &mut Vec::new(),
                random: 0,
            };
            let ended = Disconnect::ended("closed by the destination");
            open.link.closed(ended, &mut context)
        });
        let epoch = self.engine.epoch();
        self.engine.disconnected(epoch, disconnect.retry, now, 0);
    }

    /// When something is to be done, if no message comes.
    fn due(&self, connected: Option<&Connected<'a>>) -> Duration {
        let now = at(self.mono);
        let batch = self.engine.batch_due();
        let ahead = batch.map(|due| due.saturating_sub(AHEAD));
        let (pause, rate) = (self.engine.paused_until(now), self.engine.rate_due(now));
        let mut all = vec![pause, batch, ahead, rate];
        if let Some(open) = connected {
            all.push(open.link.wake_at(&self.engine));
            all.push(Some(open.probed + self.silence()));
            let closes = self.plan.speaks.closes_after();
            all.push(closes.map(|after| open.active + after));
        }
        let later = all.into_iter().flatten().filter(|due| *due > self.mono);
        later.min().unwrap_or(Duration::MAX)
    }
}

/// Between two messages.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);
/// There and back.
const TRIP: Duration = Duration::from_millis(100);
/// After which the kernel probes a connection, as `net` asks it to; with a longer `linger` later.
const SILENCE: Duration = Duration::from_secs(60);
/// A connection that is not kept is made so long before its batch goes.
const AHEAD: Duration = Duration::from_secs(5);
const RING: usize = 16 << 20;
