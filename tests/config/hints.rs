//! Hints: what they say to write is written, and then nothing is wrong any more.

use crate::told::Told;
use crate::told::with;
use weir::config::Diagnostic;
use weir::config::Severity;

/// The file, with what the hint of a mistake says written into it.
fn obeyed(text: &str, mistake: &Diagnostic) -> Option<String> {
    let hint = mistake.hint.as_deref()?;
    let place = mistake.position?;
    let said = mistake.to_string();
    let carets = said.lines().nth(2)?.trim().len();
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let line = lines.get_mut(place.line - 1)?;
    let start = place.column - 1;
    // behind stars is all of the value
    let caret = said.lines().nth(2)?.find('^')?;
    let hidden = said
        .lines()
        .nth(1)?
        .get(caret..)?
        .trim_start_matches('[')
        .starts_with("***");
    let marked = start..if hidden { line.len() } else { start + carets };
    let mut pieces = hint.split('`').skip(1).step_by(2);
    let piece = pieces.next()?;
    if hint.starts_with("leave `") {
        lines.remove(place.line - 1);
        return Some(lines.join("\n"));
    }
    if piece.starts_with('[') && line.trim_start().starts_with('[') {
        *line = piece.to_owned();
        if let Some(below) = pieces.next() {
            line.push('\n');
            line.push_str(below);
        }
        return Some(lines.join("\n"));
    }
    let assigned = piece
        .split_once(" = ")
        .filter(|(key, _)| !key.contains(' '));
    if let Some((key, _)) = assigned {
        let head = format!("{key} = ");
        let more: Vec<&str> = pieces.filter(|piece| piece.contains(" = ")).collect();
        let together = [&[piece], &more[..]].concat().join(", ");
        match line.get(..marked.end)?.rfind(&head) {
            Some(at) if at == start => line.replace_range(at.., piece),
            Some(at) if !hint.ends_with("as well") => line.replace_range(at..marked.end, piece),
            _ if line.get(marked.clone())?.starts_with('{') => {
                let end = if line.get(marked)? == "{}" { "" } else { "," };
                line.insert_str(start + 1, &format!(" {together}{end} "));
            }
            _ => line.push_str(&format!("\n{piece}")),
        }
        return Some(lines.join("\n"));
    }
    let quoted = line.get(marked.clone())?.starts_with('"') && !piece.starts_with(['"', '[', '{']);
    let quoted = quoted && !hint.ends_with("without quotes");
    line.replace_range(
        marked,
        &if quoted {
            format!("\"{piece}\"")
        } else {
            piece.to_owned()
        },
    );
    Some(lines.join("\n"))
}

fn errors(text: &str) -> Vec<Diagnostic> {
    let told = Told::new(text)
        .file("/proc/sys/kernel/hostname", "gateway")
        .file("/etc/group", "root:x:0:\nweir:x:7:\n");
    let mut found = told.load().diagnostics;
    found.retain(|found| found.severity == Severity::Error);
    found
}

/// Writes what the hints say, one for each mistake that there is; none if then nothing is wrong.
fn still_wrong(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    let mut way = String::new();
    let mut found = errors(&text);
    for _ in 0..found.len() {
        let first = found.first()?;
        way += &format!("{first}\n");
        let Some(then) = obeyed(&text, first) else {
            return Some(format!("{way}  leads nowhere\n"));
        };
        text = then;
        found = errors(&text);
    }
    let other = found.first()?;
    Some(format!("{way}  leads to\n{other}\n"))
}

