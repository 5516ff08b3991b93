//! Lines that say the same again: counted, and said as one.

use log::Level;

/// The last line, and how often it came again.
pub(super) struct Fold {
    /// None: there was none yet.
    last: Option<(Level, String)>,
    repeats: u64,
    /// When the last line was written, or its repeats; seconds.
    since: i64,
}

impl Fold {
    /// Nothing was said.
    pub(super) const NEW: Self = Self {
        last: None,
        repeats: 0,
        since: 0,
    };

    /// Whether this is the last line once more; then it is counted.
    pub(super) fn is_repeated(&mut self, level: Level, text: &str) -> bool {
        let is = matches!(&self.last, Some((last, said)) if *last == level && said == text);
        self.repeats += u64::from(is);
        is
    }

    /// This line was written.
    pub(super) fn begin(&mut self, level: Level, text: String, now: i64) {
        *self = Self {
            last: Some((level, text)),
            repeats: 0,
            since: now,
        };
    }

    /// Whether repeats have waited long enough to be said.
    pub(super) fn is_due(&self, now: i64) -> bool {
        self.repeats > 0 && now - self.since >= SAY_EVERY
    }

    /// How often the last line came again, if it did; the count begins anew.
    pub(super) fn repeats(&mut self, now: i64) -> Option<(Level, u64)> {
        let (level, _) = self.last.as_ref().filter(|_| self.repeats > 0)?;
        self.since = now;
        Some((*level, std::mem::take(&mut self.repeats)))
    }
}

/// Seconds after which repeats are said although no other line came.
const SAY_EVERY: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_line_is_counted_and_the_count_is_said_once() {
        let mut fold = Fold::NEW;
        assert!(!fold.is_repeated(Level::Warn, "a"));
        fold.begin(Level::Warn, "a".to_owned(), 100);
        assert_eq!(fold.repeats(100), None);
        for _ in 0..37 {
            assert!(fold.is_repeated(Level::Warn, "a"));
        }
        assert!(!fold.is_repeated(Level::Info, "a"));
        assert!(!fold.is_due(159) && fold.is_due(160));
        assert_eq!(fold.repeats(160), Some((Level::Warn, 37)));
        assert_eq!(fold.repeats(160), None);
        assert!(fold.is_repeated(Level::Warn, "a"));
        assert!(!fold.is_due(219) && fold.is_due(220));
    }
}
