//! What right files give: every key, every default, and the configuration of `interface.md`.

use crate::told::RIGHT;
use crate::told::Told;
use crate::told::with;
use std::time::Duration;
use weir::channel::KINDS;
use weir::channel::gpsd;
use weir::channel::io::Io;
use weir::channel::io::IoTable;
use weir::channel::json;
use weir::channel::osmand;
use weir::channel::osmand::SpeedUnit;
use weir::channel::self_report;
use weir::channel::settings::Unwanted;
use weir::channel::teltonika;
use weir::config::Api;
use weir::config::Severity;
use weir::message::Value;
use weir::message::json::Names;
use weir::net::Address;
use weir::net::SocketRights;
use weir::net::Target;
use weir::ring::Full;
use weir::stream::amqp::Amqp;
use weir::stream::amqp::Login;
use weir::stream::file::File;
use weir::stream::http::Http;
use weir::stream::mqtt::Mqtt;
use weir::stream::mqtt::Payload;
use weir::stream::settings::OnReject;
use weir::stream::wialon_retranslator::Ack;
use weir::stream::wialon_retranslator::WialonRetranslator;

#[test]
fn streams_that_show_messages_alike_share_their_texts() {
    let stream = |name: &str, more: &str| {
        format!(
            "[[stream]]\nname = \"{name}\"\ntype = \"http\"\nurl = \"http://localhost/\"\n\
             channels = [\"*\"]\n{more}\n"
        )
    };
    let dots = "convert.dots = \"_\"";
    let shared = |streams: &[String]| {
        let config = Told::new(with("", &streams.concat())).right();
        let streams = config.streams.iter();
        let shared = streams.map(|stream| stream.transform.texts.are_shared());
        shared.collect::<Vec<_>>()
    };
    assert_eq!(shared(&[]), [false]);
    assert_eq!(shared(&[stream("a", dots)]), [false, false]);
    let more = [stream("a", dots), stream("b", ""), stream("c", dots)];
    assert_eq!(shared(&more), [true; 4]);
    assert_eq!(shared(&more[..2]), [true, false, true]);
}

#[test]
fn defaults_are_those_of_the_interface() {
    let config = Told::new(RIGHT).right();
    assert_eq!(config.ring.file.to_str(), Some("/var/lib/weir/ring"));
    assert_eq!(config.ring.size, None);
    assert_eq!(config.ring.settings.delay, Duration::from_millis(200));
    assert_eq!(config.ring.settings.hold, Duration::from_secs(2));
    assert_eq!(config.ring.settings.bytes, 64 << 10);
    assert_eq!(config.ring.settings.full, Full::DropOldest);
    assert_eq!(config.log.level, log::LevelFilter::Info);
    assert_eq!(config.log.summary, Duration::from_secs(900));
    let listen = Some(Address::Unix("/run/weir/api".into()));
    assert_eq!(
        config.api,
        Api {
            listen,
            token: None,
            socket: SocketRights::default(),
        }
    );
    let channel = &config.channels[0];
    assert_eq!(channel.max_connections, 64);
    assert_eq!(channel.idle_timeout, Duration::from_secs(600));
    assert_eq!(channel.unwanted, Unwanted::Refuse);
    assert_eq!(channel.allow.len(), 8);
    assert!(channel.idents.is_empty() && channel.set.is_empty() && channel.rename.is_empty());
}

#[test]
fn the_defaults_of_a_stream_are_those_of_the_interface() {
    let stream = &Told::new(RIGHT).right().streams[0];
    assert!(stream.enabled && stream.ttl.is_none() && stream.max_age.is_none());
    assert_eq!(stream.from, weir::ring::From::New);
    assert_eq!(stream.delivery.max_messages, 100);
    assert_eq!(stream.delivery.max_bytes, 256 << 10);
    assert_eq!(stream.delivery.linger, Duration::ZERO);
    assert_eq!(stream.delivery.timeout, Duration::from_secs(30));
    assert_eq!(stream.delivery.retry_min, Duration::from_secs(1));
    assert_eq!(stream.delivery.retry_max, Duration::from_secs(300));
    assert_eq!(stream.delivery.on_reject, OnReject::Skip);
    let mqtt = stream.destination.downcast_ref::<Mqtt>().unwrap();
    assert_eq!(
        mqtt.target,
        Target {
            host: "localhost".to_owned(),
            port: 1883
        }
    );
    assert_eq!(mqtt.keep_alive, Duration::from_secs(60));
    assert_eq!(
        (mqtt.clean_session, mqtt.retain, mqtt.window),
        (true, false, 100)
    );
    assert_eq!(mqtt.payload, Payload::Object);
}

