//! `amqp`: RabbitMQ, one for all tests that are under way and a virtual host for each, behind a
//! cable. Nobody is bound for the message that is refused. How it stops and starts is tried in
//! `tests/rabbitmq`.

use crate::contract::numbers;
use crate::rabbitmq::RabbitMq;
use crate::row::Counterpart;
use crate::row::Has;
use crate::row::IDENTS;
use crate::row::Limit;
use crate::row::Login;
use crate::row::Refusal;
use crate::row::Row;
use crate::servers::Cable;
use crate::weir::Folder;
use crate::weir::program::Program;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::Weak;

pub(crate) const ROW: Row = Row {
    name: "amqp",
    start: || Box::new(Behind::start()),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at user and password in `url`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "no queue is bound for the routing key",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(20_000)),
        said: "is larger than",
    }),
    login_seen: Has::Yes("\u{5}PLAIN\0\0\0\u{12}******************"),
};

struct Behind {
    vhost: String,
    cable: Cable,
    folder: Folder,
    _reader: Program,
    _broker: Arc<RabbitMq>,
}

/// The broker, while somebody needs it, and how many did.
static BROKER: Mutex<(Weak<RabbitMq>, usize)> = Mutex::new((Weak::new(), 0));

impl Behind {
    fn start() -> Self {
        let mut shared = BROKER.lock().unwrap();
        let broker = shared.0.upgrade();
        let broker = broker.unwrap_or_else(|| Arc::new(RabbitMq::start(&definitions())));
        let vhost = format!("v{}", shared.1);
        *shared = (Arc::downgrade(&broker), shared.1 + 1);
        drop(shared);
        let folder = Folder::new("amqp");
        let received = fs::File::create(folder.join("received")).unwrap();
        let mut reader = broker.reader(&vhost, &["follow", "q"]);
        let reader = Program::start(reader.stdout(received));
        let cable = Cable::new(broker.port);
        cable.plug();
        Self {
            vhost,
            cable,
            folder,
            _reader: reader,
            _broker: broker,
        }
    }
}

impl Counterpart for Behind {
    fn keys(&self) -> String {
        let (port, vhost) = (self.cable.port, &self.vhost);
        format!("url = \"amqp://weir:right-secret@127.0.0.1:{port}/{vhost}\"")
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

/// In each virtual host a queue for the messages that are not refused.
fn definitions() -> Value {
    let vhosts: Vec<String> = (0..TESTS).map(|n| format!("v{n}")).collect();
    let user = |name, password| json!({"name": name, "password": password, "tags": ""});
    let rights = |vhost: &String| {
        let may = |user, write, all| {
            json!({"user": user, "vhost": vhost, "configure": all, "write": write, "read": all})
        };
        [may("admin", ".*", ".*"), may("weir", "^amq.topic$", "")]
    };
    let queue = |vhost| {
        json!({"name": "q", "vhost": vhost, "durable": true, "auto_delete": false,
               "arguments": {}})
    };
    let bindings = |vhost: &String| {
        IDENTS.map(|ident| {
            json!({"source": "amq.topic", "vhost": vhost, "destination": "q",
                   "destination_type": "queue", "routing_key": format!("weir.{ident}"),
                   "arguments": {}})
        })
    };
    json!({
        "users": [user("admin", "of-all"), user("weir", "right-secret")],
        "vhosts": vhosts.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
        "permissions": vhosts.iter().flat_map(rights).collect::<Vec<_>>(),
        "queues": vhosts.iter().map(queue).collect::<Vec<_>>(),
        "bindings": vhosts.iter().flat_map(bindings).collect::<Vec<_>>(),
    })
}

/// Each needs a virtual host of its own.
const TESTS: usize = 5;
