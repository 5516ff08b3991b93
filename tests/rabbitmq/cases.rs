//! What the broker says of publishes and of logins.

use crate::Case;
use crate::broker::{Broker, Publisher, assert_in_order, numbers};
use std::collections::HashSet;

pub(crate) const ALL: &[Case] = &[
    ("what is bound arrives whole and in order", arrives),
    ("one that no queue gets is refused alone", one_unbound),
    ("where no queue is bound nothing is lost", none_bound),
    ("a queue that is full has all of it later", full),
    ("an exchange that is not there is named", no_exchange),
    ("one that goes while messages do is named", gone_exchange),
    ("who may not write is told so", no_right),
    ("a topic that is forbidden is refused alone", topic),
    (
        "one that is too large for the broker is refused alone",
        too_large,
    ),
    ("a wrong password is named", wrong_password),
    ("a virtual host that is not there is named", wrong_vhost),
    ("a key that is too long never goes", long_key),
    ("check sends one message", check),
];

fn arrives(broker: &mut Broker) {
    let publisher = broker.publish_to("bound", "");
    publisher.send(0..3_000, 5);
    publisher.await_count("accepted", 3_000);
    let came = broker.drain("bound", "q");
    assert_eq!(numbers(&came), Vec::from_iter(0..3_000));
    let ids: HashSet<_> = came.iter().map(|it| it["message_id"].to_string()).collect();
    assert_eq!(ids.len(), 3_000);
    let second = &came[1];
    for (name, expected) in [
        ("key", "weir.t1".into()),
        ("content_type", "application/json".into()),
        ("delivery_mode", 2.into()),
        ("timestamp", 1_700_000_000.into()),
        ("app_id", "weir".into()),
        ("headers", serde_json::json!({"ident": "t1"})),
    ] {
        assert_eq!(second[name], expected, "{second}");
    }
    assert_eq!(
        (publisher.count("connects"), publisher.count("rejected")),
        (1, 0)
    );
}

fn one_unbound(broker: &mut Broker) {
    broker.ask("unbound", &["bind", "some", "amq.topic", "weir.t1"]);
    broker.ask("unbound", &["bind", "some", "amq.topic", "weir.t2"]);
    let publisher = broker.publish_to("unbound", "");
    // others between them show that it is not the broker
    for round in 0..20 {
        publisher.send(round * 3..round * 3 + 3, 3);
    }
    publisher.await_count("backlog", 0);
    assert_eq!(
        (publisher.count("accepted"), publisher.count("given_up")),
        (40, 20)
    );
    assert!(
        publisher
            .logs()
            .contains("no queue is bound for the routing key `weir.t0`")
    );
    let came = numbers(&broker.drain("unbound", "some"));
    assert_eq!(came, Vec::from_iter((0..60).filter(|n| n % 3 != 0)));
    assert_eq!(publisher.count("connects"), 1);
}

fn none_bound(broker: &mut Broker) {
    let publisher = broker.publish_to("unbound", "routing_key = \"all.{ident}\"\n");
    publisher.send(0..200, 4);
    publisher.await_logs("nothing more is skipped");
    assert_eq!(
        (publisher.count("backlog"), publisher.count("given_up")),
        (200, 0)
    );
    broker.ask("unbound", &["bind", "all", "amq.topic", "all.#"]);
    publisher.await_count("accepted", 200);
    let mut came = numbers(&broker.drain("unbound", "all"));
    assert_eq!(came.len(), 200);
    // the one that was set aside while another was tried, if the queue was bound just then
    if came[0] != 0 {
        came.retain(|number| *number != 0);
    }
    assert_in_order(&came, 4);
}

fn full(broker: &mut Broker) {
    let publisher = broker.publish_to("full", "");
    publisher.send(0..50, 1);
    publisher.await_logs("a queue may be full");
    let mut came = Vec::new();
    while publisher.count("backlog") > 0 {
        came.extend(broker.drain("full", "q"));
    }
    came.extend(broker.drain("full", "q"));
    let came = numbers(&came);
    assert_eq!(came.len(), 50, "{came:?}");
    assert_eq!(
        (publisher.count("accepted"), publisher.count("given_up")),
        (50, 0)
    );
    assert_eq!(publisher.count("connects"), 1);
}

fn no_exchange(broker: &mut Broker) {
    let publisher = broker.publish_to("missing", "exchange = \"reports\"\n");
    publisher.send(0..50, 2);
    publisher.await_logs("look at `exchange`");
    let said = publisher.check("--connect");
    assert!(said.contains("look at `exchange`"), "{said}");
    assert_eq!(publisher.count("backlog"), 50);
    broker.ask("missing", &["declare", "reports"]);
    broker.ask("missing", &["bind", "q", "reports", "#"]);
    publisher.await_count("accepted", 50);
    assert_eq!(
        numbers(&broker.drain("missing", "q")),
        Vec::from_iter(0..50)
    );
}

