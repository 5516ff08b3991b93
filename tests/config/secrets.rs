//! Every key that may hold a secret, and every kind of mistake beside it: the secret is never
//! shown. What `check` prints and what `run` logs are the same text.

use crate::told::Told;
use crate::told::with;

/// Stands for a password.
const SECRET: &str = "hunter2";

/// The head of a table, and lines in it that hold a secret and are right, or nearly.
const HOLDERS: &[(&str, &[&str])] = &[
    (
        "[api]\nlisten = \"127.0.0.1:1\"",
        &["token = \"hunter2\"", "tokn = \"hunter2\""],
    ),
    (
        "[[channel]]\nname = \"c\"\ntype = \"http\"\nlisten = \"127.0.0.1:2\"",
        &[
            "token = \"hunter2\"",
            "tokens = [\"hunter2\"]",
            "password = \"hunter2\"",
        ],
    ),
    (
        "[[channel]]\nname = \"c\"\ntype = \"mqtt\"\nlisten = \"127.0.0.1:2\"",
        &[
            "users = { ann = \"hunter2\" }",
            "user = { ann = \"hunter2\" }",
            "users = \"ann:hunter2\"",
            "user = \"ann:hunter2\"",
            "usres = { ann = \"hunter2\" }",
            "users = [{ ann = \"hunter2\" }]",
            "users = [[\"ann\", \"hunter2\"]]",
            "users.ann = { password = \"hunter2\" }",
        ],
    ),
    (
        "[[channel]]\nname = \"c\"\ntype = \"mqtt\"",
        &[
            "connect = \"mqtt://ann:hunter2@h\"",
            "connect = \"mqtt://hunter2@h\"",
            "connect = \"mqtt://h/?token=hunter2\"",
            "connect = \"ann:hunter2@h:1883\"",
        ],
    ),
    (
        "[[stream]]\nname = \"s\"\ntype = \"amqp\"",
        &[
            "url = \"amqp://ann:hunter2@h\"",
            "url = \"amqp://ann:hunter2@h/a/b\"",
            "url = \"amqp://ann:hunter2@h/?x\"",
            "url = \"amqp://ann:hunter2@h/%FF\"",
            "url = \"amqp://ann:hunter2%+F@h\"",
            "url = \"amqp://ann:hunter2%00@h\"",
            "url = \"amqp://:hunter2@h\"",
            "url = \"amqp://hunter2@h\"",
            "url = \"rabbit://ann:hunter2@h\"",
        ],
    ),
    (
        "[[channel]]\nname = \"c\"\ntype = \"wialon-ips\"\nlisten = \"127.0.0.1:2\"",
        &[
            "password = \"hunter2\"",
            "passwrod = \"hunter2\"",
            "passwort = \"hunter2\"",
        ],
    ),
    (
        "[[stream]]\nname = \"s\"\ntype = \"http\"",
        &[
            "url = \"https://h/api/v1/hunter2/telemetry\"",
            "url = \"https://h:0/hunter2\"",
            "url = \"https://h/../hunter2\"",
            "url = \"https://h/{hunter2\"",
            "url = \"https://h/{x y}/hunter2/{\"",
            "rul = \"https://h/hunter2\"",
        ],
    ),
    (
        "[[stream]]\nname = \"s\"\ntype = \"wialon-ips\"\naddress = \"h:1\"",
        &[
            "password = \"hunter2\"",
            "password = \"hunter2;\"",
            "passwrod = \"hunter2\"",
        ],
    ),
    (
        "[[stream]]\nname = \"s\"\ntype = \"http\"\nurl = \"https://h\"",
        &[
            "auth = \"hunter2\"",
            "auth = \"Bearer hunter2\"",
            "auth = [\"ann\", \"hunter2\"]",
            "auth = { bearer = \"hunter2\" }",
            "auth = { baerer = \"hunter2\" }",
            "auth = { basic = \"ann:hunter2\" }",
            "auth = { user = \"ann\", password = \"hunter2\" }",
            "auth = { user = \"ann\", psw = \"hunter2\" }",
            "auth = { hunter = { x = \"hunter2\" } }",
            "auth.bearer = \"hunter2\"",
            "authorization = \"Bearer hunter2\"",
            "headers = { Authorization = \"Bearer hunter2\" }",
            "headers = { \"X-Anything\" = \"hunter2\" }",
            "headers = { \"X Anything\" = \"hunter2\" }",
            "headers = [\"Authorization: Bearer hunter2\"]",
            "headers = \"Authorization: Bearer hunter2\"",
            "header = { \"X-Anything\" = \"hunter2\" }",
            "headrs = { \"X-Anything\" = \"hunter2\" }",
            "body = '{\"api_key\":\"hunter2\",\"id\":{ident}'",
            "cookie = \"hunter2\"",
            "api_key = \"hunter2\"",
            "apikey = \"hunter2\"",
            "client_secret = \"hunter2\"",
            "credentials = \"hunter2\"",
            "login = \"ann:hunter2\"",
            "tls = { key = \"hunter2\" }",
            "tls = { certificate = \"/c\", key = \"-----BEGIN hunter2\" }",
            "tls = { certificate = \"/c\", key = \"/k\", password = \"hunter2\" }",
            "tls = { certificate = \"/c\", key = \"/k\", passphrase = \"hunter2\" }",
        ],
    ),
    (
        "[[stream]]\nname = \"s\"\ntype = \"http\"",
        &[
            "url = \"https://h/x?token=hunter2\"",
            "url = \"https://h/x?key=hunter2&id={ident\"",
            "url = \"https://h:0/x?a=hunter2\"",
            "url = \"htps://h/x?a=hunter2\"",
            "url = \"h/x?a=hunter2\"",
            "url = \"https://ann:hunter2@h/{ident\"",
            "url = \"https://hunter2@h/{ident\"",
            "url = \"https:/ann:hunter2@h\"",
            "ulr = \"https://h/x?a=hunter2\"",
            "url = [\"https://h/x?a=hunter2\"]",
        ],
    ),
    (
        "[[stream]]\nname = \"s\"\ntype = \"mqtt\"\ntopic = \"t\"\nurl = \"mqtts://h\"",
        &[
            "username = \"hunter2\"\nurl = 5",
            "password = \"hunter2\"",
            "pasword = \"hunter2\"",
            "pass = \"hunter2\"",
            "pwd = \"hunter2\"",
            "password = \"${env:NONE:-hunter2}\"",
            "client_id = \"${env:NONE:-hunter2}\"",
            "client_idd = \"${env:NONE:-hunter2}\"",
            "keep_alive = \"${env:NONE:-hunter2}\"",
            "keep_alive = \"${evn:NONE:-hunter2}\"",
            "keep_alive = \"${env:NONE:-hunter2\"",
            "keep_alive = \"${env:PASSWORD}\"",
            "bind = \"${env:PASSWORD}/\"",
            "version = \"${file:/password}\"",
            "password = \"\"\"\nhunter2\n\"\"\"",
            "password = '''hunter2'''",
            "password = { value = \"hunter2\" }",
            "password = [\"hunter2\"]",
            "retain = 5 # the password is hunter2",
            "password = \"x\" # before: hunter2",
            "will = { topic = \"t\", payload = \"x\", password = \"hunter2\" }",
            "[stream.auth]\nbearer = \"hunter2\"",
            "[[stream.users]]\nann = \"hunter2\"",
        ],
    ),
];

