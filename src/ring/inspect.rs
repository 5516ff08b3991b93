//! Looking into a ring without changing it: what it says of itself, every record, and a full
//! check. Works on a live file, a copy or a ruin.

use super::Counters;
use super::IoError;
use super::OpenError;
use super::Seq;
use super::Storage;
use super::StreamId;
use super::format::Counts;
use super::format::low;
use super::hole::Damage;
use super::picture::Picture;
use super::read_buffer::ReadBuffer;
use super::read_buffer::read_header;
use super::record_iter::FoundRecord;
use super::record_iter::RecordIter;
use super::recover::RecoverError;
use super::recover::newest_slot;
use super::recover::recover;
use super::segment;
use super::segments::SegmentSpan;
use super::slot;
use super::slot::BitState;
use super::times::Boots;
use crate::clock::Now;
use crate::clock::Wall;
use std::time::Duration;

/// What a ring says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The half of its id that is shown.
    pub id: u32,
    /// Bytes that it uses.
    pub size: u64,
    /// Bytes that the configuration asked for when it was opened last.
    pub asked: u64,
    /// Bytes of a segment.
    pub segment_len: u32,
    /// How many segments there are.
    pub segments: u32,
    /// How many of them hold records.
    pub segments_used: usize,
    /// The first number that may still be there.
    pub oldest: Seq,
    /// The number behind the last record.
    pub end: Seq,
    /// When the oldest record was received, if there is one.
    pub oldest_received: Option<Wall>,
    /// The last date that was believed, since 1970: an earlier one is doubted.
    pub remembered: Option<Duration>,
    /// Slots that are whole, of 2.
    pub slots: u8,
    /// Whether it was closed.
    pub clean: bool,
    /// How often it was opened.
    pub boots: u32,
    /// Its streams.
    pub streams: Vec<StreamInfo>,
    /// What is damaged in the segment that was written to last.
    pub holes: Vec<HoleInfo>,
}

/// What a ring says of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: String,
    /// The first number that it has not settled, or one before.
    pub cursor: Seq,
    /// What became of what it wanted, as far as the disk knows.
    pub counters: Counters,
}

/// Bytes that are no sound record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoleInfo {
    /// Where, from the start of the file.
    pub offset: u64,
    /// How many.
    pub len: u32,
    /// By what.
    pub cause: HoleCause,
}

/// What made a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoleCause {
    /// A power cut in the middle of a commit: nothing in it was acknowledged.
    PowerCut,
    /// The medium.
    Medium,
}

/// A record as it lies in a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped<'a> {
    /// Its number.
    pub seq: Seq,
    /// Where it begins, from the start of the file.
    pub offset: u64,
    /// The streams that it was written for, by name.
    pub streams: Vec<&'a str>,
    /// When it was received.
    pub received: Wall,
    /// The message; none if it is damaged.
    pub body: Option<&'a [u8]>,
}

/// What a full check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records that are sound.
    pub records: u64,
    /// Records whose bodies are damaged.
    pub damaged: u64,
    /// Holes made by the medium, at most [`HOLES_MAX`] of them.
    pub holes: Vec<HoleInfo>,
    /// Records that were written, and are not there, for the stream that misses most.
    pub missing: u64,
    /// Segments that had lost their headers.
    pub headers_lost: u32,
    /// Slots that are whole, of 2.
    pub slots: u8,
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let lost = self.damaged + self.missing + u64::from(self.headers_lost);
        lost == 0 && self.holes.is_empty() && self.slots == 2
    }
}

