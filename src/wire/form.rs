//! Forms as browsers send them: names and values in queries and bodies of requests.
//!
//! It knows no name. A `%` without two hexadecimal digits behind it stands for itself.
//!
//! Source: URL Standard (WHATWG), `application/x-www-form-urlencoded`.

use crate::hex;

/// A name or value is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

/// The names and values of a form in their order; a name may come again, and either may be empty.
///
/// # Errors
/// Each pair that is not UTF-8.
pub fn pairs(form: &[u8]) -> impl Iterator<Item = Result<(String, String), NotUtf8>> {
    let parts = form.split(|byte| *byte == b'&');
    parts.filter(|part| !part.is_empty()).map(|part| {
        let mut halves = part.splitn(2, |byte| *byte == b'=');
        let mut half = || text(halves.next().unwrap_or_default());
        Ok((half()?, half()?))
    })
}

fn text(mut written: &[u8]) -> Result<String, NotUtf8> {
    let mut bytes = Vec::with_capacity(written.len());
    while let Some((first, mut rest)) = written.split_first() {
        let byte = match (first, rest) {
            (b'+', _) => b' ',
            (b'%', [high, low, behind @ ..]) => match hex::byte([*high, *low]) {
                Some(escaped) => {
                    rest = behind;
                    escaped
                }
                None => b'%',
            },
            (byte, _) => *byte,
        };
        bytes.push(byte);
        written = rest;
    }
    String::from_utf8(bytes).map_err(|_| NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_blanks_are_undone() {
        for (form, expected) in [
            ("a=1&b=%C3%A9+%2B", &[("a", "1"), ("b", "é +")][..]),
            ("a=1=2&a=", &[("a", "1=2"), ("a", "")]),
            ("&&a&=b&", &[("a", ""), ("", "b")]),
            (
                "a=100%&b=%4&c=%zz&d=%%34",
                &[("a", "100%"), ("b", "%4"), ("c", "%zz"), ("d", "%4")],
            ),
            ("", &[]),
        ] {
            let found: Vec<_> = pairs(form.as_bytes()).map(Result::unwrap).collect();
            let found: Vec<_> = found
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            assert_eq!(found, expected, "{form}");
        }
    }

    #[test]
    fn what_is_no_text_is_said() {
        let found: Vec<_> = pairs(b"a=%ff&b=1&\xff=1").collect();
        let right = ("b".to_owned(), "1".to_owned());
        assert_eq!(found, [Err(NotUtf8), Ok(right), Err(NotUtf8)]);
    }
}
