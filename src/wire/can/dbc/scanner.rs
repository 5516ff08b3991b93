//! The text of a DBC file, piece by piece, with the number of its line.

use super::DbcError;

/// What is left of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
    line: u32,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    /// The line, from 1, of what comes next.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// Something is wrong here.
    pub(super) fn error(&self, text: &'static str) -> DbcError {
        DbcError {
            line: self.line,
            text,
        }
    }

    /// Whether nothing comes any more.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_blank();
        self.rest.is_empty()
    }

    /// A name, a number, a keyword; empty where something else stands.
    pub(super) fn word(&mut self) -> &'a str {
        self.skip_blank();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
        let word = self.take_while(is_part);
        // ASCII
        str::from_utf8(word).unwrap_or_default()
    }

    /// A number of a type.
    pub(super) fn number<T: std::str::FromStr>(
        &mut self,
        missing: &'static str,
    ) -> Result<T, DbcError> {
        let line = self.line_of_next();
        let error = DbcError {
            line,
            text: missing,
        };
        self.word().parse().map_err(|_| error)
    }

    /// Digits alone: behind them a sign may stand.
    pub(super) fn digits(&mut self) -> &'a str {
        self.skip_blank();
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        str::from_utf8(digits).unwrap_or_default()
    }

    /// Passes over a sign that has to be there.
    pub(super) fn expect(&mut self, sign: u8, missing: &'static str) -> Result<(), DbcError> {
        match self.passes(sign) {
            true => Ok(()),
            false => Err(self.error(missing)),
        }
    }

    /// Passes over a sign, if it is next.
    pub(super) fn passes(&mut self, sign: u8) -> bool {
        self.skip_blank();
        let is_next = self.rest.first() == Some(&sign);
        if is_next {
            self.skip(1);
        }
        is_next
    }

    /// Text in quotes, as bytes of any encoding; a quote in it is doubled.
    pub(super) fn quoted(&mut self) -> Result<&'a [u8], DbcError> {
        self.expect(b'"', "a text in quotes is missing")?;
        let (line, start) = (self.line, self.rest);
        let mut len = 0_usize;
        loop {
            let text = self.take_while(|byte| byte != b'"');
            len = len.saturating_add(text.len());
            match self.rest {
                [b'"', b'"', ..] => {
                    self.skip(2);
                    len = len.saturating_add(2);
                }
                [_, ..] => {
                    self.skip(1);
                    return Ok(start.get(..len).unwrap_or_default());
                }
                [] => {
                    let text = "a text that begins here has no end";
                    return Err(DbcError { line, text });
                }
            }
        }
    }

    /// Passes over the rest of a statement, to its semicolon.
    pub(super) fn skip_statement(&mut self) -> Result<(), DbcError> {
        let line = self.line;
        loop {
            self.take_while(|byte| byte != b'"' && byte != b';');
            match self.rest.first() {
                Some(b'"') => drop(self.quoted()?),
                Some(_) => {
                    self.skip(1);
                    return Ok(());
                }
                None => {
                    let text = "a statement that begins here has no end";
                    return Err(DbcError { line, text });
                }
            }
        }
    }

    /// Passes over the rest of the line, and lines that go on with it.
    pub(super) fn skip_lines(&mut self, goes_on: fn(line: &[u8], next: Option<&u8>) -> bool) {
        loop {
            let line = self.take_while(|byte| byte != b'\n');
            self.skip(1);
            if self.rest.is_empty() || !goes_on(line.trim_ascii_end(), self.rest.first()) {
                return;
            }
        }
    }

    fn line_of_next(&mut self) -> u32 {
        self.skip_blank();
        self.line
    }

    fn skip_blank(&mut self) {
        self.take_while(|byte| byte.is_ascii_whitespace());
    }

    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let len = self.rest.iter().position(|byte| !fits(*byte));
        let (taken, rest) = self.rest.split_at(len.unwrap_or(self.rest.len()));
        let lines = taken.iter().filter(|byte| **byte == b'\n').count();
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        self.line = self.line.saturating_add(lines);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, count: usize) {
        let (skipped, rest) = self
            .rest
            .split_at_checked(count)
            .unwrap_or((self.rest, &[]));
        if skipped.contains(&b'\n') {
            self.line = self.line.saturating_add(1);
        }
        self.rest = rest;
    }
}
