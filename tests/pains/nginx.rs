//! The real nginx, that answers 429, 500, 413, 400 and 200 in turn.

use crate::SMALL;
use crate::assert_balanced;
use crate::config;
use crate::count;
use crate::http;
use crate::send;
use crate::servers::Arrivals;
use crate::stream;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::program;
use crate::weir::program::Program;
use std::fs;

/// Servers in one, asked one after the other.
struct Moody {
    port: u16,
    folder: Folder,
    _server: Program,
}

/// One line of its log.
struct Answer {
    /// In seconds.
    asked_at: f64,
    answered_at: f64,
    status: u16,
    body: String,
}

impl Moody {
    fn start() -> Self {
        let folder = Folder::new("moody");
        let (server, port) = Program::serve(|port| {
            let ports: Vec<u16> = MOODS.iter().map(|_| free_port()).collect();
            program::nginx(&folder.write("nginx.conf", &nginx(port, &ports, &folder)))
        });
        Self {
            port,
            folder,
            _server: server,
        }
    }

    fn answers(&self) -> Vec<Answer> {
        let text = fs::read_to_string(self.folder.join("answers")).unwrap_or_default();
        let answer = |line: &str| {
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().unwrap();
            let answered_at: f64 = word().parse().unwrap();
            let took: f64 = word().parse().unwrap();
            let status = word().parse().unwrap();
            Answer {
                asked_at: answered_at - took,
                answered_at,
                status,
                body: words.next().unwrap_or_default().to_owned(),
            }
        };
        text.lines().map(answer).collect()
    }
}

fn nginx(port: u16, ports: &[u16], folder: &Folder) -> String {
    let place = folder.join("");
    let place = place.display();
    let upstream: String = ports
        .iter()
        .map(|port| format!("server 127.0.0.1:{port}; "))
        .collect();
    let servers: String = ports
        .iter()
        .zip(MOODS)
        .map(|(port, (status, more))| {
            format!(
                "server {{ listen 127.0.0.1:{port}; access_log off; \
                 location / {{ {more} return {status}; }} }}\n"
            )
        })
        .collect();
    format!(
        "daemon off; master_process off; user root;\n\
         pid {place}pid; error_log {place}error;\n\
         events {{ worker_connections 64; }}\n\
         http {{\n log_format answer escape=none '$msec $request_time $status $request_body';\n\
         client_body_buffer_size 4m; client_max_body_size 4m;\n\
         client_body_temp_path {place}body; proxy_temp_path {place}proxy;\n\
         fastcgi_temp_path {place}f; uwsgi_temp_path {place}u; scgi_temp_path {place}s;\n\
         upstream moods {{ {upstream} }}\n{servers}\
         server {{ listen 127.0.0.1:{port}; access_log {place}answers answer;\n\
         location / {{ proxy_pass http://moods; proxy_next_upstream off; }} }} }}\n"
    )
}

/// What nginx answers in turn.
const MOODS: [(u16, &str); 7] = [
    (429, "add_header Retry-After 1 always;"),
    (500, "add_header Retry-After 2 always;"),
    (413, ""),
    (400, ""),
    (200, ""),
    (200, ""),
    (200, ""),
];

#[test]
fn nginx_that_answers_429_500_413_400_in_turn_loses_nothing_and_is_not_asked_too_soon() {
    let (nginx, port) = (Moody::start(), free_port());
    let streams = http(nginx.port, "on_reject = \"retry\"\nmax_messages = 100");
    let mut weir = Weir::start("moody", &config(port, SMALL, &streams));
    send(port, 0..100);
    eventually("all is settled", || count(&weir, "cloud", "backlog") == 0);
    let answers = nginx.answers();
    let accepted = answers.iter().filter(|answer| answer.status == 200);
    let arrivals = Arrivals::of(accepted.map(|answer| &answer.body), "seq");
    arrivals.assert_complete(100);
    assert_eq!(arrivals.repeats, 0);
    let mut waited = 0;
    for pair in answers.windows(2) {
        let pause = pair[1].asked_at - pair[0].answered_at;
        let wanted = match pair[0].status {
            429 => 1.0,
            500 => 2.0,
            _ => 0.0,
        };
        // nginx counts in milliseconds
        assert!(pause >= wanted - 0.003, "{} {pause}", pair[0].status);
        waited += usize::from(wanted > 0.0);
    }
    assert!(waited >= 4, "{waited} waits in {} answers", answers.len());
    assert_eq!(stream(&weir, "cloud")["accepted"], 100);
    assert_balanced(&mut weir);
}