/// What a ring says of itself.
///
/// # Errors
/// When there is none.
pub fn info(storage: &mut dyn Storage, now: Now) -> Result<Info, OpenError> {
    let mut oldest_received = None;
    dump(storage, now, &mut |oldest| {
        oldest_received = Some(oldest.received);
        false
    })?;
    let picture = look(storage)?;
    let at = picture.geometry.offset(picture.active.generation);
    let holes = picture.holes.iter().map(|hole| HoleInfo {
        offset: at + u64::from(hole.from),
        len: hole.to - hole.from,
        cause: match hole.kind {
            Damage::Torn => HoleCause::PowerCut,
            Damage::Rot => HoleCause::Medium,
        },
    });
    let slot = picture.slot.as_ref();
    Ok(Info {
        id: low(picture.ring_id >> 32),
        size: picture.geometry.len(),
        asked: slot.map_or(0, |slot| slot.asked),
        segment_len: picture.geometry.segment_len,
        segments: picture.geometry.segment_count,
        segments_used: picture.segments.len(),
        oldest: Seq(picture
            .segments
            .front()
            .map_or(picture.end_seq, |s| s.first_seq)),
        end: Seq(picture.end_seq),
        oldest_received,
        remembered: Some(picture.remembered_ms())
            .filter(|ms| *ms > 0)
            .map(Duration::from_millis),
        slots: picture.sound_slots(),
        clean: slot.is_some_and(|slot| slot.clean),
        boots: slot.map_or(0, |slot| slot.boot),
        streams: streams(&picture)
            .map(|(id, stream)| stream_info(&picture, id, stream))
            .collect(),
        holes: holes.collect(),
    })
}

