//! The daemon itself over TLS to mosquitto and nginx, and its waits.

use crate::certificates::Authority;
use crate::weir_run::Folder;
use crate::weir_run::Lines;
use crate::weir_run::Weir;
use crate::weir_run::eventually;
use crate::weir_run::free_port;
use crate::weir_run::program;
use crate::weir_run::program::Program;
use crate::weir_run::program::SAYS_WHO_SUBSCRIBES;
use crate::weir_run::program::SUBSCRIBED;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

fn config(port: u16, stream: &str) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
         [log]\nlevel = \"debug\"\n\
         [[channel]]\nname = \"in\"\ntype = \"json\"\n\
         listen = [\"127.0.0.1:{port}\", \"unix:@/in\"]\n\
         [[stream]]\nname = \"out\"\nchannels = [\"in\"]\ntimeout = \"1s\"\n{stream}\n"
    )
}

fn send(lines: &mut Lines, numbers: std::ops::Range<u64>) {
    for number in numbers {
        lines.send(&format!("{{\"ident\":\"gw\",\"number\":{number}}}"));
    }
}

/// mosquitto that takes clients with a certificate only; a subscriber writes what it got.
fn mosquitto(authority: &Authority) -> ([Program; 2], u16) {
    let folder = &authority.folder;
    let place = folder.join("");
    let place = place.display();
    authority.issue("localhost");
    let client = authority.issue("subscriber");
    let (mut broker, port) = Program::serve(|port| {
        let config = format!(
            "listener {port} 127.0.0.1\ncafile {place}ca.pem\ncertfile {place}localhost.pem\n\
             keyfile {place}localhost.key\nrequire_certificate true\nallow_anonymous true\n\
             persistence false\nmax_queued_messages 0\nuser root\n{SAYS_WHO_SUBSCRIBES}"
        );
        program::mosquitto(&folder.write("mosquitto.conf", &config))
    });
    let received = fs::File::create(folder.join("received")).unwrap();
    let mut subscriber = Command::new("mosquitto_sub");
    subscriber
        .args(["-i", "all", "-h", "localhost", "-p", &port.to_string()])
        .args(["-q", "1", "-t", "#"])
        .arg("--cafile")
        .arg(authority.ca())
        .arg("--cert")
        .arg(client.certificate)
        .arg("--key")
        .arg(client.key)
        .stdout(received);
    let subscriber = Program::start(&mut subscriber);
    broker.await_said(SUBSCRIBED, 1);
    ([broker, subscriber], port)
}

fn numbers(file: &Path) -> Vec<u64> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let number = |line: &str| {
        let rest = line.split("\"number\":").nth(1)?;
        rest.split([',', '}']).next()?.parse().ok()
    };
    text.lines().filter_map(number).collect()
}

#[test]
fn mosquitto_with_client_certificates_gets_all_in_order() {
    let (authority, port) = (Authority::new("mosquitto"), free_port());
    let (_programs, broker) = mosquitto(&authority);
    let client = authority.issue("gateway");
    let stream = format!(
        "type = \"mqtt\"\nurl = \"mqtts://localhost:{broker}\"\ntopic = \"t/{{ident}}\"\n\
         tls = {{ ca = \"{}\", certificate = \"{}\", key = \"{}\" }}",
        authority.ca().display(),
        client.certificate.display(),
        client.key.display()
    );
    let weir = Weir::start("mqtts", &config(port, &stream));
    weir.await_log("connected");
    let mut lines = Lines::connect(port);
    send(&mut lines, 0..5_000);
    lines.await_acked(5_000);
    let received = authority.folder.join("received");
    eventually("all arrive", || numbers(&received).len() >= 5_000);
    assert_eq!(numbers(&received), (0..5_000).collect::<Vec<_>>());
    let log = weir.log();
    assert!(log.contains("localhost: TLSv1.3"), "{log}");
    assert!(!log.contains("PRIVATE"), "{log}");
}

