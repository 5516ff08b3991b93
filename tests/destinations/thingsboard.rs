//! `thingsboard`: a server of ours that speaks MQTT 5 as ThingsBoard's gateway API has it.

mod rules;
mod server;

use crate::contract::Contract;
use crate::row::{Counterpart, Has, Limit, Login, Refusal, Row};

pub(crate) const ROW: Row = Row {
    name: "thingsboard",
    start: || Box::new(ThingsBoard(server::start(server::Server::default()))),
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
};

struct ThingsBoard(Contract);

impl Counterpart for ThingsBoard {
    fn keys(&self) -> String {
        let port = self.0.port();
        let url = format!("url = \"mqtt://127.0.0.1:{port}\"");
        format!("{url}\ntoken = \"right-secret\"\nprofile = \"tracker\"")
    }

    fn leave(&mut self) {
        self.0.leave();
    }

    fn come_back(&mut self) {
        self.0.come_back();
    }

    fn taken(&self) -> Vec<u64> {
        self.0.taken()
    }
}
