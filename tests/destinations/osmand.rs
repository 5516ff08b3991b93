//! `osmand`: a server of ours that answers as Traccar does, behind a proxy that asks who comes.

use crate::contract::Request;
use crate::contract::Taken;
use crate::contract::web;
use crate::row::Has;
use crate::row::Limit;
use crate::row::Login;
use crate::row::REFUSED;
use crate::row::Refusal;
use crate::row::Row;

pub(crate) const ROW: Row = Row {
    name: "osmand",
    start: || web(answer).with_keys(keys),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at `auth`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "400 Bad Request; register the id there",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(LINE_MAX)),
        said: "the destination takes at most 4096",
    }),
    login_seen: Has::Yes("\r\nauthorization: Bearer ************\r\n"),
};

fn keys(port: u16) -> String {
    format!("url = \"http://127.0.0.1:{port}\"\nauth = {{ bearer = \"right-secret\" }}")
}

/// All but one ident are registered.
fn answer(request: &Request, taken: &Taken) -> (u16, String) {
    let (_, query) = request.path.split_once('?').unwrap();
    let of = |name: &str| {
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(known, _)| *known == name).map(|(_, it)| it)
    };
    assert!(request.path.len() < LINE_MAX, "{query}");
    let status = match of("id") {
        _ if !request.head.contains("authorization: bearer right-secret\r\n") => 401,
        Some(REFUSED) | None => 400,
        Some(_) => {
            let speed: f64 = of("speed").unwrap().parse().unwrap();
            let number: u64 = of("seq").unwrap().parse().unwrap();
            assert!((speed * 1.852 - (number % 110) as f64).abs() < 1e-4, "knots");
            assert_eq!(of("lat"), Some("54.6872"), "{query}");
            taken.add(number);
            200
        }
    };
    (status, String::new())
}

/// Netty reads no longer line.
const LINE_MAX: usize = 4096;
