//! The streams of a ring: where each stands and what became of what it wanted. Knows no bytes of
//! records and no disk.

use super::Settled;
use super::StreamId;
use super::format::Ordinals;
use super::format::STREAMS_MAX;
use super::format::checksum;
use super::older::Older;
use super::patience::Patience;
use super::rules::Rule;
use super::rules::kept;
use super::slot;
use super::slot::State;
use super::slot::Tally;
use super::walk::Walk;
use std::collections::VecDeque;

/// All streams, by bit.
#[derive(Debug)]
pub(super) struct Table {
    streams: Vec<Option<Stream>>,
}

/// One stream. Ordinals count the records that were written for it.
///
/// `read_ord` = `cursor_ord` + those in flight that were written + holes between them.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) state: State,
    pub(super) from_oldest: bool,
    pub(super) attach_seq: u64,
    /// The first record that it has not settled, or one before.
    pub(super) cursor_seq: u64,
    /// What lies before the cursor; runs ahead of `cursor_seq` by what was dropped unread while
    /// older records were in flight.
    pub(super) cursor_ord: u64,
    pub(super) tally: Tally,
    /// What it reads next has at least this number.
    pub(super) read_seq: u64,
    /// How many lie before the reading place.
    pub(super) read_ord: u64,
    /// Where `read_seq` is on disk, if that is known.
    pub(super) spot: Option<Spot>,
    /// Whether it has yet to learn how many of its records on disk it did not meet.
    pub(super) on_disk: bool,
    /// Read and not settled.
    pub(super) in_flight: u64,
    /// Records that are gone, passed with others in flight: counted when the cursor passes them.
    holes: VecDeque<Hole>,
    /// Unsettled ones in memory that no commit has taken.
    pub(super) waiting: u64,
    /// What is older than itself and it has not settled.
    pub(super) older: Older,
    /// Those of them that are in flight.
    pub(super) waiting_read: u64,
    /// Whether its destination can be reached.
    pub(super) connected: bool,
    /// What it wants and cannot be read.
    pub(super) unread: Patience,
}

/// A place on disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) generation: u64,
    pub(super) walk: Walk,
    /// How many records of the stream lie before the end of the segment, if it is sealed and the
    /// next one's header can be read.
    pub(super) end_ord: Option<u64>,
    /// That header could not be read: it is needed when all before it were read.
    pub(super) end_unread: bool,
}

#[derive(Clone, Copy, Debug)]
struct Hole {
    before: u64,
    count: u64,
    cause: Cause,
}

/// Why records that were written are not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The medium damaged them.
    Rot,
    /// A commit that was cut short had begun to overwrite them.
    Overwritten,
}

impl Stream {
    /// A stream that begins here.
    pub(super) fn new(name: &str, seq: u64, ord: u64) -> Self {
        Self::remembered(slot::Stream {
            name: name.to_owned(),
            state: State::Attached,
            from_oldest: false,
            attach_seq: seq,
            cursor_seq: seq,
            cursor_ord: ord,
            tally: Tally::default(),
        })
    }

    /// A stream as a slot has it; it reads on from its cursor.
    pub(super) fn remembered(stream: slot::Stream) -> Self {
        Self {
            name: stream.name,
            state: stream.state,
            from_oldest: stream.from_oldest,
            attach_seq: stream.attach_seq,
            cursor_seq: stream.cursor_seq,
            cursor_ord: stream.cursor_ord,
            tally: stream.tally,
            read_seq: stream.cursor_seq,
            read_ord: stream.cursor_ord,
            spot: None,
            on_disk: true,
            in_flight: 0,
            holes: VecDeque::new(),
            waiting: 0,
            older: Older::default(),
            waiting_read: 0,
            connected: false,
            unread: Patience::default(),
        }
    }

    /// What a slot keeps of it, nothing of it beyond `durable`, before which `durable_ord` lie.
    pub(super) fn remember(&self, durable: u64, durable_ord: u64) -> slot::Stream {
        slot::Stream {
            name: self.name.clone(),
            state: self.state,
            from_oldest: self.from_oldest,
            attach_seq: self.attach_seq,
            cursor_seq: self.saved_seq(durable),
            cursor_ord: self.cursor_ord.min(durable_ord),
            tally: self.tally,
        }
    }

    fn saved_seq(&self, durable: u64) -> u64 {
        match self.state {
            State::Attached if !kept(Rule::ClampCursors) => self.cursor_seq,
            State::Attached => self.cursor_seq.min(durable),
            State::Removed => self.cursor_seq,
        }
    }

    /// Whether records below the place where it was attached are still before it.
    pub(super) fn reads_older(&self) -> bool {
        self.from_oldest && self.read_seq < self.attach_seq
    }

