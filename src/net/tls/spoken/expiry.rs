//! When a certificate expires: the one date of it that is looked at before a connection. The
//! signature counts for nothing here, and nothing is trusted for what this says.

use super::files;
use std::path::Path;

/// When the first certificate of a file expires, as ISO 8601 has it; none where there is none, or
/// it cannot be read.
#[must_use]
pub fn expiry(certificate: &Path) -> Option<String> {
    let found = files::certificates(certificate, "certificate").ok()?;
    not_after(found.first()?)
}

/// The end of `validity`.
fn not_after(certificate: &[u8]) -> Option<String> {
    facts(certificate).map(|facts| facts.not_after)
}

/// What a certificate says of itself.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    /// As ISO 8601 has it, without signs between the digits.
    pub(super) not_before: String,
    pub(super) not_after: String,
    /// It has no extensions, so that nobody says what it is for.
    pub(super) is_plain: bool,
    /// It says that it is one of an issuer.
    pub(super) is_issuer: bool,
}

/// The fields in the order of RFC 5280: version, serial number, algorithm, issuer, validity,
/// subject, key, extensions.
pub(super) fn facts(certificate: &[u8]) -> Option<Facts<'_>> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_, behind)) = element(rest, VERSION) {
        rest = behind;
    }
    for tag in [INTEGER, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, rest) = element(rest, SEQUENCE)?;
    let (not_before, behind) = time(validity)?;
    let (not_after, _) = time(behind)?;
    let (subject, rest) = element(rest, SEQUENCE)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    let extensions = element(rest, EXTENSIONS).map(|(extensions, _)| extensions);
    Some(Facts {
        issuer,
        subject,
        not_before,
        not_after,
        is_plain: extensions.is_none(),
        is_issuer: extensions.is_some_and(names_an_issuer),
    })
}

/// Whether `basicConstraints` begins with `cA TRUE`.
fn names_an_issuer(extensions: &[u8]) -> bool {
    let mut rest = element(extensions, SEQUENCE).map_or(&[][..], |(inner, _)| inner);
    while let Some((extension, behind)) = element(rest, SEQUENCE) {
        rest = behind;
        let Some((BASIC_CONSTRAINTS, value)) = element(extension, OBJECT) else {
            continue;
        };
        let value = element(value, BOOLEAN).map_or(value, |(_, behind)| behind);
        let inner = element(value, OCTETS).and_then(|(inner, _)| element(inner, SEQUENCE));
        let flag = inner.and_then(|(inner, _)| element(inner, BOOLEAN));
        return flag.is_some_and(|(flag, _)| flag != [0]);
    }
    false
}

/// A date in either form, and what is behind it.
fn time(input: &[u8]) -> Option<(String, &[u8])> {
    let (text, behind) = match element(input, UTC_TIME) {
        Some((time, behind)) => {
            let text = std::str::from_utf8(time).ok()?;
            let century = if text.get(..2)? < "50" { "20" } else { "19" };
            (format!("{century}{text}"), behind)
        }
        None => {
            let (time, behind) = element(input, TIME)?;
            (std::str::from_utf8(time).ok()?.to_owned(), behind)
        }
    };
    let (date, clock) = text.split_at_checked(8)?;
    Some((format!("{date}T{clock}"), behind))
}

/// What is in an element of this kind at the head of `input`, and what is behind it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = input.split_first()?;
    let (first, rest) = rest.split_first().filter(|_| *found == tag)?;
    let (len, rest) = match first & 0x7f {
        short if short == *first => (usize::from(short), rest),
        count @ 1..=3 => {
            let (digits, rest) = rest.split_at_checked(usize::from(count))?;
            let len = digits
                .iter()
                .fold(0, |len, digit| len << 8 | usize::from(*digit));
            (len, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

const INTEGER: u8 = 0x02;
/// Two digits of the year.
const UTC_TIME: u8 = 0x17;
/// Four digits of the year.
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const OBJECT: u8 = 0x06;
const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
/// 2.5.29.19
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::CertificateParams;
    use rcgen::KeyPair;

    /// A certificate that expires on this day.
    fn until(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["gateway".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 2, 3);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        certificate.der().to_vec()
    }

    #[test]
    fn both_forms_of_the_date_are_read() {
        for (year, expected) in [
            (1999, "19990203T000000Z"),
            (2049, "20490203T000000Z"),
            (2050, "20500203T000000Z"),
            (4096, "40960203T000000Z"),
        ] {
            assert_eq!(not_after(&until(year)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_no_date_or_another_and_never_a_panic() {
        let certificate = until(2049);
        let cut = |len: usize| not_after(&certificate[..len]);
        assert!((0..certificate.len()).all(|len| cut(len).is_none()));
        for at in 0..certificate.len() {
            for change in [1, 0x7f, 0x80, 0xff] {
                let mut changed = certificate.clone();
                changed[at] ^= change;
                drop(not_after(&changed));
            }
        }
        assert_eq!(expiry(Path::new("/nowhere")), None);
    }
}
