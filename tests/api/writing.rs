//! Streams that are created, changed and removed by the API and by `weir stream`.

use crate::IMPATIENT;
use crate::PATIENT;
use crate::asking::Server;
use crate::asking::ask;
use crate::asking::count;
use crate::asking::one;
use crate::asking::run;
use crate::asking::stream;
use crate::config;
use crate::file;
use crate::http;
use crate::send;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

fn post(weir: &Weir, path: &str, body: &Value) -> (u16, Value) {
    ask(weir, "POST", path, &body.to_string())
}

fn patch(weir: &Weir, path: &str, body: &Value) -> (u16, Value) {
    ask(weir, "PATCH", path, &body.to_string())
}

/// A stream to a port, as the API has it.
fn cloud(port: u16) -> Value {
    json!({
        "name": "cloud", "type": "http", "url": format!("http://127.0.0.1:{port}/"),
        "channels": ["*"], "retry": { "min": "50ms", "max": "100ms" },
        "auth": { "bearer": "very-secret" },
    })
}

/// All files of what the API made, with what they say.
pub(crate) fn kept(weir: &Weir) -> Vec<(PathBuf, String)> {
    let files = fs::read_dir(weir.folder.join("weir.d"))
        .into_iter()
        .flatten();
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    paths.into_iter().map(text).collect()
}

/// The keys that errors of an answer belong to.
fn keys(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["key"].as_str().unwrap_or("-"))
        .collect()
}

#[test]
fn a_stream_is_created_delivers_survives_a_crash_and_is_removed() {
    let (port, away) = (free_port(), free_port());
    let mut weir = Weir::start("create", &config(port, &file("archive")));
    let (code, answer) = post(&weir, "/streams", &cloud(away));
    assert_eq!(
        (code, &answer["result"][0]["name"]),
        (200, &json!("cloud")),
        "{answer}"
    );
    send(port, 0..5);
    assert_eq!(count(&weir, "cloud", "backlog"), 5);
    let files = kept(&weir);
    assert_eq!(files.len(), 1, "{files:?}");
    let mode = files[0].0.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(files[0].1.contains("very-secret"));
    let (code, again) = post(&weir, "/streams", &cloud(away));
    assert_eq!(code, 409, "{again}");
    weir.kill();
    weir.restart();
    assert_eq!(count(&weir, "cloud", "backlog"), 5);
    let server = Server::listen(away);
    eventually("all is delivered", || {
        count(&weir, "cloud", "accepted") == 5
    });
    assert_eq!(server.messages().len(), 5);
    let shown = one(&weir, "/streams/cloud/settings");
    assert_eq!(shown["made_here"], true);
    assert_eq!(shown["settings"]["auth"]["bearer"], "***");
    assert_eq!(shown["settings"]["url"], cloud(away)["url"]);
    let (code, answer) = ask(&weir, "DELETE", "/streams/cloud", "");
    assert_eq!(
        (code, &answer["result"][0]["waited"]),
        (200, &json!(0)),
        "{answer}"
    );
    assert_eq!(ask(&weir, "GET", "/streams/cloud", "").0, 404);
    assert!(kept(&weir).is_empty());
    assert_eq!(ask(&weir, "DELETE", "/streams/cloud", "").0, 404);
    // it begins anew
    assert_eq!(post(&weir, "/streams", &cloud(away)).0, 200);
    assert_eq!(count(&weir, "cloud", "stored"), 0);
    let said = weir.log() + &fs::read_to_string(weir.folder.join("log.before")).unwrap();
    assert!(!said.contains("very-secret"), "{said}");
}

