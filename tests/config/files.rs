//! Main files, drop-ins and what `${…}` puts in.

use crate::told::RIGHT;
use crate::told::Told;
use crate::told::with;
use std::path::Path;
use std::time::Duration;
use weir::config::Severity;
use weir::config::Unusable;
use weir::config::load;
use weir::config::render;
use weir::message::Value;
use weir::net::Address;
use weir::stream::mqtt::Mqtt;

#[test]
fn a_drop_in_replaces_the_keys_that_it_gives() {
    let config = Told::new(RIGHT)
        .file(
            "weir.d/20.toml",
            "[[channel]]\nname = \"in\"\nlisten = \"127.0.0.1:7002\"\n",
        )
        .file(
            "weir.d/10.toml",
            "[[channel]]\nname = \"in\"\nlisten = \"127.0.0.1:7001\"\n",
        )
        .file(
            "weir.d/30.toml",
            "[ring]\nfull = \"refuse\"\n[[channel]]\nname = \"in\"\nidle_timeout = \"1m\"\n",
        )
        .file("weir.d/notes.txt", "not read")
        .file("weir.d/.hidden.toml", "not read")
        .right();
    let channel = &config.channels[0];
    assert_eq!(
        channel.listen,
        [Address::Tcp("127.0.0.1:7002".parse().unwrap())]
    );
    assert_eq!(channel.idle_timeout, Duration::from_secs(60));
    assert_eq!(channel.max_connections, 64);
    assert_eq!(config.ring.settings.full, weir::ring::Full::Refuse);
}

#[test]
fn a_drop_in_adds_tables_of_its_own() {
    let more = "[[channel]]\nname = \"more\"\ntype = \"teltonika\"\nlisten = \"0.0.0.0:5027\"\n";
    let config = Told::new(RIGHT).file("weir.d/a.toml", more).right();
    let names: Vec<_> = config
        .channels
        .iter()
        .map(|channel| &channel.name)
        .collect();
    assert_eq!(names, ["in", "more"]);
}

#[test]
fn the_default_file_is_followed_by_what_the_api_created() {
    let told = Told::default()
        .file("/etc/weir/weir.toml", RIGHT)
        .file(
            "/etc/weir/weir.d/z.toml",
            "[[stream]]\nname = \"out\"\nwindow = 1\n",
        )
        .file(
            "/var/lib/weir/weir.d/a.toml",
            "[[stream]]\nname = \"out\"\nwindow = 2\n",
        );
    let loaded = load(Path::new(weir::config::DEFAULT_FILE), &told);
    assert_eq!(render(&loaded.diagnostics), "");
    let mqtt = loaded.config.streams[0]
        .destination
        .downcast_ref::<Mqtt>()
        .unwrap();
    assert_eq!(mqtt.window, 2);
}

#[test]
fn a_mistake_that_a_later_file_replaces_is_none() {
    Told::new(with("token = 7\ntype = \"http\"", "").replace("type = \"json\"\n", ""))
        .file(
            "weir.d/a.toml",
            "[[channel]]\nname = \"in\"\ntoken = \"t0k\"\n",
        )
        .right();
}

#[test]
fn a_mistake_in_a_drop_in_is_found_in_the_drop_in() {
    let drop_in = "[[stream]]\nname = \"out\"\nwindow = 0\n";
    let told = Told::new(RIGHT).file("weir.d/a.toml", drop_in);
    let expected = "weir.d/a.toml:3:10: error: `window` is from 1 to 10000\n    \
                    window = 0\n             ^\nhint: write `window = 1`\n";
    assert_eq!(told.said(), expected);
    assert!(told.load().config.streams.is_empty());
}

#[test]
fn a_name_is_there_once_in_a_file() {
    let twice =
        format!("{RIGHT}[[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"[::1]:1\"\n");
    let expected = "weir.toml:14:8: error: `in` is there twice\n    \
                    name = \"in\"\n           ^^^^\nhint: the first is at weir.toml:3\n";
    assert_eq!(Told::new(twice.clone()).said(), expected);
    assert_eq!(Told::new(twice).load().config.channels.len(), 1);
}

#[test]
fn without_its_main_file_it_is_unusable() {
    let told = Told::default().file("weir.d/a.toml", RIGHT);
    assert_eq!(
        told.said(),
        "weir.toml: error: cannot be read: there is no such file\n\
         hint: begin with one of `/usr/share/weir/examples/*.toml`, then `weir check`\n"
    );
    assert_eq!(told.load().unusable, Some(Unusable::File));
}

#[test]
fn an_empty_file_is_unusable_and_mistakes_are_not() {
    let unusable = |text: &str| Told::new(text).load().unusable;
    assert_eq!(unusable(""), Some(Unusable::Empty));
    assert_eq!(unusable(&format!("[log]\nlevel = \"loud\"\n{RIGHT}")), None);
}

