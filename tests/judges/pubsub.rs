//! Google Pub/Sub: the token before google-auth and PyJWT, the body before Google's own protobuf,
//! both beside those of Google's own client.

use crate::certificates::Authority;
use crate::program;
use crate::python;
use crate::told::Judge;
use crate::weir_run::Lines;
use crate::weir_run::Weir;
use crate::weir_run::eventually;
use crate::weir_run::free_port;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

fn judge(authority: &Authority) -> Judge {
    let pair = authority.issue("localhost");
    let mut command = program("pubsub.py");
    command.arg(&pair.certificate).arg(&pair.key);
    Judge::start(command.arg(account("service_account.json")))
}

/// The key file of a service account that nobody has.
fn account(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support");
    folder.join(name)
}

fn weir(judge: &Judge, authority: &Authority, input: u16, name: &str) -> Weir {
    let (port, ca, file) = (judge.port(), authority.ca(), account(name));
    let (ca, file) = (ca.display(), file.display());
    Weir::start(
        "pubsub",
        &format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
             [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{input}\"\n\
             [[stream]]\nname = \"google\"\ntype = \"google-pubsub\"\nchannels = [\"in\"]\n\
             topic = \"projects/p-1/topics/t-1\"\ncredentials = \"{file}\"\n\
             endpoint = \"localhost:{port}\"\ntls = {{ ca = \"{ca}\" }}\n\
             retry = {{ min = \"100ms\", max = \"200ms\" }}\n"
        ),
    )
}

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn googles_libraries_hear_from_weir_what_they_hear_from_googles_client() {
    let authority = Authority::new("pubsub");
    let judge = judge(&authority);
    let (port, ca) = (judge.port().to_string(), authority.ca());
    let file = account("service_account.json");
    let arguments = [&*port, ca.to_str().unwrap(), file.to_str().unwrap()];
    python("pubsub_client.py", &arguments);
    let input = free_port();
    let weir = weir(&judge, &authority, input, "service_account.json");
    let mut lines = Lines::connect(input);
    lines.send("{\"ident\":\"a\",\"timestamp\":1700000000,\"text\":\"\\\"ä\\u0001\"}");
    lines.await_acked(1);
    eventually("both are heard", || judge.said("request").len() == 2);
    let [theirs, ours] = [0, 1].map(|at| judge.said("request")[at].clone());
    for field in ["path", "content_type", "token_head"] {
        assert_eq!(ours[field], theirs[field]);
    }
    assert_eq!(ours["path"], "/v1/projects/p-1/topics/t-1:publish");
    let head = json!({"alg": "RS256", "kid": "key-1", "typ": "JWT"});
    assert_eq!(ours["token_head"], head);
    for field in ["aud", "iss", "sub"] {
        assert_eq!(ours["claims"][field], theirs["claims"][field]);
    }
    let names = |claims: &Value| {
        claims
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&ours["claims"]), names(&theirs["claims"]));
    let life = |claims: &Value| claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(
        (life(&ours["claims"]), life(&theirs["claims"])),
        (3600, 3600)
    );
    let message = &ours["messages"][0];
    assert_eq!(
        message["ordering_key"],
        theirs["messages"][0]["ordering_key"]
    );
    assert_eq!(message["attributes"]["ident"], "a");
    let id = message["attributes"]["id"].as_str().unwrap();
    assert!(id.ends_with(":1"), "{id}");
    let data: Value = serde_json::from_str(message["data"].as_str().unwrap()).unwrap();
    assert_eq!(data["text"], "\"ä\u{1}");
    let log = weir.log();
    assert!(!log.contains("Bearer") && !log.contains("PRIVATE"), "{log}");
}

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_request_has_one_ordering_key_and_each_tracker_its_order() {
    let authority = Authority::new("order");
    let judge = judge(&authority);
    let input = free_port();
    let weir = weir(&judge, &authority, input, "other_account.json");
    let mut lines = Lines::connect(input);
    (0..300).for_each(|n| lines.send(&format!("{{\"ident\":\"t{}\",\"n\":{n}}}", n % 7)));
    lines.await_acked(300);
    weir.await_log("look at `credentials`, and at the clock");
    assert_eq!(judge.said("request").len(), 0);
    let config = std::fs::read_to_string(weir.folder.join("weir.toml")).unwrap();
    weir.reload(&config.replace("other_account", "service_account"));
    let messages = || -> Vec<Value> {
        let said = judge.said("request").into_iter();
        said.flat_map(|request| request["messages"].as_array().unwrap().clone())
            .collect()
    };
    eventually("all arrive", || messages().len() >= 300);
    for tracker in 0..7 {
        let own = messages()
            .into_iter()
            .filter(|it| it["ordering_key"] == format!("t{tracker}"));
        let number = |message: Value| {
            let data: Value = serde_json::from_str(message["data"].as_str().unwrap()).unwrap();
            data["n"].as_u64().unwrap()
        };
        let wanted: Vec<u64> = (0..300).filter(|n| n % 7 == tracker).collect();
        assert_eq!(own.map(number).collect::<Vec<_>>(), wanted);
    }
    assert!(judge.said("request").len() < 60, "batches");
}
