//! Text of devices that do not write UTF-8.

use std::borrow::Cow;
use yore::CodePage;
use yore::code_pages as pages;

/// How a device writes its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// As everybody should. What is no UTF-8 becomes one character a byte, that of the same number:
    /// it cannot be read well, but nothing of it is lost.
    #[default]
    Utf8,
    /// One byte a character; the place in the table of pages.
    Page(usize),
}

impl Charset {
    /// By its name, in any case; none: it is not known.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case(UTF8) {
            return Some(Self::Utf8);
        }
        let place = PAGES
            .iter()
            .position(|(known, _)| name.eq_ignore_ascii_case(known));
        place.map(Self::Page)
    }

    /// The names that are known.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let pages = PAGES.iter().map(|(name, _)| *name);
        [UTF8].into_iter().chain(pages)
    }

    /// The text that these bytes are. A byte that stands for nothing becomes U+FFFD.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        let page = match self {
            Self::Utf8 => None,
            Self::Page(place) => PAGES.get(place),
        };
        match page {
            Some((_, decode)) => decode(bytes),
            None => utf8_or_bytes(bytes),
        }
    }
}

/// UTF-8, or one character a byte, that of the same number.
#[must_use]
pub fn utf8_or_bytes(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

const UTF8: &str = "utf-8";

/// What makes text of the bytes of one page.
type Decode = fn(&[u8]) -> Cow<'_, str>;

/// Those of the vehicles' countries; each costs half a kilobyte. As functions, since a table of
/// pages would bring what encodes them as well.
const PAGES: [(&str, Decode); 11] = [
    ("windows-1250", |bytes| pages::CP1250.decode_lossy(bytes)),
    ("windows-1251", |bytes| pages::CP1251.decode_lossy(bytes)),
    ("windows-1252", |bytes| pages::CP1252.decode_lossy(bytes)),
    ("windows-1253", |bytes| pages::CP1253.decode_lossy(bytes)),
    ("windows-1254", |bytes| pages::CP1254.decode_lossy(bytes)),
    ("windows-1255", |bytes| pages::CP1255.decode_lossy(bytes)),
    ("windows-1256", |bytes| pages::CP1256.decode_lossy(bytes)),
    ("windows-1257", |bytes| pages::CP1257.decode_lossy(bytes)),
    ("windows-1258", |bytes| pages::CP1258.decode_lossy(bytes)),
    ("windows-874", |bytes| pages::CP874.decode_lossy(bytes)),
    ("cp866", |bytes| pages::CP866.decode_lossy(bytes)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_it_was_written() {
        let cases: [(&str, &[u8], &str); 6] = [
            ("utf-8", "Привет".as_bytes(), "Привет"),
            ("windows-1251", b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
            ("CP866", b"\x8f\xe0\xa8\xa2\xa5\xe2", "Привет"),
            ("Windows-1257", b"\xd0iauliai", "Šiauliai"),
            ("windows-1252", b"caf\xe9", "café"),
            ("windows-1257", b"plain", "plain"),
        ];
        for (name, bytes, text) in cases {
            assert_eq!(Charset::named(name).unwrap().decode(bytes), text, "{name}");
        }
        assert_eq!(Charset::named("latin-7"), None);
        assert!(Charset::names().all(|name| Charset::named(name).is_some()));
    }

    #[test]
    fn what_is_no_utf_8_is_not_lost() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = Charset::Utf8.decode(&bytes);
        let back: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
        assert_eq!(back, Some(bytes));
    }
}
