//! Idents and when they were touched last: a bounded memory of them, in which each has a place
//! for what somebody else knows of it. For a newcomer the one gives way that was touched longest
//! ago. Whatever is asked or changed costs the same, however many there are.

use std::collections::HashMap;
use std::rc::Rc;

/// Idents in the order in which they were touched.
#[derive(Clone, Debug)]
pub struct RecentIdents {
    max: u16,
    places: HashMap<Rc<str>, u16>,
    /// By place: never fewer than before, and at most `max`.
    entries: Vec<Entry>,
    newest: u16,
    oldest: u16,
}

#[derive(Clone, Debug)]
struct Entry {
    ident: Rc<str>,
    /// Its neighbours in the order, or [`NONE`].
    newer: u16,
    older: u16,
}

impl RecentIdents {
    /// None; at most `max`.
    #[must_use]
    pub fn new(max: u16) -> Self {
        Self {
            max,
            places: HashMap::new(),
            entries: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// The place of an ident, below the bound.
    #[must_use]
    pub fn place(&self, ident: &str) -> Option<u16> {
        self.places.get(ident).copied()
    }

    /// The ident at a place.
    #[must_use]
    pub fn ident(&self, place: u16) -> &str {
        self.entry(place).map_or("", |entry| &entry.ident)
    }

    /// Makes the one at a place the newest.
    pub fn touch(&mut self, place: u16) {
        if place != self.newest {
            self.unlink(place);
            self.link(place);
        }
    }

    /// The place that the next newcomer gets, and whether somebody has it, who was touched longest
    /// ago.
    #[must_use]
    pub fn next_place(&self) -> (u16, bool) {
        match u16::try_from(self.entries.len()) {
            Ok(place) if place < self.max => (place, false),
            _ => (self.oldest, true),
        }
    }

    /// Takes a newcomer in at a place: a new one, or that of another, who is forgotten. It is the
    /// newest. Precondition: nobody has this ident, and the place is that of somebody or
    /// [`RecentIdents::next_place`].
    pub fn admit(&mut self, ident: &str, place: u16) {
        let ident: Rc<str> = ident.into();
        self.places.insert(Rc::clone(&ident), place);
        if let Some(entry) = self.entries.get_mut(usize::from(place)) {
            let former = std::mem::replace(&mut entry.ident, ident);
            self.places.remove(&former);
            self.touch(place);
        } else {
            let (newer, older) = (NONE, NONE);
            self.entries.push(Entry {
                ident,
                newer,
                older,
            });
            self.link(place);
        }
    }

    /// The places, that of the one that was touched last first.
    pub fn newest_first(&self) -> impl Iterator<Item = u16> {
        self.walk(self.newest, |entry| entry.older)
    }

    /// The places, that of the one that was touched longest ago first.
    pub fn oldest_first(&self) -> impl Iterator<Item = u16> {
        self.walk(self.oldest, |entry| entry.newer)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::new(self.max);
    }

    fn walk(&self, first: u16, next: fn(&Entry) -> u16) -> impl Iterator<Item = u16> {
        let known = |place: u16| self.entry(place).map(|_| place);
        std::iter::successors(known(first), move |place| known(next(self.entry(*place)?)))
    }

    fn entry(&self, place: u16) -> Option<&Entry> {
        self.entries.get(usize::from(place))
    }

    fn unlink(&mut self, place: u16) {
        let Some(&Entry { newer, older, .. }) = self.entry(place) else {
            return;
        };
        match self.entries.get_mut(usize::from(newer)) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match self.entries.get_mut(usize::from(older)) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link(&mut self, place: u16) {
        let former = std::mem::replace(&mut self.newest, place);
        if let Some(entry) = self.entries.get_mut(usize::from(place)) {
            (entry.newer, entry.older) = (NONE, former);
        }
        match self.entries.get_mut(usize::from(former)) {
            Some(entry) => entry.newer = place,
            None => self.oldest = place,
        }
    }
}

/// No place: more than any bound.
const NONE: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    /// Touches or admits.
    fn meet(idents: &mut RecentIdents, ident: &str) {
        match idents.place(ident) {
            Some(place) => idents.touch(place),
            None => idents.admit(ident, idents.next_place().0),
        }
    }

    #[test]
    fn it_is_as_a_list_in_which_each_is_moved_to_the_front() {
        let (mut idents, mut list) = (RecentIdents::new(5), Vec::<String>::new());
        let mut random = 7_u32;
        for _ in 0..2_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let ident = (random >> 24).rem_euclid(9).to_string();
            meet(&mut idents, &ident);
            list.retain(|known| *known != ident);
            list.insert(0, ident);
            list.truncate(5);
            let newest: Vec<_> = idents.newest_first().map(|it| idents.ident(it)).collect();
            assert_eq!(newest, list);
            let oldest = idents.oldest_first().map(|it| idents.ident(it));
            assert!(oldest.eq(list.iter().rev()));
            assert!(list.iter().all(|it| idents.place(it).is_some()));
            assert_eq!(idents.places.len(), list.len());
        }
    }

    #[test]
    fn a_newcomer_may_take_the_place_of_anybody() {
        let mut idents = RecentIdents::new(3);
        ["a", "b", "c"].iter().for_each(|it| meet(&mut idents, it));
        assert_eq!(idents.next_place(), (0, true));
        let place = idents.place("b").unwrap();
        idents.admit("d", place);
        assert_eq!((idents.place("b"), idents.place("d")), (None, Some(place)));
        assert_eq!(idents.newest_first().collect::<Vec<_>>(), [1, 2, 0]);
        idents.clear();
        assert_eq!((idents.place("d"), idents.next_place()), (None, (0, false)));
    }
}
