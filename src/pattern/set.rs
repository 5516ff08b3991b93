//! A list of patterns of which one is enough.

use super::Pattern;
use super::PatternIndex;

/// Patterns; thousands of plain ones cost a text no more than one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
    index: PatternIndex,
}

impl PatternSet {
    /// All of a list.
    #[must_use]
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let index = PatternIndex::new(patterns.iter());
        Self { patterns, index }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a text fits one of them.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut candidates = self.index.candidates(text);
        let fits = |place: usize| self.patterns.get(place).is_some_and(|it| it.matches(text));
        candidates.any(fits)
    }
}
