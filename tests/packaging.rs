//! The files that packages install: that systemd and procd understand them. Whether weir
//! understands its configuration is tested with the configuration.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Exposure by systemd's own measure, in tenths: 100 is a plain program of root.
const EXPOSURE_MAX: &str = "15";

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let unit = fs::read_to_string(Path::new(ROOT).join("systemd/weir.service")).expect("the unit");
    assert!(unit.contains("\nExecStart=/usr/bin/weir run\n"));
    // what ends with 2 where the file is wrong, so that `systemctl reload` fails
    assert!(unit.contains("\nExecReload=/usr/bin/weir reload\n"));
    // programs can be let into the sockets of a user that stays
    assert!(unit.contains("\nUser=weir\nGroup=weir\n") && !unit.contains("\nDynamicUser="));
    let users = fs::read_to_string(Path::new(ROOT).join("systemd/weir.sysusers"));
    assert!(users.expect("the user").contains("\nu weir - "));
    let here = unit.replace("/usr/bin/weir", env!("CARGO_BIN_EXE_weir"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("systemd");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("weir.service");
    fs::write(&path, here).expect("a copy of the unit");
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    for arguments in [
        &["verify", "--man=no"][..],
        &["security", "--offline=yes", &threshold],
    ] {
        let mut command = Command::new("systemd-analyze");
        let Ok(done) = command.args(arguments).arg(&path).output() else {
            println!("skipped: no systemd-analyze");
            return;
        };
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success() && said.is_empty(),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn procd_is_told_to_keep_the_daemon_running() {
    let stubs = "group_add_next() { echo 7; }; user_exists() { false; }; mkdir() { :; }
        procd_add_reload_trigger() { echo trigger $1; }; cat() { echo 42; }
        user_add() { echo user $1 $3; }; chown() { :; }; ln() { :; }; procd_open_instance() { :; }
        procd_close_instance() { :; }; procd_set_param() { echo \"$@\"; }";
    let init = fs::read_to_string(Path::new(ROOT).join("systemd/weir.init")).expect("the script");
    let asked = "sh -c 'echo reload of $MAINPID; exit 2'";
    let init = init.replace("/usr/bin/weir reload", asked);
    let missing = init.replace("/etc/weir/weir.toml", "/nowhere/weir.toml");
    let missing = missing.replace("/usr/bin/weir check", "echo checked");
    let init = init.replace("/etc/weir/weir.toml", "systemd/weir.toml");
    let calls = format!(
        "start_service; service_triggers; reload_service || echo reloaded with $?
        {missing}
        start_service || echo not started"
    );
    let script = format!("set -e; {stubs}\n{init}\n{calls}");
    let mut shell = Command::new("sh");
    let done = shell
        .args(["-c", &script])
        .current_dir(ROOT)
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let lines = [
        "user weir 7",
        "command /usr/bin/weir run -c systemd/weir.toml",
        "user weir",
        "respawn 3600 5 0",
        "trigger weir",
        "reload of 42",
        "reloaded with 2",
        "checked",
        "not started",
    ];
    for line in lines {
        assert!(
            said.lines().any(|known| known == line),
            "no `{line}` in {said}"
        );
    }
}

/// The targets that a file names.
fn targets(file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(file)).expect("a file");
    let words = text.split(|letter: char| !(letter.is_alphanumeric() || "_-".contains(letter)));
    let targets = words.filter(|word| word.contains("-unknown-linux-musl"));
    targets.map(str::to_owned).collect()
}

#[test]
fn a_target_that_can_be_built_is_named_wherever_targets_are() {
    let built = targets("cross/toolchain");
    assert!(built.len() >= 7, "{built:?}");
    for file in ["Cargo.toml", ".cargo/deny.toml", "README.md"] {
        assert_eq!(targets(file), built, "{file}");
    }
}

/// What `cross/sbom` says a program for routers is made of.
fn bill(arguments: &[&str]) -> Option<serde_json::Value> {
    let script = Path::new(ROOT).join("cross/sbom");
    let mut command = Command::new("python3");
    command.arg(script).arg("armv7-unknown-linux-musleabihf");
    command
        .env("CARGO", env!("CARGO"))
        .env("CARGO_NET_OFFLINE", "true");
    let Ok(done) = command.args(arguments).output() else {
        println!("skipped: no python3");
        return None;
    };
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(serde_json::from_slice(&done.stdout).expect("JSON"))
}

#[test]
fn the_bill_of_materials_names_what_is_in_the_program_and_nothing_else() {
    let Some(all) = bill(&[]) else { return };
    assert_eq!(
        (&all["bomFormat"], &all["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    assert_eq!(all["metadata"]["component"]["name"], "weir");
    let names = |bill: &serde_json::Value| -> Vec<String> {
        let components = bill["components"].as_array().expect("components").iter();
        components
            .map(|it| it["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let named = names(&all);
    for linked in ["rustls", "ring", "smol", "toml", "rumqttc"] {
        assert!(
            named.iter().any(|name| name == linked),
            "no {linked} in {named:?}"
        );
    }
    // of tests; a macro; a part of a build script; of another system
    for other in ["weir", "rcgen", "ureq", "serde_derive", "cc", "windows-sys"] {
        assert!(
            !named.iter().any(|name| name == other),
            "{other} in {named:?}"
        );
    }
    for component in all["components"].as_array().expect("components") {
        let licence = &component["licenses"][0]["expression"];
        assert!(
            licence.as_str().is_some_and(|it| !it.is_empty()),
            "{component}"
        );
        let sum = component["hashes"][0]["content"].as_str();
        assert!(sum.is_some_and(|it| it.len() == 64), "{component}");
    }
    assert_eq!(Some(all), bill(&[]), "another time, other bytes");
}

/// Every file of every package, as a user of it would list them.
#[test]
fn packages_have_these_files_and_are_the_same_each_time() {
    // says what the program says, and is packed in no time
    let stand_in = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stand-in");
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_weir"));
    fs::write(&stand_in, script).expect("a script");
    fs::set_permissions(&stand_in, Permissions::from_mode(0o755)).expect("a program");
    let made = |folder: &str| {
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        drop(fs::remove_dir_all(&copy));
        fs::create_dir_all(&copy).expect("a folder");
        let mut command = Command::new("bash");
        command.args(["cross/package", "x86_64-unknown-linux-musl"]);
        command.arg(&stand_in).arg(&copy);
        command.env("SOURCE_DATE_EPOCH", "1700000000");
        let done = command.current_dir(ROOT).output().expect("bash");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        copy
    };
    let (one, other) = (made("packages-1"), made("packages-2"));
    let listed = [
        ("weir_0.1.0-1_amd64.deb", "dpkg-deb -c FILE"),
        (
            "weir_0.1.0-r1_x86_64.ipk",
            "tar -xOzf FILE ./data.tar.gz | tar -tvz",
        ),
        ("weir-0.1.0-r1_x86_64.apk", "tar -tvzf FILE 2>/dev/null"),
        (
            "weir-0.1.0-x86_64-unknown-linux-musl.tar.gz",
            "tar -tvzf FILE",
        ),
    ];
    let mut all = String::new();
    for (name, listing) in listed {
        let (file, again) = (one.join(name), other.join(name));
        let bytes = fs::read(&file).expect("a package");
        assert!(
            bytes == fs::read(&again).expect("a package"),
            "{name} differs"
        );
        let listing = listing.replace("FILE", &file.display().to_string());
        let done = Command::new("sh").args(["-c", &listing]).output();
        let lines = String::from_utf8(done.expect("a shell").stdout).expect("UTF-8");
        all.push_str(&format!("== {name}\n"));
        for line in lines.lines().filter(|line| !line.ends_with('/')) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (mode, owner, path) = (fields[0], fields[1], fields[fields.len() - 1]);
            all.push_str(&format!("{mode} {owner} {path}\n"));
        }
    }
    let expected = Path::new(ROOT).join("tests/packages/files.txt");
    if std::env::var_os("WEIR_RECORD").is_some() {
        fs::write(&expected, &all).expect("the list");
    }
    let expected = fs::read_to_string(expected).expect("the list");
    assert!(
        all == expected,
        "WEIR_RECORD=1 writes anew what is now\n{all}"
    );
}