#[test]
fn what_is_wrong_is_told_by_its_key_and_place_and_changes_nothing() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("wrong", &config(port, &file("archive")));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = cloud(away);
        change(&mut body);
        body
    };
    for (body, key) in [
        (with(&|body| body["url"] = json!("htp://x")), "url"),
        (
            with(&|body| drop(body.as_object_mut().unwrap().remove("url"))),
            "url",
        ),
        (
            with(&|body| drop(body.as_object_mut().unwrap().remove("type"))),
            "type",
        ),
        (with(&|body| body["urll"] = json!("x")), "urll"),
        (with(&|body| body["retry"]["max"] = json!("x")), "retry.max"),
        (
            with(&|body| body["rejects"] = json!({ "size": "1 MiB" })),
            "rejects.file",
        ),
        (with(&|body| body["type"] = json!("htpp")), "type"),
        (with(&|body| body["type"] = json!(7)), "type"),
        (with(&|body| body["name"] = json!("programs")), "name"),
        (with(&|body| body["name"] = json!("")), "name"),
        (with(&|body| body["name"] = json!("../../x\n")), "name"),
        (
            with(&|body| drop(body.as_object_mut().unwrap().remove("name"))),
            "name",
        ),
        (
            with(&|body| body["channels"] = json!(["programms"])),
            "channels",
        ),
        (
            with(&|body| body["auth"]["bearer"] = json!("***")),
            "auth.bearer",
        ),
        (
            with(&|body| body["ttl"] = json!([[[[[[[[[[1]]]]]]]]]])),
            "ttl",
        ),
    ] {
        for path in ["/streams", "/streams?dry_run=1"] {
            let (code, answer) = post(&weir, path, &body);
            assert_eq!(code, 422, "{body}: {answer}");
            assert_eq!(keys(&answer), [key], "{answer}");
            let error = &answer["errors"][0];
            let reason = error["reason"].as_str().unwrap();
            let place = reason.contains("/weir.d/zy-stream-") && reason.contains(": error: ");
            assert!(place && error["severity"] == "error", "{answer}");
            assert!(
                reason.contains(error["message"].as_str().unwrap()),
                "{answer}"
            );
            assert!(!answer.to_string().contains("very-secret"), "{answer}");
        }
    }
    assert!(kept(&weir).is_empty());
    assert!(!weir.log().contains("was read again"), "{}", weir.log());
}

#[test]
fn what_is_no_table_is_refused() {
    let weir = Weir::start("no-table", &config(free_port(), &file("archive")));
    for body in ["", "[]", "{", "null", "7", "{\"name\":"] {
        assert_eq!(ask(&weir, "POST", "/streams", body).0, 400, "{body}");
        assert_eq!(
            ask(&weir, "PATCH", "/streams/archive", body).0,
            400,
            "{body}"
        );
    }

    assert!(kept(&weir).is_empty());
}

#[test]
fn no_file_of_the_machine_is_read_or_spoilt_through_the_api() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("files", &config(port, &file("archive")));
    weir.folder.write("precious", "mine");
    let place = |name: &str| weir.folder.join(name).display().to_string();
    let secret = format!("${{file:{}}}", place("precious"));
    for (key, value) in [
        ("url", json!(format!("http://127.0.0.1:{away}/{secret}"))),
        ("headers", json!({ "x": secret })),
        ("url", json!("http://127.0.0.1/${env:PATH}")),
    ] {
        let mut body = cloud(away);
        body[key] = value;
        let (code, answer) = post(&weir, "/streams", &body);
        assert_eq!(code, 422, "{answer}");
        assert!(keys(&answer)[0].starts_with(key), "{answer}");
        assert!(!answer.to_string().contains("mine"), "{answer}");
    }
    let path =
        |path: String| json!({ "name": "f", "type": "file", "path": path, "channels": ["*"] });
    for name in [
        "precious",
        "weir.toml",
        "weir.d/x.toml",
        "ring",
        "ring.channels.json",
        "api",
        "..",
    ] {
        let (code, answer) = post(&weir, "/streams", &path(place(name)));
        assert_eq!(
            (code, keys(&answer)),
            (422, vec!["path"]),
            "{name}: {answer}"
        );
    }
    let mut rejects = cloud(away);
    rejects["rejects"] = json!({ "file": place("weir.toml") });
    let (code, answer) = post(&weir, "/streams", &rejects);
    assert_eq!(
        (code, keys(&answer)),
        (422, vec!["rejects.file"]),
        "{answer}"
    );
    assert!(kept(&weir).is_empty());
    assert_eq!(post(&weir, "/streams", &path(place("lines.jsonl"))).0, 200);
    send(port, 0..3);
    eventually("it writes", || count(&weir, "f", "accepted") == 3);
    assert_eq!(
        fs::read_to_string(weir.folder.join("precious")).unwrap(),
        "mine"
    );
}

