//! RabbitMQ from Debian, beside any other: a node, ports, a port mapper and folders of its own,
//! and no system service. It takes some seconds to start.

use crate::weir::program::Program;
use crate::weir::program::listens;
use crate::weir::{Folder, eventually, free_port};
use serde_json::Value;
use std::process::Command;

/// A broker that ends with the test.
pub(crate) struct RabbitMq {
    /// Where AMQP is spoken.
    pub(crate) port: u16,
    /// Where MQTT is spoken.
    pub(crate) mqtt_port: u16,
    place: Place,
    server: Program,
    /// Erlang's port mapper: it would stay for ever if the node had to start it.
    _epmd: Program,
}

/// What every command for the node has to know.
struct Place {
    folder: Folder,
    epmd_port: u16,
    distribution_port: u16,
}

impl RabbitMq {
    /// With these users, virtual hosts, queues and so on.
    pub(crate) fn start(definitions: &Value) -> Self {
        let (epmd, epmd_port) = Program::serve(|port| {
            let mut epmd = Command::new("epmd");
            epmd.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
            epmd
        });
        let place = Place {
            folder: Folder::new("rabbitmq"),
            epmd_port,
            distribution_port: free_port(),
        };
        place
            .folder
            .write("definitions.json", &definitions.to_string());
        place.folder.write("enabled", PLUGINS);
        let mqtt_port = free_port();
        let (server, port) = Program::serve(|port| {
            place.configure(port, mqtt_port);
            place.command("rabbitmq-server")
        });
        let this = Self {
            port,
            mqtt_port,
            place,
            server,
            _epmd: epmd,
        };
        this.await_mqtt();
        this
    }

    /// [`rabbitmq.py`](rabbitmq.py) with words, for a virtual host.
    pub(crate) fn reader(&self, vhost: &str, words: &[&str]) -> Command {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/rabbitmq.py");
        let mut command = Command::new("/usr/bin/python3");
        command
            .args([script, &self.port.to_string(), vhost])
            .args(words);
        command
    }

    /// Of the process.
    #[allow(dead_code, reason = "not every test asks")]
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// Power goes.
    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    /// Power comes back.
    pub(crate) fn resume(&mut self) {
        let mut command = self.place.command("rabbitmq-server");
        self.server = Program::serve_on(self.port, &mut command);
        self.await_mqtt();
    }

    /// `rabbitmqctl` with words.
    pub(crate) fn control(&self, words: &[&str]) {
        let output = self.place.command("rabbitmqctl").args(words).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
    }

    fn await_mqtt(&self) {
        eventually("RabbitMQ listens for MQTT", || {
            listens(self.server.id(), self.mqtt_port)
        });
    }
}

impl Place {
    fn configure(&self, port: u16, mqtt_port: u16) {
        let definitions = self.folder.join("definitions.json");
        let config = format!(
            "listeners.tcp.1 = 127.0.0.1:{port}\n\
             mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt_port}\n\
             mqtt.allow_anonymous = false\nloopback_users = none\n\
             load_definitions = {}\nlog.file.level = warning\n\
             max_message_size = 20000\n",
            definitions.display()
        );
        self.folder.write("rabbitmq.conf", &config);
    }

    /// A program of RabbitMQ's, for this node.
    fn command(&self, name: &str) -> Command {
        let path = |name: &str| self.folder.join(name);
        // not the one on the path, which wants to be its own user
        let mut command = Command::new(format!("/usr/lib/rabbitmq/bin/{name}"));
        command
            .env("HOME", path(""))
            .env(
                "RABBITMQ_NODENAME",
                format!("weir{}@localhost", self.epmd_port),
            )
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_MNESIA_BASE", path("db"))
            .env("RABBITMQ_LOG_BASE", path("log"))
            .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled"))
            .env("RABBITMQ_PID_FILE", path("pid"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none")
            // the node itself is the process that is started, and no shell around it
            .env("RUNNING_UNDER_SYSTEMD", "true");
        command
    }
}

const PLUGINS: &str = "[rabbitmq_mqtt, rabbitmq_consistent_hash_exchange].";