#[test]
fn nginx_over_https_gets_all_in_order() {
    let (authority, port) = (Authority::new("nginx"), free_port());
    let place = authority.folder.join("");
    let place = place.display();
    authority.issue("localhost");
    let conf = |web: u16| {
        format!(
            "daemon off; master_process off; pid {place}pid; error_log {place}error;\n\
         events {{ worker_connections 64; }}\n\
         http {{ log_format body escape=none '$request_body';\n\
         client_body_buffer_size 4m; client_max_body_size 4m; client_body_temp_path {place}body;\n\
         proxy_temp_path {place}proxy; fastcgi_temp_path {place}f; uwsgi_temp_path {place}u;\n\
         scgi_temp_path {place}s; keepalive_requests 3;\n\
         server {{ listen 127.0.0.1:{web} ssl; ssl_certificate {place}localhost.pem;\n\
         ssl_certificate_key {place}localhost.key;\n\
         location / {{ access_log {place}bodies body; proxy_ssl_verify off;\n\
         proxy_pass https://127.0.0.1:{web}/taken/; }}\n\
         location /taken/ {{ access_log off; return 200; }} }} }}\n"
        )
    };
    let (_server, web) =
        Program::serve(|web| program::nginx(&authority.folder.write("nginx.conf", &conf(web))));
    let stream = format!(
        "type = \"http\"\nurl = \"https://localhost:{web}/\"\nmax_messages = 1\n\
         tls = {{ ca = \"{}\" }}",
        authority.ca().display()
    );
    let weir = Weir::start("https", &config(port, &stream));
    let mut lines = Lines::connect(port);
    send(&mut lines, 0..30);
    lines.await_acked(30);
    let received = authority.folder.join("bodies");
    eventually("all arrive", || numbers(&received).len() >= 30);
    assert_eq!(numbers(&received), (0..30).collect::<Vec<_>>());
    assert!(weir.log().contains("session resumed"), "{}", weir.log());
}

#[test]
fn a_destination_that_never_shakes_hands_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = format!(
        "type = \"mqtt\"\nurl = \"mqtts://127.0.0.1:{port}\"\ntopic = \"t\"\n\
         tls = {{ roots = \"built-in\" }}"
    );
    let weir = Weir::start("silent", &config(free_port(), &stream));
    weir.await_log("no answer within 1s to the TLS handshake; next try in");
}

/// In a network of its own, which has no way anywhere until it gets one.
#[test]
fn a_route_that_appears_ends_the_wait() {
    let usable = Command::new("unshare").args(["-rn", "true"]).status();
    if !usable.is_ok_and(|status| status.success()) {
        return println!("skipped: no right to a network namespace");
    }
    let folder = Folder::new("route");
    let place = folder.join("").display().to_string();
    let stream = "type = \"wialon-retranslator\"\naddress = \"10.9.9.1:5027\"\n\
                  retry = { min = \"1h\", max = \"1h\" }";
    let text = config(5028, stream).replace("127.0.0.1:5028", "0.0.0.0:5027");
    folder.write("weir.toml", &text.replace("@/", &place));
    let script = "\"$0\" -c weir.toml run 2>log & \
                  until [ -e go ]; do sleep 0.05; done; \
                  ip address add 10.9.9.1/24 dev lo; ip link set lo up; \
                  ip route add 10.9.9.0/24 dev lo; \
                  for i in $(seq 600); do [ -e end ] && break; sleep 0.05; done; \
                  kill $!; wait";
    let weir = env!("CARGO_BIN_EXE_weir");
    let mut shell = Command::new("unshare");
    shell.args(["-rn", "sh", "-c", script, weir]);
    let mut shell = shell
        .current_dir(folder.join(""))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
    eventually("it is ready", || log().contains("weir is ready"));
    crate::weir_run::ask_unix(&folder.join("in"), "{\"ident\":\"gw\"}");
    eventually("it waits", || log().contains("next try in 3600.0 s"));
    folder.write("go", "");
    eventually("it connects", || log().contains("stream `out`: connected"));
    folder.write("end", "");
    assert!(shell.wait().is_ok());
    assert!(log().contains("a route has appeared"), "{}", log());
}
