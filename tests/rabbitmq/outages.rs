//! When the broker takes nothing for a while, or is gone; and its MQTT plugin.

use crate::Case;
use crate::broker::{Broker, Publisher, assert_in_order, numbers};

pub(crate) const ALL: &[Case] = &[
    ("an alarm stops the messages and not the connection", alarm),
    ("a broker that is killed loses nothing", restart),
    ("by its MQTT plugin messages arrive", mqtt),
    ("by MQTT a queue that is full costs no message", mqtt_full),
];

fn alarm(broker: &mut Broker) {
    let publisher = broker.publish_to("bound", "timeout = \"2s\"\nheartbeat = \"1s\"\n");
    publisher.send(0..5, 1);
    publisher.await_count("accepted", 5);
    broker
        .server
        .control(&["set_vm_memory_high_watermark", "0"]);
    publisher.send(5..25, 1);
    publisher.await_logs("the broker takes no messages now: low on memory");
    let said = publisher.check("--send");
    assert!(said.contains("the broker takes no messages now"), "{said}");
    // several times the timeout, and twice the heartbeat
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!(
        (publisher.count("accepted"), publisher.count("connects")),
        (5, 1)
    );
    broker
        .server
        .control(&["set_vm_memory_high_watermark", "0.8"]);
    publisher.await_count("accepted", 25);
    assert_eq!(
        (publisher.count("rejected"), publisher.count("connects")),
        (0, 1)
    );
    let came = broker.drain("bound", "q");
    let of = came.iter().filter(|it| it["body"]["ident"] == "t0");
    assert_eq!(of.count(), 25, "each once");
}

fn restart(broker: &mut Broker) {
    let publisher = broker.publish_to("bound", "");
    publisher.send(0..4_000, 5);
    broker.server.kill();
    publisher.send(4_000..8_000, 5);
    assert!(publisher.count("backlog") >= 4_000);
    broker.server.resume();
    publisher.await_count("backlog", 0);
    assert_eq!(
        (publisher.count("accepted"), publisher.count("given_up")),
        (8_000, 0)
    );
    let came = numbers(&broker.drain("bound", "q"));
    assert_in_order(&came, 5);
    assert_eq!(came.len(), 8_000);
}

fn mqtt_stream(broker: &Broker, vhost: &str, more: &str) -> String {
    let port = broker.server.mqtt_port;
    format!(
        "type = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\nversion = \"3.1.1\"\n\
         username = \"{vhost}:truck\"\npassword = \"right\"\ntopic = \"weir/{{ident}}\"\n{more}"
    )
}

fn mqtt(broker: &mut Broker) {
    let publisher = Publisher::start(&mqtt_stream(broker, "bound", ""));
    publisher.send(0..500, 3);
    publisher.await_count("accepted", 500);
    let came = broker.drain("bound", "q");
    assert_eq!(numbers(&came), Vec::from_iter(0..500));
    assert_eq!(
        (&came[1]["key"], &came[1]["delivery_mode"]),
        (&"weir.t1".into(), &2.into())
    );
}

fn mqtt_full(broker: &mut Broker) {
    let publisher = Publisher::start(&mqtt_stream(broker, "full", ""));
    publisher.send(0..40, 2);
    let mut came = Vec::new();
    while publisher.count("backlog") > 0 {
        came.extend(broker.drain("full", "q"));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    came.extend(broker.drain("full", "q"));
    let came = numbers(&came);
    assert_eq!((came.len(), publisher.count("given_up")), (40, 0));
}
