//! The operators and what they do with values; precedence is that of C.
//!
//! `&&`, `||` and `?:` are not here: they decide what is computed at all, see
//! [`evaluate`](super::evaluate).

use super::Error;
use super::value::Number;
use super::value::Value;
use super::value::is_64_bit;
use crate::pattern;
use std::cmp::Ordering;

/// An operator before one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Minus,
    Not,
    Plus,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Arithmetic(Arithmetic),
    Bits(Bits),
    /// `<` and its kind: true where the order is one of these.
    Order(&'static str, [Ordering; 2]),
    Equal,
    NotEqual,
    /// `~`: text on the left fits the pattern on the right.
    Fits,
}

/// On numbers: exact while 64 bits hold the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// On numbers without a fraction, as in two's complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    And,
    Or,
    Xor,
    Left,
    Right,
}

/// What stands between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Infix {
    /// Both operands are computed.
    Binary(Binary),
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// The `?` of `?:`.
    Conditional,
}

impl Infix {
    /// The operator of a symbol, and how tightly it binds.
    pub(super) fn of(symbol: &str) -> Option<(Self, u8)> {
        INFIXES
            .iter()
            .find(|(known, _, _)| *known == symbol)
            .map(|&(_, precedence, infix)| (infix, precedence))
    }
}

impl Unary {
    /// The operator of a symbol.
    pub(super) fn of(symbol: &str) -> Option<Self> {
        match symbol {
            "-" => Some(Self::Minus),
            "!" => Some(Self::Not),
            "+" => Some(Self::Plus),
            _ => None,
        }
    }

    /// Computes it.
    ///
    /// # Errors
    /// When the value is no number.
    pub(super) fn apply<'a>(self, value: &Value<'a>) -> Result<Value<'a>, Error<'a>> {
        match self {
            Self::Minus => {
                let zero = match value {
                    Value::Float(_) => Value::Float(-0.0),
                    _ => Value::Integer(0),
                };
                Arithmetic::Subtract.apply(&zero, value)
            }
            Self::Not => Ok(Value::Bool(!value.is_true())),
            Self::Plus => value.number("+").map(Value::from),
        }
    }
}

impl Binary {
    /// Computes it.
    ///
    /// # Errors
    /// When the operator does not take such values.
    pub(super) fn apply<'a>(
        self,
        left: &Value<'a>,
        right: &Value<'a>,
    ) -> Result<Value<'a>, Error<'a>> {
        match self {
            Self::Arithmetic(operator) => operator.apply(left, right),
            Self::Bits(operator) => operator.apply(left, right).map(Value::Integer),
            Self::Order(symbol, orders) => {
                order(symbol, left, right).map(|found| Value::Bool(orders.contains(&found)))
            }
            Self::Equal => equal(left, right).map(Value::Bool),
            Self::NotEqual => equal(left, right).map(|same| Value::Bool(!same)),
            Self::Fits => {
                let (left, right) = (left.text("~")?, right.text("~")?);
                Ok(Value::Bool(pattern::fits(right.as_str(), left.as_str())))
            }
        }
    }
}

impl Arithmetic {
    fn apply<'a>(self, left: &Value<'a>, right: &Value<'a>) -> Result<Value<'a>, Error<'a>> {
        let (left, right) = (left.number(self.symbol())?, right.number(self.symbol())?);
        let divides = matches!(self, Self::Divide | Self::Remainder);
        if divides && right.float() == 0.0 {
            return Err(Error::DivisionByZero);
        }
        let exact = match (left, right) {
            (Number::Integer(left), Number::Integer(right)) => self.exact(left, right),
            _ => None,
        };
        match exact.filter(|number| is_64_bit(*number)) {
            Some(number) => Ok(Value::Integer(number)),
            None => Number::finite(self.rounded(left.float(), right.float()))
                .map(Value::from)
                .ok_or(Error::TooLarge),
        }
    }

    /// Of integers, if an integer is the result.
    fn exact(self, left: i128, right: i128) -> Option<i128> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide if left.checked_rem(right)? == 0 => left.checked_div(right),
            Self::Divide => None,
            Self::Remainder => left.checked_rem(right),
        }
    }

    /// Of doubles; may be infinite.
    fn rounded(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Remainder => left % right,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Bits {
    fn apply<'a>(self, left: &Value<'a>, right: &Value<'a>) -> Result<i128, Error<'a>> {
        let bits = |value: &Value<'a>| {
            let number = value.number(self.symbol())?;
            let fraction = Error::Argument("bits need numbers without a fraction");
            number.integer().ok_or(fraction)
        };
        let (left, right) = (bits(left)?, bits(right)?);
        let result = match self {
            Self::And => left & right,
            Self::Or => left | right,
            Self::Xor => left ^ right,
            Self::Left | Self::Right => self.shift(left, right)?,
        };
        if is_64_bit(result) {
            Ok(result)
        } else {
            Err(Error::TooLarge)
        }
    }

    /// Left is times, right is by a power of two, rounded down.
    fn shift<'a>(self, left: i128, count: i128) -> Result<i128, Error<'a>> {
        let count = u32::try_from(count).ok().filter(|count| *count < 64);
        let count = count.ok_or(Error::Argument("a shift is by 0 to 63 bits"))?;
        let shifted = match self {
            Self::Left => left.checked_mul(1_i128.wrapping_shl(count)),
            _ => left.checked_shr(count),
        };
        shifted.ok_or(Error::TooLarge)
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::Left => "<<",
            Self::Right => ">>",
        }
    }
}

