//! RabbitMQ with one virtual host for each case, and a daemon that publishes there.

use crate::asking;
use crate::rabbitmq::RabbitMq;
use crate::weir::{Lines, Weir, eventually, free_port};
use serde_json::{Value, json};

/// The broker, and who looks into its queues.
pub(crate) struct Broker {
    pub(crate) server: RabbitMq,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let server = RabbitMq::start(&definitions());
        Self { server }
    }

    /// A URL with this user and virtual host.
    pub(crate) fn url(&self, login: &str, vhost: &str) -> String {
        let port = self.server.port;
        format!("url = \"amqp://{login}@127.0.0.1:{port}/{vhost}\"\n")
    }

    /// A daemon that publishes to a virtual host, with more keys of its stream.
    pub(crate) fn publish_to(&self, vhost: &str, more: &str) -> Publisher {
        let url = self.url("truck:right", vhost);
        Publisher::start(&format!("type = \"amqp\"\n{url}{more}"))
    }

    /// What is printed by the client that others wrote.
    pub(crate) fn ask(&self, vhost: &str, words: &[&str]) -> String {
        let output = self.server.reader(vhost, words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Takes all that a queue has.
    pub(crate) fn drain(&self, vhost: &str, queue: &str) -> Vec<Value> {
        let said = self.ask(vhost, &["drain", queue]);
        said.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A daemon with one JSON channel and one stream.
pub(crate) struct Publisher {
    pub(crate) weir: Weir,
    port: u16,
}

impl Publisher {
    pub(crate) fn start(stream: &str) -> Self {
        let port = free_port();
        let weir = Weir::start("rabbitmq", &config(port, stream));
        Self { weir, port }
    }

    /// Messages `n` of `idents` trackers in turns, until they are safe.
    pub(crate) fn send(&self, numbers: std::ops::Range<u64>, idents: u64) {
        let count = numbers.end - numbers.start;
        let mut lines = Lines::connect(self.port);
        for n in numbers {
            let ident = n % idents;
            lines.send(&format!(
                "{{\"ident\":\"t{ident}\",\"timestamp\":1700000000,\"n\":{n}}}"
            ));
        }
        lines.await_acked(count);
    }

    /// So many messages that are too long for the broker, until they are safe.
    pub(crate) fn send_long(&self, count: u64) {
        let mut lines = Lines::connect(self.port);
        let text = "x".repeat(20_000);
        for n in 0..count {
            lines.send(&format!(
                "{{\"ident\":\"long\",\"n\":{n},\"text\":\"{text}\"}}"
            ));
        }
        lines.await_acked(count);
    }

    pub(crate) fn reload(&self, stream: &str) {
        self.weir.reload(&config(self.port, stream));
    }

    pub(crate) fn count(&self, key: &str) -> u64 {
        asking::count(&self.weir, "cloud", key)
    }

    pub(crate) fn await_count(&self, key: &str, count: u64) {
        let mut last = 0;
        eventually(&format!("{key} is {count}"), || {
            last = self.count(key);
            last == count
        });
    }

    /// What was said of the stream.
    pub(crate) fn logs(&self) -> String {
        let path = "/streams/cloud/logs?count=1000";
        asking::ask(&self.weir, "GET", path, "").1.to_string()
    }

    pub(crate) fn await_logs(&self, words: &str) {
        eventually(words, || self.logs().contains(words));
    }

    /// `weir check` with this word: what it says.
    pub(crate) fn check(&self, word: &str) -> String {
        asking::run(&self.weir, &["check", word]).1
    }
}

fn config(port: u16, stream: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"4 MiB\"\n\
         commit = {{ delay = \"20ms\", hold = \"0s\" }}\n\
         [api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[stream]]\nname = \"cloud\"\nchannels = [\"*\"]\n\
         retry = {{ min = \"10ms\", max = \"200ms\" }}\n{stream}\n"
    )
}

/// The numbers of messages, in the order in which they came; each counts once.
pub(crate) fn numbers(messages: &[Value]) -> Vec<u64> {
    let mut found = Vec::new();
    for message in messages {
        let number = message["body"]["n"].as_u64().unwrap();
        if !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

/// Each tracker's messages came in their order.
pub(crate) fn assert_in_order(numbers: &[u64], idents: u64) {
    for ident in 0..idents {
        let of: Vec<_> = numbers.iter().filter(|n| *n % idents == ident).collect();
        assert!(of.is_sorted(), "{ident}: {of:?}");
    }
}

/// Users and virtual hosts; queues that get what is published under `weir.`.
fn definitions() -> Value {
    let rights = |user: &str, vhost: &str, write: &str| {
        let no = "";
        json!({"user": user, "vhost": vhost, "configure": no, "write": write, "read": no})
    };
    let all = |vhost: &&str| {
        let admin = json!({"user": "admin", "vhost": vhost, "configure": ".*", "write": ".*",
                           "read": ".*"});
        [admin, rights("truck", vhost, ".*")]
    };
    let queue = |vhost: &str, limits: Value| {
        json!({"name": "q", "vhost": vhost, "durable": true, "auto_delete": false,
               "arguments": limits})
    };
    let bound = |vhost: &str| {
        json!({"source": "amq.topic", "vhost": vhost, "destination": "q",
               "destination_type": "queue", "routing_key": "weir.#", "arguments": {}})
    };
    let full = json!({"x-max-length": 10, "x-overflow": "reject-publish"});
    let user = |name: &str, password: &str| {
        let no_tags = "";
        json!({"name": name, "password": password, "tags": no_tags})
    };
    let mut permissions: Vec<Value> = VHOSTS.iter().flat_map(all).collect();
    permissions.push(rights("reader", "bound", ""));
    let vhosts = VHOSTS.map(|name| json!({"name": name}));
    let bindings = ["bound", "topics", "full"].map(bound);
    json!({
        "users": [user("admin", "of-all"), user("truck", "right"), user("reader", "right")],
        "vhosts": vhosts,
        "permissions": permissions,
        "topic_permissions": [{"user": "truck", "vhost": "topics", "exchange": "amq.topic",
                               "write": "^weir\\.t[1-9]$", "read": ""}],
        "queues": [queue("bound", json!({})), queue("topics", json!({})), queue("full", full)],
        "bindings": bindings,
    })
}

const VHOSTS: [&str; 6] = ["bound", "full", "topics", "unbound", "missing", "/"];
