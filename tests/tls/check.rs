//! What `weir check` says of files of TLS, folders and disks that a configuration names.

use crate::certificates::Authority;
use crate::certificates::Pair;
use crate::server::Server;
use crate::server::Then;
use crate::server::refusal;
use crate::server::trusting;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use weir::config::Machine;
use weir::config::inspect;
use weir::config::load;
use weir::config::render;
use weir::net::tls::Identity;
use weir::net::tls::Tls;

/// All that is said of a configuration with these lines, of which nothing is wrong by itself.
fn said(authority: &Authority, lines: &str) -> String {
    let ring = "[ring]\nfile = \"/ring-of-a-test\"\nsize = \"256 KiB\"";
    let channel = "[[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:7000\"\n\
                   unwanted = \"accept\"\n";
    let text = format!("{ring}\n{lines}\n{channel}");
    let file = authority.folder.write("weir.toml", &text);
    assert_eq!(render(&load(&file, &Machine).diagnostics), "");
    let said = render(&inspect(&file, &Machine).diagnostics);
    said.replace(&format!("{}:", file.display()), "")
}

fn stream(tls: &str) -> String {
    format!(
        "[[stream]]\nname = \"out\"\ntype = \"http\"\nurl = \"https://localhost\"\n\
         channels = [\"in\"]\n[stream.tls]\n{tls}"
    )
}

fn keys(pairs: &[(&str, &Path)]) -> String {
    let mut lines = String::new();
    for (key, path) in pairs {
        writeln!(lines, "{key} = \"{}\"", path.display()).unwrap();
    }
    lines
}

fn identity(pair: &Pair) -> String {
    keys(&[("certificate", &pair.certificate), ("key", &pair.key)])
}

#[test]
fn right_files_are_right() {
    let authority = Authority::new("check-right");
    let tls = keys(&[("ca", &authority.ca())]) + &identity(&authority.issue("gateway"));
    assert_eq!(said(&authority, &stream(&tls)), "");
    let own = keys(&[("ca", &authority.ca())]) + &identity(&authority.own());
    assert_eq!(said(&authority, &stream(&own)), "");
}

/// For each: the keys of `tls` from line 10 on, the line at fault, and what is said of it.
fn told(authority: &Authority, cases: &[(String, usize, &str)]) {
    for (tls, line, words) in cases {
        let told = said(authority, &stream(tls));
        let place = format!("{line}:");
        let found = told
            .lines()
            .any(|it| it.starts_with(&place) && it.contains(" error: ") && it.contains(words));
        assert!(found, "{words}:\n{told}");
        assert!(told.contains("\nhint: "), "{told}");
    }
}

