//! 200 daemons before one RabbitMQ, which is killed in the middle and comes back.

use crate::crowd::Crowd;
use crate::rabbitmq::RabbitMq;
use crate::watch::Watch;
use serde_json::Value;
use serde_json::json;
use std::collections::HashMap;
use std::collections::HashSet;
use std::time::Duration;
use std::time::Instant;

/// How the page advises to set it up: the topic exchange hands on to one that chooses a queue by
/// the routing key, which is the ident.
#[test]
#[ignore = "takes minutes, and 200 processes"]
fn two_hundred_daemons_and_one_rabbitmq_that_is_killed() {
    let mut broker = RabbitMq::start(&definitions());
    let crowd = Crowd::start(DAEMONS, &stream(broker.port));
    let watch = Watch::start(broker.id(), broker.port);
    let start = Instant::now();
    let mut sent = crowd.send(0..ROUNDS / 3);
    broker.kill();
    println!("{:5.1} s  killed", start.elapsed().as_secs_f32());
    sent += crowd.send(ROUNDS / 3..2 * ROUNDS / 3);
    // long enough for waits to have grown apart
    std::thread::sleep(AWAY);
    let backlog: u64 = crowd.sum("backlog");
    println!(
        "{:5.1} s  starts, {backlog} wait",
        start.elapsed().as_secs_f32()
    );
    broker.resume();
    watch.follow(broker.id());
    sent += crowd.send(2 * ROUNDS / 3..ROUNDS);
    crowd.await_delivered();
    println!("{:5.1} s  {sent} delivered", start.elapsed().as_secs_f32());
    println!("{}", watch.end());
    let (accepted, given_up) = (crowd.sum("accepted"), crowd.sum("given_up"));
    assert_eq!((accepted, given_up), (sent, 0));
    assert_eq!(crowd.sum("dropped"), 0);
    let connects = crowd.sum("connects");
    println!(
        "{connects} connections, {} answers missed",
        crowd.sum("rejected")
    );
    let came = QUEUES.map(|queue| collect(&broker, queue));
    judge(&came, sent);
}

/// Each ident is in one queue, in its order, without a gap; what came twice says so by its stamp.
fn judge(queues: &[Vec<Value>], sent: u64) {
    let (mut whose, mut stamps) = (HashMap::new(), HashSet::new());
    let mut next: HashMap<String, u64> = HashMap::new();
    let mut twice = 0;
    for (queue, messages) in queues.iter().enumerate() {
        println!("queue {queue}: {} messages", messages.len());
        for message in messages {
            let (ident, stamp) = (text(message, "ident"), text(message, "message.id"));
            let number = message["n"].as_u64().unwrap();
            assert_eq!(
                *whose.entry(ident.clone()).or_insert(queue),
                queue,
                "{ident}"
            );
            let due = next.entry(ident.clone()).or_default();
            if stamps.insert(stamp) {
                assert_eq!(number, *due, "{ident}: the first time in order");
                *due += 1;
            } else {
                assert!(number < *due, "{ident}: {number} has the stamp of another");
                twice += 1;
            }
        }
    }
    println!("{twice} came twice, each known by its stamp");
    assert_eq!(stamps.len() as u64, sent);
    assert!(queues.iter().all(|queue| !queue.is_empty()));
}

fn text(message: &Value, name: &str) -> String {
    message[name].as_str().unwrap().to_owned()
}

fn collect(broker: &RabbitMq, queue: &str) -> Vec<Value> {
    let output = broker
        .reader("fleet", &["collect", queue])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn stream(port: u16) -> String {
    format!(
        "[[stream]]\nname = \"cloud\"\ntype = \"amqp\"\nchannels = [\"*\"]\n\
         url = \"amqp://truck:right@127.0.0.1:{port}/fleet\"\nrate = 200\n\
         stamp = {{ name = \"message.id\" }}\n"
    )
}

fn definitions() -> Value {
    let rights = |user: &str, write: &str, all: &str| {
        json!({"user": user, "vhost": "fleet", "configure": all, "write": write,
               "read": all})
    };
    let user = |name: &str, password: &str| json!({"name": name, "password": password, "tags": ""});
    let queue = |name: &str| {
        json!({"name": name, "vhost": "fleet", "durable": true, "auto_delete": false,
               "arguments": {"x-single-active-consumer": true}})
    };
    let bound = |from: &str, to: &str, kind: &str, key: &str| {
        json!({"source": from, "vhost": "fleet", "destination": to, "destination_type": kind,
               "routing_key": key, "arguments": {}})
    };
    let mut bindings = vec![bound("amq.topic", "by-ident", "exchange", "weir.#")];
    bindings.extend(QUEUES.map(|name| bound("by-ident", name, "queue", "1")));
    json!({
        "users": [user("admin", "of-all"), user("truck", "right")],
        "vhosts": [{"name": "fleet"}],
        "permissions": [rights("admin", ".*", ".*"), rights("truck", ".*", "")],
        "exchanges": [{"name": "by-ident", "vhost": "fleet", "type": "x-consistent-hash",
                       "durable": true, "auto_delete": false, "internal": false, "arguments": {}}],
        "queues": QUEUES.map(queue),
        "bindings": bindings,
    })
}

const DAEMONS: usize = 200;

const QUEUES: [&str; 4] = ["part-0", "part-1", "part-2", "part-3"];

/// Of messages that each daemon gets, see [`Crowd::send`].
const ROUNDS: u64 = 15;

/// How long the broker is away, beside its start.
const AWAY: Duration = Duration::from_secs(20);
