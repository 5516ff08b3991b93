//! `e-toll`: nginx that asks for a certificate, and a server of ours behind it.

use crate::e_toll_server;
use crate::e_toll_server::BODY_MAX;
use crate::e_toll_server::UNKNOWN;
use crate::row::Counterpart;
use crate::row::Has;
use crate::row::Limit;
use crate::row::Login;
use crate::row::REFUSED;
use crate::row::Refusal;
use crate::row::Row;
use crate::servers::Cable;

pub(crate) const ROW: Row = Row {
    name: "e-toll",
    start: || Box::new(EToll::start()),
    login: Has::Yes(Login {
        right: "operator.",
        wrong: "stranger.",
        named: "look at `tls.certificate`",
        is_secret: false,
    }),
    refusal: Has::Yes(Refusal {
        said: "a row of no vehicle; look at `fields`",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(BODY_MAX)),
        said: "413 ",
    }),
    login_seen: Has::No("a certificate is no secret, and its key stays here"),
};

struct EToll {
    server: e_toll_server::EToll,
    cable: Cable,
}

impl EToll {
    fn start() -> Self {
        assert_eq!(REFUSED, UNKNOWN);
        let server = e_toll_server::EToll::start(true);
        let cable = Cable::new(server.port);
        cable.plug();
        Self { server, cable }
    }
}

impl Counterpart for EToll {
    fn keys(&self) -> String {
        self.server.keys(self.cable.port, "operator")
    }

    fn leave(&mut self) {
        self.cable.pull();
    }

    fn come_back(&mut self) {
        self.cable.plug();
    }

    fn taken(&self) -> Vec<u64> {
        self.server.taken()
    }
}
