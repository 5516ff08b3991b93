//! `azure-event-hubs`: a contract server, since nothing else serves it; `tests/judges` compares its
//! signature with that of Microsoft's own library.

use crate::contract::{Request, Taken, numbers, secure_web};
use crate::row::{Counterpart, Has, Limit, Login, MARK, Refusal, Row};
use crate::tls::Issued;
use ::weir::stream::sas;
use serde_json::Value;
use std::time::Duration;

pub(crate) const ROW: Row = Row {
    name: "azure-event-hubs",
    start: || hub(false),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at `policy` and `key`, and at the clock of this machine",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal { said: "a mark" }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(BODY_MAX)),
        said: "413 ",
    }),
    login_seen: Has::Yes("\r\nauthorization: SharedAccessSignature ****************"),
};

/// A hub that keeps the contract, or says of a message that it has it and forgets it.
pub(crate) fn hub(forgets: bool) -> Box<dyn Counterpart> {
    let issued = Issued::new("hub");
    let server = secure_web(issued.over(), move |request, taken| {
        answer(request, taken, forgets)
    });
    server.with_keys(move |port| {
        let tls = issued.key();
        format!(
            "endpoint = \"https://localhost:{port}\"\nhub = \"Hub1\"\npolicy = \"send\"\n\
             key = \"right-secret\"\npartition_key = \"{{ident}}\"\n{tls}"
        )
    })
}

fn answer(request: &Request, taken: &Taken, forgets: bool) -> (u16, String) {
    if request.path != "/Hub1/messages?timeout=60&api-version=2014-01" {
        return (404, "no such hub".into());
    }
    let token = request.value("authorization").unwrap_or_default();
    let until = token.split("&se=").nth(1).unwrap_or_default();
    let until = until.split('&').next().unwrap_or_default().parse();
    let until = Duration::from_secs(until.unwrap_or(0));
    let wanted = sas::token(
        b"right-secret",
        "https://localhost/Hub1",
        Some("send"),
        until,
    );
    if token != wanted {
        return (401, "who is there?".into());
    }
    if request.value("content-type") != Some("application/vnd.microsoft.servicebus.json") {
        return (400, "no batch".into());
    }
    if request.body.len() > BODY_MAX {
        return (413, "too much".into());
    }
    let events: Vec<Value> = serde_json::from_str(&request.body).unwrap();
    let partition = |event: &Value| event["BrokerProperties"]["PartitionKey"].clone();
    if events
        .iter()
        .any(|event| partition(event) != partition(&events[0]))
    {
        return (400, "two partition keys".into());
    }
    let bodies = events.iter().map(|event| event["Body"].as_str().unwrap());
    let bodies: String = bodies.collect();
    if bodies.contains(MARK) {
        return (400, "a mark".into());
    }
    for number in numbers(&bodies) {
        if !(forgets && number == 17) {
            taken.add(number);
        }
    }
    (201, String::new())
}

/// Bytes of a request at most: more than the others have together.
const BODY_MAX: usize = 24_000;
