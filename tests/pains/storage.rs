//! Pains 1 to 4 and 10: what is kept, for how long, at what price.

use crate::SMALL;
use crate::assert_balanced;
use crate::balances;
use crate::config;
use crate::count;
use crate::http;
use crate::mqtt;
use crate::one;
use crate::reasons;
use crate::send;
use crate::servers::Arrivals;
use crate::servers::Cable;
use crate::servers::Mosquitto;
use crate::stream;
use crate::web::Reply;
use crate::web::Web;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;

fn arrived(broker: &Mosquitto) -> Arrivals {
    Arrivals::of([broker.text()], "seq")
}

#[test]
fn pain_1_loss_on_restart() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    let mut weir = Weir::start("loss", &config(port, SMALL, &mqtt(cable.port, "")));
    for round in 0..3 {
        send(port, round * 200..(round + 1) * 200);
        weir.kill();
        weir.restart();
    }
    assert_eq!(count(&weir, "cloud", "backlog"), 600);
    cable.plug();
    eventually("some arrive", || !arrived(&broker).first.is_empty());
    weir.kill();
    weir.restart();
    eventually("all arrive", || arrived(&broker).first.len() == 600);
    arrived(&broker).assert_complete(600);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    assert_balanced(&mut weir);
}

#[test]
fn pain_2_offline_buffering_that_gets_stuck() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    cable.plug();
    let mut weir = Weir::start("stuck", &config(port, SMALL, &mqtt(cable.port, "")));
    for round in 0..4 {
        send(port, round * 300..round * 300 + 100);
        cable.pull();
        send(port, round * 300 + 100..round * 300 + 200);
        cable.plug();
        cable.cut();
        send(port, round * 300 + 200..(round + 1) * 300);
    }
    eventually("all arrive without a restart", || {
        arrived(&broker).first.len() == 1200
    });
    arrived(&broker).assert_complete(1200);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    assert_eq!(stream(&weir, "cloud")["accepted"], 1200);
    assert_balanced(&mut weir);
}

#[test]
fn pain_3_growth_without_bound() {
    let port = free_port();
    let away = http(free_port(), "");
    let mut weir = Weir::start("growth", &config(port, SMALL, &away));
    send(port, 0..1000);
    let (memory, file) = (weir.memory_kib(), weir.folder.join("ring"));
    let size = file.metadata().unwrap().len();
    assert_eq!(size, 1 << 20);
    send(port, 1000..15_000);
    assert_eq!(file.metadata().unwrap().len(), size, "the file grows");
    let now = weir.memory_kib();
    assert!(now < memory + 512, "{memory} KiB before, {now} KiB now");
    let cloud = stream(&weir, "cloud");
    assert_eq!(cloud["stored"], 15_000);
    assert!(cloud["dropped"].as_u64().unwrap() > 1000, "{cloud}");
    assert_balanced(&mut weir);
}

#[test]
fn pain_4_drops_that_nobody_hears_of() {
    let port = free_port();
    let web = Web::start(|_, body| match body.contains("\"seq\":7,") {
        true => Reply::Status(422),
        false => Reply::Status(200),
    });
    let more = "filter = \"position.speed > 4\"\nmax_messages = 1\n\
                convert = { drop = [\"server.timestamp\"] }";
    let streams = http(web.port, more);
    let mut weir = Weir::start("silence", &config(port, SMALL, &streams));
    send(port, 0..20);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    let cloud = stream(&weir, "cloud");
    for (key, wanted) in [
        ("stored", 20),
        ("accepted", 14),
        ("skipped", 5),
        ("skipped_filter", 5),
        ("given_up", 1),
    ] {
        assert_eq!(cloud[key], wanted, "{key}: {cloud}");
    }
    let told = reasons(&weir);
    assert!(
        told.iter().any(|reason| reason.contains("refused: 422")),
        "{told:?}"
    );
    assert!(weir.log().contains("refused: 422"), "the log says it");
    assert_balanced(&mut weir);
}

#[test]
fn pain_10_flash_that_wears_out() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    cable.plug();
    let ring = "size = \"1 MiB\"";
    let mut weir = Weir::start("flash", &config(port, ring, &mqtt(cable.port, "")));
    eventually("it is connected", || {
        stream(&weir, "cloud")["connected"] == true
    });
    let before = one(&weir, "/ring");
    let of = |ring: &serde_json::Value, key: &str| ring[key].as_u64().unwrap();
    send(port, 0..1000);
    let online = one(&weir, "/ring");
    let written = of(&online, "bytes_written") - of(&before, "bytes_written");
    assert!(written < 32 * 1024, "{written} bytes of 200,000");
    let held = of(&online, "held") - of(&before, "held");
    assert!(held > 900, "{held} were never written");
    cable.pull();
    eventually("it is not connected", || {
        stream(&weir, "cloud")["connected"] == false
    });
    send(port, 1000..2000);
    let away = one(&weir, "/ring");
    let syncs = of(&away, "syncs") - of(&online, "syncs");
    assert!(syncs < 100, "{syncs} syncs for 1,000 messages");
    cable.plug();
    eventually("all arrive", || arrived(&broker).first.len() == 2000);
    arrived(&broker).assert_complete(2000);
    // what was held and settled was never written, so that it may be forgotten
    balances(&mut weir);
}