/// Lends every record that can be found to `each`, oldest first; ends early when it says false.
///
/// # Errors
/// When there is no ring.
pub fn dump(
    storage: &mut dyn Storage,
    now: Now,
    each: &mut dyn FnMut(&Dumped<'_>) -> bool,
) -> Result<(), OpenError> {
    let picture = look(storage)?;
    let now = now.expected_after(Duration::from_millis(picture.remembered_ms()));
    let boots = picture.boots(u32::MAX);
    let visited = visit(storage, &picture, &mut |found, at, body| {
        let arrival = Boots::arrival(found.base, found.header.elapsed_ms);
        let received = boots.resolve(arrival, now).wall;
        let wanted = streams(&picture).filter(|(id, _)| found.header.mask & id.bit() != 0);
        let streams = wanted.map(|(_, stream)| stream.name.as_str()).collect();
        let offset = at + u64::from(found.offset);
        each(&Dumped {
            seq: Seq(found.seq),
            offset,
            streams,
            received,
            body,
        })
    });
    visited.map_err(|_| unreadable(storage))
}

/// Reads everything and says what is wrong.
///
/// # Errors
/// When there is no ring.
pub fn verify(storage: &mut dyn Storage) -> Result<Verified, OpenError> {
    let picture = look(storage)?;
    let mut verified = Verified {
        headers_lost: picture.inferred,
        slots: picture.sound_slots(),
        ..Verified::default()
    };
    for index in 0..picture.segments.len() {
        let Some(span) = picture.span(index) else {
            continue;
        };
        verify_segment(storage, &picture, index, &span, &mut verified)
            .map_err(|_| unreadable(storage))?;
    }
    Ok(verified)
}

fn verify_segment(
    storage: &mut dyn Storage,
    picture: &Picture,
    index: usize,
    span: &SegmentSpan,
    verified: &mut Verified,
) -> Result<(), IoError> {
    let mut seen = Counts::default();
    let is_head = index + 1 == picture.segments.len();
    visit_segment(storage, span, &mut |found, body| {
        let torn = is_head && picture.is_torn(found.offset);
        if found.is_data() && !torn {
            seen.count(found.header.mask);
            match body {
                Some(_) => verified.records += 1,
                None => verified.damaged += 1,
            }
        }
        let from = found.offset - found.hole;
        let torn = is_head && picture.is_torn(from);
        if found.hole > 0 && !torn && verified.holes.len() < HOLES_MAX {
            let offset = span.at + u64::from(from);
            let cause = HoleCause::Medium;
            verified.holes.push(HoleInfo {
                offset,
                len: found.hole,
                cause,
            });
        }
        true
    })?;
    let this = header_at(storage, picture, index)?;
    if let (Some(this), Some(next)) = (this, header_at(storage, picture, index + 1)?) {
        let missing = next.cum.less(&this.cum).less(&seen);
        verified.missing += missing.0.into_iter().max().unwrap_or(0);
    }
    Ok(())
}

fn header_at(
    storage: &mut dyn Storage,
    picture: &Picture,
    index: usize,
) -> Result<Option<segment::SegmentHeader>, IoError> {
    let Some(segment) = picture.segments.get(index) else {
        return Ok(None);
    };
    let header = read_header(storage, picture.geometry.offset(segment.generation))?;
    Ok(header.filter(|header| header.generation == segment.generation))
}

/// The size that the configuration asked for when the ring was opened last; none if no slot says
/// so. Reads no more than the slots.
///
/// # Errors
/// When they cannot be read.
pub fn asked(storage: &mut dyn Storage) -> Result<Option<u64>, OpenError> {
    match newest_slot(storage) {
        Ok(slot) => Ok(slot.map(|slot| slot.asked)),
        Err(_) => Err(unreadable(storage)),
    }
}

/// A read failed.
pub(super) fn unreadable(storage: &dyn Storage) -> OpenError {
    OpenError::Unreadable {
        failures: storage.read_failures(),
    }
}

/// What a storage holds, as an answer for those who only look.
pub(super) fn look(storage: &mut dyn Storage) -> Result<Picture, OpenError> {
    recover(storage).map_err(|none| match none {
        RecoverError::Blank | RecoverError::Foreign => OpenError::Foreign,
        RecoverError::Newer => OpenError::Newer,
        RecoverError::Unreadable => unreadable(storage),
    })
}

/// Takes a record, where its segment begins, and its body if that is sound; false ends the visit.
pub(super) type Visitor<'a> = dyn FnMut(&FoundRecord, u64, Option<&[u8]>) -> bool + 'a;

/// Lends every record of a ring, sound or with a damaged body, and where its segment begins.
pub(super) fn visit(
    storage: &mut dyn Storage,
    picture: &Picture,
    each: &mut Visitor<'_>,
) -> Result<(), IoError> {
    for index in 0..picture.segments.len() {
        let Some(mut span) = picture.span(index) else {
            continue;
        };
        let is_head = index + 1 == picture.segments.len();
        span.end = span.end.min(picture.geometry.segment_len);
        let mut more = true;
        visit_segment(storage, &span, &mut |found, body| {
            let torn = is_head && picture.is_torn(found.offset);
            more = !found.is_data() || torn || each(found, span.at, body);
            more
        })?;
        if !more {
            break;
        }
    }
    Ok(())
}

fn visit_segment(
    storage: &mut dyn Storage,
    span: &SegmentSpan,
    each: &mut dyn FnMut(&FoundRecord, Option<&[u8]>) -> bool,
) -> Result<(), IoError> {
    let base = read_header(storage, span.at)?.map(|header| header.base);
    let (mut iter, mut buffer) = (RecordIter::new(span, base), ReadBuffer::default());
    while let Some(found) = iter.next_record(span, &mut buffer, storage)? {
        if found.is_data() && found.seq >= span.seq_end {
            break;
        }
        if !each(&found, found.body(span, &mut buffer, storage)?) {
            break;
        }
    }
    Ok(())
}

fn streams(picture: &Picture) -> impl Iterator<Item = (StreamId, &slot::SavedStream)> {
    let slot = picture.slot.iter().flat_map(|slot| &slot.streams);
    let all = StreamId::all().zip(slot);
    all.filter_map(|(id, stream)| Some((id, stream.as_ref()?)))
        .filter(|(_, stream)| stream.state == BitState::Attached)
}

fn stream_info(picture: &Picture, id: StreamId, stream: &slot::SavedStream) -> StreamInfo {
    let cum = picture
        .cum
        .of(id)
        .max(stream.cursor_ord + picture.after_cursor.of(id));
    let mut tally = stream.tally;
    let lost = picture.tail.of(id).saturating_sub(stream.cursor_ord);
    tally.dropped += lost;
    let counters = Counters::of(&tally, cum.saturating_sub(stream.cursor_ord + lost));
    StreamInfo {
        name: stream.name.clone(),
        cursor: Seq(stream.cursor_seq),
        counters,
    }
}

/// Holes that a check tells apart.
pub const HOLES_MAX: usize = 1024;
