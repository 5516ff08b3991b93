//! The metrics as those take them who they are for: Prometheus scrapes a real daemon, promtool
//! judges names, texts and rules, and the dashboard names nothing that is not there. Needs
//! prometheus of Debian, which `tests/run` installs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[path = "../end_to_end/weir.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod weir;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use weir::Folder;
use weir::Lines;
use weir::Weir;
use weir::eventually;
use weir::free_port;
use weir::program::Program;
use weir::web::ask_port;

/// A daemon with one stream that delivers and one that cannot, whose name is not easy to quote.
struct Gateway {
    api: u16,
    _weir: Weir,
}

impl Gateway {
    fn start(name: &str) -> Self {
        let (api, port) = (free_port(), free_port());
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
             commit = {{ delay = \"1ms\", hold = \"0s\" }}\n\
             [api]\nlisten = \"127.0.0.1:{api}\"\ntoken = \"sesame\"\n\
             [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
             [[stream]]\nname = \"copy\"\ntype = \"file\"\npath = \"@/copy.jsonl\"\n\
             channels = [\"*\"]\n\
             [[stream]]\nname = '{AWAY}'\ntype = \"http\"\n\
             url = \"http://127.0.0.1:{}/\"\nchannels = [\"*\"]\n",
            free_port()
        );
        let weir = Weir::start(name, &config);
        let mut lines = Lines::connect(port);
        (0..5).for_each(|_| lines.send("{\"ident\":\"gw-1\"}"));
        lines.await_acked(5);
        lines.send("no json");
        lines.answer();
        let this = Self { api, _weir: weir };
        eventually("it is written", || {
            this.page()
                .contains("weir_stream_accepted_total{stream=\"copy\"} 5\n")
        });
        eventually("the other one fails", || {
            this.page()
                .contains("weir_stream_failing{stream=\"a \\\"b\\\" c\"} 1\n")
        });
        this
    }

    fn page(&self) -> String {
        let token = [("authorization", "Bearer sesame")];
        let (code, page) = ask_port(self.api, "GET", "/metrics", &token, "");
        assert_eq!(code, 200, "{page}");
        page
    }

    /// The families that it has, whether or not they have samples now.
    fn families(&self) -> BTreeSet<String> {
        let page = self.page();
        let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let names = types.map(|line| line.split(' ').next().unwrap().to_owned());
        names.collect()
    }
}

/// Runs promtool; whether it was content, and what it said.
fn promtool(words: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (output.status.success(), said)
}

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    path.join(name).to_str().unwrap().to_owned()
}

/// Names that look like those of metrics, without what a histogram adds to its name.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    let names = words.filter(|word| word.starts_with("weir_"));
    names
        .map(|name| name.strip_suffix("_bucket").unwrap_or(name).to_owned())
        .collect()
}

#[test]
fn promtool_finds_nothing_wrong_with_what_is_scraped() {
    let gateway = Gateway::start("promtool");
    let page = gateway.page();
    let (is_content, said) = promtool(&["check", "metrics"], &page);
    assert!(is_content && said.is_empty(), "{said}\n{page}");
    // and it would have told
    let worse = page.replace("weir_stream_accepted_total", "weir_stream_accepted");
    let (is_content, said) = promtool(&["check", "metrics"], &worse);
    assert!(!is_content && said.contains("_total"), "{said}");
}

#[test]
fn prometheus_scrapes_a_daemon_and_answers() {
    let gateway = Gateway::start("scraped");
    let folder = Folder::new("prometheus");
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n\
         - job_name: weir\n  authorization: {{credentials: sesame}}\n  static_configs:\n  \
         - targets: ['127.0.0.1:{}']\n",
        shipped("weir.rules.yml"),
        gateway.api
    );
    let config = folder.write("prometheus.yml", &config);
    let (_prometheus, port) = Program::serve(|port| {
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command
    });
    // expressions with everything encoded that a query may not have
    let ask = |query: &str| {
        let target = format!("/api/v1/query?query={query}");
        let (code, answer) = ask_port(port, "GET", &target, &[], "");
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        (code == 200).then(|| answer["data"]["result"].clone())
    };
    let one = |query: &str| ask(query)?.get(0)?["value"][1].as_str().map(str::to_owned);
    eventually("it is scraped", || one("up").as_deref() == Some("1"));
    let accepted = "weir_stream_accepted_total%7Bstream%3D%22copy%22%7D";
    eventually("it knows what was delivered", || {
        one(accepted).as_deref() == Some("5")
    });
    let away = "weir_stream_backlog%7Bstream%3D%22a%20%5C%22b%5C%22%20c%22%7D";
    eventually("a name is what it was", || {
        one(away).as_deref() == Some("5")
    });
    let quantile = "histogram_quantile%280.95%2Cweir_stream_ack_latency_seconds_bucket\
                    %7Bstream%3D%22copy%22%7D%29";
    eventually("it reads the histogram", || {
        let seconds = one(quantile).and_then(|value| value.parse::<f64>().ok());
        seconds.is_some_and(|seconds| seconds > 0.0 && seconds <= 65.536)
    });
    eventually("the alerts see the stream that fails", || {
        let query = "ALERTS%7Balertname%3D%22WeirStreamFailing%22%7D";
        one(query).as_deref() == Some("1")
    });
}

#[test]
fn rules_are_sound_and_say_what_is_wrong_and_nothing_else() {
    let rules = shipped("weir.rules.yml");
    let (is_content, said) = promtool(&["check", "rules", &rules], "");
    assert!(is_content, "{said}");
    let folder = Folder::new("rules");
    let cases = include_str!("rules.txt").replace("RULES", &rules);
    let cases = folder.write("rules.yml", &cases);
    let (is_content, said) = promtool(&["test", "rules", cases.to_str().unwrap()], "");
    assert!(is_content, "{said}");
    let text = fs::read_to_string(rules).unwrap();
    let alerts = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        let case = format!("alertname=\"{alert}\"");
        assert!(
            include_str!("rules.txt").contains(&case),
            "no case of {alert}"
        );
    }
}

#[test]
fn rules_and_the_dashboard_name_only_metrics_that_there_are() {
    let gateway = Gateway::start("named");
    let families = gateway.families();
    assert!(families.len() > 40, "{families:?}");
    let board = fs::read_to_string(shipped("weir.grafana.json")).unwrap();
    let board: Value = serde_json::from_str(&board).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: Vec<_> = targets.map(|it| it["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 20 && queries.iter().all(|query| !named(query).is_empty()));
    let rules = fs::read_to_string(shipped("weir.rules.yml")).unwrap();
    for name in named(&queries.join(" ")).union(&named(&rules.to_lowercase())) {
        assert!(families.contains(name), "no `{name}` in {families:?}");
    }
}

#[test]
fn status_check_tells_monitoring_by_its_exit_code() {
    let gateway = Gateway::start("checked");
    let run = |api: u16| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.env("WEIR_API_TOKEN", "sesame");
        let api = format!("127.0.0.1:{api}");
        let output = command.args(["status", "--check", "--api", &api]).output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        (output.status.code(), said)
    };
    let (code, said) = run(gateway.api);
    assert_eq!(code, Some(1), "{said}");
    let wanted = format!("WEIR WARNING - stream {AWAY} NOT CONNECTED: 5 waiting");
    assert!(said.starts_with(&wanted), "{said}");
    assert!(
        said.contains(" | ring_used=") && said.contains(" 'copy.backlog'=0;;;0 "),
        "{said}"
    );
    let (code, said) = run(free_port());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("WEIR CRITICAL - "), "{said}");
}

/// A stream to nobody.
const AWAY: &str = "a \"b\" c";
