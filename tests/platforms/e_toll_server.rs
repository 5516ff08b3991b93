//! An interface as e-TOLL's: nginx that lets in who shows a certificate of one issuer, and behind
//! it a server of ours that reads the rows. It can be told to keep no more than the first row of a
//! request.

use crate::certificates::Authority;
use crate::contract::Contract;
use crate::contract::Request;
use crate::contract::Taken;
use crate::contract::web;
use crate::weir::Folder;
use crate::weir::program::Program;
use crate::weir::program::nginx;
use serde_json::Value;

/// A serial number of no vehicle.
pub(crate) const UNKNOWN: &str = "352093089999999";

/// Bytes of a request at most.
pub(crate) const BODY_MAX: usize = 16_000;

pub(crate) struct EToll {
    /// Of nginx.
    pub(crate) port: u16,
    server: Contract,
    authority: Authority,
    other: Authority,
    _nginx: (Program, Folder),
}

impl EToll {
    pub(crate) fn start(keeps_all: bool) -> Self {
        let (authority, other) = (Authority::new("e-toll"), Authority::new("e-toll-other"));
        let own = authority.issue("localhost");
        let (certificate, key) = (own.certificate.display(), own.key.display());
        let (folder, ca) = (Folder::new("e-toll"), authority.ca());
        let (server, place) = (
            web(move |it, taken| judge(it, taken, keeps_all)),
            folder.join(""),
        );
        let (place, ca) = (place.display(), ca.display());
        let (program, port) = Program::serve(|port| {
            let text = format!(
                "daemon off; master_process off; user root;\n\
                 pid {place}pid; error_log {place}error;\n\
                 events {{ worker_connections 64; }}\n\
                 http {{ access_log off; client_body_temp_path {place}body;\n\
                 proxy_temp_path {place}p; fastcgi_temp_path {place}f;\n\
                 uwsgi_temp_path {place}u; scgi_temp_path {place}s;\n\
                 server {{ listen 127.0.0.1:{port} ssl; client_max_body_size {BODY_MAX};\n\
                 ssl_certificate {certificate}; ssl_certificate_key {key};\n\
                 ssl_client_certificate {ca}; ssl_verify_client on;\n\
                 location / {{ proxy_pass http://127.0.0.1:{}; }} }} }}\n",
                server.port()
            );
            nginx(&folder.write("nginx.conf", &text))
        });
        Self {
            port,
            server,
            authority,
            other,
            _nginx: (program, folder),
        }
    }

    /// The keys of a stream to it by this port, with the certificate of `who`: `operator`, or
    /// `stranger`, whom another has issued one.
    pub(crate) fn keys(&self, port: u16, who: &str) -> String {
        let (operator, stranger) = (
            self.authority.issue("operator"),
            self.other.issue("stranger"),
        );
        let place = self.authority.folder.join("");
        for (from, name) in [(operator, "operator"), (stranger, "stranger")] {
            std::fs::copy(from.certificate, place.join(format!("{name}.crt"))).unwrap();
            std::fs::copy(from.key, place.join(format!("{name}.private"))).unwrap();
        }
        let place = place.display();
        format!(
            "url = \"https://localhost:{port}/rows\"\n\
             fields = {{ serialNumber = \"{{ident}}\", seq = \"{{seq}}\", \
             latitude = \"{{position.latitude}}\", fixTime = \"{{timestamp}}\", \
             event = \"location\", more = \"{{text:-null}}\" }}\n\
             tls = {{ ca = \"{place}ca.pem\", certificate = \"{place}{who}.crt\", \
             key = \"{place}{who}.private\" }}"
        )
    }

    pub(crate) fn taken(&self) -> Vec<u64> {
        self.server.taken()
    }
}

/// All rows of a request are taken, or none.
fn judge(request: &Request, taken: &Taken, keeps_all: bool) -> (u16, String) {
    let rows: Vec<Value> = serde_json::from_str(&request.body).unwrap();
    assert!((1..=10_000).contains(&rows.len()) && request.path == "/rows");
    for row in &rows {
        assert!(row["latitude"].is_f64() && row["fixTime"].is_u64(), "{row}");
        assert_eq!(row["event"], "location");
        if row["serialNumber"] == UNKNOWN {
            return (400, "a row of no vehicle".to_owned());
        }
    }
    let kept = if keeps_all { rows.len() } else { 1 };
    for row in &rows[..kept] {
        taken.add(row["seq"].as_u64().unwrap());
    }
    (200, "{}".to_owned())
}
