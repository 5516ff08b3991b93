//! `aws-iot`: mosquitto in the shape of AWS IoT Core: who comes shows a certificate and is known by
//! the name in it, and an access list says what it may. Port 443 stands in `tests/mqtt/aws_iot.rs`.

use crate::certificates::Authority;
use crate::contract::numbers;
use crate::row::{Counterpart, Has, Limit, Login, REFUSED, Refusal, Row};
use crate::servers::{Cable, subscribe};
use crate::weir::program::{Program, SAYS_WHO_SUBSCRIBES, SUBSCRIBED, mosquitto};
use crate::weir::{Folder, free_port};
use std::fs;

pub(crate) const ROW: Row = Row {
    name: "aws-iot",
    start: || Box::new(AwsIot::start()),
    login: Has::Yes(Login {
        right: "thing-1.",
        wrong: "thing-2.",
        named: "`tls.certificate`",
        is_secret: false,
    }),
    refusal: Has::Yes(Refusal {
        said: "the broker refused a publish: not authorized (0x87)",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"level\":\"{}\"", "x".repeat(300)),
        said: "bytes, AWS IoT takes at most 256",
    }),
    login_seen: Has::No("a certificate is no secret, and its key stays here"),
};

struct AwsIot {
    cable: Cable,
    authority: Authority,
    folder: Folder,
    _broker: Program,
    _subscriber: Program,
}

impl AwsIot {
    fn start() -> Self {
        let (authority, other) = (Authority::new("aws"), Authority::new("other"));
        let names = ["localhost", "thing-1"].map(|name| (&authority, name));
        for (issuer, name) in names.into_iter().chain([(&other, "thing-2")]) {
            let pair = issuer.issue(name);
            for (file, ending) in [(pair.certificate, "pem"), (pair.key, "key")] {
                let text = fs::read_to_string(file).unwrap();
                authority.folder.write(&format!("{name}.{ending}"), &text);
            }
        }
        let (folder, mut tls_port) = (Folder::new("aws-iot"), 0);
        let (own, place) = (folder.join(""), authority.folder.join(""));
        let (own, place) = (own.display(), place.display());
        folder.write(
            "access",
            &format!("user thing-1\ntopic deny weir/{REFUSED}/#\ntopic write weir/#\n"),
        );
        let (mut broker, port) = Program::serve(|port| {
            tls_port = free_port();
            let config = format!(
                "{SAYS_WHO_SUBSCRIBES}per_listener_settings true\nuser root\npersistence false\n\
                 max_queued_messages 0\nmax_inflight_messages 1000\n\
                 listener {port} 127.0.0.1\nallow_anonymous true\n\
                 listener {tls_port} 127.0.0.1\ncafile {place}ca.pem\n\
                 certfile {place}localhost.pem\nkeyfile {place}localhost.key\n\
                 require_certificate true\nuse_identity_as_username true\n\
                 acl_file {own}access\n"
            );
            mosquitto(&folder.write("mosquitto.conf", &config))
        });
        let subscriber = subscribe(port, &folder.join("received"));
        broker.await_said(SUBSCRIBED, 1);
        let cable = Cable::new(tls_port);
        cable.plug();
        Self {
            cable,
            authority,
            folder,
            _broker: broker,
            _subscriber: subscriber,
        }
    }
}

impl Counterpart for AwsIot {
    fn keys(&self) -> String {
        let place = self.authority.folder.join("");
        let place = place.display();
        format!(
            "endpoint = \"localhost\"\nport = {}\nthing = \"thing-1\"\n\
             topic = \"weir/{{ident}}/{{level:-x}}\"\n\
             tls = {{ ca = \"{place}ca.pem\", certificate = \"{place}thing-1.pem\", \
             key = \"{place}thing-1.key\" }}",
            self.cable.port
        )
    }

    fn leave(&mut self) {
        self.cable.pull();
    }

    fn come_back(&mut self) {
        self.cable.plug();
    }

    fn taken(&self) -> Vec<u64> {
        numbers(&fs::read_to_string(self.folder.join("received")).unwrap_or_default())
    }
}