#[test]
fn keys_are_changed_and_taken_back_to_what_the_file_says() {
    let (port, away, other) = (free_port(), free_port(), free_port());
    let text = config(port, &(file("archive") + &http("cloud", away, PATIENT)));
    let mut weir = Weir::start("patch", &text);
    send(port, 0..4);
    let server = Server::listen(other);
    let change = json!({
        "url": format!("http://127.0.0.1:{other}/"), "retry": { "min": "50ms", "max": "1s" }
    });
    let (code, answer) = patch(&weir, "/streams/cloud?dry_run=1", &change);
    assert_eq!(
        (code, &answer["result"][0]["warnings"]),
        (200, &json!([])),
        "{answer}"
    );
    assert!(kept(&weir).is_empty());
    let (code, answer) = patch(&weir, "/streams/cloud", &change);
    assert_eq!(
        (code, &answer["result"][0]["name"]),
        (200, &json!("cloud")),
        "{answer}"
    );
    eventually("it goes there", || count(&weir, "cloud", "accepted") == 4);
    assert_eq!(server.messages().len(), 4);
    weir.kill();
    weir.restart();
    let shown = one(&weir, "/streams/cloud/settings");
    assert_eq!(
        (&shown["made_here"], &shown["settings"]["url"]),
        (&json!(false), &change["url"])
    );
    assert_eq!(shown["changed_here"], json!(["retry", "url"]));
    assert_eq!(shown["files"].as_array().unwrap().len(), 2, "{shown}");
    // what is shown may be sent back
    let (code, answer) = patch(&weir, "/streams/cloud", &shown["settings"]);
    assert_eq!(code, 200, "{answer}");
    let (code, answer) = patch(&weir, "/streams/cloud", &json!({ "url": 7, "ttl": "x" }));
    assert_eq!(code, 422, "{answer}");
    assert_eq!(keys(&answer).len(), 2, "{answer}");
    assert_eq!(one(&weir, "/streams/cloud/settings"), shown);
    assert_eq!(
        patch(&weir, "/streams/cloud", &json!({ "name": "x" })).0,
        409
    );
    assert_eq!(
        patch(&weir, "/streams/nobody", &json!({ "ttl": "1h" })).0,
        404
    );
    let (code, answer) = ask(&weir, "DELETE", "/streams/cloud", "");
    let reason = answer["errors"][0]["reason"].as_str().unwrap();
    assert!(code == 409 && reason.contains("weir.toml:"), "{answer}");
    let back = json!({ "url": null, "retry": null });
    assert_eq!(patch(&weir, "/streams/cloud", &back).0, 200);
    assert!(kept(&weir).is_empty());
    assert_eq!(
        one(&weir, "/streams/cloud/settings")["settings"]["retry"]["max"],
        "1h"
    );
}

#[test]
fn a_switch_among_other_keys_is_kept_and_goes_with_its_stream() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("switch-too", &config(port, &http("cloud", away, IMPATIENT)));
    let both = json!({ "enabled": false, "ttl": "1h" });
    let (code, answer) = patch(&weir, "/streams/cloud", &both);
    assert_eq!(
        (code, &answer["result"][0]["enabled"]),
        (200, &json!(false)),
        "{answer}"
    );
    assert_eq!(kept(&weir).len(), 2);
    let back = json!({ "enabled": null, "ttl": null });
    let (code, answer) = patch(&weir, "/streams/cloud", &back);
    assert_eq!(
        (code, &answer["result"][0]["enabled"]),
        (200, &json!(true)),
        "{answer}"
    );
    assert!(kept(&weir).is_empty());
    let off =
        json!({ "name": "off", "type": "http", "url": "http://127.0.0.1:9/", "enabled": false });
    let (code, answer) = post(&weir, "/streams", &off);
    assert_eq!(
        (code, &answer["result"][0]["enabled"]),
        (200, &json!(false)),
        "{answer}"
    );
    assert_eq!(
        answer["warnings"][0]["key"], "name",
        "it subscribes to nothing: {answer}"
    );
    assert_eq!(
        patch(&weir, "/streams/off", &json!({ "enabled": true })).0,
        200
    );
    assert_eq!(
        patch(
            &weir,
            "/streams/off",
            &json!({ "enabled": false, "ttl": "1h" })
        )
        .0,
        200
    );
    assert_eq!(stream(&weir, "off")["enabled"], false);
    assert_eq!(
        kept(&weir).len(),
        1,
        "the switch is in its own file: {:?}",
        kept(&weir)
    );
    assert_eq!(ask(&weir, "POST", "/streams/off/pause", "").0, 200);
    assert_eq!(ask(&weir, "DELETE", "/streams/off", "").0, 200);
    assert!(kept(&weir).is_empty(), "{:?}", kept(&weir));
}

