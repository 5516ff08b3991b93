//! The parameters of one message on their way through a [`Plan`], and where they go: into JSON, or
//! into a list.

use super::plan::Collision;
use super::plan::Met;
use super::plan::OtherShown;
use super::plan::Plan;
use super::plan::SERVER;
use super::plan::Shown;
use crate::message::ValueRef;
use crate::message::json_write;
use crate::message::names;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Pass<'v> {
    /// None: nothing is changed.
    plan: Option<&'v Plan<'v>>,
    met: Met,
}

/// A parameter: its name and its value.
pub(crate) type Field<'v> = (Cow<'v, str>, ValueRef<'v>);

/// Where parameters go.
pub(crate) trait Sink<'v> {
    /// Takes one under a known name.
    fn known(&mut self, index: u16, value: ValueRef<'v>);
    /// Takes one under a name, which `quoted` is with a comma before it, quotes and a colon.
    fn quoted(&mut self, name: &'v str, quoted: &[u8], value: ValueRef<'v>);
    /// Takes one under any name.
    fn named(&mut self, name: &'v str, value: ValueRef<'v>);
    /// Takes one under a name with `dot` for its dots.
    fn dotted(&mut self, name: &'v str, dot: &str, value: ValueRef<'v>);
}

/// Appends parameters as [`json_write::field`] does.
pub(crate) struct Json<'o>(pub(crate) &'o mut Vec<u8>);

/// Keeps parameters.
#[derive(Debug)]
pub(crate) struct List<'v>(pub(crate) Vec<Field<'v>>);

/// An empty one with room for what most messages have.
impl Default for List<'_> {
    fn default() -> Self {
        Self(Vec::with_capacity(FIELDS))
    }
}

/// Parameters of most messages at most.
const FIELDS: usize = 32;

impl<'v> Pass<'v> {
    /// A message that nothing is known of.
    pub(crate) fn new(plan: Option<&'v Plan<'v>>) -> Self {
        let met = Met::default();
        Self { plan, met }
    }

    /// A parameter with a known name.
    ///
    /// # Errors
    /// When it may have to replace one that went before.
    pub(crate) fn known(
        &mut self,
        index: u16,
        value: ValueRef<'v>,
        sink: &mut impl Sink<'v>,
    ) -> Result<(), Collision> {
        let Some(plan) = self.plan else {
            sink.known(index, value);
            return Ok(());
        };
        match plan.known(index, &mut self.met)? {
            Shown::Not => {}
            Shown::AsItIs => sink.known(index, value),
            Shown::As(place) => put_new(plan, place, value, sink),
        }
        Ok(())
    }

    /// When the message was received.
    ///
    /// # Errors
    /// As [`Pass::known`].
    pub(crate) fn server(
        &mut self,
        value: ValueRef<'v>,
        sink: &mut impl Sink<'v>,
    ) -> Result<(), Collision> {
        let shown = match self.plan {
            Some(plan) => plan.server(&mut self.met)?,
            None => Shown::AsItIs,
        };
        match (shown, self.plan) {
            (Shown::As(place), Some(plan)) => put_new(plan, place, value, sink),
            (Shown::AsItIs, _) => sink.quoted(SERVER, b",\"server.timestamp\":", value),
            _ => {}
        }
        Ok(())
    }

    /// A parameter with another name.
    ///
    /// # Errors
    /// As [`Pass::known`].
    pub(crate) fn other(
        &mut self,
        name: &'v str,
        value: ValueRef<'v>,
        sink: &mut impl Sink<'v>,
    ) -> Result<(), Collision> {
        let shown = match self.plan {
            Some(plan) => plan.other(name, &mut self.met)?,
            None => OtherShown::AsItIs,
        };
        match shown {
            OtherShown::Not => {}
            OtherShown::AsItIs => sink.named(name, value),
            OtherShown::As(new) => sink.named(new, value),
            OtherShown::Dotted(dot) => sink.dotted(name, dot, value),
        }
        Ok(())
    }
}

fn put_new<'v>(plan: &'v Plan<'v>, place: u16, value: ValueRef<'v>, sink: &mut impl Sink<'v>) {
    if let Some(new) = plan.name(place) {
        sink.quoted(&new.name, &new.quoted, value);
    }
}

impl<'v> Sink<'v> for Json<'_> {
    fn known(&mut self, index: u16, value: ValueRef<'v>) {
        self.0.extend_from_slice(json_write::quoted(index));
        json_write::value(value, self.0);
    }

    fn quoted(&mut self, _name: &'v str, quoted: &[u8], value: ValueRef<'v>) {
        self.0.extend_from_slice(quoted);
        json_write::value(value, self.0);
    }

    fn named(&mut self, name: &'v str, value: ValueRef<'v>) {
        json_write::field(name, value, self.0);
    }

    fn dotted(&mut self, name: &'v str, dot: &str, value: ValueRef<'v>) {
        json_write::dotted_name(name, dot, self.0);
        json_write::value(value, self.0);
    }
}

impl<'v> Sink<'v> for List<'v> {
    fn known(&mut self, index: u16, value: ValueRef<'v>) {
        self.named(names::name(index).unwrap_or_default(), value);
    }

    fn quoted(&mut self, name: &'v str, _quoted: &[u8], value: ValueRef<'v>) {
        self.named(name, value);
    }

    fn named(&mut self, name: &'v str, value: ValueRef<'v>) {
        self.0.push((name.into(), value));
    }

    fn dotted(&mut self, name: &'v str, dot: &str, value: ValueRef<'v>) {
        self.0.push((name.replace('.', dot).into(), value));
    }
}

impl<'v> List<'v> {
    /// Parameters that were not converted yet and of which some become the same: of those the last
    /// counts.
    pub(crate) fn last_of_each(self, plan: &'v Plan<'v>) -> Self {
        let new = |(name, value): Field<'v>| match name {
            Cow::Borrowed(name) => Some((plan.new_name(name)?, value)),
            Cow::Owned(_) => Some((name, value)),
        };
        let mut shown: Vec<Field<'v>> = self.0.into_iter().filter_map(new).collect();
        let places = shown.iter().zip(0_usize..);
        let last: BTreeMap<&str, usize> = places.map(|((name, _), at)| (&**name, at)).collect();
        let mut is_last = vec![false; shown.len()];
        for at in last.into_values() {
            if let Some(is_last) = is_last.get_mut(at) {
                *is_last = true;
            }
        }
        let mut is_last = is_last.into_iter();
        shown.retain(|_| is_last.next().unwrap_or_default());
        Self(shown)
    }
}