/// Which is smaller: text by its bytes, all else as numbers.
fn order<'a>(
    symbol: &'static str,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Ordering, Error<'a>> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(left.as_str().cmp(right.as_str())),
        _ => {
            let (left, right) = (left.number(symbol)?, right.number(symbol)?);
            // never none: no value is NaN
            Ok(compare(left, right).unwrap_or(Ordering::Equal))
        }
    }
}

/// Integers exactly, all else as doubles.
pub(super) fn compare(left: Number, right: Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Integer(left), Number::Integer(right)) => Some(left.cmp(&right)),
        _ => left.float().partial_cmp(&right.float()),
    }
}

/// Null equals null alone, text the pattern on the right, all else as numbers; text and numbers
/// are never equal.
fn equal<'a>(left: &Value<'a>, right: &Value<'a>) -> Result<bool, Error<'a>> {
    match (left, right) {
        (Value::Null, other) | (other, Value::Null) => Ok(*other == Value::Null),
        (Value::Nested, _) | (_, Value::Nested) => Err(Value::Nested.unfit("==")),
        (Value::Text(left), Value::Text(right)) => Ok(pattern::fits(right.as_str(), left.as_str())),
        (Value::Text(_), _) | (_, Value::Text(_)) => Ok(false),
        _ => {
            let order = compare(left.number("==")?, right.number("==")?);
            Ok(order == Some(Ordering::Equal))
        }
    }
}

/// How tightly `?:` binds.
pub(super) const LOOSEST: u8 = 0;

/// Symbol, precedence, operator. From C, where a higher number binds tighter; `~` as `==`.
const INFIXES: &[(&str, u8, Infix)] = {
    use Ordering::Equal;
    use Ordering::Greater;
    use Ordering::Less;
    &[
        ("?", LOOSEST, Infix::Conditional),
        ("||", 1, Infix::Or),
        ("&&", 2, Infix::And),
        ("|", 3, Infix::Binary(Binary::Bits(Bits::Or))),
        ("^", 4, Infix::Binary(Binary::Bits(Bits::Xor))),
        ("&", 5, Infix::Binary(Binary::Bits(Bits::And))),
        ("==", 6, Infix::Binary(Binary::Equal)),
        ("!=", 6, Infix::Binary(Binary::NotEqual)),
        ("~", 6, Infix::Binary(Binary::Fits)),
        ("<", 7, Infix::Binary(Binary::Order("<", [Less, Less]))),
        ("<=", 7, Infix::Binary(Binary::Order("<=", [Less, Equal]))),
        (
            ">",
            7,
            Infix::Binary(Binary::Order(">", [Greater, Greater])),
        ),
        (
            ">=",
            7,
            Infix::Binary(Binary::Order(">=", [Greater, Equal])),
        ),
        ("<<", 8, Infix::Binary(Binary::Bits(Bits::Left))),
        (">>", 8, Infix::Binary(Binary::Bits(Bits::Right))),
        ("+", 9, Infix::Binary(Binary::Arithmetic(Arithmetic::Add))),
        (
            "-",
            9,
            Infix::Binary(Binary::Arithmetic(Arithmetic::Subtract)),
        ),
        (
            "*",
            10,
            Infix::Binary(Binary::Arithmetic(Arithmetic::Multiply)),
        ),
        (
            "/",
            10,
            Infix::Binary(Binary::Arithmetic(Arithmetic::Divide)),
        ),
        (
            "%",
            10,
            Infix::Binary(Binary::Arithmetic(Arithmetic::Remainder)),
        ),
    ]
};
