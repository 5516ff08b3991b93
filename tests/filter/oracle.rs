//! An evaluator that was written to be believed, not to be fast: it splits a row of pieces at the
//! operator that binds loosest, again and again. Its own table of precedence, its own arithmetic.

use crate::find;
use crate::shown;
use weir::filter::Filter;
use weir::message::ValueRef;

/// A piece of an expression: operands and operators stand in turn.
#[derive(Debug)]
enum Piece {
    Operand(String, Answer),
    Operator(&'static str),
    /// A sign before a piece.
    Signed(&'static str, Box<Self>),
    Group(Vec<Self>),
}

#[derive(Clone, Debug, PartialEq)]
enum Worth {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
}

/// None: an error.
type Answer = Option<Worth>;

/// Loosest first, as in the table of any book on C.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!=", "~"],
    &["<", "<=", ">", ">="],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

fn answer(pieces: &[Piece]) -> Answer {
    let operators = |wanted: &'static [&'static str]| {
        move |piece: &Piece| match piece {
            Piece::Operator(operator) => wanted.contains(operator),
            _ => false,
        }
    };
    if let Some(question) = pieces.iter().position(operators(&["?"])) {
        let mut open = 0;
        let colon = pieces.iter().position(|piece| {
            match piece {
                Piece::Operator("?") => open += 1,
                Piece::Operator(":") => open -= 1,
                _ => return false,
            }
            open == 0
        })?;
        return match truth(&answer(&pieces[..question])?) {
            true => answer(&pieces[question + 1..colon]),
            false => answer(&pieces[colon + 1..]),
        };
    }
    for level in LEVELS {
        if let Some(at) = pieces.iter().rposition(operators(level)) {
            let Piece::Operator(operator) = pieces[at] else {
                unreachable!("an operator was looked for")
            };
            return between(operator, &pieces[..at], &pieces[at + 1..]);
        }
    }
    match &pieces[0] {
        Piece::Operand(_, worth) => worth.clone(),
        Piece::Group(pieces) => answer(pieces),
        Piece::Signed("!", piece) => {
            answer(std::slice::from_ref(piece)).map(|worth| Worth::Bool(!truth(&worth)))
        }
        Piece::Signed(_, piece) => match answer(std::slice::from_ref(piece))? {
            Worth::Float(number) => Some(Worth::Float(-number)),
            worth => kept(integer(&worth)?.checked_neg()?),
        },
        Piece::Operator(_) => unreachable!("operands and operators stand in turn"),
    }
}

fn between(operator: &str, left: &[Piece], right: &[Piece]) -> Answer {
    let is_literal =
        |row: &[Piece]| matches!(row, [Piece::Operand(text, _)] if text.starts_with('\''));
    if matches!(operator, "==" | "!=") && is_literal(left) && !is_literal(right) {
        return between(operator, right, left);
    }
    let left = answer(left)?;
    match operator {
        "&&" if !truth(&left) => return Some(Worth::Bool(false)),
        "||" if truth(&left) => return Some(Worth::Bool(true)),
        _ => {}
    }
    let right = answer(right)?;
    let is = |truth| Some(Worth::Bool(truth));
    match operator {
        "&&" | "||" => is(truth(&right)),
        "==" => is(same(&left, &right)?),
        "!=" => is(!same(&left, &right)?),
        "~" => match (left, right) {
            (Worth::Text(left), Worth::Text(right)) => is(fits(&right, &left)),
            _ => None,
        },
        "<" => is(order(&left, &right)?.is_lt()),
        "<=" => is(order(&left, &right)?.is_le()),
        ">" => is(order(&left, &right)?.is_gt()),
        ">=" => is(order(&left, &right)?.is_ge()),
        "&" => {
            kept(whole(&left)? & whole(&right)?).filter(|worth| !matches!(worth, Worth::Float(_)))
        }
        "|" => {
            kept(whole(&left)? | whole(&right)?).filter(|worth| !matches!(worth, Worth::Float(_)))
        }
        "^" => {
            kept(whole(&left)? ^ whole(&right)?).filter(|worth| !matches!(worth, Worth::Float(_)))
        }
        "<<" | ">>" => shifted(operator, whole(&left)?, whole(&right)?),
        _ => computed(operator, &left, &right),
    }
}

fn computed(operator: &str, left: &Worth, right: &Worth) -> Answer {
    let (a, b) = (float(left)?, float(right)?);
    if b == 0.0 && (operator == "/" || operator == "%") {
        return None;
    }
    if let (Some(a), Some(b)) = (integer(left), integer(right)) {
        match operator {
            "+" => return kept(a + b),
            "-" => return kept(a - b),
            "*" if a.checked_mul(b).is_some() => return kept(a * b),
            "%" => return kept(a % b),
            "/" if a % b == 0 => return kept(a / b),
            _ => {}
        }
    }
    let number = match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        _ => a % b,
    };
    number.is_finite().then_some(Worth::Float(number))
}

