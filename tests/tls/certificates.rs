//! Certificates made for one test: right ones, and every kind of wrong.

use crate::weir_run::Folder;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::date_time_ymd;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::path::PathBuf;

/// An issuer, and a folder with its certificate and those that it made.
pub(crate) struct Authority {
    pub(crate) folder: Folder,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in files.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, format!("issuer {name}"));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        folder.write("ca.pem", &certificate.pem());
        folder.write("ca.key", &key.serialize_pem());
        let issuer = Issuer::new(params, key);
        Self { folder, issuer }
    }

    /// The certificate of the issuer.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The issuer's own certificate and key, as a server that shows them has them.
    pub(crate) fn own(&self) -> Pair {
        Pair {
            certificate: self.ca(),
            key: self.folder.join("ca.key"),
        }
    }

    /// A certificate that nothing is wrong with.
    pub(crate) fn issue(&self, name: &str) -> Pair {
        self.make(name, name, (2020, 2060))
    }

    /// A certificate that is valid between two years.
    pub(crate) fn issue_for(&self, name: &str, years: (i32, i32)) -> Pair {
        self.make(&format!("{name}-{}", years.0), name, years)
    }

    fn make(&self, file: &str, name: &str, (from, to): (i32, i32)) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        params
            .distinguished_name
            .push(DnType::CommonName, name.to_owned());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: self
                .folder
                .write(&format!("{file}.pem"), &certificate.pem()),
            key: self
                .folder
                .write(&format!("{file}.key"), &key.serialize_pem()),
        }
    }
}

impl Pair {
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_file(&self.certificate).unwrap()]
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_file(&self.key).unwrap()
    }

    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.chain()[0]);
        digest.as_ref().try_into().unwrap()
    }
}
