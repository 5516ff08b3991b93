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

/// The end of `validity`, which RFC 5280 puts behind the version, the serial number, the algorithm
/// and the issuer.
fn not_after(certificate: &[u8]) -> Option<String> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_, behind)) = element(rest, VERSION) {
        rest = behind;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, behind) = element(validity, UTC_TIME).or_else(|| element(validity, TIME))?;
    let short = element(behind, UTC_TIME).and_then(|(time, _)| {
        let text = std::str::from_utf8(time).ok()?;
        let century = if text.get(..2)? < "50" { "20" } else { "19" };
        Some(format!("{century}{text}"))
    });
    let time = short.or_else(|| {
        let (time, _) = element(behind, TIME)?;
        Some(std::str::from_utf8(time).ok()?.to_owned())
    })?;
    let (date, clock) = time.split_at_checked(8)?;
    Some(format!("{date}T{clock}"))
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
