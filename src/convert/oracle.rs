//! Conversion by iterators, as it was done before it was made ready: what judges it in tests.

use super::Convert;
use crate::message::Value;
use crate::message::ValueRef;

/// A parameter: its name and its value.
pub(super) type Field<'a> = (&'a str, ValueRef<'a>);

impl Convert {
    /// The parameters that are shown of a message, in their order. Names with other dots are
    /// built in `names`, which is cleared before: once that has grown, nothing is allocated.
    pub(super) fn apply<'a, F>(&'a self, fields: F, names: &'a mut String) -> Converted<'a, F>
    where
        F: Iterator<Item = Field<'a>> + Clone,
    {
        names.clear();
        let mut is_ambiguous = false;
        if let Some(dot) = &self.dots {
            let first = dot.chars().next();
            for (name, _) in fields.clone().filter(|(name, _)| self.is_dotted(name)) {
                // where two names that become one differ first, one has a dot, the other this
                is_ambiguous |= first.is_none_or(|first| name.contains(first));
                if name.contains('.') {
                    append(name, dot, names);
                }
            }
        }
        Converted {
            convert: self,
            fields,
            names,
            set: self.set.iter(),
            is_ambiguous,
        }
    }

    /// Whether `dots` decides what becomes of a name.
    fn is_dotted(&self, name: &str) -> bool {
        self.keeps(name) && self.renamed(name).is_none()
    }
}

/// The parameters of a message as a destination is shown them.
#[derive(Clone, Debug)]
pub(super) struct Converted<'a, F> {
    convert: &'a Convert,
    fields: F,
    /// Names with other dots, end to end, of those that are still to come.
    names: &'a str,
    set: std::slice::Iter<'a, (String, Value)>,
    /// Whether a name without a dot may be what another one became.
    is_ambiguous: bool,
}

impl<'a, F: Iterator<Item = Field<'a>> + Clone> Iterator for Converted<'a, F> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let (name, value) = self.any()?;
            if !self.comes_again(name) {
                return Some((name, value));
            }
        }
    }
}

impl<'a, F: Iterator<Item = Field<'a>> + Clone> Converted<'a, F> {
    /// The next, whether or not its name comes again.
    fn any(&mut self) -> Option<Field<'a>> {
        let convert = self.convert;
        if let Some((name, value)) = self.fields.find(|(name, _)| convert.keeps(name)) {
            let shown = match convert.renamed(name) {
                Some(new) => new,
                None => self.dotted(name),
            };
            return Some((shown, value));
        }
        let (name, value) = self.set.next()?;
        Some((name, value.as_ref()))
    }

    /// The name with other dots: the first of those that were built.
    fn dotted(&mut self, name: &'a str) -> &'a str {
        let Some(dot) = self.convert.dots.as_ref().filter(|_| name.contains('.')) else {
            return name;
        };
        let count = name.matches('.').count();
        let len = name.len() - count + count * dot.len();
        let (shown, rest) = self.names.split_at_checked(len).unwrap_or((name, ""));
        self.names = rest;
        shown
    }

    /// Whether one that is still to come has this name. Looks only where that can be.
    fn comes_again(&self, name: &str) -> bool {
        let is_set = || self.set.clone().any(|(known, _)| known == name);
        let is_new = || self.convert.rename.iter().any(|(_, new)| new == name);
        if !self.is_ambiguous && !is_new() {
            return is_set();
        }
        let mut rest = self.clone();
        std::iter::from_fn(|| rest.any()).any(|(later, _)| later == name)
    }
}

/// Appends a name with `dot` for its dots.
fn append(name: &str, dot: &str, names: &mut String) {
    for (place, piece) in name.split('.').enumerate() {
        if place > 0 {
            names.push_str(dot);
        }
        names.push_str(piece);
    }
}
