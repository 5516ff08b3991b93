//! What went wrong with TLS, as what it is and with what to do about it.

use super::Identity;
use super::verify::OtherFingerprint;
use crate::clock::Date;
use rustls::AlertDescription;
use rustls::CertificateError;
use rustls::Error;
use rustls::InvalidMessage;
use rustls::OtherError;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Why there is no TLS, or none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// A certificate, here or there, or a key is at fault.
    Certificate(String),
    /// Anything else.
    Protocol(String),
}

impl TlsError {
    /// What an error of a connection says of a certificate; false for all else.
    #[must_use]
    pub fn is_certificate(error: &io::Error) -> bool {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        matches!(inner, Some(Self::Certificate(_)))
    }

    /// A file cannot be used.
    pub(super) fn file(key: &str, path: &Path, why: &str) -> Self {
        Self::Certificate(format!("`tls.{key}`, `{}`: {why}", path.display()))
    }

    /// The far end closed the connection before it was one.
    pub(super) fn cut_short() -> Self {
        let words = "closed by the destination in the middle of the TLS handshake";
        Self::Protocol(words.to_owned())
    }

    /// What rustls says of a certificate of ours and its key.
    pub(super) fn of_identity(error: &Error, identity: &Identity) -> Self {
        let own = |why: &str| Self::file("certificate", &identity.certificate, why);
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(other)))
                if other.to_string().contains("UnsupportedCertVersion") =>
            {
                own("it is of an outdated version of X.509; have one of version 3 issued")
            }
            Error::InvalidCertificate(error) => own(&format!("it cannot be used: {error}")),
            Error::NoCertificatesPresented => own("there is no certificate in it"),
            error => match Self::of(error) {
                Self::Protocol(why) => Self::file("key", &identity.key, &why),
                certificate @ Self::Certificate(_) => certificate,
            },
        }
    }

    /// What rustls says of a client of ours.
    pub(super) fn of_client(error: &Error) -> Self {
        match error {
            Error::NoCertificatesPresented => {
                Self::Certificate("it shows no certificate".to_owned())
            }
            Error::InvalidCertificate(error) => {
                Self::Certificate(format!("its certificate is not taken: {error}"))
            }
            Error::FailedToGetCurrentTime => {
                let words = "the clock is wrong, so no certificate can be checked";
                Self::Certificate(words.to_owned())
            }
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                Self::Protocol("it does not speak TLS".to_owned())
            }
            Error::AlertReceived(alert) => Self::Protocol(format!("it ends TLS: {alert:?}")),
            other => Self::Protocol(format!("TLS: {other}")),
        }
    }

    /// What rustls says where this side had no certificate to show: whoever finds fault with it
    /// wants one. Servers say of nothing that they do not know its issuer.
    pub(super) fn of_nameless(error: &Error) -> Self {
        use AlertDescription as Alert;
        match error {
            Error::AlertReceived(
                Alert::UnknownCA
                | Alert::BadCertificate
                | Alert::CertificateUnknown
                | Alert::AccessDenied,
            ) => refused(Alert::CertificateRequired),
            other => Self::of(other),
        }
    }

    /// What rustls says.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::Certificate(certificate(error)),
            Error::NoCertificatesPresented => {
                Self::Certificate("the destination shows no certificate".to_owned())
            }
            Error::AlertReceived(alert) => refused(*alert),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                let words = "the destination does not speak TLS there; look at the port";
                Self::Protocol(words.to_owned())
            }
            Error::NoApplicationProtocol => no_protocol(),
            Error::FailedToGetCurrentTime => {
                let words = "the clock is wrong, so no certificate can be checked";
                Self::Certificate(words.to_owned())
            }
            Error::InconsistentKeys(_) => {
                let words = "`tls.key` is not the key of `tls.certificate`";
                Self::Certificate(words.to_owned())
            }
            other => Self::Protocol(format!("TLS: {other}")),
        }
    }
}