/// What is done to the line with the secret.
const MISTAKES: &[fn(&str) -> String] = &[
    str::to_owned,
    |line| line.replace('"', ""),
    |line| line.replacen(" = ", " ", 1),
    |line| line.replacen(" = ", ": ", 1),
    |line| line.replacen(" = ", " == ", 1),
    |line| line.replacen(" = ", " = = ", 1),
    |line| line.replacen('"', "", 1),
    |line| line.replace(" = ", "="),
    |line| line.replacen(" = ", " = [", 1),
    |line| line.replacen(" = ", " = { x = ", 1),
    |line| line.replacen('"', "'", 1),
    |line| line.replacen('"', "\"\"\"", 1),
    |line| line.replace(['}', ']'], ""),
    |line| line.replace("hunter2", "hunter2\\q"),
    |line| line.replace("hunter2", "hunter2 \u{e9}\t"),
    |line| line.replace("hunter2", "hunter2{"),
    |line| line.replace("hunter2", "${env:NONE:-hunter2}"),
    |line| line.replace("hunter2", "${env:NONE:-hunter2"),
    |line| line.replace("hunter2", "${env:PASSWORD}"),
    |line| line.replace("hunter2", "${file:/password}"),
    |line| format!("{line}\n{line}"),
    |line| format!("{line} # hunter2"),
    |line| format!("x_{line}"),
    |line| format!("{line} x"),
    |line| format!("export {line}"),
    |line| line.to_uppercase().replace("HUNTER2", "hunter2"),
    |line| format!("max_messages = \"x\"\n{line}"),
];

