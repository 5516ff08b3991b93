//! InfluxDB 1.6.7 as Debian has it.

use crate::weir::Folder;
use crate::weir::free_port;
use crate::weir::program::Program;
use crate::weir::web;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

/// A server with a user `admin` and a database `weir` that keeps a month.
pub(crate) struct Influxd {
    pub(crate) port: u16,
    _folder: Folder,
    _server: Program,
}

impl Influxd {
    pub(crate) fn start() -> Self {
        let folder = Folder::new("influxdb");
        let place = folder.join("").display().to_string();
        let (server, port) = Program::serve(|port| {
            let text = format!(
                "reporting-disabled = true\nbind-address = \"127.0.0.1:{}\"\n\
                 [meta]\ndir = \"{place}meta\"\n\
                 [data]\ndir = \"{place}data\"\nwal-dir = \"{place}wal\"\n\
                 [http]\nbind-address = \"127.0.0.1:{port}\"\nauth-enabled = true\n\
                 max-body-size = {BODY_MAX}\n",
                free_port()
            );
            let mut command = Command::new("influxd");
            command
                .arg("-config")
                .arg(folder.write("influxdb.conf", &text));
            command
        });
        let this = Self {
            port,
            _folder: folder,
            _server: server,
        };
        this.ask("CREATE USER admin WITH PASSWORD 'pw' WITH ALL PRIVILEGES");
        // a field has one type within a shard: one that changes each hour would forget it
        this.ask("CREATE DATABASE weir WITH DURATION 30d SHARD DURATION 30d");
        this
    }

    pub(crate) fn ask(&self, query: &str) -> Value {
        let mut escaped = String::new();
        for byte in query.bytes() {
            write!(escaped, "%{byte:02X}").unwrap();
        }
        let target = format!("/query?u=admin&p=pw&db=weir&q={escaped}");
        let (status, text) = web::ask_port(self.port, "POST", &target, &[], "");
        assert_eq!(status, 200, "{query}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Stores lines past weir.
    pub(crate) fn write(&self, lines: &str) {
        let target = "/write?u=admin&p=pw&db=weir";
        let (status, text) = web::ask_port(self.port, "POST", target, &[], lines);
        assert_eq!(status, 204, "{lines}: {text}");
    }

    /// What it has of a measurement: each row by its columns, in the order of time.
    pub(crate) fn rows(&self, measurement: &str) -> Vec<Value> {
        let said = self.ask(&format!("SELECT * FROM \"{measurement}\""));
        let series = &said["results"][0]["series"][0];
        let Some(rows) = series["values"].as_array() else {
            return Vec::new();
        };
        let columns = series["columns"].as_array().unwrap();
        let row = |row: &Value| {
            let named = columns.iter().zip(row.as_array().unwrap());
            let named = named.map(|(name, value)| (name.as_str().unwrap().into(), value.clone()));
            Value::Object(named.collect())
        };
        rows.iter().map(row).collect()
    }
}

/// Bytes of a request at most, so that a message can be too large.
pub(crate) const BODY_MAX: usize = 16_000;
