//! The streams of a ring, by their bits, and whose the bits are. Knows no bytes of records and no
//! disk.

use super::StreamId;
use super::checksum::checksum;
use super::cursor::Cursor;
use super::format::Counts;
use super::format::STREAMS_MAX;
use super::slot;
use super::slot::Slot;

/// All streams, by bit. A bit that is an orphan's has no stream.
#[derive(Debug)]
pub(super) struct Table {
    streams: Vec<Option<Cursor>>,
    /// Bits that the active segment's header gives an owner and no slot knows of, until it comes
    /// back: with both slots lost, records are kept for whoever they are for.
    orphans: [u32; STREAMS_MAX],
}

impl Table {
    /// The streams of a slot, where there is one, and those that only the active segment's header
    /// names.
    pub(super) fn remembered(slot: Option<&Slot>, owners: &[u32; STREAMS_MAX]) -> Self {
        let streams = slot.map(|slot| slot.streams.clone()).unwrap_or_default();
        let mut streams: Vec<_> = streams
            .into_iter()
            .map(|stream| stream.map(Cursor::remembered))
            .collect();
        streams.resize_with(STREAMS_MAX, || None);
        let mut orphans = *owners;
        for (orphan, stream) in orphans.iter_mut().zip(&streams) {
            *orphan = stream.as_ref().map_or(*orphan, |_| 0);
        }
        Self { streams, orphans }
    }

    /// A stream that is attached.
    pub(super) fn stream(&self, id: StreamId) -> Option<&Cursor> {
        self.streams
            .get(id.index())?
            .as_ref()
            .filter(|stream| stream.is_attached())
    }

    /// A stream that is attached.
    pub(super) fn stream_mut(&mut self, id: StreamId) -> Option<&mut Cursor> {
        let stream = self.streams.get_mut(id.index())?.as_mut();
        stream.filter(|stream| stream.is_attached())
    }

    /// All that are attached.
    pub(super) fn attached(&self) -> impl Iterator<Item = (StreamId, &Cursor)> {
        StreamId::all().filter_map(|id| Some((id, self.stream(id)?)))
    }

    /// All that are attached.
    pub(super) fn attached_mut(&mut self) -> impl Iterator<Item = (StreamId, &mut Cursor)> {
        let all = StreamId::all().zip(&mut self.streams);
        all.filter_map(|(id, stream)| Some((id, stream.as_mut()?)))
            .filter(|(_, stream)| stream.is_attached())
    }

    /// The stream of a name.
    pub(super) fn find_by_name(&self, name: &str) -> Option<StreamId> {
        self.attached()
            .find(|(_, stream)| stream.name == name)
            .map(|(id, _)| id)
    }

    /// A bit that no record from the segment `oldest` on has, and that is none of `held`.
    pub(super) fn vacant(&self, oldest: u64, held: u32) -> Option<StreamId> {
        let held = held | self.orphaned();
        let is_free = |place: &Option<Cursor>| {
            place
                .as_ref()
                .is_none_or(|stream| stream.is_forgotten(oldest))
        };
        let mut free = StreamId::all().filter(|id| held & id.bit() == 0);
        free.find(|id| self.streams.get(id.index()).is_some_and(is_free))
    }

    /// Gives a bit to a stream.
    pub(super) fn set_stream(&mut self, id: StreamId, stream: Cursor) {
        if let Some(place) = self.streams.get_mut(id.index()) {
            *place = Some(stream);
        }
        if let Some(orphan) = self.orphans.get_mut(id.index()) {
            *orphan = 0;
        }
    }

    /// Takes the bit of a stream away; it may be given again once the segment `head` is gone.
    pub(super) fn remove(&mut self, id: StreamId, head: u64) {
        if let Some(stream) = self.stream_mut(id) {
            stream.remove(head);
        }
    }

    /// The bit that is kept for a name.
    pub(super) fn orphan(&self, name: &str) -> Option<StreamId> {
        let owner = owner_of(name);
        StreamId::all().find(|id| self.orphans.get(id.index()) == Some(&owner))
    }

    /// The bits that have an owner whose name is not known.
    pub(super) fn orphaned(&self) -> u32 {
        let owned = StreamId::all().zip(self.orphans);
        let owned = owned.filter(|(_, owner)| *owner != 0);
        owned.fold(0, |bits, (id, _)| bits | id.bit())
    }

    /// A record that the streams of a mask want waits in memory.
    pub(super) fn append(&mut self, mask: u32) {
        for id in StreamId::of_mask(mask) {
            if let Some(stream) = self.stream_mut(id) {
                stream.append();
            }
        }
    }

    /// A commit has taken the record `seq` for the streams of a mask.
    pub(super) fn taken(&mut self, mask: u32, seq: u64) {
        for id in StreamId::of_mask(mask) {
            if let Some(stream) = self.stream_mut(id) {
                stream.taken(seq);
            }
        }
    }

    /// Which of the streams of `mask` have not settled the record `seq`.
    pub(super) fn unsettled(&self, mask: u32, seq: u64) -> u32 {
        let open = StreamId::of_mask(mask).filter(|id| {
            let stream = self.stream(*id);
            stream.is_some_and(|stream| stream.is_before(seq))
        });
        open.fold(0, |bits, id| bits | id.bit())
    }

    /// Those whose destinations cannot be reached.
    pub(super) fn unconnected(&self) -> u32 {
        let away = self.attached().filter(|(_, stream)| !stream.connected);
        away.fold(0, |bits, (id, _)| bits | id.bit())
    }

    /// What a slot keeps.
    pub(super) fn remember(&self, durable: u64, ords: &Counts) -> Vec<Option<slot::SavedStream>> {
        let all = StreamId::all().zip(&self.streams);
        all.map(|(id, stream)| stream.as_ref().map(|s| s.remember(durable, ords.of(id))))
            .collect()
    }

    /// The owner of each bit, as segment headers have it.
    pub(super) fn owners(&self) -> [u32; STREAMS_MAX] {
        let mut owners = self.orphans;
        for (owner, stream) in owners.iter_mut().zip(&self.streams) {
            *owner = stream.as_ref().map_or(*owner, |s| owner_of(&s.name));
        }
        owners
    }
}

/// How a segment header names the owner of a bit: never by 0.
fn owner_of(name: &str) -> u32 {
    checksum(0, name.as_bytes()).max(1)
}

#[cfg(test)]
impl Table {
    /// Panics where one of them does not hold.
    pub(super) fn check_invariants(&self) {
        let both = |(stream, orphan): (&Option<Cursor>, u32)| stream.is_some() && orphan != 0;
        assert!(!self.streams.iter().zip(self.orphans).any(both), "{self:?}");
    }
}