/// What is right in `[ring]`, the file above all, stays; defaults stand for the rest.
#[test]
fn defaults_stand_for_what_is_wrong_in_the_ring_and_the_rest_runs() {
    let file = "[ring]\nfile = \"/data/ring\"\n";
    let right = ("/data/ring", Some(1 << 20));
    let lost = ("/var/lib/weir/ring", None);
    let cases = [
        (format!("{file}size = \"1 KiB\"\n"), ("/data/ring", None)),
        (format!("{file}size = 64 MiB\n"), ("/data/ring", None)),
        (format!("{file}size = \n"), ("/data/ring", None)),
        (format!("{file}sise = \"1 MiB\"\n"), ("/data/ring", None)),
        (format!("{file}size = \"1 MiB\"\ncommit = 3\n"), right),
        (format!("{file}size = \"1 MiB\"\nfull = \"drop\"\n"), right),
        (
            format!("{file}size = \"1 MiB\"\ncommit = {{ delay = \"9s\", hold = \"1s\" }}\n"),
            right,
        ),
        (
            format!("{file}size = \"1 MiB\"\ncommit = {{ hold = 2s }}\n"),
            right,
        ),
        (
            format!("{file}size = \"1 MiB\"\n[ring.commit\ndelay = \"1s\"\n"),
            right,
        ),
        (
            "[ring]\nfile = /data/ring\nsize = \"1 MiB\"\n".into(),
            right,
        ),
        (
            "[ring]\nfile = 7\nsize = \"1 MiB\"\n".into(),
            (lost.0, right.1),
        ),
        (
            "[ring]\nfile = \"/data\nsize = \"1 MiB\"\n".into(),
            (lost.0, right.1),
        ),
        ("[ring\nfile = \"/data/ring\"\n".into(), lost),
        ("ring = 1\n".into(), lost),
    ];
    let default = Told::new(RIGHT).load().config.ring.settings;
    for (wrong, expected) in cases {
        let loaded = Told::new(format!("{wrong}{RIGHT}")).load();
        let ring = &loaded.config.ring;
        let found = (ring.file.to_str().unwrap(), ring.size);
        assert_eq!(found, expected, "{wrong}");
        assert_eq!(
            (loaded.unusable, loaded.ring_wrong),
            (None, true),
            "{wrong}"
        );
        let told = loaded
            .diagnostics
            .iter()
            .any(|one| one.severity == Severity::Error);
        assert!(told, "{wrong}");
        let settings = &ring.settings;
        let rest = (settings.delay, settings.hold, settings.bytes, settings.full);
        let wanted = (default.delay, default.hold, default.bytes, default.full);
        assert_eq!(rest, wanted, "{wrong}");
        assert_eq!(loaded.config.streams.len(), 1, "{wrong}");
    }
}

#[test]
fn what_is_wrong_is_left_out_and_the_rest_is_used() {
    let channel = |name: &str, line: &str| {
        format!("[[channel]]\nname = \"{name}\"\n{line}\ntype = \"teltonika\"\n")
    };
    for wrong in [
        "listen",
        "listen = ",
        "= 3",
        "listen = \"nowhere\"",
        "listen = [",
        "[[",
    ] {
        let right = channel("c", "listen = \"0.0.0.0:5027\"");
        let text = format!("{}{right}{RIGHT}", channel("a", wrong));
        let config = Told::new(text).load().config;
        let names: Vec<_> = config
            .channels
            .iter()
            .map(|channel| channel.name.as_str())
            .collect();
        assert_eq!(names, ["c", "in"], "{wrong}");
        assert_eq!(config.streams.len(), 1, "{wrong}");
    }
}

#[test]
fn references_are_replaced_in_any_string() {
    let set = r#"set = { a = "${env:TRUCK}-${hostname}", b = "${machine-id}", c = "${mac:eth0}",
        d = "${env:NONE:-x}", e = "$5 {env:A}", f = "${file:/etc/plate}", g = ["${env:TRUCK}"] }"#;
    let config = Told::new(with(set, ""))
        .variable("TRUCK", "7${hostname}")
        .file("/proc/sys/kernel/hostname", "gw1\n")
        .file("/etc/machine-id", "0123\n")
        .file("/sys/class/net/eth0/address", "02:00:00:00:00:01\n")
        .file("/etc/plate", " AB 123 \n\0")
        .right();
    let text = |text: &str| Value::from(text);
    let values: Vec<_> = config.channels[0]
        .set
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    let expected = [
        "7${hostname}-gw1",
        "0123",
        "02:00:00:00:00:01",
        "x",
        "$5 {env:A}",
        "AB 123",
    ];
    assert_eq!(values[..6], expected.map(text));
    assert_eq!(values[6], Value::Json(r#"["7${hostname}"]"#.into()));
}

#[test]
fn names_are_compared_with_their_references_replaced() {
    let text = RIGHT.replace("name = \"in\"", "name = \"${env:NAME}\"");
    let config = Told::new(text)
        .variable("NAME", "in")
        .file(
            "weir.d/a.toml",
            "[[channel]]\nname = \"in\"\nmax_connections = 3\n",
        )
        .right();
    assert_eq!(config.channels[0].max_connections, 3);
}