#[test]
fn files_of_tls_that_are_missing_or_swapped_are_told_at_their_place() {
    let authority = Authority::new("check-files");
    let pair = authority.issue("gateway");
    let nowhere = Path::new("/nowhere.pem");
    let cut = authority
        .folder
        .write("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
    let ca = |file: &Path| keys(&[("ca", file)]);
    let own = |certificate: &Path, key: &Path| keys(&[("certificate", certificate), ("key", key)]);
    let swapped = own(&pair.key, &pair.certificate);
    let cases = [
        (ca(nowhere), 10, "there is no such file"),
        (ca(cut.parent().unwrap()), 10, "it is a folder"),
        (ca(&cut), 10, "it is not PEM"),
        (
            ca(&pair.key),
            10,
            "there is a private key in it and no certificate",
        ),
        (ca(&pair.certificate), 10, "not of an issuer"),
        (own(nowhere, &pair.key), 10, "there is no such file"),
        (own(&pair.certificate, nowhere), 11, "there is no such file"),
        (
            swapped.clone(),
            10,
            "a private key in it and no certificate",
        ),
        (swapped, 11, "a certificate in it and no private key"),
    ];
    told(&authority, &cases);
}

#[test]
fn certificates_out_of_date_or_of_another_key_are_told_at_their_place() {
    let authority = Authority::new("check-pairs");
    let (pair, other) = (authority.issue("gateway"), authority.issue("other"));
    let own = |certificate: &Path, key: &Path| keys(&[("certificate", certificate), ("key", key)]);
    let v1 = |end: &str| format!("{}/tests/tls/old/v1.{end}", env!("CARGO_MANIFEST_DIR"));
    let old = own(Path::new(&v1("pem")), Path::new(&v1("key")));
    let year = |from| identity(&authority.issue_for("gateway", (from, from + 1)));
    let cases = [
        (
            own(&pair.certificate, &other.key),
            11,
            "this is not the key of `certificate`",
        ),
        (
            own(&authority.ca(), &pair.key),
            10,
            "the certificate of an issuer",
        ),
        (old, 10, "of an outdated version of X.509"),
        (year(2020), 10, "expired on 2021-01-01"),
        (year(2080), 10, "valid from 2080-01-01 on"),
    ];
    told(&authority, &cases);
}

#[test]
fn files_of_a_channel_are_looked_at_too() {
    let authority = Authority::new("check-channel");
    let expired = authority.issue_for("gateway", (2020, 2021));
    let tls = identity(&expired) + &keys(&[("client_ca", Path::new("/nowhere"))]);
    let channel = format!(
        "[[channel]]\nname = \"c\"\ntype = \"http\"\nlisten = \"127.0.0.1:7001\"\n\
         unwanted = \"accept\"\n[channel.tls]\n{tls}"
    );
    let told = said(&authority, &channel);
    assert!(told.contains("expired on 2021-01-01"), "{told}");
    assert!(told.contains("there is no such file"), "{told}");
}

#[test]
fn a_ring_that_cannot_be_or_does_not_last_is_told() {
    let authority = Authority::new("check-ring");
    let with = |file: &str, size: &str| {
        let text = format!(
            "[ring]\nfile = \"{file}\"\nsize = \"{size}\"\n[[channel]]\nname = \"in\"\n\
             type = \"json\"\nlisten = \"127.0.0.1:7000\"\nunwanted = \"accept\"\n"
        );
        let main = authority.folder.write("ring.toml", &text);
        let said = render(&inspect(&main, &Machine).diagnostics);
        said.replace(&format!("{}:", main.display()), "")
    };
    let told = with("/ring-of-a-test", "1 TiB");
    let large = ["3:8: error: the disk of `/` has only", "3:8: warning: only"];
    assert!(large.iter().any(|large| told.contains(large)), "{told}");
    let folder = authority
        .folder
        .join("x")
        .parent()
        .unwrap()
        .display()
        .to_string();
    let told = with(&folder, "256 KiB");
    assert!(
        told.contains("2:8: error: this is a folder, not a file"),
        "{told}"
    );
    let told = with("/proc/version/ring", "256 KiB");
    assert!(told.contains("`/proc/version` is not a folder"), "{told}");
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    if mounts
        .lines()
        .any(|line| line.starts_with("tmpfs /dev/shm "))
    {
        let told = with("/dev/shm/weir-check/ring", "256 KiB");
        let words = "2:8: warning: `/dev/shm` is in memory: a power cut empties this ring";
        assert!(told.contains(words), "{told}");
        assert!(!Path::new("/dev/shm/weir-check").exists());
    }
}

#[test]
fn a_certificate_of_our_own_is_not_blamed_on_the_destination() {
    let authority = Authority::new("blame");
    let server = Server::start(&authority.issue("localhost"), Then::Echo);
    let v1 = |end: &str| format!("{}/tests/tls/old/v1.{end}", env!("CARGO_MANIFEST_DIR"));
    let own = Identity {
        certificate: v1("pem").into(),
        key: v1("key").into(),
    };
    let tls = Tls {
        identity: Some(own),
        ..trusting(&authority.ca())
    };
    let told = refusal(tls, server.address);
    assert!(told.starts_with("`tls.certificate`, `"), "{told}");
    assert!(told.contains("outdated version of X.509"), "{told}");
    assert!(!told.contains("destination"), "{told}");
}
