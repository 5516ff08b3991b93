//! Cuts the text of an expression into tokens. Knows no grammar; what is no token is noted as a
//! mistake and read as what was meant.

use super::ERRORS_MAX;
use super::FilterError;
use super::value::Number;
use crate::message::Value;
use std::ops::Range;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// A number.
    Number(Value),
    /// What stands between quotes.
    Text(String),
    /// A parameter, a function or a word such as `true`.
    Name(&'t str),
    /// A parameter after `$`.
    Optional(&'t str),
    /// An operator, a bracket, a comma.
    Symbol(&'static str),
    /// The text is over.
    End,
}

/// Reads tokens from the front of a text.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    /// What is before was read.
    at: usize,
    /// What was no token.
    pub(super) errors: Vec<FilterError>,
    /// Whether the rest of the text was not read as it was meant, so that nothing is missing there.
    pub(super) is_cut: bool,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            errors: Vec::new(),
            is_cut: false,
        }
    }

    /// Reads no more.
    pub(super) fn cut(&mut self) {
        self.at = self.text.len();
        self.is_cut = true;
    }

    /// The next token and where it stands; [`Token::End`] for ever at the end.
    pub(super) fn next(&mut self) -> (Token<'t>, Range<usize>) {
        loop {
            if self.errors.len() >= ERRORS_MAX {
                self.cut();
            }
            self.take(char::is_whitespace);
            let start = self.at;
            if let Some(token) = self.token() {
                return (token, start..self.at);
            }
        }
    }

    /// None: there was a character that begins no token.
    fn token(&mut self) -> Option<Token<'t>> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Some(Token::End);
        };
        let second = rest.chars().nth(1);
        let is_point = first == '.' && second.is_some_and(|c| c.is_ascii_digit());
        match first {
            '\'' | '"' => Some(self.quoted(first)),
            '$' => Some(self.optional()),
            _ if first.is_ascii_digit() || is_point => Some(self.number()),
            _ if is_name(first) => Some(Token::Name(self.take(is_name))),
            _ => self.symbol(),
        }
    }

    fn optional(&mut self) -> Token<'t> {
        let start = self.at;
        self.skip(1);
        let name = self.take(is_name);
        if name.is_empty() {
            let hint = "write `$position.speed`, or nothing";
            self.error(start, "a name is missing after `$`", hint);
        }
        Token::Optional(name)
    }

    /// All that hangs together is one number, or none.
    fn number(&mut self) -> Token<'t> {
        let start = self.at;
        self.take(is_name);
        let exponent = self.written(start).ends_with(['e', 'E']) && !self.is_hex(start);
        if exponent && self.rest().starts_with(['+', '-']) {
            self.skip(1);
            self.take(is_name);
        }
        let written = self.written(start);
        Token::Number(match Number::parse(written).map(literal) {
            Some(number) => number,
            None => {
                let message = format!("`{written}` is no number that 64 bits hold");
                self.error(start, message, "write `12`, `0x1F`, `1.5` or `1e3`");
                Value::Null
            }
        })
    }

    fn is_hex(&self, start: usize) -> bool {
        self.written(start).starts_with("0x") || self.written(start).starts_with("0X")
    }

    /// Up to the same quote; without one up to the end.
    fn quoted(&mut self, quote: char) -> Token<'t> {
        let (start, mut text) = (self.at, String::new());
        self.skip(1);
        loop {
            text.push_str(self.take(|c| c != quote && c != '\\'));
            match self.rest().chars().next() {
                Some('\\') => text.extend(self.escaped()),
                Some(_) => break self.skip(1),
                None => {
                    let hint = format!("end it with {quote}");
                    self.error(start, "this text is never closed", hint);
                    self.is_cut = true;
                    break;
                }
            }
        }
        Token::Text(text)
    }

    /// What a backslash and the character behind it stand for.
    fn escaped(&mut self) -> Option<char> {
        let start = self.at;
        self.skip(1);
        let escaped = self.rest().chars().next()?;
        self.skip(escaped.len_utf8());
        match escaped {
            '\\' | '\'' | '"' => Some(escaped),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            _ => {
                let hint = "write `\\\\` for one backslash";
                self.error(start, "a backslash does not go before this", hint);
                Some(escaped)
            }
        }
    }

    /// The longest symbol, or the longest that is often written for one.
    fn symbol(&mut self) -> Option<Token<'t>> {
        let start = self.at;
        let rest = self.rest();
        let begins = |written: &str| rest.starts_with(written);
        let wrong = MISWRITTEN.iter().find(|(written, _)| begins(written));
        let right = SYMBOLS.iter().find(|symbol| begins(symbol));
        match (wrong, right) {
            (Some((written, meant)), right) if right.is_none_or(|r| r.len() < written.len()) => {
                self.skip(written.len());
                let message = format!("`{written}` is no operator");
                self.error(start, message, format!("write `{meant}`"));
                Some(Token::Symbol(meant))
            }
            (_, Some(symbol)) => {
                self.skip(symbol.len());
                Some(Token::Symbol(symbol))
            }
            _ => {
                let stray = self.take(is_stray);
                let message = format!("`{stray}` has no meaning here");
                self.error(start, message, "leave it out, or put text in quotes");
                None
            }
        }
    }

    fn error(&mut self, start: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(FilterError {
            range: start..self.at,
            message: message.into(),
            hint: Some(hint.into()),
        });
    }

    fn written(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.skip(end);
        rest.get(..end).unwrap_or_default()
    }

    fn skip(&mut self, len: usize) {
        self.at = self.at.saturating_add(len).min(self.text.len());
    }
}