    /// Passes records that are not there any more.
    fn pass_hole(&mut self, hole: Hole) {
        self.read_ord += hole.count;
        if self.in_flight == 0 || !kept(Rule::CountHolesOnce) {
            self.count_hole(hole);
        } else if hole.count > 0 {
            self.holes.push_back(hole);
        }
    }

    fn count_hole(&mut self, hole: Hole) {
        self.cursor_ord += hole.count;
        match hole.cause {
            Cause::Rot => self.tally.corrupt += hole.count,
            Cause::Overwritten => self.tally.dropped += hole.count,
        }
    }

    /// Settles a record in flight.
    pub(super) fn settle(&mut self, seq: u64, how: Settled, written: Written) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.cursor_seq = seq + 1;
        match written {
            Written::Yes => self.cursor_ord += 1,
            Written::No => {
                self.waiting = self.waiting.saturating_sub(1);
                self.waiting_read = self.waiting_read.saturating_sub(1);
            }
            Written::BeforeAttached => self.settle_older(seq, how),
        }
        self.tally.count(how);
        while let Some(hole) = self.holes.pop_front_if(|hole| hole.before <= seq + 1) {
            self.count_hole(hole);
        }
        self.leave_older();
        if self.in_flight == 0 {
            self.follow();
        }
    }

    /// With nothing in flight the cursor stands at the reading place.
    pub(super) fn follow(&mut self) {
        self.cursor_seq = self.cursor_seq.max(self.read_seq);
        while let Some(hole) = self.holes.pop_front() {
            self.count_hole(hole);
        }
        self.leave_older();
    }

    /// What it passed because it is gone, and will count when the cursor passes it.
    pub(super) fn passed(&self) -> Tally {
        let sum = |cause| {
            let holes = self.holes.iter().filter(|hole| hole.cause == cause);
            holes.map(|hole| hole.count).sum()
        };
        Tally {
            corrupt: sum(Cause::Rot),
            dropped: sum(Cause::Overwritten) + self.older.backlog(),
            ..Tally::default()
        }
    }

    /// Puts the reading place back to the cursor; what is before `durable` is read from disk.
    pub(super) fn reread(&mut self, durable: u64) {
        self.on_disk = self.cursor_seq < durable;
        self.read_seq = self.cursor_seq;
        self.read_ord = self.cursor_ord;
        self.spot = None;
        self.in_flight = 0;
        self.waiting_read = 0;
        self.holes.clear();
    }

    /// All before the record `first_seq` is gone: `tail_ord` ones. Those that were not read are
    /// counted; what is in flight is not touched. Says whether there were any.
    pub(super) fn drop_before(&mut self, first_seq: u64, tail_ord: u64) -> bool {
        let lost = tail_ord.saturating_sub(self.read_ord);
        self.tally.dropped += lost;
        self.cursor_ord += lost;
        self.read_ord += lost;
        self.drop_older(first_seq);
        if self.read_seq < first_seq {
            self.read_seq = first_seq;
            self.spot = None;
        }
        if self.in_flight == 0 {
            self.follow();
        }
        lost > 0
    }

    /// Believes that exactly `ord` records lie before the reading place `seq`: more than were
    /// met are gone for this `cause`, fewer were counted twice.
    pub(super) fn believe(&mut self, seq: u64, ord: u64, cause: Cause) {
        if self.read_ord <= ord {
            return self.pass_hole(Hole {
                before: seq,
                count: ord - self.read_ord,
                cause,
            });
        }
        let over = self.read_ord - ord;
        self.read_ord -= over;
        self.cursor_ord = self.cursor_ord.saturating_sub(over);
    }

    /// A commit has taken the record `seq`, unsettled, out of what waits.
    pub(super) fn taken(&mut self, seq: u64) {
        self.waiting = self.waiting.saturating_sub(1);
        if seq < self.read_seq {
            self.waiting_read = self.waiting_read.saturating_sub(1);
            self.read_ord += 1;
        }
    }
}

/// Whether a record counts among a stream's ordinals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A commit took it while it was unsettled.
    Yes,
    /// It is only in memory.
    No,
    /// It is older than the stream.
    BeforeAttached,
}

impl Tally {
    fn count(&mut self, how: Settled) {
        let place = match how {
            Settled::Accepted => &mut self.accepted,
            Settled::Filtered => &mut self.filtered,
            Settled::Expired => &mut self.expired,
            Settled::ByHand => &mut self.by_hand,
            Settled::GivenUp => &mut self.given_up,
            Settled::Unwanted => return,
        };
        *place += 1;
    }

