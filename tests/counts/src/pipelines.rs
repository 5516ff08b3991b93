//! Whole pipelines: the daemon that is shipped, under valgrind, with trackers and destinations of
//! the benchmark on loopback. What a message takes is the difference of two runs, so that neither
//! the start nor the end is in it.

use crate::program::free_port;
use crate::receive::Output;
use crate::receive::Receiver;
use crate::send::Input;
use crate::send::Sender;
use crate::valgrind;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// What goes in and what comes out, and how many allocations a message may take.
pub(crate) struct Pipeline(pub(crate) &'static str, Input, Output, f64);

/// What a message takes on its way through.
pub(crate) struct Taken {
    pub(crate) instructions: u64,
    /// Calls of `malloc` and its like.
    pub(crate) allocations: f64,
    /// [`Taken::allocations`] at most.
    pub(crate) allocations_max: f64,
}

pub(crate) const PIPELINES: &[Pipeline] = &[
    Pipeline("pipeline_http_http", Input::Http, Output::Http, 2.0),
    Pipeline("pipeline_json_http", Input::Lines, Output::Http, 1.0),
    Pipeline("pipeline_json_mqtt", Input::Lines, Output::Mqtt, 0.6),
    Pipeline("pipeline_mqtt_mqtt", Input::Mqtt, Output::Mqtt, 0.6),
    Pipeline(
        "pipeline_teltonika_wialon",
        Input::Teltonika,
        Output::Wialon,
        4.0,
    ),
];

impl Pipeline {
    /// What a message takes. How the work falls into turns differs from run to run, by a per cent
    /// at most; the least of some runs hardly does.
    pub(crate) fn count(&self, weir: &Path, folder: &Path) -> Taken {
        let least = |messages| {
            let runs = (0..RUNS).map(|_| self.run(weir, folder, messages));
            let least =
                |one: (u64, u64), other: (u64, u64)| (one.0.min(other.0), one.1.min(other.1));
            runs.reduce(least).expect("there is a run")
        };
        let (few, many) = (least(FEW), least(MANY));
        let messages = MANY - FEW;
        Taken {
            instructions: many.0.saturating_sub(few.0) / messages,
            allocations: many.1.saturating_sub(few.1) as f64 / messages as f64,
            allocations_max: self.3,
        }
    }

    /// Instructions and allocations of one life that so many messages pass.
    fn run(&self, weir: &Path, folder: &Path, messages: u64) -> (u64, u64) {
        let Self(name, input, output, _) = self;
        let folder = folder.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the daemon");
        let destination = Receiver::start(*output, 0).expect("a destination");
        let port = free_port();
        let config = folder.join("weir.toml");
        let text = config_text(&folder, (*input, port), (*output, destination.port()));
        fs::write(&config, text).expect("a configuration");
        let collected = folder.join("collected");
        let mut daemon = Daemon::start(weir, &config, &collected);
        daemon.listens(port);
        let mut sender = Sender::connect(*input, port, IDENTS).expect("it listens");
        sender.send(0, messages).expect("all is taken");
        destination.wait_for(messages);
        assert_eq!(destination.unique(), messages, "{name}: lost");
        drop(sender);
        daemon.end();
        let instructions = valgrind::collected(&collected).expect("what valgrind has counted");
        let allocations = valgrind::allocations(&collected).expect("what valgrind has seen");
        assert!(allocations > 0, "it knows the allocator");
        (instructions, allocations)
    }
}

fn config_text(folder: &Path, input: (Input, u16), output: (Output, u16)) -> String {
    let channel = match input.0 {
        Input::Mqtt => "mqtt",
        Input::Lines | Input::SilentLines => "json",
        Input::Http => "http",
        Input::Teltonika => "teltonika",
    };
    let (place, to) = (format!("127.0.0.1:{}", output.1), "{ident}");
    let stream = match output.0 {
        Output::Mqtt => format!("\"mqtt\"\nurl = \"mqtt://{place}\"\ntopic = \"t/{to}\""),
        Output::Http => format!("\"http\"\nurl = \"http://{place}/\""),
        Output::Wialon | Output::Lines => {
            format!("\"wialon-retranslator\"\naddress = \"{place}\"")
        }
    };
    format!(
        "[ring]\nfile = \"{}/ring\"\nsize = \"64 MiB\"\n[log]\nlevel = \"warn\"\n\
         [api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"in\"\ntype = \"{channel}\"\nlisten = \"127.0.0.1:{}\"\n\
         [[stream]]\nname = \"out\"\nchannels = [\"in\"]\ntype = {stream}\n",
        folder.display(),
        input.1
    )
}

/// weir under valgrind; it dies with this program.
struct Daemon {
    child: Child,
}

impl Daemon {
    /// Called by the first thread only: it is the one whose end the kernel watches.
    fn start(weir: &Path, config: &Path, collected: &Path) -> Self {
        let valgrind = valgrind::callgrind(collected);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        command
            .arg(valgrind.get_program())
            .args(valgrind.get_args());
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command.arg(weir).args(["run", "-c"]).arg(config);
        let said = fs::File::create(config.with_extension("said")).expect("a file");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(said).spawn();
        Self {
            child: child.expect("setpriv, of util-linux"),
        }
    }

    fn listens(&mut self, port: u16) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.try_wait().expect("it is a child");
            assert!(ended.is_none(), "weir under valgrind: {ended:?}");
            assert!(start.elapsed() < PATIENCE, "it never listens");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// In good order, so that valgrind tells what it counted.
    fn end(&mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.is_ok_and(|status| status.success()), "kill");
        let ended = self.child.wait().expect("it is a child");
        assert!(ended.success(), "weir under valgrind: {ended}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Messages of the two runs.
const FEW: u64 = 2000;
const MANY: u64 = 6000;
/// Of each.
const RUNS: usize = 2;
/// Devices.
const IDENTS: u64 = 50;
/// How long a daemon may take to listen, on a machine that others use too.
const PATIENCE: Duration = Duration::from_secs(120);