/// Whether names of parameters may have it.
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '.' || c == '_'
}

/// Whether no token begins with it.
fn is_stray(c: char) -> bool {
    let is_symbol = SYMBOLS.iter().any(|symbol| symbol.starts_with(c));
    !is_symbol && !is_name(c) && !c.is_whitespace() && !matches!(c, '\'' | '"' | '$')
}

/// The form in which steps keep a number.
fn literal(number: Number) -> Value {
    match number {
        Number::Float(number) => Value::F64(number),
        Number::Integer(number) => match u64::try_from(number) {
            Ok(number) => Value::U64(number),
            Err(_) => i64::try_from(number).map_or(Value::Null, Value::I64),
        },
    }
}

/// Longer ones before those that they begin with.
const SYMBOLS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "+", "-", "*", "/", "%", "&", "|", "^", "~",
    "<", ">", "!", "?", ":", "(", ")", ",",
];

/// What other languages write, and what was meant.
const MISWRITTEN: [(&str, &str); 7] = [
    ("===", "=="),
    ("!==", "!="),
    ("<>", "!="),
    ("=~", "~"),
    ("=<", "<="),
    ("=>", ">="),
    ("=", "=="),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> (Vec<Token<'_>>, Vec<Range<usize>>) {
        let mut tokens = Tokens::new(text);
        let mut found = Vec::new();
        loop {
            match tokens.next().0 {
                Token::End => break,
                token => found.push(token),
            }
        }
        let ranges = tokens.errors.into_iter().map(|error| error.range);
        (found, ranges.collect())
    }

    #[test]
    fn a_text_is_cut_where_a_reader_would_cut_it() {
        use Token::Name;
        use Token::Number;
        use Token::Optional;
        use Token::Symbol;
        use Token::Text;
        let (tokens, errors) = all(r#"$a.1>=0x1F&&!b_c=='it\'s'*-1e-3+.5<<"\"""#);
        assert_eq!(errors, []);
        assert_eq!(
            tokens,
            [
                Optional("a.1"),
                Symbol(">="),
                Number(Value::U64(31)),
                Symbol("&&"),
                Symbol("!"),
                Name("b_c"),
                Symbol("=="),
                Text("it's".into()),
                Symbol("*"),
                Symbol("-"),
                Number(Value::F64(0.001)),
                Symbol("+"),
                Number(Value::F64(0.5)),
                Symbol("<<"),
                Text("\"".into()),
            ]
        );
    }

    #[test]
    fn what_is_no_token_is_noted_and_read_as_what_was_meant() {
        let (tokens, errors) = all("a = # 12x 'b\\q");
        assert_eq!(errors, [2..3, 4..5, 6..9, 12..14, 10..14]);
        assert_eq!(tokens.len(), 4);
        assert_eq!(tokens[1], Token::Symbol("=="));
    }

    #[test]
    fn hexadecimal_ends_before_an_operator() {
        let (tokens, errors) = all("0x1e+1 0xE-1 1e+1");
        assert_eq!((tokens.len(), errors.len()), (7, 0), "{tokens:?}");
    }
}