    /// Adds what another ring counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.filtered += other.filtered;
        self.expired += other.expired;
        self.by_hand += other.by_hand;
        self.given_up += other.given_up;
        self.dropped += other.dropped;
        self.corrupt += other.corrupt;
    }

    /// All of it.
    pub(super) fn sum(&self) -> u64 {
        let settled = self.accepted + self.filtered + self.expired + self.by_hand + self.given_up;
        settled + self.dropped + self.corrupt
    }
}

impl Table {
    /// The streams of a slot.
    pub(super) fn remembered(streams: Vec<Option<slot::Stream>>) -> Self {
        let mut streams: Vec<_> = streams
            .into_iter()
            .map(|stream| stream.map(Stream::remembered))
            .collect();
        streams.resize_with(STREAMS_MAX, || None);
        Self { streams }
    }

    /// A stream that is attached.
    pub(super) fn stream(&self, id: StreamId) -> Option<&Stream> {
        self.streams
            .get(id.index())?
            .as_ref()
            .filter(|stream| stream.state == State::Attached)
    }

    /// A stream that is attached.
    pub(super) fn stream_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        let stream = self.streams.get_mut(id.index())?.as_mut();
        stream.filter(|stream| stream.state == State::Attached)
    }

    /// All that are attached.
    pub(super) fn attached(&self) -> impl Iterator<Item = (StreamId, &Stream)> {
        StreamId::all().filter_map(|id| Some((id, self.stream(id)?)))
    }

    /// All that are attached.
    pub(super) fn attached_mut(&mut self) -> impl Iterator<Item = (StreamId, &mut Stream)> {
        let all = StreamId::all().zip(&mut self.streams);
        all.filter_map(|(id, stream)| Some((id, stream.as_mut()?)))
            .filter(|(_, stream)| stream.state == State::Attached)
    }

    /// The stream of a name.
    pub(super) fn find(&self, name: &str) -> Option<StreamId> {
        self.attached()
            .find(|(_, stream)| stream.name == name)
            .map(|(id, _)| id)
    }

    /// A bit that no record from the segment `oldest` on has, and that is none of `held`.
    pub(super) fn vacant(&self, oldest: u64, held: u32) -> Option<StreamId> {
        let free = |stream: &Stream| stream.state == State::Removed && stream.cursor_seq < oldest;
        StreamId::all().find(|id| match self.streams.get(id.index()) {
            Some(place) => held & id.bit() == 0 && place.as_ref().is_none_or(free),
            None => false,
        })
    }

    /// Gives a bit to a stream; returns what was there.
    pub(super) fn place(&mut self, id: StreamId, stream: Option<Stream>) -> Option<Stream> {
        match self.streams.get_mut(id.index()) {
            Some(place) => std::mem::replace(place, stream),
            None => None,
        }
    }

    /// Takes the bit of a stream away; it may be given again once the segment `head` is gone.
    pub(super) fn remove(&mut self, id: StreamId, head: u64) {
        if let Some(stream) = self.stream_mut(id) {
            stream.state = State::Removed;
            stream.cursor_seq = head;
        }
    }

    /// Which of the streams of `mask` have not settled the record `seq`.
    pub(super) fn unsettled(&self, mask: u32, seq: u64) -> u32 {
        let open = StreamId::of_mask(mask).filter(|id| {
            let stream = self.stream(*id);
            stream.is_some_and(|stream| stream.cursor_seq <= seq && stream.attach_seq <= seq)
        });
        open.fold(0, |bits, id| bits | id.bit())
    }

    /// Whether all destinations of a mask can be reached.
    pub(super) fn all_connected(&self, mask: u32) -> bool {
        StreamId::of_mask(mask).all(|id| self.stream(id).is_some_and(|stream| stream.connected))
    }

    /// What a slot keeps.
    pub(super) fn remember(&self, durable: u64, ords: &Ordinals) -> Vec<Option<slot::Stream>> {
        let all = StreamId::all().zip(&self.streams);
        all.map(|(id, stream)| stream.as_ref().map(|s| s.remember(durable, ords.of(id))))
            .collect()
    }

    /// The owner of each bit, as segment headers have it.
    pub(super) fn owners(&self) -> [u32; STREAMS_MAX] {
        let mut owners = [0; STREAMS_MAX];
        for (owner, stream) in owners.iter_mut().zip(&self.streams) {
            *owner = stream.as_ref().map_or(0, |stream| owner_of(&stream.name));
        }
        owners
    }
}

/// How a segment header names the owner of a bit.
pub(super) fn owner_of(name: &str) -> u32 {
    checksum(0, name.as_bytes()).max(1)
}
