//! Which of many patterns a text fits. Plain ones are found by a hash: a gateway may have
//! thousands of them. The others are tried one by one.

use super::Pattern;

/// Places in a list of patterns that somebody else keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternIndex {
    /// Of plain ones the place and one, from the slot on that the hash says, or 0. As many slots as
    /// a power of two, at least half of them empty.
    slots: Box<[u32]>,
    /// Places of those with a star.
    starred: Box<[u32]>,
}

impl PatternIndex {
    /// Of a list, in its order.
    #[must_use]
    pub fn new<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let (mut plain, mut starred) = (Vec::new(), Vec::new());
        for (place, pattern) in (0..u32::MAX).zip(patterns) {
            match pattern.is_plain() {
                true => plain.push((hash(pattern.as_str()), place)),
                false => starred.push(place),
            }
        }
        let mut index = Self {
            slots: vec![0; 2 * plain.len().next_power_of_two()].into(),
            starred: starred.into(),
        };
        for (hash, place) in plain {
            let free = index.slots_from(hash).find(|slot| *index.slot(*slot) == 0);
            if let Some(slot) = free.and_then(|free| index.slots.get_mut(free)) {
                *slot = place + 1;
            }
        }
        index
    }

    /// The first place whose pattern `text` fits, where `fits` tells whether it fits that at a
    /// place.
    #[must_use]
    pub fn first(&self, text: &str, fits: &dyn Fn(usize) -> bool) -> Option<usize> {
        let plain = self.plain(text).find(|place| fits(*place));
        let starred = self.starred().find(|place| fits(*place));
        match (plain, starred) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// The places of all patterns that `text` may fit; there is none other that it fits.
    pub fn candidates(&self, text: &str) -> impl Iterator<Item = usize> {
        self.plain(text).chain(self.starred())
    }

    fn plain(&self, text: &str) -> impl Iterator<Item = usize> {
        let slots = self.slots_from(hash(text)).map(|slot| *self.slot(slot));
        let places = slots.take_while(|slot| *slot != 0);
        places.map(|slot| slot as usize - 1)
    }

    fn starred(&self) -> impl Iterator<Item = usize> {
        self.starred.iter().map(|place| *place as usize)
    }

    /// All slots, from that on which a hash says.
    fn slots_from(&self, hash: u32) -> impl Iterator<Item = usize> + use<> {
        let (count, first) = (self.slots.len(), hash as usize);
        (0..count).map(move |more| first.wrapping_add(more) & (count - 1))
    }

    fn slot(&self, slot: usize) -> &u32 {
        self.slots.get(slot).unwrap_or(&0)
    }
}

/// FNV-1a, its high bits folded into the low ones: whoever chooses the texts has written the
/// patterns himself.
fn hash(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = text.bytes().fold(0x811c_9dc5, step);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_a_walk_over_all_finds() {
        let texts = ["7", "1*", "12", "3", "*2", "12", "", "*"];
        for count in 0..=texts.len() {
            let patterns: Vec<_> = texts[..count].iter().map(|it| Pattern::new(it)).collect();
            let index = PatternIndex::new(patterns.iter());
            for text in ["", "12", "7", "3", "13", "42", "9"] {
                let fits = |place: usize| patterns[place].matches(text);
                let mut all: Vec<_> = index.candidates(text).filter(|at| fits(*at)).collect();
                all.sort_unstable();
                let wanted: Vec<_> = (0..count).filter(|place| fits(*place)).collect();
                assert_eq!(all, wanted, "{text} of {count}");
                assert_eq!(index.first(text, &fits), wanted.first().copied());
            }
        }
    }

    #[test]
    fn of_thousands_only_a_few_are_looked_at() {
        let ident = |number: u32| Pattern::new(&format!("3520930{number:08}"));
        let patterns: Vec<_> = (0..10_000).map(ident).collect();
        let index = PatternIndex::new(patterns.iter());
        let looks = |pattern: &Pattern| index.candidates(pattern.as_str()).count();
        let all: usize = patterns.iter().map(looks).sum();
        assert!(all < 3 * patterns.len(), "{all}");
        assert!(patterns.iter().map(looks).max() < Some(64));
    }
}
