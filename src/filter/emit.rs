//! Puts the steps of a filter together and counts how high its stack grows.
//! Knows no text and no mistakes.

use super::Error;
use super::Filter;
use super::evaluate::Name;
use super::evaluate::STACK_MAX;
use super::evaluate::Step;
use super::evaluate::run;
use crate::message;
use crate::message::ValueRef;

/// A filter that grows.
#[derive(Debug, Default)]
pub(super) struct Program {
    steps: Vec<Step>,
    names: Vec<Box<str>>,
    /// Values on the stack after the last step.
    height: usize,
    /// The most that it was.
    highest: usize,
}

/// A place between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

impl Program {
    /// The place after the last step.
    pub(super) fn place(&self) -> Place {
        Place(self.steps.len())
    }

    /// Appends a step.
    pub(super) fn push(&mut self, step: Step) {
        let (taken, given) = effect(&step);
        self.height = self.height.saturating_sub(taken).saturating_add(given);
        self.highest = self.highest.max(self.height);
        self.steps.push(step);
    }

    /// The name as steps have it.
    pub(super) fn name(&mut self, name: &str) -> Name {
        let known = self.names.iter().position(|known| **known == *name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len().saturating_sub(1)
        });
        Name(u16::try_from(place).unwrap_or(u16::MAX))
    }

    /// Lets the step at `place`, which is one that skips, skip all up to the last.
    pub(super) fn land(&mut self, place: Place) {
        let behind = self.steps.len().saturating_sub(place.0).saturating_sub(1);
        if let Some(Step::And(skip) | Step::Or(skip) | Step::Unless(skip) | Step::Jump(skip)) =
            self.steps.get_mut(place.0)
        {
            *skip = behind;
        }
    }

    /// The steps from `place` on.
    pub(super) fn since(&self, place: Place) -> &[Step] {
        self.steps.get(place.0..).unwrap_or_default()
    }

    /// Takes back the one step after `place` if it is a literal text.
    pub(super) fn take_text(&mut self, place: Place) -> Option<Box<str>> {
        let [Step::Literal(message::Value::Text(text))] = self.steps.get(place.0..)? else {
            return None;
        };
        let text = text.clone();
        self.steps.truncate(place.0);
        self.height = self.height.saturating_sub(1);
        Some(text)
    }

    /// Puts the literal text between `left` and `right` last, so that `'a*' == b` is `b == 'a*'`.
    pub(super) fn swap_literal(&mut self, left: Place, right: Place) {
        let is_text = |step: &Step| matches!(step, Step::Literal(message::Value::Text(_)));
        let alone = right.0.checked_sub(left.0) == Some(1);
        let text_left = alone && self.steps.get(left.0).is_some_and(is_text);
        let text_right = matches!(self.since(right), [step] if is_text(step));
        if text_left && !text_right {
            // jumps count from where they stand: moved together they lead to the same steps
            self.steps
                .get_mut(left.0..)
                .unwrap_or_default()
                .rotate_left(1);
        }
    }

    /// Why what stands from `place` on fails for every message; none if it does not, if that
    /// depends on the message, or if it is too long to try.
    pub(super) fn failure(&self, place: Place) -> Option<Error<'_>> {
        let steps = self.since(place);
        let of_message = |step: &Step| {
            matches!(
                step,
                Step::Parameter(_) | Step::Optional(_) | Step::Exists(_)
            )
        };
        if steps.len() > TRIED_MAX || steps.iter().any(of_message) {
            return None;
        }
        // only `geofence` asks: any position tells whether its arguments are good
        let failure = run(steps, &self.names, |_| Some(ValueRef::U64(0))).err();
        failure.filter(|failure| *failure != Error::Raised)
    }

    /// Whether the stack has room for it.
    pub(super) fn fits(&self) -> bool {
        self.highest <= STACK_MAX
    }

    /// The filter.
    pub(super) fn finish(mut self) -> Filter {
        self.steps.shrink_to_fit();
        self.names.shrink_to_fit();
        Filter {
            steps: self.steps,
            names: self.names,
        }
    }
}

/// How many values a step takes and gives on the way that goes on behind it.
fn effect(step: &Step) -> (usize, usize) {
    match step {
        Step::Literal(_) | Step::Parameter(_) | Step::Optional(_) | Step::Exists(_) => (0, 1),
        Step::Unary(_) | Step::Truth => (1, 1),
        Step::Binary(_) => (2, 1),
        Step::Call(_, count) => (*count, 1),
        // what stands behind a jump gives the value that the skipped steps would have given
        Step::And(_) | Step::Or(_) | Step::Unless(_) | Step::Jump(_) => (1, 0),
    }
}

/// Steps that are tried when the text is read: bounds the time that a long one takes.
const TRIED_MAX: usize = 16;