#[test]
fn writing_one_stream_touches_no_other() {
    let (port, away) = (free_port(), free_port());
    let server = Server::listen(away);
    let streams = file("archive") + &http("cloud", away, IMPATIENT);
    let weir = Weir::start("untouched", &config(port, &streams));
    let mut lines = crate::weir::Lines::connect(port);
    for round in 0..5 {
        lines.send(&format!("{{\"ident\":\"gw-1\",\"n\":{round}}}"));
        lines.await_acked(round + 1);
        eventually("it arrives", || server.messages().len() as u64 == round + 1);
        let body = json!({ "name": "other", "type": "http", "url": "http://127.0.0.1:9/" });
        assert_eq!(post(&weir, "/streams", &body).0, 200);
        let ttl = json!({ "ttl": format!("{}m", round + 1) });
        assert_eq!(patch(&weir, "/streams/other", &ttl).0, 200);
        assert_eq!(ask(&weir, "DELETE", "/streams/other", "").0, 200);
    }
    assert_eq!(stream(&weir, "cloud")["connects"], 1);
    assert_eq!(one(&weir, "/channels/programs")["connections"], 1);
}

#[test]
fn a_change_of_a_stream_that_is_gone_stops_no_reload() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start(
        "change-of-nobody",
        &config(port, &(file("archive") + &http("cloud", away, ""))),
    );
    assert_eq!(
        patch(
            &weir,
            "/streams/cloud",
            &json!({ "type": "osmand", "ttl": "1h" })
        )
        .0,
        200
    );
    weir.reload(&config(port, &file("archive")));
    let names = one(&weir, "/status")["streams"].clone();
    assert_eq!(names.as_array().unwrap().len(), 1, "{names}");
    let (code, said) = run(&weir, &["reload"]);
    assert!(
        code == 0 && said.contains("warning: `cloud` was changed by hand"),
        "{said}"
    );
}

#[test]
fn a_user_in_the_middle_of_an_edit_is_told_so() {
    let (port, away) = (free_port(), free_port());
    let text = config(port, &file("archive"));
    let weir = Weir::start("editing", &text);
    weir.folder.write("weir.toml", "[[stream]\n");
    let (code, answer) = post(&weir, "/streams", &cloud(away));
    let reason = answer["errors"][0]["reason"].as_str().unwrap();
    assert!(code == 422 && reason.contains("weir.toml:1:"), "{answer}");
    assert_eq!(answer["errors"][0]["key"], Value::Null);
    let place = weir.folder.join("").display().to_string();
    weir.folder.write(
        "weir.toml",
        &text.replace("@/", &place).replace("1 MiB", "2 MiB"),
    );
    let (code, answer) = post(&weir, "/streams", &cloud(away));
    assert!(
        code == 409 && answer.to_string().contains("weir reload"),
        "{answer}"
    );
    assert!(kept(&weir).is_empty());
}

#[test]
fn no_more_streams_are_made_than_the_ring_has_places_for() {
    let port = free_port();
    let weir = Weir::start("many", &config(port, &file("archive")));
    let body = |number: u32| {
        let name = format!("s{number}");
        json!({ "name": name, "type": "http", "url": "http://127.0.0.1:9/" })
    };
    let codes: Vec<_> = (0..33)
        .map(|number| post(&weir, "/streams", &body(number)).0)
        .collect();
    let made = codes.iter().filter(|code| **code == 200).count();
    assert_eq!(made, 31, "one place is taken by the file: {codes:?}");
    assert_eq!(kept(&weir).len(), 31);
    assert_eq!(
        one(&weir, "/status")["streams"].as_array().unwrap().len(),
        32
    );
}

#[test]
fn the_types_have_their_keys() {
    let weir = Weir::start("types", &config(free_port(), &file("archive")));
    let (code, answer) = ask(&weir, "GET", "/types", "");
    let types = answer["result"].as_array().unwrap();
    let mqtt = types
        .iter()
        .find(|row| row["kind"] == "stream" && row["name"] == "mqtt");
    let keys = mqtt.unwrap()["keys"].as_array().unwrap();
    let topic = keys.iter().find(|key| key["name"] == "topic").unwrap();
    assert_eq!((code, &topic["required"]), (200, &json!(true)), "{topic}");
}