fn shifted(operator: &str, bits: i128, by: i128) -> Answer {
    let factor = (0..64).contains(&by).then(|| 1_i128 << by)?;
    let shifted = match operator {
        "<<" => bits.checked_mul(factor)?,
        _ => bits.div_euclid(factor),
    };
    kept(shifted).filter(|worth| !matches!(worth, Worth::Float(_)))
}

/// An integer while 64 bits hold it, a double beyond.
fn kept(number: i128) -> Answer {
    let fits = number >= i128::from(i64::MIN) && number <= i128::from(u64::MAX);
    Some(if fits {
        Worth::Integer(number)
    } else {
        Worth::Float(number as f64)
    })
}

fn truth(worth: &Worth) -> bool {
    match worth {
        Worth::Null => false,
        Worth::Bool(state) => *state,
        Worth::Integer(number) => *number != 0,
        Worth::Float(number) => *number != 0.0,
        Worth::Text(_) => true,
    }
}

fn integer(worth: &Worth) -> Option<i128> {
    match worth {
        Worth::Null | Worth::Bool(false) => Some(0),
        Worth::Bool(true) => Some(1),
        Worth::Integer(number) => Some(*number),
        Worth::Float(_) | Worth::Text(_) => None,
    }
}

fn float(worth: &Worth) -> Option<f64> {
    match worth {
        Worth::Float(number) => Some(*number),
        _ => integer(worth).map(|number| number as f64),
    }
}

fn whole(worth: &Worth) -> Option<i128> {
    match worth {
        Worth::Float(number) if number.fract() != 0.0 => None,
        Worth::Float(number) => match kept(*number as i128)? {
            Worth::Integer(number) => Some(number),
            _ => None,
        },
        _ => integer(worth),
    }
}

fn order(left: &Worth, right: &Worth) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Worth::Text(left), Worth::Text(right)) => Some(left.cmp(right)),
        _ => match (integer(left), integer(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => float(left)?.partial_cmp(&float(right)?),
        },
    }
}

fn same(left: &Worth, right: &Worth) -> Option<bool> {
    match (left, right) {
        (Worth::Text(left), Worth::Text(right)) => Some(fits(right, left)),
        (Worth::Null, Worth::Null) => Some(true),
        (Worth::Null | Worth::Text(_), _) | (_, Worth::Null | Worth::Text(_)) => Some(false),
        _ => order(left, right).map(std::cmp::Ordering::is_eq),
    }
}

