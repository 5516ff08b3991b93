//! Bodies of records in memory: shared with those who have read them and not settled, in rooms that
//! are used again. So a message that passes costs no call of the allocator. Knows no record.

use std::collections::VecDeque;
use std::ops::Deref;
use std::rc::Rc;

/// The body of a record; a copy of it is the same bytes. As small as it can be: the window of a
/// stream has many.
#[derive(Clone, Debug)]
pub struct SharedBody {
    /// The length of the body, the body, and what the room has beyond.
    room: Rc<[u8]>,
}

/// Rooms of bodies that are gone from the ring: so many bytes at most as wait there usually.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// Those that were given back first come first: nobody else has them any more, most likely.
    free: VecDeque<Rc<[u8]>>,
    /// What they cost.
    bytes: usize,
}

impl Rooms {
    /// A body of these bytes.
    pub(super) fn body(&mut self, bytes: &[u8]) -> SharedBody {
        let len = bytes.len() + HEAD;
        while let Some(mut room) = self.free.pop_front() {
            self.bytes -= cost(&room);
            // of a room that somebody still has, or that has not the right size, nothing is kept
            if room.len() <= 2 * len + STEP
                && let Some(place) = Rc::get_mut(&mut room)
                && write(place, bytes).is_some()
            {
                return SharedBody { room };
            }
        }
        // the next body will be as long, or a little longer
        let stepped = len.next_multiple_of(STEP);
        let room = new_room(bytes, if stepped <= ROOM_MAX { stepped } else { len });
        SharedBody { room }
    }

    /// Takes the room of a body that the ring does not need any more; others may still have it.
    pub(super) fn take_back(&mut self, body: SharedBody) {
        let bytes = self.bytes + cost(&body.room);
        if bytes <= FREE_MAX && body.room.len() <= ROOM_MAX {
            self.bytes = bytes;
            self.free.push_back(body.room);
        }
    }
}

impl SharedBody {
    /// Bytes of memory that all copies cost together.
    #[must_use]
    pub fn memory_used(&self) -> usize {
        self.room.len()
    }
}

/// One that shares its room with no other.
impl From<&[u8]> for SharedBody {
    fn from(bytes: &[u8]) -> Self {
        let room = new_room(bytes, bytes.len() + HEAD);
        Self { room }
    }
}

impl Deref for SharedBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let Some((head, body)) = self.room.split_first_chunk() else {
            return &[];
        };
        let len = u32::from_le_bytes(*head) as usize;
        body.get(..len).unwrap_or_default()
    }
}

impl PartialEq for SharedBody {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedBody {}

/// A new room of so many bytes for a body that goes into it.
fn new_room(bytes: &[u8], len: usize) -> Rc<[u8]> {
    let mut place = [0; ROOM_MAX];
    if let Some(place) = place.get_mut(..len) {
        write(place, bytes);
        return Rc::from(&*place);
    }
    // in one allocation: it is long, and two at once would count
    let head = u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
    head.into_iter().chain(bytes.iter().copied()).collect()
}

/// Writes a body into a room; none where it does not go into it.
fn write(room: &mut [u8], bytes: &[u8]) -> Option<()> {
    let (head, body) = room.split_first_chunk_mut::<HEAD>()?;
    let body = body.get_mut(..bytes.len())?;
    *head = u32::try_from(bytes.len()).ok()?.to_le_bytes();
    body.copy_from_slice(bytes);
    Some(())
}

/// A room with what the allocator and the list of rooms add to it, in bytes.
fn cost(room: &Rc<[u8]>) -> usize {
    room.len() + 48
}

/// Bytes of the length before a body.
const HEAD: usize = 4;

/// Rooms are multiples of this, in bytes: messages of one device differ by a few.
const STEP: usize = 32;

/// Larger bodies are seldom, and their rooms are not kept.
const ROOM_MAX: usize = 512;

/// What free rooms cost at most, in bytes: as `commit.bytes` is, where nobody sets it.
const FREE_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls of the allocator that the work takes.
    fn calls(mut work: impl FnMut()) -> u64 {
        allocation_counter::measure(&mut work).count_total
    }

    #[test]
    fn a_room_is_used_again_once_nobody_has_its_body() {
        let mut rooms = Rooms::default();
        let first = rooms.body(b"first");
        let read = first.clone();
        rooms.take_back(first);
        let second = rooms.body(b"second");
        assert_eq!((&*read, &*second), (&b"first"[..], &b"second"[..]));
        drop(read);
        rooms.take_back(second);
        assert_eq!(calls(|| drop(rooms.body(b"of some more bytes"))), 0);
    }

    #[test]
    fn bodies_that_pass_cost_no_call_of_the_allocator() {
        let (mut rooms, mut waiting) = (Rooms::default(), VecDeque::new());
        let mut pass = |count: usize| {
            for number in 0..count {
                waiting.push_back(rooms.body(&[7; 512][..200 + number % 20]));
                if waiting.len() > 100 {
                    waiting.drain(..50).for_each(|body| rooms.take_back(body));
                }
            }
        };
        pass(1000);
        assert_eq!(calls(|| pass(1000)), 0);
    }

    #[test]
    fn what_is_kept_and_what_is_wasted_has_a_bound() {
        let mut rooms = Rooms::default();
        let bodies: Vec<_> = (0..1000).map(|_| rooms.body(&[7; 500])).collect();
        bodies.into_iter().for_each(|body| rooms.take_back(body));
        assert!(rooms.bytes <= FREE_MAX && rooms.free.len() > FREE_MAX / 600);
        // a small body takes no large room
        assert_eq!(rooms.body(b"small").room.len(), STEP);
        let large = rooms.body(&[7; ROOM_MAX + 1]);
        assert_eq!(
            (large.len(), large.room.len()),
            (ROOM_MAX + 1, ROOM_MAX + 1 + HEAD)
        );
        rooms.take_back(large);
        assert_eq!((rooms.bytes, rooms.free.len()), (0, 0));
    }
}