#[test]
fn every_key_of_a_channel_is_read() {
    let text = r#"
        allow = ["192.168.1.0/24", "::1"]
        idents = ["3520*"]
        ident = "gw"
        set = { "gateway.name" = "g", n = -1, big = 18446744073709551615, f = 1.5,
        l = [1, { a = true }] }
        rename = { speed = "position.speed" }
        max_connections = 2
        unwanted = "accept"
        ident_field = "imei"
        timestamp_field = "ts""#;
    let channel = Told::new(with(text, "")).right().channels.remove(0);
    let networks = |text: &str, bits| weir::net::Network {
        address: text.parse().unwrap(),
        bits,
    };
    assert_eq!(
        channel.allow,
        [networks("192.168.1.0", 24), networks("::1", 128)]
    );
    assert!(channel.idents.matches("352093081452251"));
    assert_eq!(channel.ident.as_deref(), Some("gw"));
    let expected = [
        ("gateway.name", Value::from("g")),
        ("n", Value::I64(-1)),
        ("big", Value::U64(u64::MAX)),
        ("f", Value::F64(1.5)),
        ("l", Value::Json(r#"[1,{"a":true}]"#.into())),
    ];
    assert_eq!(
        channel.set,
        expected.map(|(name, value)| (name.to_owned(), value))
    );
    assert_eq!(
        channel.rename,
        [("speed".to_owned(), "position.speed".to_owned())]
    );
    assert_eq!(
        (channel.max_connections, channel.unwanted),
        (2, Unwanted::Accept)
    );
    let fields: &json::Keys = channel.protocol.keys().unwrap();
    assert_eq!(
        fields.names,
        Names {
            ident: "imei".to_owned(),
            timestamp: "ts".to_owned()
        }
    );
}

#[test]
fn one_receiver_of_gpsd_can_be_chosen() {
    for (line, expected) in [
        ("", None),
        ("device = \"/dev/ttyUSB0\"", Some("/dev/ttyUSB0")),
        (
            "device = \"tcp://10.0.0.2:4000\"",
            Some("tcp://10.0.0.2:4000"),
        ),
    ] {
        let gpsd = "\"gpsd\"\nident = \"van\"";
        let text = with(line, "").replace("\"json\"", gpsd);
        let config = Told::new(text.replace("listen =", "connect =")).right();
        let gpsd: &gpsd::Keys = config.channels[0].protocol.keys().unwrap();
        assert_eq!(gpsd.device.as_deref(), expected, "{line}");
    }
}

#[test]
fn speeds_are_knots_unless_it_is_said() {
    for (line, expected) in [
        ("", SpeedUnit::Knots),
        ("speed_unit = \"knots\"", SpeedUnit::Knots),
        ("speed_unit = \"km/h\"", SpeedUnit::KilometresPerHour),
        ("speed_unit = \"m/s\"", SpeedUnit::MetresPerSecond),
    ] {
        let config = Told::new(with(line, "").replace("\"json\"", "\"osmand\"")).right();
        let osmand: &osmand::Keys = config.channels[0].protocol.keys().unwrap();
        assert_eq!(osmand.speed_unit, expected, "{line}");
    }
}

#[test]
fn channels_listen_on_all_kinds_of_addresses() {
    let text = "type = \"teltonika\"\nlisten = [\"0.0.0.0:5027\", \"udp:0.0.0.0:5027\", \
                \"[::]:5027\", \"tcp:10.0.0.1:5028\", \"unix:/run/weir/in\"]";
    let config =
        Told::new(RIGHT.replace("type = \"json\"\nlisten = \"127.0.0.1:7000\"", text)).right();
    let expected = [
        Address::Tcp("0.0.0.0:5027".parse().unwrap()),
        Address::Udp("0.0.0.0:5027".parse().unwrap()),
        Address::Tcp("[::]:5027".parse().unwrap()),
        Address::Tcp("10.0.0.1:5028".parse().unwrap()),
        Address::Unix("/run/weir/in".into()),
    ];
    assert_eq!(config.channels[0].listen, expected);
}

#[test]
fn the_gateway_reports_of_itself_every_quarter_of_an_hour() {
    let text = |keys: &str| RIGHT.replace("type = \"json\"\nlisten = \"127.0.0.1:7000\"", keys);
    for (keys, seconds) in [
        ("", 900),
        ("every = \"1s\"", 1),
        ("every = \"30d\"", 2_592_000),
    ] {
        let keys = format!("type = \"self\"\nident = \"gw\"\n{keys}");
        let channel = Told::new(text(&keys)).right().channels.remove(0);
        let report: &self_report::Keys = channel.protocol.keys().unwrap();
        assert_eq!(report.every, Duration::from_secs(seconds));
        assert!(channel.thinning.is_none() && channel.listen.is_empty());
        assert_eq!(channel.ident.as_deref(), Some("gw"));
    }
}

#[test]
fn every_type_has_sessions_for_the_ways_in_which_it_is_reached() {
    for kind in KINDS {
        let (name, example) = (kind.name, kind.example);
        // of a bus it has to be said what is wanted
        let wanted = if name == "can" {
            "standard = [\"j1939\"]"
        } else {
            ""
        };
        let keys = format!("type = \"{name}\"\n{example}\nident = \"gw\"\n{wanted}");
        let text = RIGHT.replace("type = \"json\"\nlisten = \"127.0.0.1:7000\"", &keys);
        let channel = Told::new(text).right().channels.remove(0);
        let session = channel.protocol.session("weir");
        assert_eq!(session.is_none(), example.is_empty(), "{name}");
        let datagrams = channel.protocol.datagram_session();
        assert_eq!(datagrams.is_some(), kind.datagrams().is_some(), "{name}");
    }
}

#[test]
fn elements_of_teltonika_get_names() {
    let text = r#"type = "teltonika"
        io = { 72 = { name = "sensor.temperature.1", scale = 0.1, signed = true },
        9 = { name = "x", not = [2000, -1] }, 195 = { name = "card", text = true } }"#;
    let mut config = Told::new(RIGHT.replace("type = \"json\"", text)).right();
    let channel = config.channels.remove(0);
    let keys: &teltonika::Keys = channel.protocol.keys().unwrap();
    let io = |name: &str, scale, signed, text, not: &[i64]| Io {
        name: name.to_owned(),
        scale,
        signed,
        text,
        not: not.to_vec(),
    };
    let expected = [
        (72, io("sensor.temperature.1", 0.1, true, false, &[])),
        (9, io("x", 1.0, false, false, &[2000, -1])),
        (195, io("card", 1.0, false, true, &[])),
    ];
    assert_eq!(keys.io, IoTable::new(expected.into()).unwrap());
}

#[test]
fn every_key_of_an_http_stream_is_read() {
    let text = r#"
        [[stream]]
        name = "web"
        type = "http"
        url = "http://127.0.0.1:8080/in/{ident}?a=1"
        method = "PUT"
        headers = { "X-Key" = "k" }
        auth = { user = "u", password = "p" }
        success = [200, 409]
        enabled = false
        channels = ["in"]
        ttl = "7d"
        max_age = "0s"
        from = "oldest"
        retry = { min = "2s" }
        on_reject = "retry""#;
    let stream = Told::new(with("", text)).right().streams.remove(1);
    assert!(!stream.enabled);
    assert_eq!(
        (stream.ttl, stream.max_age),
        (Some(Duration::from_secs(7 * 86_400)), None)
    );
    assert_eq!(stream.subscription.channels, ["in"]);
    assert_eq!(stream.delivery.retry_min, Duration::from_secs(2));
    let http = stream.destination.downcast_ref::<Http>().unwrap();
    assert_eq!(
        http.target,
        Target {
            host: "127.0.0.1".to_owned(),
            port: 8080
        }
    );
    assert_eq!(http.path.to_string(), "/in/{ident}?a=1");
    assert_eq!(http.method, "PUT");
    assert_eq!(http.headers, [("X-Key".to_owned(), "k".to_owned())]);
    assert_eq!(http.authorization.as_deref(), Some("Basic dTpw"));
    assert_eq!(http.success, [200, 409]);
}

#[test]
fn urls_are_taken_apart() {
    let url = |url: &str| {
        let text = RIGHT.replace("mqtt://localhost", url);
        let stream = Told::new(text).right().streams.remove(0);
        let mqtt = stream.destination.downcast_ref::<Mqtt>().unwrap().clone();
        (
            mqtt.target.host,
            mqtt.target.port,
            mqtt.username,
            mqtt.password,
        )
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        url("mqtt://h.example"),
        ("h.example".to_owned(), 1883, None, None)
    );
    assert_eq!(url("mqtt://[::1]:99/"), ("::1".to_owned(), 99, None, None));
    let login = ("localhost".to_owned(), 1883, text("a@b"), text("p:/"));
    assert_eq!(url("mqtt://a%40b:p:%2F@localhost"), login);
}

#[test]
fn wialon_and_file_streams_are_read() {
    let text = r#"
        [[stream]]
        name = "wialon"
        type = "wialon-retranslator"
        address = "193.193.165.165:20332"
        ack = "none"
        channels = ["in"]
        [[stream]]
        name = "log"
        type = "file"
        path = "/tmp/log"
        max_size = "1 MiB"
        keep = 2
        groups = ["*"]"#;
    let streams = Told::new(with("", text)).right().streams;
    let wialon = streams[1]
        .destination
        .downcast_ref::<WialonRetranslator>()
        .unwrap();
    assert_eq!(
        (wialon.ack, wialon.attempts, wialon.target.port),
        (Ack::None, 5, 20332)
    );
    let file = streams[2].destination.downcast_ref::<File>().unwrap();
    let rotation = file.rotation;
    assert_eq!((rotation.max_size, rotation.keep), (Some(1 << 20), Some(2)));
}

#[test]
fn amqp_streams_are_read_from_their_url() {
    let read = |url: &str, keys: &str| {
        let stream = format!(
            "[[stream]]\nname = \"s\"\ntype = \"amqp\"\nurl = \"{url}\"\n\
             channels = [\"in\"]\n{keys}"
        );
        let streams = Told::new(with("", &stream)).right().streams;
        let amqp = streams[1].destination.downcast_ref::<Amqp>();
        amqp.unwrap().clone()
    };
    let plain = |user: &str, password: &str| Login::Plain {
        user: user.into(),
        password: password.into(),
    };
    let shown = "tls = { certificate = \"/c\", key = \"/k\" }";
    for (url, keys, port, login, vhost) in [
        ("amqp://u:p@localhost", "", 5672, plain("u", "p"), "/"),
        ("amqps://u:p@h/", "", 5671, plain("u", "p"), "/"),
        ("amqps://u:p@h:1/%2F", "", 1, plain("u", "p"), "/"),
        (
            "amqps://a%40b:%2F%3A@h/fleet",
            "",
            5671,
            plain("a@b", "/:"),
            "fleet",
        ),
        (
            "amqps://u:p@h/a%2Fb%20c",
            shown,
            5671,
            plain("u", "p"),
            "a/b c",
        ),
        ("amqps://h/fleet", shown, 5671, Login::Certificate, "fleet"),
    ] {
        let amqp = read(url, keys);
        let found = (amqp.target.port, amqp.login, amqp.vhost.as_str());
        assert_eq!(found, (port, login, vhost), "{url}");
        assert_eq!((amqp.exchange.as_str(), amqp.window), ("amq.topic", 100));
    }
    assert_eq!(read("amqps://u:p@h", "exchange = \"\"").exchange, "");
}

#[test]
fn a_byte_order_mark_and_dos_line_ends_change_nothing() {
    let text = format!("\u{feff}{}", RIGHT.replace('\n', "\r\n"));
    assert_eq!(Told::new(text).right().channels.len(), 1);
}

/// Everything in the example that weir does not know yet is said to be "not supported yet", and
/// nothing else is wrong with it.
#[test]
fn the_example_of_the_interface_is_understood() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/interface.md");
    let Ok(page) = std::fs::read_to_string(path) else {
        return println!("skipped: there is no {path}");
    };
    let toml = page
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let told = Told::new(toml)
        .file("/etc/weir/api.token", "t0ken\n")
        .file("/proc/sys/kernel/hostname", "gw1\n");
    let loaded = told.load();
    for diagnostic in &loaded.diagnostics {
        assert_eq!(diagnostic.severity, Severity::Error, "{diagnostic}");
        assert!(
            diagnostic.message.ends_with("is not supported yet"),
            "{diagnostic}"
        );
    }
    assert_eq!(loaded.unusable, None);
    assert_eq!(loaded.config.ring.size, Some(64 << 20));
    assert_eq!(loaded.config.channels[0].name, "trackers");
    assert_eq!(loaded.config.groups[0].devices, ["truck 7"]);
}
