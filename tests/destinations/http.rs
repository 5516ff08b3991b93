//! `http`: a server of ours. No limit is known before: it answers 413, and the others decide.

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
    name: "http",
    start: || web(answer).with_keys(keys),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "401 Unauthorized: who is there?; look at `auth`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "422 Unprocessable Entity: a mark",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(BODY_MAX)),
        said: "413 ",
    }),
    login_seen: Has::Yes("\r\nauthorization: Bearer ************\r\n"),
};

fn keys(port: u16) -> String {
    format!("url = \"http://127.0.0.1:{port}/in\"\nauth = {{ bearer = \"right-secret\" }}")
}

/// A body is taken whole or not at all.
fn answer(request: &Request, taken: &Taken) -> (u16, String) {
    let (status, text) = match request {
        Request { method, path, .. } if (&**method, &**path) != ("POST", "/in") => (404, "where?"),
        Request { head, .. } if !head.contains("authorization: bearer right-secret\r\n") => {
            (401, "who is there?")
        }
        Request { body, .. } if body.len() > BODY_MAX => (413, "too much"),
        Request { body, .. } if body.contains(MARK) => (422, "a mark"),
        Request { body, .. } => {
            taken.add_json(body);
            (200, "")
        }
    };
    (status, text.to_owned())
}

/// Bytes of a body at most: more than the others have together.
const BODY_MAX: usize = 16_000;
