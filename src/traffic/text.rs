//! Places of secrets in text: headers, pairs of URLs, forms and cookies, members of JSON, logins in
//! URLs, tokens by their look, and the logins of Wialon IPS and GpsGate.

use super::close::Close;
use super::close::backslashes;

/// A secret: where it begins, and what ends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) start: usize,
    pub(super) close: Close,
}

/// All that stand in a text.
pub(super) fn find(text: &[u8]) -> Vec<Secret> {
    let mut found = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        let place = Place { text, at };
        found.extend(match byte {
            b'=' => place.pair(),
            b':' => place
                .member()
                .or_else(|| place.header())
                .or_else(|| place.login_of_url()),
            b'#' => place.ips_login(),
            b'F' => place.gpsgate_login(),
            b'e' => place.jwt(),
            b' ' => place.behind_scheme(),
            _ => None,
        });
    }
    found
}

/// A byte of a text.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Place<'a> {
    fn before(self) -> &'a [u8] {
        self.text.get(..self.at).unwrap_or_default()
    }

    fn from(self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// `name=value`, `name="value"`.
    fn pair(self) -> Option<Secret> {
        let name = word_before(self.before());
        if !names_a_secret(name) && !is_key(name) {
            return None;
        }
        let start = self.at + 1;
        let before = self.before().len() - name.len();
        let of_query = match before.checked_sub(1).and_then(|at| self.text.get(at)) {
            Some(byte) => matches!(byte, b'?' | b'&' | b'\n'),
            None => true,
        };
        let (skip, close) = match (self.quote(start), of_query) {
            (Some(open), _) => (open + 1, Close::Quote(open)),
            (None, true) => (0, Close::Pair),
            (None, false) => (0, Close::Word),
        };
        let start = start + skip;
        Some(Secret { start, close })
    }

    /// `"name": value` of JSON, also of JSON within a string.
    fn member(self) -> Option<Secret> {
        let quoted = self.before().trim_ascii_end().strip_suffix(b"\"")?;
        let slashes = backslashes(quoted, quoted.len());
        let name = quoted.get(..quoted.len() - slashes)?;
        let name = word_before(name);
        if !names_a_secret(name) {
            return None;
        }
        let behind = self.text.get(self.at + 1..).unwrap_or_default();
        let blank = behind.iter().take_while(|byte| byte.is_ascii_whitespace());
        let start = self.at + 1 + blank.count();
        let (skip, close) = match (self.quote(start), self.text.get(start)) {
            (Some(open), _) => (open + 1, Close::Quote(open)),
            (None, Some(b'[')) => (1, Close::Byte(b']')),
            (None, Some(b'{')) => (1, Close::Byte(b'}')),
            (None, _) => (0, Close::Scalar),
        };
        let start = start + skip;
        Some(Secret { start, close })
    }

    /// Backslashes before the quote that is there, if one is.
    fn quote(self, start: usize) -> Option<usize> {
        let rest = self.text.get(start..)?;
        let open = rest.iter().take_while(|byte| **byte == b'\\').count();
        (rest.get(open) == Some(&b'"')).then_some(open)
    }

    /// `Name: value` at the head of a line; of `Authorization: Basic ...` what is behind the
    /// scheme.
    fn header(self) -> Option<Secret> {
        let name = word_before(self.before());
        let line = self.before().len() - name.len();
        let begins = line == 0 || self.text.get(line - 1) == Some(&b'\n');
        if !begins || !names_a_secret(name) && !is_key(name) {
            return None;
        }
        let value = self.text.get(self.at + 1..).unwrap_or_default();
        let blank = value.iter().take_while(|byte| **byte == b' ').count();
        let value = value.get(blank..).unwrap_or_default();
        let scheme = SCHEMES.iter().find(|scheme| begins_with(value, scheme));
        Some(Secret {
            start: self.at + 1 + blank + scheme.map_or(0, |scheme| scheme.len()),
            close: Close::Line,
        })
    }

    /// `Bearer token`, wherever it stands.
    fn behind_scheme(self) -> Option<Secret> {
        let start = self.at + 1;
        let head = self.text.get(..start)?;
        let is_scheme = |scheme: &&str| {
            let from = head.len().checked_sub(scheme.len());
            from.and_then(|from| head.get(from..))
                .is_some_and(|word| word.eq_ignore_ascii_case(scheme.as_bytes()))
        };
        SCHEMES
            .iter()
            .take(STRONG)
            .find(|scheme| is_scheme(scheme))?;
        let secret = Secret {
            start,
            close: Close::Word,
        };
        let len = secret.close.end(self.text, start).map(|end| end - start);
        // "basic needs" is no login; what is not whole may become one
        Some(secret).filter(|_| len.is_none_or(|len| len >= TOKEN_MIN))
    }

    /// `://user:password@`.
    fn login_of_url(self) -> Option<Secret> {
        let rest = self.from().strip_prefix(b"://")?;
        let ends = |byte: &u8| *byte <= b' ' || b"/?#\"'<>\\".contains(byte);
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        // the last one: before it `@` is of the password
        let login = rest.get(..end)?.iter().rposition(|byte| *byte == b'@')?;
        let start = self.at + 3;
        Some(Secret {
            start,
            close: Close::At(start + login),
        })
    }

    /// `#L#ident;password`, `#L#2.0;ident;password;CRC`: the sum tells of it, too.
    fn ips_login(self) -> Option<Secret> {
        let body = self.from().strip_prefix(b"#L#")?;
        let line = body.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        let field = |line: &[u8]| line.iter().position(|byte| *byte == b';').map(|at| at + 1);
        let first = field(line)?;
        let version = line.get(..first - 1)?;
        let is_version = version.len() <= VERSION_MAX && version.contains(&b'.');
        let skip = match is_version {
            true => first + field(line.get(first..)?)?,
            false => first,
        };
        Some(Secret {
            start: self.at + 3 + skip,
            close: Close::Line,
        })
    }

    /// `FRLIN,domain,user,password*XX`: who it is and all behind.
    fn gpsgate_login(self) -> Option<Secret> {
        let body = self.from().strip_prefix(b"FRLIN,")?;
        let skip = body.iter().position(|byte| *byte == b',')? + 1;
        Some(Secret {
            start: self.at + 6 + skip,
            close: Close::Line,
        })
    }

    /// `eyJ….….…`, a signed token. Base64 of JSON begins so too, and has no dot.
    fn jwt(self) -> Option<Secret> {
        let rest = self.from();
        let of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        if !rest.starts_with(b"eyJ") || self.before().last().is_some_and(of_token) {
            return None;
        }
        let len = rest.iter().take_while(|byte| of_token(byte)).count();
        let token = rest.get(..len)?;
        token.contains(&b'.').then_some(Secret {
            start: self.at,
            close: Close::Word,
        })
    }
}