/// Where a key stands, and keys with a value that is right there.
const KEYS: &[(&str, &[(&str, &str)])] = &[
    (
        "[ring]",
        &[
            ("file", "\"/var/lib/weir/ring\""),
            ("size", "\"64 MiB\""),
            ("commit", "{ delay = \"1s\" }"),
            ("full", "\"refuse\""),
            ("ack_when_degraded", "true"),
        ],
    ),
    (
        "[ring.commit]",
        &[
            ("delay", "\"1s\""),
            ("hold", "\"1s\""),
            ("bytes", "\"8 KiB\""),
        ],
    ),
    (
        "[log]",
        &[
            ("level", "\"warn\""),
            ("target", "\"stderr\""),
            ("summary", "\"1m\""),
        ],
    ),
    ("[api]", &[("listen", "\"off\""), ("token", "\"abc\"")]),
    (
        "[[channel]]\nname = \"x\"\ntype = \"json\"\nlisten = \"unix:/run/weir/x\"",
        &[("mode", "\"0660\""), ("group", "\"7\"")],
    ),
    (
        "[[channel]]\nname = \"x\"\ntype = \"teltonika\"\nlisten = \"127.0.0.1:5027\"",
        &[
            ("io", "{ 72 = { name = \"a\" } }"),
            ("allow", "[\"10.0.0.7\"]"),
            ("ident", "\"a\""),
            ("idents", "[\"a\"]"),
            ("set", "{ a = 1 }"),
            ("rename", "{ a = \"b\" }"),
            ("every", "\"10s\""),
            ("max_connections", "7"),
            ("idle_timeout", "\"10m\""),
            ("unwanted", "\"accept\""),
            ("tls", "{ certificate = \"/a\", key = \"/b\" }"),
        ],
    ),
    (
        "[[channel]]\nname = \"x\"\ntype = \"teltonika\"",
        &[("listen", "\"127.0.0.1:5027\"")],
    ),
    (
        "[[channel]]\nname = \"x\"\ntype = \"gpsd\"\nident = \"a\"",
        &[("connect", "\"h:2947\"")],
    ),
    (
        "[[channel]]\nname = \"x\"\nlisten = \"127.0.0.1:5027\"",
        &[("type", "\"teltonika\"")],
    ),
    (
        "[[channel]]\ntype = \"json\"\nlisten = \"127.0.0.1:5027\"",
        &[("name", "\"x\"")],
    ),
    (
        "[[channel]]\nname = \"x\"\ntype = \"mqtt\"\nlisten = \"127.0.0.1:1883\"",
        &[
            ("topic", "\"{ident}\""),
            ("users", "{ a = \"b\" }"),
            ("ident_field", "\"id\""),
        ],
    ),
    (
        "[[channel]]\nname = \"x\"\ntype = \"osmand\"\nlisten = \"127.0.0.1:5055\"",
        &[("speed_unit", "\"knots\"")],
    ),
    (
        "[[channel]]\nname = \"x\"\ntype = \"teltonika\"\nlisten = \"127.0.0.1:5027\"\n\
         [channel.io.72]\nname = \"a\"",
        &[("scale", "0.1"), ("signed", "true")],
    ),
    ("[[device]]\nname = \"d\"", &[("ident", "\"1\"")]),
    (
        "[[device]]\nname = \"d\"\nident = \"1\"",
        &[("data", "{ a = 1 }")],
    ),
    ("[[group]]\ndevices = []", &[("name", "\"g\"")]),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"\nurl = \"mqtts://h\"",
        &[
            ("enabled", "true"),
            ("channels", "[\"in\"]"),
            ("from", "\"new\""),
            ("filter", "\"a.b > 1\""),
            ("ttl", "\"7d\""),
            ("max_age", "\"7d\""),
            ("every", "\"10s\""),
            ("rate", "10"),
            ("convert", "{ drop = [\"a\"] }"),
            ("stamp", "{ name = \"a\" }"),
            ("rejects", "{ file = \"/r\" }"),
            ("max_messages", "10"),
            ("max_bytes", "\"64 KiB\""),
            ("linger", "\"1s\""),
            ("timeout", "\"30s\""),
            ("retry", "{ min = \"1s\" }"),
            ("on_reject", "\"skip\""),
            ("bind", "\"wwan0\""),
            ("tls", "{ roots = \"system\" }"),
            ("version", "\"5\""),
            ("payload", "\"array\""),
            ("client_id", "\"a\""),
            ("username", "\"a\""),
            ("keep_alive", "\"60s\""),
            ("clean_session", "true"),
            ("retain", "true"),
            ("will", "{ topic = \"a\", payload = \"b\" }"),
            ("window", "10"),
        ],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\nurl = \"mqtts://h\"",
        &[("topic", "\"weir/{ident}\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"",
        &[("url", "\"mqtts://h\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"\nurl = \"mqtts://h\"\n\
         [stream.convert]",
        &[
            ("fields", "[\"a\"]"),
            ("drop", "[\"a\"]"),
            ("set", "{ a = 1 }"),
            ("dots", "\"_\""),
        ],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"\nurl = \"mqtts://h\"\n\
         [stream.tls]",
        &[
            ("ca", "\"/a\""),
            ("roots", "\"system\""),
            ("server_name", "\"h\""),
            ("alpn", "[\"mqtt\"]"),
        ],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"\nurl = \"mqtts://h\"\n\
         [stream.rejects]\nfile = \"/r\"",
        &[("size", "\"1 MiB\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"\nurl = \"mqtts://h\"\n\
         [stream.stamp]\nname = \"a\"",
        &[("of", "\"record\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"\nurl = \"mqtts://h\"\n\
         [stream.retry]\nmin = \"10ms\"",
        &[("max", "\"5m\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"http\"\nurl = \"https://h\"",
        &[
            ("method", "\"PUT\""),
            ("headers", "{ a = \"b\" }"),
            ("auth", "{ bearer = \"a\" }"),
            ("gzip", "true"),
            ("success", "[200]"),
            ("body", "\"{ident}\""),
        ],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"file\"",
        &[("path", "\"/p\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"file\"\npath = \"/p\"\nmax_size = \"1 MiB\"",
        &[("keep", "3")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"file\"\npath = \"/p\"",
        &[("max_size", "\"1 MiB\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"wialon-retranslator\"\naddress = \"h:1\"",
        &[("window", "10"), ("ack", "\"none\""), ("attempts", "5")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"wialon-retranslator\"",
        &[("address", "\"h:1\"")],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"amqp\"\nurl = \"amqp://u:p@127.0.0.1\"",
        &[
            ("exchange", "\"reports\""),
            ("routing_key", "\"weir.{ident}\""),
            ("window", "10"),
            ("heartbeat", "\"60s\""),
        ],
    ),
    (
        "[[stream]]\nname = \"x\"\ntype = \"amqp\"",
        &[("url", "\"amqp://u:p@127.0.0.1\"")],
    ),
];

/// Values of every kind, and words as they are written without thinking of TOML.
const WRONG: [&str; 27] = [
    "8",
    "0",
    "5000000",
    "1.5",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "True",
    "enabled",
    "auto",
    "cloud",
    "30s",
    "64 MB",
    "127.0.0.1:80",
    "/var/x",
    "\"8\"",
    "\"yes\"",
    "\"/x\"",
    "\"64 MB\"",
    "[\"a\"]",
    "[8]",
    "[x, y]",
    "{}",
    "2026-11-29",
];

/// What is wrong in two ways at once, or what nobody can guess.
const HOPELESS: [(&str, &str); 6] = [
    ("delay", "30s"),
    ("token", "64 MB"),
    ("token", "\"64 MB\""),
    ("listen", "[x, y]"),
    ("filter", "\"/x\""),
    ("filter", "\"64 MB\""),
];

#[test]
fn a_value_of_another_kind_gets_a_hint_that_is_accepted() {
    let mut wrong = Vec::new();
    for (head, keys) in KEYS {
        for (key, right) in *keys {
            let file = |value: &str| format!("{head}\n{key} = {value}\n{}", with("", ""));
            let found = errors(&file(right));
            assert!(found.is_empty(), "{}", found[0]);
            let values = WRONG
                .iter()
                .filter(|value| !HOPELESS.contains(&(key, value)));
            wrong.extend(values.filter_map(|value| still_wrong(&file(value))));
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.concat());
}

#[test]
fn a_key_in_the_singular_or_by_another_name_gets_a_hint_that_is_accepted() {
    let file = "[[stream]]\nname = \"x\"\ntype = \"file\"\npath = \"/p\"\n";
    let mqtt = "[[stream]]\nname = \"x\"\ntype = \"mqtt\"\ntopic = \"a\"\nurl = \"mqtts://h\"\n";
    for (head, line) in [
        (file, "channel = \"in\""),
        (file, "channels = \"imn\""),
        (file, "enable = true"),
        (file, "max_message = 5"),
        (file, "reject = { file = \"/r\" }"),
        (file, "stamps = { name = \"a\" }"),
        (mqtt, "user = \"ann\""),
        (mqtt, "client_ids = \"a\""),
        (mqtt, "keep_aliv = \"60s\""),
        (mqtt, "ssl = { roots = \"system\" }"),
        (mqtt, "tls = { cert = \"/a\", key = \"/b\" }"),
        (mqtt, "tls = { cafile = \"/a\" }"),
    ] {
        let text = format!("{head}{line}\n{}", with("", ""));
        assert!(!errors(&text).is_empty(), "{line}");
        let wrong = still_wrong(&text);
        // what needs the key that is misspelt is said as well
        assert_eq!(wrong.unwrap_or_default(), "", "{line}");
    }
}

#[test]
fn a_table_of_another_shape_gets_a_hint_that_is_accepted() {
    let stream = "type = \"file\"\npath = \"/p\"\nchannels = [\"*\"]\n";
    for text in [
        format!("[stream]\nname = \"x\"\n{stream}"),
        format!("[streams]\nname = \"x\"\n{stream}"),
        format!("[[streams]]\nname = \"x\"\n{stream}"),
        format!("[stream.cloud]\n{stream}"),
        "[[log]]\nlevel = \"info\"\n".to_owned(),
        "[logs]\nlevel = \"info\"\n".to_owned(),
        "[[ring]]\nsize = \"8 MiB\"\n".to_owned(),
        format!("[[stream]]\nname = \"x\"\n{stream}[[stream.retry]]\nmin = \"1s\"\n"),
        "[devices]\nname = \"d\"\nident = \"1\"\n".to_owned(),
    ] {
        let text = text + &with("", "").replace("[[stream]]", "[[stream]]\n# behind");
        let found = errors(&text);
        let then = obeyed(&text, found.first().unwrap_or_else(|| panic!("{text}"))).unwrap();
        let left = errors(&then);
        let other = left.first().map(ToString::to_string);
        assert_eq!(other, None, "{text}\nbecame\n{then}");
    }
}

#[test]
fn a_key_before_every_table_is_told_where_it_belongs() {
    let found = errors(&format!("size = \"8 MiB\"\n{}", with("", "")));
    assert_eq!(found[0].message, "`size` stands in no table");
}

#[test]
fn a_drop_in_for_a_misspelt_name_is_told_the_right_one() {
    for (kind, line, meant) in [
        ("stream", "enabled = false", "out"),
        ("channel", "listen = \"127.0.0.1:7001\"", "in"),
        ("device", "data = { plate = \"a\" }", "truck 7"),
    ] {
        let name = format!("{meant}t");
        let drop_in = format!("[[{kind}]]\nname = \"{name}\"\n{line}\n");
        let main = with("", "[[device]]\nname = \"truck 7\"\nident = \"7\"\n");
        let told = Told::new(main).file("weir.d/local.toml", drop_in);
        let expected = format!(
            "weir.d/local.toml:2:8: error: there is no {kind} `{name}`\n    \
             name = \"{name}\"\n           {}\nhint: did you mean `{meant}`?\n",
            "^".repeat(name.len() + 2)
        );
        assert_eq!(told.said(), expected);
        assert_eq!(told.load().config.streams.len(), 1);
    }
}

#[test]
fn a_drop_in_may_say_in_two_files_what_is_new() {
    let config = Told::new(with("", ""))
        .file(
            "weir.d/10.toml",
            "[[stream]]\nname = \"new\"\nchannels = [\"*\"]\n",
        )
        .file(
            "weir.d/20.toml",
            "[[stream]]\nname = \"new\"\ntype = \"file\"\npath = \"/p\"\n",
        )
        .right();
    assert_eq!(config.streams.len(), 2);
}
