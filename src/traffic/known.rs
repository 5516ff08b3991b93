//! Secrets that the configuration holds, in every form in which they travel.

use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE;
use base64::prelude::Engine as _;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

/// What the configuration of one channel or stream holds of secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Rc<[Box<str>]>);

/// The same in every form: made while somebody looks.
#[derive(Debug, Default)]
pub struct Forms {
    forms: Vec<Vec<u8>>,
    longest: usize,
}

impl Secrets {
    /// Those of these texts that can be told from other text.
    #[must_use]
    pub fn new(mut texts: Vec<String>) -> Self {
        texts.retain(|text| text.len() >= SECRET_MIN);
        texts.sort_unstable();
        texts.dedup();
        Self(texts.into_iter().map(String::into_boxed_str).collect())
    }

    /// In every form in which they travel.
    #[must_use]
    pub fn forms(&self) -> Forms {
        let mut forms: Vec<Vec<u8>> = self.0.iter().flat_map(|text| forms(text)).collect();
        forms.retain(|form| form.len() >= SECRET_MIN);
        forms.sort_unstable();
        forms.dedup();
        let longest = forms.iter().map(Vec::len).max().unwrap_or(0);
        Forms { forms, longest }
    }
}

/// Shows none of them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Forms {
    /// Bytes of the longest.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Adds where they stand, and where the end may be the beginning of one.
    pub(super) fn find(&self, bytes: &[u8], found: &mut Vec<Range<usize>>) {
        for form in &self.forms {
            let places = bytes.windows(form.len()).enumerate();
            let places = places.filter(|(_, window)| window == form);
            found.extend(places.map(|(at, _)| at..at + form.len()));
            found.extend(begun(form, bytes));
        }
    }
}

/// The end of `bytes`, where it is a beginning of `form`.
fn begun(form: &[u8], bytes: &[u8]) -> Option<Range<usize>> {
    let mut lengths = (BEGUN_MIN..form.len()).rev();
    let len = lengths.find(|len| form.get(..*len).is_some_and(|begun| bytes.ends_with(begun)))?;
    Some(bytes.len() - len..bytes.len())
}

/// As it is; within JSON; within a URL or a form; within base64, wherever it begins there.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![text.as_bytes().to_vec()];
    let json = serde_json::Value::from(text).to_string();
    forms.push(json.trim_matches('"').as_bytes().to_vec());
    for upper in [true, false] {
        forms.push(percent_encoded(text, upper));
    }
    // of short ones too little is left that is always the same
    if text.len() >= BASE64_MIN {
        for shift in 0..3 {
            let shifted = [&vec![0; shift], text.as_bytes()].concat();
            let range = (shift * 8).div_ceil(6)..shifted.len() * 8 / 6;
            for encoded in [BASE64.encode(&shifted), URL_SAFE.encode(&shifted)] {
                let kept = encoded.as_bytes().get(range.clone());
                forms.extend(kept.map(<[u8]>::to_vec));
            }
        }
    }
    forms
}

fn percent_encoded(text: &str, upper: bool) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte),
            _ if upper => encoded.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            _ => encoded.extend_from_slice(format!("%{byte:02x}").as_bytes()),
        }
    }
    encoded
}

/// Shorter ones would be found in all kinds of text: they are not seen only in their own places.
const SECRET_MIN: usize = 4;

/// So much of one at the end of what came is its beginning.
const BEGUN_MIN: usize = 2;

/// Shorter ones are not looked for in base64.
const BASE64_MIN: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secret: &str, text: &[u8]) -> String {
        let (mut found, mut shown) = (Vec::new(), text.to_vec());
        let forms = Secrets::new(vec![secret.to_owned()]).forms();
        forms.find(text, &mut found);
        found.into_iter().for_each(|at| shown[at].fill(b'*'));
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = "p\"ss w/rd";
        assert_eq!(hidden(secret, b"a=p\"ss w/rd."), "a=*********.");
        assert_eq!(
            hidden(secret, br#"{"a":"p\"ss w/rd"}"#),
            r#"{"a":"**********"}"#
        );
        assert_eq!(hidden(secret, b"?p%22ss%20w%2Frd&"), "?***************&");
        assert_eq!(hidden(secret, b"?p%22ss%20w%2frd&"), "?***************&");
    }

    #[test]
    fn no_form_in_base64_can_be_read_back() {
        for before in ["", "a", "ab", "abc"] {
            let encoded = BASE64.encode(format!("{before}:password1:"));
            let shown = hidden("password1", encoded.as_bytes());
            let clear = shown.bytes().filter(|byte| *byte != b'*').count();
            assert!(clear * 6 <= (before.len() + 2) * 8 + 14, "{shown}");
            assert!(shown.contains("**********"), "{shown}");
        }
    }

    #[test]
    fn what_begins_a_secret_is_not_shown() {
        assert_eq!(hidden("password", b"a passw"), "a *****");
        assert_eq!(hidden("password", b"a p"), "a p");
        assert_eq!(hidden("abc", b"abc"), "abc", "too short to be told");
    }
}
