//! The machine that runs a filter: a list of steps over a stack of fixed size.
//!
//! ```text
//! a > 1 && b     ─▶   a  1  >  and(+2)  b  truth
//! c ? a : b      ─▶   c  unless(+2)  a  jump(+1)  b
//! ```
//! Steps are taken from first to last and jumps only lead forward, so each step is taken at most
//! once. Nothing here allocates or recurses.

use super::Error;
use super::function::Function;
use super::operator::Binary;
use super::operator::Unary;
use super::value::Value;
use crate::message;
use crate::message::ValueRef;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Pushes a value that the expression gives.
    Literal(message::Value),
    /// Pushes a parameter; without it the filter ends in an error.
    Parameter(Name),
    /// Pushes a parameter, or null.
    Optional(Name),
    /// Pushes whether there is such a parameter.
    Exists(Name),
    /// Replaces the value on top.
    Unary(Unary),
    /// Replaces the two values on top.
    Binary(Binary),
    /// Replaces as many values as the function is given.
    Call(Function, usize),
    /// Takes the value on top; if it is not true, puts false there and goes on after as many steps.
    And(usize),
    /// Takes the value on top; if it is true, puts true there and goes on after as many steps.
    Or(usize),
    /// Replaces the value on top by whether it is true.
    Truth,
    /// Takes the value on top; if it is not true, goes on after as many steps.
    Unless(usize),
    /// Goes on after as many steps.
    Jump(usize),
}

/// Which of the expression's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) u16);

/// Runs the steps; the value that is left is the result.
///
/// # Errors
/// See [`Error`].
pub(super) fn run<'a>(
    steps: &'a [Step],
    names: &'a [Box<str>],
    find: impl Fn(&str) -> Option<ValueRef<'a>>,
) -> Result<Value<'a>, Error<'a>> {
    let mut machine = Machine {
        stack: heapless::Vec::new(),
        names,
        find,
    };
    let mut rest = steps;
    while let Some((step, after)) = rest.split_first() {
        let skipped = machine.take(step)?;
        rest = after.get(skipped..).unwrap_or_default();
    }
    Ok(machine.pop())
}

struct Machine<'a, F> {
    stack: heapless::Vec<Value<'a>, STACK_MAX>,
    names: &'a [Box<str>],
    find: F,
}

impl<'a, F: Fn(&str) -> Option<ValueRef<'a>>> Machine<'a, F> {
    /// Takes one step and says how many are to be skipped.
    fn take(&mut self, step: &'a Step) -> Result<usize, Error<'a>> {
        let value = match step {
            Step::Literal(value) => value.as_ref().into(),
            Step::Parameter(name) => {
                let name = self.name(*name);
                let found = (self.find)(name);
                found.map(Value::from).ok_or(Error::Missing(name))?
            }
            Step::Optional(name) => {
                let found = (self.find)(self.name(*name));
                found.map_or(Value::Null, Value::from)
            }
            Step::Exists(name) => Value::Bool((self.find)(self.name(*name)).is_some()),
            Step::Unary(operator) => operator.apply(&self.pop())?,
            Step::Binary(operator) => {
                let (right, left) = (self.pop(), self.pop());
                operator.apply(&left, &right)?
            }
            Step::Call(function, count) => self.call(*function, *count)?,
            Step::And(skipped) => return Ok(self.decide(false, *skipped)),
            Step::Or(skipped) => return Ok(self.decide(true, *skipped)),
            Step::Truth => Value::Bool(self.pop().is_true()),
            Step::Unless(skipped) => {
                return Ok(if self.pop().is_true() { 0 } else { *skipped });
            }
            Step::Jump(skipped) => return Ok(*skipped),
        };
        self.push(value);
        Ok(0)
    }

    /// Skips the other operand when the first one decides alone.
    fn decide(&mut self, decisive: bool, skipped: usize) -> usize {
        if self.pop().is_true() == decisive {
            self.push(Value::Bool(decisive));
            skipped
        } else {
            0
        }
    }

    fn call(&mut self, function: Function, count: usize) -> Result<Value<'a>, Error<'a>> {
        let below = self.stack.len().saturating_sub(count);
        let arguments = self.stack.get(below..).unwrap_or_default();
        let result = function.apply(arguments, &self.find)?;
        self.stack.truncate(below);
        Ok(result)
    }

    fn name(&self, name: Name) -> &'a str {
        self.names.get(usize::from(name.0)).map_or("", |name| name)
    }

    fn pop(&mut self) -> Value<'a> {
        debug_assert!(!self.stack.is_empty(), "the parser counts what it pushes");
        self.stack.pop().unwrap_or(Value::Null)
    }

    fn push(&mut self, value: Value<'a>) {
        let pushed = self.stack.push(value);
        debug_assert!(pushed.is_ok(), "the parser refuses what does not fit");
    }
}

/// Values that wait to be computed with, each of 48 bytes.
pub(super) const STACK_MAX: usize = 32;
