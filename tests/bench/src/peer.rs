//! Who is measured: weir and those that somebody would take instead, each with its configuration.

use crate::program::Outcome;
use crate::program::Program;
use crate::program::free_port;
use crate::receive::Output;
use crate::send::Input;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A program and how it is set.
#[derive(Clone, PartialEq, Debug)]
pub enum Peer {
    Weir(PathBuf),
    /// A broker with a bridge; it saves its database when it has not changed for long, or each
    /// change.
    Mosquitto(Saving),
    /// TCP to TCP through a queue.
    Rsyslog(Queue),
}

/// When mosquitto writes its database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Saving {
    /// As it is shipped: nothing is saved.
    Never,
    /// Each half an hour, as its manual has it.
    Seldom,
    /// Each change.
    Always,
}

/// Where rsyslog's queue lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queue {
    /// In memory, on disk when that is full.
    Assisted,
    /// On disk, synced.
    Synced,
}

/// What is started for a run.
#[derive(Clone, Debug)]
pub struct Setup {
    pub peer: Peer,
    pub input: Input,
    pub output: Output,
    /// Keys of weir's `[ring]`.
    pub ring: String,
    /// Keys of its channel.
    pub channel: String,
    /// Where its MQTT streams publish.
    pub topic: String,
    /// Keys of each of its streams.
    pub stream: String,
    /// Tables behind all that.
    pub tables: String,
}

/// Where the parts of a run are.
pub struct Places<'a> {
    /// The program's folder, empty at its start.
    pub folder: &'a Path,
    /// Where trackers connect.
    pub port: u16,
    /// Where destinations listen, or will; more than one for weir alone.
    pub destinations: &'a [u16],
}

impl Setup {
    pub fn new(peer: Peer, input: Input, output: Output) -> Self {
        Self {
            peer,
            input,
            output,
            ring: "size = \"64 MiB\"".into(),
            channel: String::new(),
            topic: "trackers/{ident}".into(),
            stream: String::new(),
            tables: String::new(),
        }
    }

    /// Starts the program, and waits until trackers can connect.
    pub fn start(&self, places: &Places<'_>) -> Outcome<Program> {
        let _ = fs::remove_dir_all(places.folder);
        fs::create_dir_all(places.folder).map_err(|error| error.to_string())?;
        let config = places.folder.join("config.toml");
        let (text, command) = match &self.peer {
            Peer::Weir(program) => {
                let program = program.display().to_string();
                let command = vec![program, "run".into(), "-c".into()];
                (self.weir(places), command)
            }
            Peer::Mosquitto(saving) => {
                let command = vec!["mosquitto".into(), "-c".into()];
                (mosquitto(*saving, places), command)
            }
            Peer::Rsyslog(queue) => {
                let pid = places.folder.join("pid").display().to_string();
                let words = ["rsyslogd", "-n", "-i", &pid, "-f"];
                (rsyslog(*queue, places), words.map(String::from).to_vec())
            }
        };
        fs::write(&config, text).map_err(|error| error.to_string())?;
        let config = config.display().to_string();
        let mut command: Vec<_> = command.iter().map(String::as_str).collect();
        command.push(&config);
        let mut program = Program::start(&command, &places.folder.join("log"))?;
        program.listens(places.port)?;
        Ok(program)
    }

    fn weir(&self, places: &Places<'_>) -> String {
        let folder = places.folder.display();
        let input = match self.input {
            Input::Mqtt => "mqtt",
            Input::Lines | Input::SilentLines => "json",
            Input::Http => "http",
            Input::Teltonika => "teltonika",
        };
        let mut text = format!(
            "[ring]\nfile = \"{folder}/ring\"\n{}\n[log]\nlevel = \"warn\"\n\
             [api]\nlisten = \"unix:{folder}/api\"\n\
             [[channel]]\nname = \"in\"\ntype = \"{input}\"\nlisten = \"127.0.0.1:{}\"\n{}\n",
            self.ring, places.port, self.channel
        );
        for (index, port) in places.destinations.iter().enumerate() {
            let destination = match self.output {
                Output::Mqtt => format!(
                    "type = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n\
                     topic = \"{}\"",
                    self.topic
                ),
                Output::Http => format!("type = \"http\"\nurl = \"http://127.0.0.1:{port}/\""),
                Output::Wialon | Output::Lines => {
                    format!("type = \"wialon-retranslator\"\naddress = \"127.0.0.1:{port}\"")
                }
            };
            text += &format!(
                "[[stream]]\nname = \"out {index}\"\nchannels = [\"in\"]\n\
                 retry = {{ min = \"1s\", max = \"1s\" }}\n{destination}\n{}\n",
                self.stream
            );
        }
        text + &self.tables
    }
}

fn mosquitto(saving: Saving, places: &Places<'_>) -> String {
    let folder = places.folder.display();
    let saving = match saving {
        Saving::Never => "persistence false".into(),
        Saving::Seldom => format!("persistence true\npersistence_location {folder}/"),
        Saving::Always => format!(
            "persistence true\npersistence_location {folder}/\n\
             autosave_interval 1\nautosave_on_changes true"
        ),
    };
    let destination = places
        .destinations
        .first()
        .copied()
        .unwrap_or_else(free_port);
    format!(
        "user root\nlistener {} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n{saving}\n\
         log_type warning\nlog_type error\n\
         connection out\naddress 127.0.0.1:{destination}\ntopic # out 1\ncleansession false\n\
         notifications false\ntry_private false\nbridge_protocol_version mqttv311\n\
         start_type automatic\nrestart_timeout 1\n",
        places.port
    )
}

fn rsyslog(queue: Queue, places: &Places<'_>) -> String {
    let folder = places.folder.display();
    let queue = match queue {
        Queue::Assisted => "queue.type=\"LinkedList\" queue.size=\"10000\"",
        Queue::Synced => {
            "queue.type=\"Disk\" queue.syncqueuefiles=\"on\" queue.checkpointinterval=\"1\""
        }
    };
    let destination = places
        .destinations
        .first()
        .copied()
        .unwrap_or_else(free_port);
    format!(
        "global(workDirectory=\"{folder}\")\nmodule(load=\"imptcp\" threads=\"1\")\n\
         template(name=\"line\" type=\"string\" string=\"%rawmsg%\\n\")\n\
         ruleset(name=\"out\") {{\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{destination}\" protocol=\"tcp\" \
         template=\"line\" {queue} queue.filename=\"queue\" queue.maxDiskSpace=\"4g\" \
         queue.saveOnShutdown=\"on\" queue.timeoutEnqueue=\"100000\" \
         action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\")\n}}\n\
         input(type=\"imptcp\" address=\"127.0.0.1\" port=\"{}\" ruleset=\"out\")\n",
        places.port
    )
}
