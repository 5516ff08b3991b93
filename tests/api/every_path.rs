//! Every method and path that the API tells of itself, asked rightly and in every wrong way.

use crate::file;
use crate::free_port;
use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::web::ask_port;
use serde_json::Value;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

const TOKEN: (&str, &str) = ("authorization", "Bearer let-me-in");

/// A daemon whose API is a port with a token.
struct Scene {
    _weir: Weir,
    api: u16,
}

/// One method on one path, with names filled in.
struct Operation {
    method: String,
    path: String,
    /// One that is right; empty where none is read.
    body: String,
    /// Its answer never ends.
    endless: bool,
}

impl Scene {
    fn start(name: &str) -> Self {
        let (port, api) = (free_port(), free_port());
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
             [api]\nlisten = \"127.0.0.1:{api}\"\ntoken = \"let-me-in\"\n\
             [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n{}",
            file("out")
        );
        let weir = Weir::start(name, &config);
        Self { _weir: weir, api }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        ask_port(self.api, method, path, headers, body).0
    }

    /// What `/openapi.json` tells of; what a name stands for is there.
    fn operations(&self) -> Vec<Operation> {
        let (code, text) = ask_port(self.api, "GET", "/openapi.json", &[TOKEN], "");
        assert_eq!(code, 200);
        let document: Value = serde_json::from_str(&text).unwrap();
        let mut found = vec![];
        for (path, methods) in document["paths"].as_object().unwrap() {
            let name = if path.starts_with("/channels") {
                "in"
            } else {
                "out"
            };
            for (method, told) in methods.as_object().unwrap() {
                let example = &told["requestBody"]["content"]["application/json"]["example"];
                let types = told["responses"]["200"]["content"].as_object().unwrap();
                found.push(Operation {
                    method: method.to_uppercase(),
                    path: path.replace("{name}", name),
                    body: match example {
                        Value::Null => String::new(),
                        example => example.to_string(),
                    },
                    endless: types.contains_key("text/event-stream"),
                });
            }
        }
        assert!(found.len() > 15, "{text}");
        found
    }

    /// What the daemon says to bytes as they are, until it closes or goes on waiting.
    fn raw(&self, parts: &[&str]) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.api)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        for part in parts {
            drop(socket.write_all(part.as_bytes()));
        }
        let mut answer = vec![0; 4096];
        let read = socket.read(&mut answer).unwrap_or(0);
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    fn assert_lives(&self) {
        assert_eq!(self.ask("GET", "/status", &[TOKEN], ""), 200);
    }
}

#[test]
fn each_example_of_the_document_works() {
    let scene = Scene::start("examples");
    let (mut first, last): (Vec<_>, Vec<_>) = scene
        .operations()
        .into_iter()
        .filter(|it| !it.endless)
        .partition(|it| it.method != "DELETE");
    // what an example creates, another one may have created before it
    first.extend(last);
    for Operation {
        method, path, body, ..
    } in first
    {
        let (code, answer) = ask_port(scene.api, &method, &path, &[TOKEN], &body);
        let expected: &[u16] = match (method.as_str(), path.as_str()) {
            // it stands in the file
            ("DELETE", "/streams/out") => &[409],
            _ => &[200],
        };
        assert!(expected.contains(&code), "{method} {path}: {code} {answer}");
    }
    scene.assert_lives();
}

#[test]
fn nothing_is_told_or_done_without_the_token() {
    let scene = Scene::start("no-token");
    for Operation {
        method, path, body, ..
    } in scene.operations()
    {
        // the page asks for the token itself
        let open = path == "/";
        for headers in [
            &[][..],
            &[("authorization", "Bearer let-me-inn")],
            &[("authorization", "Basic bGV0LW1lLWlu")],
        ] {
            let code = scene.ask(&method, &path, headers, &body);
            assert_eq!(code, if open { 200 } else { 401 }, "{method} {path}");
        }
    }
    scene.assert_lives();
}

#[test]
fn a_page_of_somebody_else_is_refused_everywhere() {
    let scene = Scene::start("other-origin");
    for Operation {
        method, path, body, ..
    } in scene.operations()
    {
        if method == "GET" {
            // a web browser shows no other page what is answered without its leave
            let (_, text) = ask_port(scene.api, "GET", "/status", &[TOKEN], "");
            assert!(!text.to_lowercase().contains("access-control-allow"));
            continue;
        }
        let origin = ("origin", "http://evil.example");
        let code = scene.ask(&method, &path, &[origin], &body);
        assert!([401, 403].contains(&code), "{method} {path}: {code}");
    }
    scene.assert_lives();
}

#[test]
fn bad_bodies_are_refused_and_harm_nothing() {
    let scene = Scene::start("bad-bodies");
    let deep = "[".repeat(10_000);
    let bodies = [
        "{",
        "[]]",
        "\u{0}",
        "{\"enabled\":1e999}",
        "null",
        "[[]]",
        &deep,
        "\"x\"",
    ];
    for Operation {
        method,
        path,
        body: right,
        ..
    } in scene.operations()
    {
        if right.is_empty() {
            continue;
        }
        for body in bodies {
            let code = scene.ask(&method, &path, &[TOKEN], body);
            assert!(
                [400, 413, 422].contains(&code),
                "{method} {path} {body:.20}: {code}"
            );
        }
    }
    scene.assert_lives();
}

#[test]
fn huge_and_slow_bodies_end_at_their_bounds() {
    let scene = Scene::start("huge-bodies");
    let head = |method: &str, path: &str, length: u64| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer let-me-in\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    for Operation { method, path, .. } in scene.operations() {
        if method == "GET" {
            continue;
        }
        let answer = scene.raw(&[&head(&method, &path, 1 << 40)]);
        assert!(
            answer.starts_with("HTTP/1.1 413 "),
            "{method} {path}: {answer}"
        );
    }
    // one that stops in the middle is cut after its time, and nobody else waits for it
    let operations = scene.operations();
    let with_body = operations.iter().filter(|it| !it.body.is_empty());
    let slow: Vec<_> = with_body
        .map(|it| {
            let mut socket = TcpStream::connect(("127.0.0.1", scene.api)).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            let head = head(&it.method, &it.path, 10);
            socket.write_all(head.as_bytes()).unwrap();
            socket.write_all(b"{").unwrap();
            scene.assert_lives();
            socket
        })
        .take(8)
        .collect();
    for mut socket in slow {
        let mut rest = Vec::new();
        drop(socket.read_to_end(&mut rest));
        let text = String::from_utf8_lossy(&rest);
        assert!(
            rest.is_empty() || !text.starts_with("HTTP/1.1 200"),
            "{text}"
        );
    }
    scene.assert_lives();
}
