//! The files of TLS: certificates, keys and roots in PEM, and whether they have changed. What is
//! in a key is never said.

use super::Identity;
use super::TlsError;
use crate::net::open_stored;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

/// A file as it was when it was read: where it is replaced, changed or gone, this differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    len: u64,
    changed: (i64, i64),
}

/// What was made of files, good until one of them changes.
#[derive(Debug)]
pub(super) struct Made<T> {
    pub(super) of: T,
    files: Vec<(PathBuf, Option<Stamp>)>,
}

impl<T> Made<T> {
    /// Makes it; the files are looked at before they are read, so that a change in between is
    /// found next time.
    ///
    /// # Errors
    /// As `make`.
    pub(super) fn new(
        files: impl Iterator<Item = PathBuf>,
        make: impl FnOnce() -> Result<T, TlsError>,
    ) -> Result<Self, TlsError> {
        let stamped = files.map(|file| {
            let stamp = stamp(&file);
            (file, stamp)
        });
        let files = stamped.collect();
        Ok(Self { of: make()?, files })
    }

    /// Whether the files are as they were.
    pub(super) fn is_current(&self) -> bool {
        let mut files = self.files.iter();
        files.all(|(file, before)| stamp(file) == *before)
    }
}

/// How a file stands now; none where it cannot be said.
fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some(Stamp {
        inode: found.ino(),
        len: found.len(),
        changed: (found.ctime(), found.ctime_nsec()),
    })
}

/// Adds the issuers in a file; at least one has to be there.
///
/// # Errors
/// [`TlsError`], named after the key.
pub(super) fn add_issuers(
    path: &Path,
    key: &str,
    roots: &mut RootCertStore,
) -> Result<(), TlsError> {
    for certificate in certificates(path, key)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::file(key, path, &format!("a certificate in it: {error}")))?;
    }
    Ok(())
}

/// The certificates in a file, at least one.
///
/// # Errors
/// [`TlsError`], named after the key.
pub(super) fn certificates(
    path: &Path,
    key: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    read_certificates(path).map_err(|why| TlsError::file(key, path, &why))
}

/// The same, and in words what is in the file instead.
pub(super) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error| words(&error);
    let file = open(path).map_err(|error| wrong(pem::Error::Io(error)))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(file).collect();
    match found.map_err(wrong)? {
        none if none.is_empty() => Err(match private_key(path) {
            Ok(_) => "there is a private key in it and no certificate".to_owned(),
            Err(_) => "there is no certificate in it".to_owned(),
        }),
        found => Ok(found),
    }
}

/// The private key in a file, or in words what is in it instead.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let wrong = |error: pem::Error| match error {
        pem::Error::NoItemsFound if has_certificate(path) => {
            "there is a certificate in it and no private key".to_owned()
        }
        pem::Error::NoItemsFound => {
            "there is no private key in it that can be used; it may have no passphrase".to_owned()
        }
        other => words(&other),
    };
    let file = open(path).map_err(|error| wrong(pem::Error::Io(error)))?;
    PrivateKeyDer::from_pem_reader(file).map_err(wrong)
}

fn has_certificate(path: &Path) -> bool {
    let first = open(path).map(|file| CertificateDer::pem_reader_iter(file).next());
    matches!(first, Ok(Some(Ok(_))))
}

/// A certificate and its key.
///
/// # Errors
/// [`TlsError`], named after the key.
pub(super) fn identity(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let certificates = certificates(&identity.certificate, "certificate")?;
    let key =
        private_key(&identity.key).map_err(|why| TlsError::file("key", &identity.key, &why))?;
    Ok((certificates, key))
}

/// Where the machine keeps its roots, by the usual places; a bundle is preferred to a folder.
pub(super) fn system_roots() -> Option<PathBuf> {
    let bundle = BUNDLES.iter().map(Path::new).find(|path| path.is_file());
    let folder = || FOLDERS.iter().map(Path::new).find(|path| has_roots(path));
    bundle.or_else(folder).map(Path::to_owned)
}

/// Adds the roots in a bundle or a folder; what is broken is left out. How many they are.
pub(super) fn add_system_roots(path: &Path, roots: &mut RootCertStore) -> usize {
    if path.is_file() {
        return add_parsable(path, roots);
    }
    let files = fs::read_dir(path).into_iter().flatten().flatten();
    let files = files.map(|entry| entry.path()).filter(|path| is_pem(path));
    files
        .take(FILES_MAX)
        .map(|file| add_parsable(&file, roots))
        .sum()
}

fn add_parsable(path: &Path, roots: &mut RootCertStore) -> usize {
    let Ok(file) = open(path) else {
        return 0;
    };
    let found = CertificateDer::pem_reader_iter(file).filter_map(Result::ok);
    roots.add_parsable_certificates(found).0
}

fn has_roots(folder: &Path) -> bool {
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|entry| is_pem(&entry.path()))
}

fn is_pem(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("pem" | "crt"))
}

fn open(path: &Path) -> io::Result<io::Take<File>> {
    Ok(open_stored(path)?.take(FILE_LEN_MAX))
}

/// What is wrong with a file, without a byte of what is in it.
fn words(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            _ => error.to_string(),
        },
        pem::Error::NoItemsFound => "there is nothing in it".to_owned(),
        _ => "it is not PEM (`-----BEGIN ...`)".to_owned(),
    }
}

/// Debian, Alpine, OpenWrt; Alpine, BSD; Fedora; openSUSE; Fedora.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// One file each.
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// The largest bundles have 300 KiB.
const FILE_LEN_MAX: u64 = 1024 * 1024;

/// Roots in a folder.
const FILES_MAX: usize = 1_000;