/// The patterns of these tests end with their only star.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => text.starts_with(head),
        None => text == pattern,
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn row(&mut self, depth: usize) -> Vec<Piece> {
        let mut row = vec![self.operand(depth)];
        for _ in 0..self.below(5) {
            if self.below(12) == 0 {
                row.push(Piece::Operator("?"));
                row.push(self.operand(depth));
                row.push(Piece::Operator(":"));
            } else {
                let level = LEVELS[self.below(LEVELS.len())];
                row.push(Piece::Operator(level[self.below(level.len())]));
            }
            row.push(self.operand(depth));
        }
        row
    }

    fn operand(&mut self, depth: usize) -> Piece {
        match self.below(if depth == 0 { 8 } else { 11 }) {
            0 => Piece::Signed(["-", "!"][self.below(2)], Box::new(self.operand(depth))),
            1..8 => self.leaf(),
            _ => Piece::Group(self.row(depth - 1)),
        }
    }

    fn leaf(&mut self) -> Piece {
        let text = LEAVES[self.below(LEAVES.len())];
        let worth = match text {
            "null" | "$missing" => Some(Worth::Null),
            "true" => Some(Worth::Bool(true)),
            "false" => Some(Worth::Bool(false)),
            "missing" => None,
            "'3*'" => Some(Worth::Text("3*".into())),
            _ if text.starts_with(|c: char| c.is_ascii_digit()) => Some(literal(text)),
            _ => find(text).map(|value| match value {
                ValueRef::U64(number) => Worth::Integer(number.into()),
                ValueRef::I64(number) => Worth::Integer(number.into()),
                ValueRef::F64(number) => Worth::Float(number),
                ValueRef::Text(text) => Worth::Text(text.into()),
                ValueRef::Bool(state) => Worth::Bool(state),
                ValueRef::Null | ValueRef::Json(_) => Worth::Null,
            }),
        };
        Piece::Operand(text.into(), worth)
    }
}

fn literal(text: &str) -> Worth {
    match text.parse() {
        Ok(number) => Worth::Integer(number),
        Err(_) => Worth::Float(text.parse().unwrap()),
    }
}

const LEAVES: [&str; 18] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "63",
    "1.5",
    "0.25",
    "4294967296",
    "most",
    "least",
    "din",
    "null",
    "true",
    "missing",
    "$missing",
    "ident",
    "'3*'",
];

/// As text, with blanks where they are needed and here and there else.
fn written(pieces: &[Piece], random: &mut Random) -> String {
    let mut text = String::new();
    for piece in pieces {
        text.push_str(&match piece {
            Piece::Operand(text, _) => text.clone(),
            Piece::Operator(operator) => (*operator).into(),
            Piece::Signed(sign, piece) => {
                format!("{sign}{}", written(std::slice::from_ref(piece), random))
            }
            Piece::Group(pieces) => format!("({})", written(pieces, random)),
        });
        if random.below(2) == 0 {
            text.push(' ');
        }
    }
    text
}

#[test]
fn random_expressions_are_worth_what_the_oracle_says() {
    let mut random = Random(3);
    let (mut agreed, mut values) = (0, 0);
    for round in 0..60_000 {
        let row = random.row(3);
        let text = written(&row, &mut random);
        let expected = answer(&row);
        let filter = match Filter::parse(&text) {
            Ok(filter) => filter,
            Err(mistakes) => {
                // only what fails for every message is refused
                let fails = mistakes
                    .iter()
                    .all(|mistake| mistake.hint.as_deref() == Some("this fails for every message"));
                assert!(fails, "{round}: {text} {mistakes:?}");
                continue;
            }
        };
        let found = shown(filter.evaluate(find));
        let expected = match expected {
            None => "error".into(),
            Some(Worth::Null) => "null".into(),
            Some(Worth::Bool(state)) => state.to_string(),
            Some(Worth::Integer(number)) => number.to_string(),
            Some(Worth::Float(number)) => format!("{number:?}"),
            Some(Worth::Text(text)) => format!("'{text}'"),
        };
        let found = if found.starts_with("error") {
            "error"
        } else {
            &found
        };
        assert_eq!(found, expected, "{round}: {text}");
        agreed += 1;
        values += usize::from(expected != "error");
    }
    assert!(agreed > 30_000 && values > 10_000, "{agreed} {values}");
}
