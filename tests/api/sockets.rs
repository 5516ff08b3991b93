//! Who is let into the sockets, and what a user may do: `mode`, `group`, `weir check --as`.

use crate::config;
use crate::file;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Whether the test may give files away, and be asked of another user.
fn is_root() -> bool {
    let is = fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0);
    if !is {
        println!("skipped: not root");
    }
    is
}

fn rights(path: &Path) -> (u32, u32) {
    let found = path.metadata().unwrap();
    (found.mode() & 0o777, found.gid())
}

#[test]
fn a_socket_has_the_mode_and_the_group_that_are_configured() {
    let own = fs::metadata("/proc/self").unwrap().gid();
    let group = if is_root() { 4242 } else { own };
    let channel = "[[channel]]\nname = \"local\"\ntype = \"json\"\nlisten = \"unix:@/in\"\n";
    let plain = config(free_port(), channel);
    let weir = Weir::start("rights", &plain);
    assert_eq!(rights(&weir.folder.join("in")), (0o660, own));
    let keys = format!("mode = \"0606\"\ngroup = \"{group}\"\n");
    let api = plain.replace("[api]\n", &format!("[api]\n{keys}"));
    weir.reload(&(api + &keys));
    for socket in ["in", "api"] {
        let path = weir.folder.join(socket);
        eventually(socket, || path.exists() && rights(&path) == (0o606, group));
    }
}

/// What `weir check --as USER` says of a configuration in a folder, and its exit code.
fn check(folder: &Folder, config: &str, user: &str) -> (Option<i32>, String) {
    let place = folder.join("").display().to_string();
    let main = folder.write("weir.toml", &config.replace("@/", &place));
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.arg("-c").arg(main).args(["check", "--as", user]);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// A folder that everybody can reach: that of the other tests may lie in somebody's home.
struct Open(std::path::PathBuf);

impl Drop for Open {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn what_a_user_may_not_is_told_without_being_that_user() {
    let folder = Folder::new("as");
    let (code, said) = check(&folder, &config(7001, &file("out")), "no such user");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("there is no user `no such user` here"),
        "{said}"
    );
    if !is_root() {
        return;
    }
    let open = Open(std::env::temp_dir().join(format!("weir-as-{}", std::process::id())));
    fs::create_dir_all(&open.0).unwrap();
    let place = open.0.display().to_string();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let (main, secret) = (open.0.join("weir.toml"), open.0.join("secret"));
    fs::write(&secret, "hunter2").unwrap();
    let text = config(7001, &file("out")).replace("@/", &format!("{place}/"));
    let text = text.replace(
        "[api]\n",
        &format!("[api]\ntoken = \"${{file:{place}/secret}}\"\n"),
    );
    let low = "[[channel]]\nname = \"low\"\ntype = \"json\"\nlisten = \"127.0.0.1:99\"\n\
               [[channel]]\nname = \"local\"\ntype = \"json\"\nlisten = \"unix:/run/weir/x\"\n\
               group = \"0\"\n";
    fs::write(&main, text + low).unwrap();
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command
            .arg("-c")
            .arg(&main)
            .args(["check", "--as", "nobody"]);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), said)
    };
    mode(&open.0, 0o755);
    mode(&secret, 0o600);
    mode(&main, 0o640);
    let (code, said) = check();
    assert_eq!(code, Some(2), "{said}");
    for wanted in [
        format!("error: the user `nobody` may not read `{place}/secret`"),
        format!("error: the user `nobody` may not read `{place}/weir.toml`"),
        format!("error: the user `nobody` may not write into `{place}`"),
        "warning: the user `nobody` may not listen on this port".to_owned(),
        "warning: the user `nobody` is not in the group `0`".to_owned(),
    ] {
        let is_port = wanted.contains("this port");
        assert!(
            said.contains(&wanted) || is_port && may_use_all_ports(),
            "{wanted}: {said}"
        );
    }
    mode(&open.0, 0o777);
    mode(&secret, 0o644);
    mode(&main, 0o644);
    let (code, said) = check();
    assert_eq!(code, Some(0), "{said}");
}

/// As in some containers.
fn may_use_all_ports() -> bool {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    first.trim().parse::<u16>().unwrap() <= 99
}
