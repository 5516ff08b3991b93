//! Patterns of idents and names: text in which `*` stands for any text.
//!
//! No regular expressions: nothing else has a meaning, and nothing escapes the `*`.

mod index;
mod set;

pub use index::PatternIndex;
pub use set::PatternSet;

use std::fmt;

/// A pattern, or a plain text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: String,
}

impl Pattern {
    /// A pattern as the configuration writes it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }

    /// Whether all of `text` fits it, see [`fits`].
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        fits(&self.text, text)
    }

    /// Whether only one text fits it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.text.contains('*')
    }

    /// As the configuration writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether all of `text` fits `pattern`. Time is linear in both lengths: the leftmost place of
/// each piece is the best one, so that nothing is tried twice. No allocation.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let between = text.strip_prefix(head);
    let Some(mut left) = between.and_then(|text| text.strip_suffix(tail)) else {
        return false;
    };
    middle.split('*').all(|piece| match left.split_once(piece) {
        Some((_, behind)) => {
            left = behind;
            true
        }
        None => false,
    })
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition itself: a star is nothing, or one character and the star again.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..]))
            }
            ([p, pattern @ ..], [t, text @ ..]) => p == t && naive(pattern, text),
            _ => false,
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("3520*", "352093081452251", true),
            ("3520*", "352", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("din.*", "din.1", true),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b-c", true),
            ("*é*", "café!", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                fits,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn it_agrees_with_its_definition() {
        let mut random = 7_u64;
        let mut text = |letters: &str| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let mut bits = random >> 20;
            let mut text = String::new();
            while !bits.is_multiple_of(11) {
                let index = usize::try_from(bits % 64).unwrap() % letters.len();
                text.push_str(&letters[index..=index]);
                bits /= 3;
            }
            text
        };
        for _ in 0..4_000 {
            let (pattern, text) = (text("ab*"), text("ab"));
            let expected = naive(pattern.as_bytes(), text.as_bytes());
            assert_eq!(
                Pattern::new(&pattern).matches(&text),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
