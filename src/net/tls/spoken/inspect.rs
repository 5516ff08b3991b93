//! Whether files of TLS can be used, without a connection: what `weir check` says of them.

use super::Identity;
use super::expiry::Facts;
use super::expiry::facts;
use super::files;
use crate::clock::Clock;
use crate::clock::Date;
use rustls::Error;
use rustls::InconsistentKeys;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use std::path::Path;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key that names the file.
    pub key: &'static str,
    /// Lowercase, no full stop, nothing of what is in a key.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// What is wrong with a certificate and its key. No date is judged while the clock is wrong.
#[must_use]
pub fn inspect_identity(identity: &Identity) -> Vec<Finding> {
    let mut found = Vec::new();
    let chain = files::read_certificates(&identity.certificate)
        .map_err(|why| found.push(file("certificate", &why)));
    let key = files::private_key(&identity.key).map_err(|why| found.push(file("key", &why)));
    let chain = chain.unwrap_or_default();
    found.extend(
        chain
            .iter()
            .filter_map(|certificate| date("certificate", certificate)),
    );
    if let Some(first) = chain.first()
        && let Some(facts) = facts(first)
        && let Ok(key) = key
    {
        found.extend(pair(chain.clone(), &key, &facts));
    }
    found
}

/// What is wrong with a file of issuers.
#[must_use]
pub fn inspect_issuers(key: &'static str, path: &Path) -> Vec<Finding> {
    match files::read_certificates(path) {
        Err(why) => vec![file(key, &why)],
        Ok(found) => {
            let other = |it: &Facts<'_>| !it.is_issuer && !it.is_plain && it.issuer != it.subject;
            let others = found.iter().filter_map(|it| facts(it)).filter(other);
            let finding = Finding {
                key,
                message: "the certificate of a server or a client, not of an issuer".to_owned(),
                hint: "name the file with the certificate that it was issued by",
            };
            others.map(|_| finding.clone()).take(1).collect()
        }
    }
}

fn file(key: &'static str, why: &str) -> Finding {
    let hint = match why {
        _ if why.contains("private key in it and no") || why.contains("in it and no private") => {
            "`certificate` and `key` are two files; they may be swapped"
        }
        "there is no such file" => "name a file that is there",
        "permission denied" => "let the user read it who runs weir, and the folders above it",
        _ => "name a file in PEM",
    };
    let message = format!("this file cannot be used: {why}");
    Finding { key, message, hint }
}

/// A certificate out of its time.
fn date(key: &'static str, certificate: &CertificateDer<'_>) -> Option<Finding> {
    let wall = Clock::new().now().wall;
    let facts = facts(certificate).filter(|_| wall.trusted)?;
    let today = Date(wall.since_1970).to_string().replace('-', "");
    let day = |time: &str| {
        let (year, rest) = time.split_at_checked(4)?;
        let (month, day) = rest.get(..4)?.split_at_checked(2)?;
        Some(format!("{year}-{month}-{day}"))
    };
    let (before, after) = (facts.not_before.get(..8)?, facts.not_after.get(..8)?);
    let message = if after < today.get(..8)? {
        format!("the certificate expired on {}", day(after)?)
    } else if before > today.get(..8)? {
        format!(
            "the certificate is valid from {} on, and not before",
            day(before)?
        )
    } else {
        return None;
    };
    let hint = "have a new one issued, if the clock of this machine is right";
    Some(Finding { key, message, hint })
}

/// A certificate and a key that do not belong together.
fn pair(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
    facts: &Facts<'_>,
) -> Option<Finding> {
    let Ok(key) = rustls::crypto::ring::sign::any_supported_type(key) else {
        return Some(Finding {
            key: "key",
            message: "this file cannot be used: a key of an unknown kind is in it".to_owned(),
            hint: "keys are RSA, ECDSA on P-256 or P-384, or Ed25519",
        });
    };
    let (key, message, hint) = match CertifiedKey::new(chain, key).keys_match() {
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) if facts.is_issuer => (
            "certificate",
            "this is the certificate of an issuer, and `key` is another one's",
            "`certificate` and `ca` may be swapped",
        ),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => (
            "key",
            "this is not the key of `certificate`",
            "name the key that the certificate was made with",
        ),
        Err(Error::InvalidCertificate(_)) if facts.is_plain => (
            "certificate",
            "the certificate is of an outdated version of X.509",
            "have one of version 3 issued",
        ),
        Err(Error::InvalidCertificate(_)) => (
            "certificate",
            "the certificate cannot be used",
            "have a new one issued",
        ),
        _ => return None,
    };
    let message = message.to_owned();
    Some(Finding { key, message, hint })
}
