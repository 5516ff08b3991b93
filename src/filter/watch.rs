//! Notices a filter that passes nothing: a name that is misspelt is no mistake of the text.
//! Warns nobody itself.

use super::Filter;
use crate::message::ValueRef;

/// What was seen of the messages that a filter was shown.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Refused since the last one that passed.
    refused: u32,
    /// Of each name of the filter, whether any message had it.
    seen: Vec<bool>,
}

impl Watch {
    /// Nothing was shown to `filter` yet.
    #[must_use]
    pub fn new(filter: &Filter) -> Self {
        Self {
            refused: 0,
            seen: vec![false; filter.names.len()],
        }
    }

    /// A message passed.
    pub fn passed(&mut self) {
        self.refused = 0;
    }

    /// A message of these parameters did not pass `filter`, the one that the watch was made for.
    /// True for the one that makes [`REFUSED_MAX`] in a row; never twice without one that passed
    /// between. No allocation.
    #[must_use]
    pub fn refused<'m>(
        &mut self,
        filter: &Filter,
        find: impl Fn(&str) -> Option<ValueRef<'m>>,
    ) -> bool {
        for (seen, name) in self.seen.iter_mut().zip(filter.parameters()) {
            *seen = *seen || find(name).is_some();
        }
        self.refused = self.refused.saturating_add(1);
        self.refused == REFUSED_MAX
    }

    /// The parameters that `filter` names and that no refused message had.
    pub fn never_seen<'f>(&self, filter: &'f Filter) -> impl Iterator<Item = &'f str> {
        let seen = self.seen.iter().zip(filter.parameters());
        seen.filter(|(seen, _)| !**seen).map(|(_, name)| name)
    }
}

/// So many refused in a row and none passed: most likely the filter is wrong.
pub const REFUSED_MAX: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_refused_in_a_row_are_told_once_with_what_was_never_seen() {
        let filter = Filter::parse("positon.speed > 5 && din && exists('x')").unwrap();
        let find = |name: &str| (name == "din").then_some(ValueRef::U64(0));
        let mut watch = Watch::new(&filter);
        let told = |watch: &mut Watch, count: u32| {
            (0..count).filter(|_| watch.refused(&filter, find)).count()
        };
        assert_eq!(told(&mut watch, 999), 0);
        watch.passed();
        assert_eq!(told(&mut watch, 999), 0);
        assert_eq!(told(&mut watch, 5_000), 1);
        let never = watch.never_seen(&filter).collect::<Vec<_>>();
        assert_eq!(never, ["positon.speed", "x"]);
    }
}
