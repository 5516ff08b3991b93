//! Filters: expressions that say of each message whether a stream wants it.
//!
//! Parsed once, when the configuration is read, with all mistakes of a text at once; afterwards
//! they are run for each message without allocation, loop or panic. Where parameters come from is
//! the caller's business.
//!
//! ```text
//! expression = or [ "?" expression ":" expression ]      as in C, loosest first:
//! operator   = "||"  "&&"  "|"  "^"  "&"  "==" "!=" "~"  "<" "<=" ">" ">="  "<<" ">>"
//!              "+" "-"  "*" "/" "%"                       then "-" "+" "!" before an operand
//! operand    = number | text | "true" | "false" | "null" | "(" expression ")"
//!            | name | "$" name | function "(" [ expression ( "," expression )* ] ")"
//! name       = ( letter | digit | "." | "_" )+            number = 12 | 0x1F | 1.5 | 1e3
//! text       = "'" … "'" | '"' … '"'                      \\ \' \" \n \r \t
//! ```
//!
//! | what | does |
//! | --- | --- |
//! | `a.b`, `$a.b` | the parameter; where the message lacks it an error, or null |
//! | `+ - *` | exact while 64 bits, signed or not, hold the result; else a double |
//! | `/ %` | `6/3` is an integer, `7/2` is 3.5; by zero an error |
//! | `& \| ^ << >>` | on numbers without a fraction, two's complement; past 64 bits an error |
//! | `< <= > >=` | numbers, or texts by their bytes |
//! | `== !=` | numbers by value, texts as `~`; null equals null alone, text never a number |
//! | `~` | text left against text right, whose `*` is any text; `==` also literals left |
//! | `&& \|\| ! not(x)` | true or false; the right side only where the left does not decide |
//! | `c ? a : b`, `if(c, a, b)` | one of both; the other is not computed |
//! | `exists('a.b')` | whether the message has the parameter, null or not |
//! | `isnull isnumber isstring isboolean isjson (x)` | of what kind `x` is |
//! | `abs round floor ceil (x)`, `min max (x, y, …)` | `round` away from zero at a half |
//! | `tonumber tostring (x)` | `tonumber` of a text that is no number is an error |
//! | `strlen(t)`, `substr(t, start[, length])` | in characters; negative: from the end |
//! | `geofence(lat, lon, radius_km)` | whether the position is inside; an error without one |
//! | `error()` | an error |
//!
//! Null counts as 0 and booleans as 0 and 1 where a number is wanted; text there is an error, and
//! so is what is not finite. An array or object is there, is not null, and can do nothing else.
//! Zero, false and null do not pass, nor does an error; all else does.

#![deny(clippy::arithmetic_side_effects)]

mod call;
mod emit;
mod evaluate;
mod function;
mod operator;
mod parse;
mod token;
mod value;
mod watch;

pub use value::Text;
pub use value::Value;
pub use watch::REFUSED_MAX;
pub use watch::Watch;

use crate::message::ValueRef;
use evaluate::Step;
use std::fmt;
use std::ops::Range;

/// An expression that is ready to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    steps: Vec<Step>,
    /// Each once, in the order in which the text names them.
    names: Vec<Box<str>>,
}

/// One mistake of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Where, in bytes of the text; empty where something is missing.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Why an expression has no value for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<'a> {
    /// An argument that is not in the range of its function or operator.
    Argument(&'static str),
    /// By zero.
    DivisionByZero,
    /// The message lacks this parameter.
    Missing(&'a str),
    /// `error()`.
    Raised,
    /// No double, or no 64 bits, hold the result.
    TooLarge,
    /// A value of a kind with which nothing can be done there.
    Type {
        /// The symbol or name of the operator or function.
        operation: &'static str,
        /// What it was given.
        found: &'static str,
    },
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// All mistakes in the order of the text, at most [`ERRORS_MAX`].
    pub fn parse(text: &str) -> Result<Self, Vec<FilterError>> {
        parse::parse(text)
    }

    /// Whether a message passes; `find` looks up its parameters.
    pub fn passes<'m>(&self, find: impl Fn(&str) -> Option<ValueRef<'m>>) -> bool {
        self.evaluate(find).is_ok_and(|value| value.is_true())
    }

    /// The value for a message; `find` looks up its parameters.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn evaluate<'a, 'm: 'a>(
        &'a self,
        find: impl Fn(&str) -> Option<ValueRef<'m>>,
    ) -> Result<Value<'a>, Error<'a>> {
        evaluate::run(&self.steps, &self.names, |name| find(name))
    }

    /// The parameters that it names, each once; those of `geofence` too.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}

impl fmt::Display for Error<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(what) => f.write_str(what),
            Self::DivisionByZero => f.write_str("division by zero"),
            Self::Missing(name) => write!(f, "the message has no `{name}`"),
            Self::Raised => f.write_str("`error()` was called"),
            Self::TooLarge => f.write_str("the result is too large"),
            Self::Type { operation, found } => write!(f, "`{operation}` does not take {found}"),
        }
    }
}

impl std::error::Error for Error<'_> {}

/// Bytes of an expression: a list of 1,000 idents fits.
pub const TEXT_MAX: usize = 32 * 1024;

/// Mistakes of one text that are told.
pub const ERRORS_MAX: usize = 16;