#[test]
fn a_secret_is_not_shown_whatever_is_wrong_with_its_line() {
    let mut shown = Vec::new();
    for (head, lines) in HOLDERS {
        for line in *lines {
            for (number, mistake) in MISTAKES.iter().enumerate() {
                let text = format!("{head}\n{}\n{}", mistake(line), with("", ""));
                let told = Told::new(text)
                    .variable("PASSWORD", SECRET)
                    .file("/password", SECRET);
                let said = told.said() + &told.shown();
                if said.contains(SECRET) {
                    let at = said.lines().position(|line| line.contains(SECRET)).unwrap();
                    let around: Vec<_> = said.lines().skip(at.saturating_sub(1)).take(4).collect();
                    shown.push(format!(
                        "mistake {number} of `{line}`\n{}\n",
                        around.join("\n")
                    ));
                }
            }
        }
    }
    assert!(shown.is_empty(), "{}: {}", shown.len(), shown.concat());
}

#[test]
fn what_is_no_secret_is_shown() {
    let text = with("", "topic = \"weir/{ident\"\nclient_id = 5\n");
    let said = Told::new(text).said();
    assert!(!said.contains("***"), "{said}");
}

#[test]
fn the_configuration_in_effect_has_the_place_of_each_key_and_no_secret() {
    let text = "[[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\nurl = \"mqtts://h\"\n\
                topic = \"a\"\npassword = \"hunter2\"\nclient_id = \"${env:PASSWORD}\"\n\
                bind = \"${hostname}\"\nretry = { min = \"1s\" }\nchannels = [\n  \"a\", # b\n]\n";
    let told = Told::new(text)
        .variable("PASSWORD", SECRET)
        .file("/proc/sys/kernel/hostname", "gw-7\n")
        .file(
            "weir.d/b.toml",
            "[[stream]]\nname = \"cloud\"\ntopic = \"b\"\n",
        );
    let wanted = "[[stream]]\n\
        name = \"cloud\"                           # weir.d/b.toml:2\n\
        type = \"mqtt\"                            # weir.toml:3\n\
        url = \"mqtts://h\"                        # weir.toml:4\n\
        topic = \"b\"                              # weir.d/b.toml:3\n\
        password = \"***\"                         # weir.toml:6\n\
        client_id = \"${env:PASSWORD}\"            # weir.toml:7\n\
        bind = \"gw-7\"                            # weir.toml:8\n\
        retry.min = \"1s\"                         # weir.toml:9\n\
        channels = [\"a\"]                         # weir.toml:10\n";
    assert_eq!(told.shown(), wanted);
}
