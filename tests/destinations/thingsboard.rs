//! `thingsboard`: a server of ours that speaks MQTT 5 as ThingsBoard's gateway API has it.

mod rules;
mod server;

use crate::row::{Has, Limit, Login, Refusal, Row};

pub(crate) const ROW: Row = Row {
    name: "thingsboard",
    start: || server::start(server::Server::default()).with_keys(keys),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at `token`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "the broker refused a publish: payload format invalid (0x99)",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(server::PAYLOAD_MAX)),
        said: "the broker takes at most 2000",
    }),
    login_seen: Has::Yes("\0\u{c}************"),
};

fn keys(port: u16) -> String {
    let url = format!("url = \"mqtt://127.0.0.1:{port}\"");
    format!("{url}\ntoken = \"right-secret\"\nprofile = \"tracker\"")
}
