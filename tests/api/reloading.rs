//! `weir reload` and `POST /reload`: what has changed, and what is wrong.

use crate::asking::ask;
use crate::asking::run;
use crate::config;
use crate::file;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::fs;
use std::process::Command;

/// Writes another configuration, and nothing else.
fn write(weir: &Weir, text: &str) {
    let place = weir.folder.join("").display().to_string();
    weir.folder.write("weir.toml", &text.replace("@/", &place));
}

/// What the daemon says has changed.
fn changes(weir: &Weir) -> Vec<String> {
    let (code, answer) = ask(weir, "POST", "/reload", "");
    assert_eq!(code, 200, "{answer}");
    let changes = answer["result"][0]["changes"].as_array().unwrap();
    let text = |change: &serde_json::Value| change.as_str().unwrap().to_owned();
    changes.iter().map(text).collect()
}

#[test]
fn a_reload_says_what_has_changed_by_its_keys() {
    let port = free_port();
    let first = config(port, &(file("archive") + &file("other")));
    let weir = Weir::start("changes", &first);
    assert!(changes(&weir).is_empty());
    let read = (0, "the configuration was read again\nnothing has changed\n");
    let (code, said) = run(&weir, &["reload"]);
    assert_eq!((code, said.as_str()), read);
    // what says the same in other words is no change
    write(
        &weir,
        &first.replace("name = \"archive\"\n", "name = 'archive'\nttl = \"0s\"\n"),
    );
    assert!(changes(&weir).is_empty());
    write(
        &weir,
        &first.replace(
            "name = \"other\"\n",
            "name = \"other\"\nttl = \"1h\"\nrate = 7\n",
        ),
    );
    assert_eq!(changes(&weir), ["stream `other` changed: `ttl`, `rate`"]);
    let second = config(port, &(file("archive") + &file("third")));
    let second = second.replace("summary = \"1s\"", "level = \"debug\"")
        + "[[device]]\nname = \"truck\"\nident = \"1\"\n"
        + "[[channel]]\nname = \"more\"\ntype = \"json\"\nlisten = \"unix:@/more\"\n";
    write(&weir, &second);
    let (code, said) = run(&weir, &["reload"]);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(code, 0, "{said}");
    for wanted in [
        "log changed: `level`, `summary`",
        "channel `more` added",
        "stream `third` added",
        "stream `other` removed",
        "devices changed",
    ] {
        assert!(lines.contains(&wanted), "no `{wanted}` in {said}");
    }
    weir.await_log("the configuration was read again: log changed");
    write(&weir, &second.replace("1 MiB", "2 MiB"));
    assert_eq!(changes(&weir), ["ring changed: `size`", "all begins anew"]);
}

#[test]
fn a_secret_in_a_file_that_has_changed_is_a_change_and_is_not_shown() {
    let port = free_port();
    let stream = crate::http(
        "cloud",
        free_port(),
        "auth = { bearer = \"${file:@/token}\" }",
    );
    let start = |_: &mut Command, folder: &crate::weir::Folder| {
        folder.write("token", "one-secret");
    };
    let weir = Weir::start_with("token-change", &config(port, &stream), start);
    assert!(changes(&weir).is_empty());
    weir.folder.write("token", "other-secret");
    assert_eq!(changes(&weir), ["stream `cloud` changed: `auth`"]);
    assert!(!weir.log().contains("-secret"), "{}", weir.log());
}

#[test]
fn a_wrong_file_ends_reload_with_2_also_where_systemd_asks_and_the_api_is_off() {
    let port = free_port();
    let good = config(port, &file("archive"));
    for api in ["\"unix:@/api\"", "\"off\""] {
        let good = good.replace("\"unix:@/api\"", api);
        let weir = Weir::start("exec-reload", &good);
        let reload = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
            command.arg("-c").arg(weir.folder.join("weir.toml"));
            command.arg("reload").env("MAINPID", weir.pid().to_string());
            let output = command.output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8(said).unwrap())
        };
        write(&weir, &good.replace("path =", "paht ="));
        let (code, said) = reload();
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains("weir.toml:") && said.contains("did you mean `path`?"),
            "{said}"
        );
        assert!(!weir.log().contains("was read again"), "{}", weir.log());
        write(&weir, &good.replace("[log]", "[log]\nlevel = \"debug\""));
        let (code, said) = reload();
        assert_eq!(code, Some(0), "{said}");
        weir.await_log("the configuration was read again: log changed: `level`");
    }
}

#[test]
fn where_the_api_moves_systemd_still_reloads() {
    let port = free_port();
    let first = config(port, &file("archive"));
    let weir = Weir::start("api-moves", &first);
    write(&weir, &first.replace("unix:@/api", "unix:@/other"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.arg("-c").arg(weir.folder.join("weir.toml"));
    let done = command.arg("reload").env("MAINPID", weir.pid().to_string());
    assert_eq!(done.status().unwrap().code(), Some(0));
    eventually("it listens there", || weir.folder.join("other").exists());
    eventually("and not here", || {
        fs::metadata(weir.folder.join("api")).is_err()
    });
}
