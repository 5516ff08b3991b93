//! Topic filters of subscribers (MQTT 3.1.1 and 5, 4.7).

#![deny(clippy::arithmetic_side_effects)]

/// What somebody subscribes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter(Box<str>);

/// Why nobody can subscribe to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoFilter {
    /// It is none.
    Invalid,
    /// It is shared with others.
    Shared,
    /// It is longer than is kept here.
    Long,
}

impl Filter {
    /// Reads what a client asks for.
    ///
    /// # Errors
    /// See [`NoFilter`].
    pub(super) fn new(text: &str) -> Result<Self, NoFilter> {
        if text.len() > FILTER_MAX {
            return Err(NoFilter::Long);
        }
        if text.starts_with("$share/") {
            return Err(NoFilter::Shared);
        }
        let (before, last) = text.rsplit_once('/').unwrap_or(("", text));
        let is_level = |level: &str| level == "+" || !level.contains(['+', '#']);
        let is_good = before.split('/').all(is_level) && (last == "#" || is_level(last));
        match is_good && !text.is_empty() && !text.contains('\0') {
            true => Ok(Self(text.into())),
            false => Err(NoFilter::Invalid),
        }
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a topic fits it.
    pub(super) fn fits(&self, topic: &str) -> bool {
        let mut given = topic.split('/');
        for level in self.0.split('/') {
            match (level, given.next()) {
                // also of no level at all
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (level, Some(text)) if level == text => {}
                _ => return false,
            }
        }
        given.next().is_none()
    }

    /// Whether a topic that begins with these levels could fit it.
    pub(super) fn fits_some(&self, start: &str) -> bool {
        let mut levels = self.0.split('/');
        for text in start.split('/') {
            match levels.next() {
                Some("#") => return true,
                Some(level) if level == "+" || level == text => {}
                _ => return false,
            }
        }
        levels.next().is_some()
    }
}

/// Longest filter, in bytes: a name and an ident fit into it many times.
pub(super) const FILTER_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_fits_level_by_level() {
        for (filter, topic, fits) in [
            ("weir/messages/352", "weir/messages/352", true),
            ("weir/messages/352", "weir/messages/35", false),
            ("weir/messages/+", "weir/messages/352", true),
            ("weir/+", "weir/messages/352", false),
            ("weir/messages/+/+", "weir/messages/352", false),
            ("#", "weir/state/ring", true),
            ("weir/state/#", "weir/state/streams/a", true),
            ("weir/state/ring/#", "weir/state/ring", true),
            ("weir/state/#", "weir/messages/a", false),
            ("+/+/ring", "weir/state/ring", true),
            ("/weir/#", "weir/state/ring", false),
        ] {
            let found = Filter::new(filter).unwrap();
            assert_eq!(found.fits(topic), fits, "{filter} {topic}");
        }
    }

    #[test]
    fn a_filter_that_nothing_here_can_fit_is_known() {
        for (filter, messages, states) in [
            ("#", true, true),
            ("weir/#", true, true),
            ("weir/messages/+", true, false),
            ("weir/+/ring", true, true),
            ("+/state/#", false, true),
            ("weir/messages", false, false),
            ("weir/messages/#", true, false),
            ("weir/message/+", false, false),
            ("trackers/#", false, false),
        ] {
            let found = Filter::new(filter).unwrap();
            let fits = (
                found.fits_some("weir/messages"),
                found.fits_some("weir/state"),
            );
            assert_eq!(fits, (messages, states), "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_none() {
        for (text, why) in [
            ("", NoFilter::Invalid),
            ("a/#/b", NoFilter::Invalid),
            ("a#", NoFilter::Invalid),
            ("a/b+", NoFilter::Invalid),
            ("a\0", NoFilter::Invalid),
            ("$share/g/weir/#", NoFilter::Shared),
        ] {
            assert_eq!(Filter::new(text), Err(why), "{text:?}");
        }
        assert_eq!(
            Filter::new(&"a".repeat(FILTER_MAX + 1)),
            Err(NoFilter::Long)
        );
        assert!(Filter::new("/").is_ok() && Filter::new("+/+").is_ok());
    }
}
