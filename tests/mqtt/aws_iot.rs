//! `aws-iot` on port 443: nginx, which takes TLS by the protocol that ALPN names and wants a
//! certificate, before mosquitto.

use crate::asking;
use crate::broker::Broker;
use crate::certificates::Authority;
use crate::weir::program::{Program, nginx};
use crate::weir::{Folder, Weir, eventually, free_port};
use crate::{config, send};
use std::fs;

/// nginx with its module for streams.
struct Front {
    port: u16,
    folder: Folder,
    _program: Program,
}

impl Front {
    fn before(broker: u16, authority: &Authority) -> Self {
        let (folder, _) = (Folder::new("front"), authority.issue("localhost"));
        let (own, place) = (folder.join(""), authority.folder.join(""));
        let (own, place) = (own.display(), place.display());
        let (program, port) = Program::serve(|port| {
            let config = format!(
                "daemon off; master_process off; user root;\n\
                 pid {own}pid; error_log {own}error info;\n\
                 load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n\
                 events {{ worker_connections 64; }}\n\
                 stream {{ log_format who '$ssl_alpn_protocol $ssl_client_s_dn';\n\
                 server {{ listen 127.0.0.1:{port} ssl; access_log {own}access who;\n\
                 ssl_certificate {place}localhost.pem; ssl_certificate_key {place}localhost.key;\n\
                 ssl_client_certificate {place}ca.pem; ssl_verify_client on;\n\
                 ssl_alpn x-amzn-mqtt-ca; proxy_pass 127.0.0.1:{broker}; }} }}\n"
            );
            nginx(&folder.write("nginx.conf", &config))
        });
        Self {
            port,
            folder,
            _program: program,
        }
    }
}

/// `443` stands for the port of the front: only there ALPN says what is spoken.
fn stream(front: &Front, authority: &Authority, alpn: &str) -> String {
    let place = authority.folder.join("");
    let place = place.display();
    format!(
        "endpoint = \"localhost\"\nport = {}\nthing = \"gateway\"\n\
         tls = {{ ca = \"{place}ca.pem\", certificate = \"{place}gateway.pem\", \
         key = \"{place}gateway.key\"{alpn} }}",
        front.port
    )
}

#[test]
fn port_443_is_spoken_to_by_the_protocol_that_alpn_names() {
    let authority = Authority::new("aws-443");
    authority.issue("gateway");
    let broker = Broker::start("max_inflight_messages 1000\n");
    let front = Front::before(broker.port, &authority);
    let port = free_port();
    let of = |alpn: &str| {
        let keys = stream(&front, &authority, alpn);
        let text = config(port, &keys).replace("type = \"mqtt\"", "type = \"aws-iot\"");
        text.replace("retry =", "rate = 10000\nretry =")
    };
    let wrong = Weir::start("aws-wrong", &of(", alpn = [\"mqtt\"]"));
    send(port, 0..100);
    wrong.await_log("stream `cloud`: not connected");
    assert_eq!(asking::count(&wrong, "cloud", "backlog"), 100);
    // what is offered where the port is 443 stands in `weir::stream::aws_iot`
    wrong.reload(&of(", alpn = [\"x-amzn-mqtt-ca\"]"));
    send(port, 100..1_000);
    eventually("all arrive", || broker.arrivals().first.len() == 1_000);
    broker.arrivals().assert_complete(1_000);
    drop(wrong);
    let said = || fs::read_to_string(front.folder.join("access")).unwrap();
    eventually("nginx says who that was", || {
        said().contains("x-amzn-mqtt-ca CN=gateway")
    });
}
