//! Reads calls: which function, its arguments, and how many there have to be.
//!
//! `exists` takes a name, `if` computes one of two arguments; all others take values.

use super::emit::Place;
use super::evaluate::Step;
use super::function::FUNCTIONS;
use super::function::Function;
use super::operator::Unary;
use super::parse::Parser;
use super::token::Token;
use crate::spelling::nearest;
use std::ops::Range;
use std::ops::RangeInclusive;

/// What is called.
enum Callee {
    Exists,
    If,
    Function(Function),
    /// Nobody knows it.
    Unknown,
}

impl Parser<'_> {
    /// A call, of which the bracket is at hand.
    pub(super) fn call(&mut self, name: &str, range: Range<usize>) {
        let (place, before) = (self.program.place(), self.count());
        let (callee, wanted) = self.callee(name, range.clone());
        let mut jumps = [place; 2];
        let count = self.arguments(|parser, count| {
            if let (Callee::If, Some(jump)) = (&callee, jumps.get_mut(count.saturating_sub(1))) {
                *jump = parser.program.place();
                parser.program.push(match count {
                    1 => Step::Unless(0),
                    _ => Step::Jump(0),
                });
            }
            if let (Callee::If, [unless, _], 2) = (&callee, jumps, count) {
                parser.program.land(unless);
            }
        });
        let whole = range.start..self.end;
        let is_known = !matches!(callee, Callee::Unknown);
        if is_known && !wanted.contains(&count) && self.count() == before {
            self.wrong_count(name, &wanted, count, whole.clone());
        }
        match callee {
            Callee::Exists => self.exists(place, before, whole.clone()),
            Callee::If => self.program.land(jumps[1]),
            Callee::Function(function) => self.function(function, count),
            Callee::Unknown => self.program.push(Step::Call(Function::Error, count)),
        }
        self.try_out(place, range.start, before);
    }

    /// The step of a function whose arguments are there.
    fn function(&mut self, function: Function, count: usize) {
        if function == Function::Geofence {
            self.program.name("position.latitude");
            self.program.name("position.longitude");
        }
        self.program.push(match (function, count) {
            (Function::Not, 1) => Step::Unary(Unary::Not),
            _ => Step::Call(function, count),
        });
    }

    /// The argument of `exists` stands behind `place`.
    fn exists(&mut self, place: Place, before: usize, whole: Range<usize>) {
        if let Some(name) = self.program.take_text(place) {
            let name = self.program.name(&name);
            self.program.push(Step::Exists(name));
        } else if self.count() == before {
            let hint = "write `exists('position.latitude')`";
            self.error(whole, "`exists` takes a name in quotes", hint);
        }
    }

    /// Who is called, and how many arguments it takes.
    fn callee(&mut self, name: &str, range: Range<usize>) -> (Callee, RangeInclusive<usize>) {
        let known = FUNCTIONS.iter().find(|known| known.signature().0 == name);
        match (name, known) {
            ("exists", _) => (Callee::Exists, 1..=1),
            ("if", _) => (Callee::If, 3..=3),
            (_, Some(function)) => (Callee::Function(*function), function.signature().1),
            _ => {
                let hint = match nearest(name, functions()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", functions().collect::<Vec<_>>().join(", ")),
                };
                self.error(range, format!("there is no function `{name}`"), hint);
                (Callee::Unknown, 0..=usize::MAX)
            }
        }
    }

    /// From the bracket that opens to the one that closes; `after` is told of each argument, from
    /// 1. Returns how many there are.
    fn arguments(&mut self, mut after: impl FnMut(&mut Self, usize)) -> usize {
        let open = self.range.clone();
        self.advance();
        let mut count: usize = 0;
        if self.token != Token::Symbol(")") {
            loop {
                self.until(&[",", ")"]);
                count = count.saturating_add(1);
                after(self, count);
                if self.token != Token::Symbol(",") {
                    break;
                }
                self.advance();
            }
        }
        self.close(open);
        count
    }

    /// Says how a function is written that got `count` arguments.
    fn wrong_count(
        &mut self,
        name: &str,
        wanted: &RangeInclusive<usize>,
        count: usize,
        range: Range<usize>,
    ) {
        let (least, most) = (wanted.start(), wanted.end());
        let takes = match (least, most) {
            (0, 0) => "no argument".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            _ if least == most => format!("{least} arguments"),
            _ => format!("{least} to {most} arguments"),
        };
        let message = format!("`{name}` takes {takes}, not {count}");
        self.error(range, message, format!("write `{}`", usage(name)));
    }
}

/// The names of all functions.
fn functions() -> impl Iterator<Item = &'static str> {
    let names = FUNCTIONS.iter().map(|known| known.signature().0);
    names.chain(["exists", "if"])
}

pub(super) fn is_function(name: &str) -> bool {
    functions().any(|known| known == name)
}

/// How a function is written.
pub(super) fn usage(name: &str) -> String {
    let arguments = match name {
        "error" => "",
        "exists" => "'name'",
        "geofence" => "latitude, longitude, radius_km",
        "if" => "condition, this, that",
        "max" | "min" => "x, y",
        "substr" => "text, start, length",
        _ => "x",
    };
    format!("{name}({arguments})")
}
