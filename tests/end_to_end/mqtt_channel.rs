//! Devices that speak MQTT: a real client publishes straight into weir.

use crate::mqtt;
use crate::servers::Mosquitto;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::process::Output;
use std::time::Duration;

/// A channel that devices publish to, and a broker to which it all goes.
fn config(port: u16, upstream: u16, keys: &str) -> String {
    let stream = mqtt("cloud", upstream, "channels = [\"*\"]");
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"4 MiB\"\n[api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"devices\"\ntype = \"mqtt\"\nlisten = \"127.0.0.1:{port}\"\n\
         topic = \"trackers/{{ident}}/#\"\n{keys}\n{stream}"
    )
}

/// Runs a client of mosquitto to its end.
fn client(program: &str, port: u16, more: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    command.args(more).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn mosquitto_pub_publishes_straight_into_weir() {
    let (upstream, port) = (Mosquitto::start(), free_port());
    let _weir = Weir::start("mqtt-in", &config(port, upstream.port, ""));
    let mut expected = 0;
    for version in ["mqttv311", "mqttv5"] {
        for qos in ["0", "1"] {
            let payload = format!("{{\"version\":\"{version}\",\"qos\":{qos}}}");
            let more = [
                "-V",
                version,
                "-q",
                qos,
                "-t",
                "trackers/352/up",
                "-m",
                &payload,
            ];
            let output = client("mosquitto_pub", port, &more);
            assert!(output.status.success(), "{}", said(&output));
            expected += 1;
            eventually("it arrives", || upstream.received().len() == expected);
            let (topic, text) = upstream.received().pop().unwrap();
            assert_eq!(topic, "weir/352");
            let start = payload.replace('{', "{\"ident\":\"352\",");
            assert!(text.starts_with(start.trim_end_matches('}')), "{text}");
            assert!(text.contains("\"protocol.name\":\"mqtt\""), "{text}");
        }
    }
    let bare = ["-q", "1", "-t", "trackers/352/din/1", "-m", "true"];
    assert!(client("mosquitto_pub", port, &bare).status.success());
    eventually("a bare value arrives", || {
        upstream.text().contains("\"din.1\":true")
    });
}

#[test]
fn thousands_of_lines_of_one_client_arrive_in_their_order() {
    let (upstream, port) = (Mosquitto::start(), free_port());
    let weir = Weir::start("mqtt-lines", &config(port, upstream.port, ""));
    for (round, version) in ["mqttv311", "mqttv5"].into_iter().enumerate() {
        let lines: Vec<_> = (0..2_000_usize)
            .map(|number| format!("{{\"seq\":{}}}\n", round * 2_000 + number))
            .collect();
        let file = weir.folder.write("lines", &lines.concat());
        let status = Command::new("mosquitto_pub")
            .args(["-p", &port.to_string(), "-V", version, "-q", "1", "-l"])
            .args(["-t", "trackers/352/up"])
            .stdin(std::fs::File::open(file).unwrap())
            .status();
        assert!(status.unwrap().success());
    }
    eventually("all arrive", || upstream.received().len() >= 4_000);
    let texts = upstream.received().into_iter().map(|(_, text)| text);
    crate::Arrivals::of(texts, "seq").assert_complete(4_000);
}

#[test]
fn who_does_not_know_a_password_is_sent_away() {
    let (upstream, port) = (Mosquitto::start(), free_port());
    let users = "users = { ann = \"secret\" }";
    let weir = Weir::start("mqtt-users", &config(port, upstream.port, users));
    let message = ["-q", "1", "-t", "trackers/352/up", "-m", "{}"];
    for version in ["mqttv311", "mqttv5"] {
        for (login, expected) in [
            (&["-u", "ann", "-P", "secret"][..], true),
            (&["-u", "ann", "-P", "guess"], false),
            (&["-u", "eve", "-P", "secret"], false),
            (&[], false),
        ] {
            let more = [&["-V", version], login, &message].concat();
            let output = client("mosquitto_pub", port, &more);
            assert_eq!(output.status.success(), expected, "{}", said(&output));
            let refused = said(&output).to_lowercase();
            let why = ["authori", "bad user"]
                .iter()
                .any(|why| refused.contains(why));
            assert_eq!(why, !expected, "{refused}");
        }
    }
    eventually("two arrive", || upstream.received().len() == 2);
    weir.await_log("refused, login: user name or password are wrong");
    assert!(!weir.log().contains("secret"));
}

#[test]
fn mosquitto_sub_is_refused_politely() {
    let (upstream, port) = (Mosquitto::start(), free_port());
    let weir = Weir::start("mqtt-sub", &config(port, upstream.port, ""));
    for version in ["mqttv311", "mqttv5"] {
        let output = client(
            "mosquitto_sub",
            port,
            &["-V", version, "-t", "#", "-W", "60"],
        );
        assert!(said(&output).contains("denied"), "{}", said(&output));
    }
    weir.await_log("refused, unsupported: a subscription");
}

#[test]
fn a_client_of_version_5_hears_why_a_message_is_refused() {
    let (upstream, port) = (Mosquitto::start(), free_port());
    let keys = "idents = [\"352\"]";
    let _weir = Weir::start("mqtt-why", &config(port, upstream.port, keys));
    for (topic, payload, reason) in [
        ("trackers/352/up", "{", "Payload format invalid"),
        ("trackers/353/up", "{}", "Not authorized"),
    ] {
        let more = ["-V", "mqttv5", "-q", "1", "-t", topic, "-m", payload];
        let output = client("mosquitto_pub", port, &more);
        assert!(said(&output).contains(reason), "{}", said(&output));
    }
}

#[test]
fn mosquitto_pub_publishes_over_tls() {
    let (upstream, port) = (Mosquitto::start(), free_port());
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let keys = "tls = { certificate = \"@/own.pem\", key = \"@/own.key\" }";
    let config = config(port, upstream.port, keys);
    let folder = Folder::new("mqtt-tls-files");
    let ca = folder.write("own.pem", &own.cert.pem());
    folder.write("own.key", &own.signing_key.serialize_pem());
    let place = folder.join("").display().to_string();
    let config = config.replace("@/own", &format!("{place}own"));
    let _weir = Weir::start("mqtt-tls", &config);
    let ca = ca.display().to_string();
    let message = ["-q", "1", "-t", "trackers/352/up", "-m", "{}"];
    for version in ["mqttv311", "mqttv5"] {
        let more = [&["-V", version, "--cafile", &ca][..], &message].concat();
        let output = client("mosquitto_pub", port, &more);
        assert!(output.status.success(), "{}", said(&output));
        let plain = [&["-V", version][..], &message].concat();
        assert!(!client("mosquitto_pub", port, &plain).status.success());
    }
    eventually("both arrive", || upstream.received().len() == 2);
}

/// MQTT-3.1.4-2: the second login under a name ends the connection of the first.
#[test]
fn a_second_login_with_the_same_name_closes_the_first() {
    let (upstream, port) = (Mosquitto::start(), free_port());
    let _weir = Weir::start("mqtt-twice", &config(port, upstream.port, ""));
    let login = |name: u8| {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let connect = [16, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, name];
        socket.write_all(&connect).unwrap();
        let mut answer = [0; 4];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0x20, 2, 0, 0]);
        socket
    };
    let (mut first, mut other) = (login(b'a'), login(b'b'));
    let mut second = login(b'a');
    assert_eq!(first.read(&mut [0; 9]).unwrap(), 0, "the first is closed");
    drop(first);
    for socket in [&mut second, &mut other] {
        socket.write_all(&[0xC0, 0]).unwrap();
        let mut answer = [0; 2];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0xD0, 0], "the others are open");
    }
}
