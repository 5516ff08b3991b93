//! Conversion: which parameters of a message a destination is shown, and under which names.
//!
//! In this order: `fields` and `drop` choose by the names that the message has; `rename` gives a
//! name as it stands there; `dots` replaces the dots of all other names; `set` adds parameters,
//! last. Of several that end with the same name the last counts.
//!
//! `ident` and `timestamp` are parameters like all others: `fields` without them leaves them out.
//! Filters and templates (topics, paths, a unit's id) see the message before it is converted.

#[cfg(test)]
mod oracle;
mod pass;
mod plan;

use crate::message::Value;
use crate::pattern::Pattern;
pub(crate) use pass::Field;
pub(crate) use pass::Json;
pub(crate) use pass::List;
pub(crate) use pass::Pass;
pub(crate) use pass::Sink;
pub(crate) use plan::Collision;
pub(crate) use plan::Plan;
pub(crate) use plan::SERVER;

/// What `convert` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Convert {
    /// Only these are kept; none: all.
    pub fields: Option<Vec<Pattern>>,
    /// These are left out, even where `fields` keeps them.
    pub drop: Vec<Pattern>,
    /// Old name and new name; each old name once.
    pub rename: Vec<(String, String)>,
    /// Added to each message; each name once.
    pub set: Vec<(String, Value)>,
    /// Stands where names have a dot; none: they keep it.
    pub dots: Option<String>,
}

impl Convert {
    /// Whether every message stays as it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn keeps(&self, name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        self.fields.as_deref().is_none_or(any) && !any(&self.drop)
    }

    fn renamed(&self, name: &str) -> Option<&str> {
        let found = self.rename.iter().find(|(old, _)| old == name);
        found.map(|(_, new)| new.as_str())
    }
}

#[cfg(test)]
mod tests;