fn gone_exchange(broker: &mut Broker) {
    broker.ask("missing", &["declare", "goes"]);
    broker.ask("missing", &["bind", "q", "goes", "#"]);
    let publisher = broker.publish_to("missing", "exchange = \"goes\"\n");
    publisher.send(0..10, 1);
    publisher.await_count("accepted", 10);
    broker.ask("missing", &["delete", "goes"]);
    publisher.send(10..100, 1);
    publisher.await_logs("look at `exchange`");
    assert_eq!(
        (publisher.count("backlog"), publisher.count("given_up")),
        (90, 0)
    );
    broker.ask("missing", &["declare", "goes"]);
    broker.ask("missing", &["bind", "q", "goes", "#"]);
    publisher.await_count("backlog", 0);
    let came = numbers(&broker.drain("missing", "q"));
    // between the two commands there is an exchange, and no queue
    assert_eq!(came.len() as u64 + publisher.count("given_up"), 100);
    assert_eq!(publisher.count("given_up"), 0);
}

fn no_right(broker: &mut Broker) {
    let url = broker.url("reader:right", "bound");
    let publisher = Publisher::start(&format!("type = \"amqp\"\n{url}"));
    publisher.send(0..50, 2);
    publisher.await_logs("the user's rights to write to it");
    assert_eq!(
        (publisher.count("backlog"), publisher.count("given_up")),
        (50, 0)
    );
    let rights = ["set_permissions", "-p", "bound", "reader", "", ".*", ""];
    broker.server.control(&rights);
    publisher.await_count("accepted", 50);
    let came = numbers(&broker.drain("bound", "q"));
    assert_in_order(&came, 2);
    assert_eq!((came.len(), publisher.count("given_up")), (50, 0));
}

fn topic(broker: &mut Broker) {
    let publisher = broker.publish_to("topics", "");
    publisher.send(0..60, 3);
    publisher.await_count("backlog", 0);
    let counts = (publisher.count("accepted"), publisher.count("given_up"));
    assert_eq!(counts, (40, 20));
    let came = numbers(&broker.drain("topics", "q"));
    assert_in_order(&came, 3);
    assert_eq!(came.len(), 40);
    // others between them show that it is not the broker, so none is looked for
    assert!(!publisher.logs().contains("each time it is sent"));
}

fn too_large(broker: &mut Broker) {
    let publisher = broker.publish_to("bound", "");
    publisher.send(0..10, 1);
    publisher.send_long(3);
    publisher.send(10..20, 1);
    publisher.await_count("backlog", 0);
    let counts = (publisher.count("accepted"), publisher.count("given_up"));
    assert_eq!(counts, (20, 3));
    assert!(
        publisher.logs().contains("is larger than"),
        "{}",
        publisher.logs()
    );
    assert_eq!(numbers(&broker.drain("bound", "q")), Vec::from_iter(0..20));
}

fn wrong_password(broker: &mut Broker) {
    let stream = |login| format!("type = \"amqp\"\n{}", broker.url(login, "bound"));
    let publisher = Publisher::start(&stream("truck:wrong"));
    publisher.send(0..20, 2);
    publisher.await_logs("look at user and password in `url`");
    let said = publisher.check("--connect");
    assert!(said.contains("ACCESS_REFUSED"), "{said}");
    assert!(
        said.contains("look at user and password in `url`"),
        "{said}"
    );
    assert!(!publisher.logs().contains("wrong"), "a password");
    assert_eq!(publisher.count("backlog"), 20);
    publisher.reload(&stream("truck:right"));
    publisher.await_count("accepted", 20);
    assert_eq!(numbers(&broker.drain("bound", "q")), Vec::from_iter(0..20));
}

fn wrong_vhost(broker: &mut Broker) {
    let publisher = broker.publish_to("nowhere", "");
    publisher.send(0..20, 2);
    publisher.await_logs("look at the virtual host, the path of `url`");
    let said = publisher.check("--connect");
    assert!(said.contains("look at the virtual host"), "{said}");
    publisher.reload(&format!(
        "type = \"amqp\"\n{}",
        broker.url("truck:right", "bound")
    ));
    publisher.await_count("accepted", 20);
    assert_eq!(broker.drain("bound", "q").len(), 20);
}

fn long_key(broker: &mut Broker) {
    let key = format!(
        "routing_key = \"weir.{{ident}}.{}{{n}}\"\n",
        "x".repeat(246)
    );
    let publisher = broker.publish_to("bound", &key);
    publisher.send(0..12, 1);
    publisher.await_count("backlog", 0);
    assert_eq!(
        (publisher.count("accepted"), publisher.count("given_up")),
        (10, 2)
    );
    assert!(publisher.logs().contains("a routing key of 256 bytes"));
    assert_eq!(numbers(&broker.drain("bound", "q")), Vec::from_iter(0..10));
}

fn check(broker: &mut Broker) {
    let publisher = broker.publish_to("bound", "");
    let said = publisher.check("--connect");
    assert!(said.contains(": connected"), "{said}");
    assert!(broker.drain("bound", "q").is_empty());
    let said = publisher.check("--send");
    assert!(said.contains("took a test message"), "{said}");
    assert_eq!(broker.drain("bound", "q").len(), 1);
    let publisher = broker.publish_to("unbound", "routing_key = \"nobody.{ident}\"\n");
    let said = publisher.check("--send");
    assert!(said.contains("no queue is bound"), "{said}");
}
