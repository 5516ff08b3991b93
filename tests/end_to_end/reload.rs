//! SIGHUP: another configuration without another process.

use crate::servers::Mosquitto;
use crate::weir::{Lines, Weir, eventually, free_port, message};
use crate::{config, counts, mqtt};

#[test]
fn another_configuration_goes_on_with_what_waited() {
    let (broker, port, away) = (Mosquitto::start(), free_port(), free_port());
    let all = |port| mqtt("cloud", port, "channels = [\"*\"]");
    let api = |config: String| config.replace("\"off\"", "\"unix:@/api\"");
    let weir = Weir::start("reload", &api(config(port, &all(away))));
    let mut lines = Lines::connect(port);
    (0..3).for_each(|number| lines.send(&message(number)));
    lines.await_acked(3);
    assert_eq!(counts(&weir), Some([3, 0, 3]));
    let other = free_port();
    let second =
        format!("[[channel]]\nname = \"more\"\ntype = \"json\"\nlisten = \"127.0.0.1:{other}\"\n");
    weir.reload(&api(config(port, &(second + &all(broker.port)))));
    eventually("what waited arrives", || broker.received().len() == 3);
    let mut lines = Lines::connect(other);
    lines.send(&message(3));
    lines.await_acked(1);
    eventually("it balances", || counts(&weir) == Some([4, 4, 0]));
    weir.reload("[ring]\nfile = 7\n");
    let mut lines = Lines::connect(other);
    lines.send(&message(4));
    lines.await_acked(1);
    eventually("it balances again", || counts(&weir) == Some([5, 5, 0]));
    assert_eq!(broker.received().len(), 5);
}
