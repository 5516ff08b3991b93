//! Reads expressions: operators by their precedence, straight into the steps of a filter.
//!
//! After a mistake it goes on as if what was meant stood there, so that a text shows all of its
//! mistakes at once; nothing is run of a text that has one.

use super::ERRORS_MAX;
use super::Filter;
use super::FilterError;
use super::TEXT_MAX;
use super::call::is_function;
use super::call::usage;
use super::emit::Place;
use super::emit::Program;
use super::evaluate::Step;
use super::operator::Binary;
use super::operator::Infix;
use super::operator::LOOSEST;
use super::operator::Unary;
use super::token::Token;
use super::token::Tokens;
use crate::message::Value;
use std::ops::Range;

/// Reads an expression.
///
/// # Errors
/// All mistakes in the order of the text, at most [`ERRORS_MAX`].
pub(super) fn parse(text: &str) -> Result<Filter, Vec<FilterError>> {
    if text.len() > TEXT_MAX {
        let message = format!("{} bytes, at most {TEXT_MAX} are read", text.len());
        return Err(vec![FilterError {
            range: 0..text.len(),
            message,
            hint: None,
        }]);
    }
    let mut parser = Parser::new(text);
    parser.until(&[]);
    parser.finish()
}

/// Reads one text.
pub(super) struct Parser<'t> {
    tokens: Tokens<'t>,
    /// The one at hand.
    pub(super) token: Token<'t>,
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// Where the last token that was taken ends.
    pub(super) end: usize,
    pub(super) program: Program,
    errors: Vec<FilterError>,
    /// Mistakes of the grammar so far, those included that are not told.
    found: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let mut tokens = Tokens::new(text);
        let (token, range) = tokens.next();
        Self {
            tokens,
            token,
            range,
            end: 0,
            program: Program::default(),
            errors: Vec::new(),
            found: 0,
            depth: 0,
        }
    }

    fn finish(mut self) -> Result<Filter, Vec<FilterError>> {
        if !self.program.fits() {
            self.too_deep(0..self.end);
        }
        self.errors.append(&mut self.tokens.errors);
        if self.errors.is_empty() {
            return Ok(self.program.finish());
        }
        self.errors
            .sort_by_key(|error| (error.range.start, error.range.end));
        self.errors.truncate(ERRORS_MAX);
        Err(self.errors)
    }

    /// An expression, and what does not belong behind it, up to one of `stops` or the end.
    pub(super) fn until(&mut self, stops: &[&str]) {
        self.expression(LOOSEST);
        loop {
            match self.token {
                Token::End => break,
                Token::Symbol(symbol) if stops.contains(&symbol) => break,
                Token::Symbol(symbol) => self.stray(symbol),
                _ => self.missing_operator(),
            }
        }
    }

    /// Operands and operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) {
        let (start, place, before) = (self.range.start, self.program.place(), self.count());
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MAX {
            self.too_deep(self.range.clone());
            self.tokens.cut();
            self.advance();
        } else {
            self.operand();
        }
        while let Some((infix, precedence)) = self.infix().filter(|(_, found)| *found >= least) {
            self.advance();
            self.infixed(infix, precedence, place);
            self.try_out(place, start, before);
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// The operator at hand; words that other languages have for one are mistakes.
    fn infix(&mut self) -> Option<(Infix, u8)> {
        let meant = match self.token {
            Token::Symbol(symbol) => return Infix::of(symbol),
            Token::Name(name) => WORDS
                .iter()
                .find(|(word, _)| name.eq_ignore_ascii_case(word)),
            _ => None,
        };
        let (word, symbol) = meant?;
        let hint = format!("write `{symbol}`");
        self.error(self.range.clone(), format!("`{word}` is no operator"), hint);
        self.token = Token::Symbol(symbol);
        Infix::of(symbol)
    }

    /// What stands behind an operator, whose left operand begins at `left`.
    fn infixed(&mut self, infix: Infix, precedence: u8, left: Place) {
        let right = self.program.place();
        let tighter = precedence.saturating_add(1);
        match infix {
            Infix::Binary(operator) => {
                self.expression(tighter);
                if matches!(operator, Binary::Equal | Binary::NotEqual) {
                    self.program.swap_literal(left, right);
                }
                self.program.push(Step::Binary(operator));
            }
            Infix::And | Infix::Or => {
                self.program.push(match infix {
                    Infix::And => Step::And(0),
                    _ => Step::Or(0),
                });
                self.expression(tighter);
                self.program.push(Step::Truth);
                self.program.land(right);
            }
            Infix::Conditional => self.conditional(),
        }
    }

    /// What stands behind `?`.
    fn conditional(&mut self) {
        let question = self.end.saturating_sub(1)..self.end;
        let unless = self.program.place();
        self.program.push(Step::Unless(0));
        self.until(&[":", ",", ")"]);
        let jump = self.program.place();
        self.program.push(Step::Jump(0));
        self.program.land(unless);
        if self.token == Token::Symbol(":") {
            self.advance();
            self.expression(LOOSEST);
        } else {
            self.error(
                question,
                "`?` without its `:`",
                "write `condition ? this : that`",
            );
            self.program.push(Step::Literal(Value::Null));
        }
        self.program.land(jump);
    }

    /// A value with what stands before it; without one a mistake, and nothing is taken.
    fn operand(&mut self) {
        let (token, range) = (self.token.clone(), self.range.clone());
        match token {
            Token::Number(number) => self.literal(number),
            Token::Text(text) => self.literal(Value::Text(text.into())),
            Token::Optional(name) => {
                self.advance();
                let name = self.program.name(name);
                self.program.push(Step::Optional(name));
            }
            Token::Name(name) => self.named(name, range),
            Token::Symbol("(") => {
                self.advance();
                self.until(&[")"]);
                self.close(range);
            }
            Token::Symbol(symbol) => match Unary::of(symbol) {
                Some(operator) => self.unary(operator),
                None => self.missing_operand(),
            },
            Token::End => self.missing_operand(),
        }
    }

    fn literal(&mut self, value: Value) {
        self.advance();
        self.program.push(Step::Literal(value));
    }

    fn unary(&mut self, operator: Unary) {
        let (start, place, before) = (self.range.start, self.program.place(), self.count());
        self.advance();
        self.expression(TIGHTEST);
        self.program.push(Step::Unary(operator));
        self.try_out(place, start, before);
    }

    /// A word, a call, or a parameter.
    fn named(&mut self, name: &str, range: Range<usize>) {
        self.advance();
        if self.token == Token::Symbol("(") {
            return self.call(name, range);
        }
        match name {
            "true" => self.program.push(Step::Literal(Value::Bool(true))),
            "false" => self.program.push(Step::Literal(Value::Bool(false))),
            "null" => self.program.push(Step::Literal(Value::Null)),
            _ if self.begins_operand() && is_function(name) => {
                let message = format!("the arguments of `{name}` stand in brackets");
                self.error(range, message, format!("write `{}`", usage(name)));
                self.operand();
            }
            _ => {
                let name = self.program.name(name);
                self.program.push(Step::Parameter(name));
            }
        }
    }

    /// Whether the token at hand can stand behind an operator alone.
    fn begins_operand(&self) -> bool {
        match self.token {
            Token::Number(_) | Token::Text(_) | Token::Optional(_) => true,
            Token::Name(name) => !WORDS
                .iter()
                .any(|(word, _)| name.eq_ignore_ascii_case(word)),
            Token::Symbol(_) | Token::End => false,
        }
    }

    /// The bracket that closes the one at `open`.
    pub(super) fn close(&mut self, open: Range<usize>) {
        if self.token == Token::Symbol(")") {
            self.advance();
        } else {
            self.error(open, "this bracket is never closed", "write its `)`");
        }
    }

    /// To the next token; to the end once there are mistakes enough.
    pub(super) fn advance(&mut self) {
        if self.errors.len() >= ERRORS_MAX {
            self.tokens.cut();
        }
        self.end = self.range.end;
        (self.token, self.range) = self.tokens.next();
    }

    /// Notes what fails for every message, unless there is a mistake in it already.
    pub(super) fn try_out(&mut self, place: Place, start: usize, before: usize) {
        if self.count() != before {
            return;
        }
        if let Some(failure) = self.program.failure(place).map(|error| error.to_string()) {
            self.error(start..self.end, failure, "this fails for every message");
        }
    }

    /// A symbol behind a whole expression.
    fn stray(&mut self, symbol: &str) {
        let message = match symbol {
            ")" => "this bracket closes nothing".to_owned(),
            "," => "`,` stands only between the arguments of a function".to_owned(),
            ":" => "`:` without its `?`".to_owned(),
            _ => format!("`{symbol}` is not expected here"),
        };
        if matches!(symbol, ")" | "," | ":") {
            self.error(self.range.clone(), message, "leave it out");
            self.advance();
        } else {
            self.missing_operator();
        }
    }

    /// Two operands in a row; the second one begins here.
    fn missing_operator(&mut self) {
        let hint = "write `&&`, `||` or another operator between both";
        self.error(
            self.range.clone(),
            "an operator is missing before this",
            hint,
        );
        let from = self.range.clone();
        self.expression(LOOSEST);
        if self.range == from {
            self.advance();
        }
    }

    /// What is at hand begins no value; null takes its place.
    fn missing_operand(&mut self) {
        let hint = "write a parameter, a number or a text";
        let (message, hint) = match self.token {
            Token::Symbol("~") => (
                "`~` needs a text before it",
                "to turn bits round, write `x ^ -1`",
            ),
            Token::End if self.end == 0 => ("an expression is missing", "write `true` for all"),
            Token::End => ("a value is missing at the end", hint),
            _ => ("a value is missing before this", hint),
        };
        self.error(self.range.clone(), message, hint);
        self.program.push(Step::Literal(Value::Null));
    }

    /// More levels than the parser or the stack has.
    fn too_deep(&mut self, range: Range<usize>) {
        let hint = "write it with fewer levels of brackets";
        self.error(range, "this is nested too deeply", hint);
    }

    /// How much was wrong so far.
    pub(super) fn count(&self) -> usize {
        self.found.saturating_add(self.tokens.errors.len())
    }

    /// Notes a mistake, unless it follows from another: of those that begin at one place the
    /// first is told, and what an unclosed text swallowed is not missing.
    pub(super) fn error(
        &mut self,
        range: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.found = self.found.saturating_add(1);
        let all = self.errors.iter().chain(&self.tokens.errors);
        let mut known = all.map(|error| &error.range);
        let follows = self.token == Token::End && self.tokens.is_cut;
        if !follows && !known.any(|known| known.start == range.start) {
            self.errors.push(FilterError {
                range,
                message: message.into(),
                hint: Some(hint.into()),
            });
        }
    }
}

/// Words that other languages have for an operator.
const WORDS: [(&str, &str); 5] = [
    ("and", "&&"),
    ("or", "||"),
    ("like", "~"),
    ("is", "=="),
    ("eq", "=="),
];

/// Tighter than every operator between two operands.
const TIGHTEST: u8 = 11;

/// Levels of brackets, signs and operators that wait for their right side.
const DEPTH_MAX: usize = 64;