/// The word that ends a text.
fn word_before(text: &[u8]) -> &[u8] {
    let of_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let len = text.iter().rev().take(NAME_MAX).take_while(of_word).count();
    text.get(text.len() - len..).unwrap_or_default()
}

/// Whether a value of this name is a secret. Narrower than what hides the configuration: names of
/// parameters pass here, "passengers" among them.
fn names_a_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let contains = |word: &&str| name.windows(word.len()).any(|part| part == word.as_bytes());
    PARTS.iter().any(contains)
        || words(&name).any(|word| WORDS.iter().any(|known| known.as_bytes() == word))
}

/// Whether it is `key` or `X-Api-Key`: in headers and pairs of URLs a key opens something.
fn is_key(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let is_open = OPEN.iter().any(|open| name.ends_with(open.as_bytes()));
    !is_open && words(&name).last() == Some(b"key")
}

fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|byte| matches!(byte, b'-' | b'_' | b'.'))
}

fn begins_with(value: &[u8], scheme: &str) -> bool {
    value
        .get(..scheme.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// What names of secrets contain.
const PARTS: [&str; 15] = [
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "api_key",
    "api-key",
    "accesskey",
    "access_key",
    "privatekey",
    "private_key",
    "credential",
    "authorization",
];

/// Words of names of secrets.
const WORDS: [&str; 12] = [
    "pass",
    "pwd",
    "pw",
    "auth",
    "sig",
    "signature",
    "assertion",
    "bearer",
    "cookie",
    "jwt",
    "sas",
    "psk",
];

/// Keys that open nothing: by them a destination sorts.
const OPEN: [&str; 5] = [
    "partition_key",
    "routing_key",
    "ordering_key",
    "sec-websocket-key",
    "idempotency-key",
];

/// What stands before a secret in `Authorization`; in front those that also stand elsewhere.
const SCHEMES: [&str; 6] = [
    "Bearer ",
    "Basic ",
    "SharedAccessSignature ",
    "Digest ",
    "Token ",
    "Negotiate ",
];

/// How many of them.
const STRONG: usize = 3;

/// Shorter words behind a scheme are words.
const TOKEN_MIN: usize = 8;

/// Bytes of a name.
const NAME_MAX: usize = 64;

/// `2.0`, and what may come.
const VERSION_MAX: usize = 4;