/// What is wrong with the certificate of the destination.
fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the destination's certificate expired on {}; the clock here says {}",
            date(*not_after),
            date(*time)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the destination's certificate is valid from {} on, and the clock here says {}: \
             the clock is the likely cause",
            date(*not_before),
            date(*time)
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => wrong_name(expected, presented),
        CertificateError::UnknownIssuer => {
            "the issuer of the destination's certificate is unknown; if it is the right one, \
             put its certificate into a file and write `tls = { ca = \"FILE\" }`"
                .to_owned()
        }
        CertificateError::Revoked => "the destination's certificate is revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the destination's certificate is not one for servers".to_owned()
        }
        CertificateError::Other(OtherError(other)) => {
            match other.downcast_ref::<OtherFingerprint>() {
                Some(found) => format!(
                    "the destination's certificate is not the one of `tls.fingerprint`: its \
                     SHA-256 is `{found}`"
                ),
                None => uncommon(&other.to_string()),
            }
        }
        other => format!("the destination's certificate cannot be used: {other}"),
    }
}

fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let expected = expected.to_str();
    // webpki shows them as `DnsName("a.example")`
    let names = presented.iter().map(|name| {
        let inner = name.split('"').nth(1).unwrap_or(name);
        format!("`{inner}`")
    });
    let names: Vec<_> = names.take(NAMES_MAX).collect();
    if names.is_empty() {
        return format!(
            "the destination's certificate has no name (subjectAltName), so it is not for \
             `{expected}`; pin it by `tls.fingerprint`"
        );
    }
    format!(
        "the destination's certificate is for {}, not for `{expected}`; if it is the right one, \
         write the name as `tls = {{ server_name = \"NAME\" }}`",
        names.join(", ")
    )
}

/// What webpki says in its own words, of certificates made by hand most of all.
fn uncommon(words: &str) -> String {
    let why = if words.contains("CaUsedAsEndEntity") {
        "is that of an issuer and not one for servers"
    } else if words.contains("UnsupportedCertVersion") {
        "is of an outdated version of X.509"
    } else {
        return format!("the destination's certificate cannot be used: {words}");
    };
    format!("the destination's certificate {why}; pin it by `tls.fingerprint`, or make a new one")
}

/// What the destination says of this side.
fn refused(alert: AlertDescription) -> TlsError {
    use AlertDescription as Alert;
    let of_certificate = match alert {
        Alert::CertificateRequired => {
            "wants a client certificate: write `tls = { certificate = \"FILE\", key = \"FILE\" }`"
        }
        Alert::UnknownCA => "does not know the issuer of `tls.certificate`",
        Alert::CertificateExpired => "says that `tls.certificate` has expired",
        Alert::CertificateRevoked => "says that `tls.certificate` is revoked",
        Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::CertificateUnknown => {
            "does not take `tls.certificate`"
        }
        Alert::AccessDenied => "does not let in who `tls.certificate` names",
        Alert::NoApplicationProtocol => return no_protocol(),
        Alert::UnrecognisedName => {
            return TlsError::Protocol(
                "the destination knows no server of this name; look at `tls.server_name`"
                    .to_owned(),
            );
        }
        Alert::HandshakeFailure => {
            return TlsError::Protocol(
                "the destination refuses the TLS handshake; it may want a client certificate"
                    .to_owned(),
            );
        }
        other => {
            return TlsError::Protocol(format!("the destination ends TLS: {other:?}"));
        }
    };
    TlsError::Certificate(format!("the destination {of_certificate}"))
}

fn no_protocol() -> TlsError {
    TlsError::Protocol("the destination speaks none of `tls.alpn`".to_owned())
}

fn date(time: UnixTime) -> Date {
    Date(Duration::from_secs(time.as_secs()))
}

impl From<TlsError> for io::Error {
    fn from(fault: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(words) | Self::Protocol(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for TlsError {}

/// Names of a certificate that are said.
const NAMES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shows_no_certificate_and_is_refused_for_it_needs_one() {
        use AlertDescription as Alert;
        for alert in [
            Alert::UnknownCA,
            Alert::BadCertificate,
            Alert::CertificateRequired,
        ] {
            let said = TlsError::of_nameless(&Error::AlertReceived(alert)).to_string();
            assert!(
                said.contains("wants a client certificate"),
                "{alert:?}: {said}"
            );
        }
        let said = TlsError::of(&Error::AlertReceived(Alert::UnknownCA)).to_string();
        assert!(
            said.contains("does not know the issuer of `tls.certificate`"),
            "{said}"
        );
    }
}
