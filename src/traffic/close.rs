//! Where a secret that stands in text ends.

/// What ends a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The end of its line.
    Line,
    /// A quote behind as many backslashes as the one before it had.
    Quote(usize),
    /// What cannot be in a value of a URL or a form.
    Pair,
    /// The same, or what separates values elsewhere.
    Word,
    /// What ends a number or a word of JSON.
    Scalar,
    /// This byte.
    Byte(u8),
    /// This place.
    At(usize),
}

impl Close {
    /// Where a secret ends that goes on at `from`; none: not here.
    pub(super) fn end(self, bytes: &[u8], from: usize) -> Option<usize> {
        if let Self::At(end) = self {
            return Some(end);
        }
        let rest = bytes.get(from..).unwrap_or_default();
        let mut ends = (from..).zip(rest).filter(|(_, byte)| self.may_be(**byte));
        let end = ends.find(|(at, _)| match self {
            Self::Quote(slashes) => is_last(slashes, backslashes(bytes, *at)),
            _ => true,
        });
        end.map(|(at, _)| at)
    }

    fn may_be(self, byte: u8) -> bool {
        match self {
            Self::Line => matches!(byte, b'\r' | b'\n'),
            Self::Quote(_) => byte == b'"',
            Self::Pair => byte <= b' ' || b"&#\"'<>".contains(&byte),
            Self::Word => byte <= b' ' || b"&#\"'<>,;".contains(&byte),
            Self::Scalar => byte <= b' ' || b",]}\\\"".contains(&byte),
            Self::Byte(end) => byte == end,
            Self::At(_) => true,
        }
    }
}

/// Backslashes before a place.
pub(super) fn backslashes(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or_default();
    before
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count()
}

/// Whether a quote behind so many backslashes ends a text that began behind `open` of them. In
/// JSON within a string each level doubles them.
fn is_last(open: usize, found: usize) -> bool {
    found % (2 * (open + 1)) == open
}
