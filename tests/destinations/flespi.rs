//! `flespi`: a channel of flespi is played by a server of ours that knows one path. Its broker, and
//! the channels of another weir, stand in `tests/end_to_end/flespi.rs`.

use crate::contract::Request;
use crate::contract::Taken;
use crate::contract::web;
use crate::row::Has;
use crate::row::Limit;
use crate::row::Login;
use crate::row::MARK;
use crate::row::Refusal;
use crate::row::Row;

pub(crate) const ROW: Row = Row {
    name: "flespi",
    start: || web(answer).with_keys(keys),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at `url`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "400 Bad Request: a mark",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(BODY_MAX)),
        said: "413 ",
    }),
    login_seen: Has::Yes("POST /************ HTTP/1.1\r\n"),
};

fn keys(port: u16) -> String {
    format!("url = \"http://127.0.0.1:{}/right-secret\"", port)
}

/// An array is taken whole or not at all; where it came from is not in it.
fn answer(request: &Request, taken: &Taken) -> (u16, String) {
    let Request { path, body, .. } = request;
    for name in ["channel.name", "protocol.name", "peer", "server.timestamp"] {
        assert!(!body.contains(name), "{body}");
    }
    let (status, text) = match () {
        () if path != "/right-secret" => (404, format!("no {path}")),
        () if body.len() > BODY_MAX => (413, "too much".into()),
        () if body.contains(MARK) => (400, "a mark".into()),
        () => {
            taken.add_json(body);
            (200, String::new())
        }
    };
    (status, text)
}

/// Bytes of a body at most.
const BODY_MAX: usize = 4000;
