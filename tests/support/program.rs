//! Programs of others that listen, each known to be the one that was started.

use super::Folder;
use super::PATIENCE;
use super::ports::free_port;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// A program that ends with the test.
pub(crate) struct Program {
    child: Child,
    folder: Folder,
}

impl Program {
    /// Starts what a command is for; what it says goes into files unless the command says where.
    pub(crate) fn start(command: &mut Command) -> Self {
        let folder = Folder::new("program");
        let said = fs::File::create(folder.join("said")).unwrap();
        let child = command.stdin(Stdio::null()).stderr(said).spawn().unwrap();
        Self { child, folder }
    }

    /// Starts a program that listens on the port that its command is made with, and waits until it
    /// does. One that ends before gets another port.
    pub(crate) fn serve(mut command: impl FnMut(u16) -> Command) -> (Self, u16) {
        let mut why = String::new();
        for _ in 0..TRIES {
            let port = free_port();
            match Self::try_on(port, &mut command(port)) {
                Ok(this) => return (this, port),
                Err(error) => why = error,
            }
        }
        panic!("{why}");
    }

    /// The same on a port that the test has already: where one that was there before listened.
    pub(crate) fn serve_on(port: u16, command: &mut Command) -> Self {
        Self::try_on(port, command).unwrap_or_else(|why| panic!("{why}"))
    }

    fn try_on(port: u16, command: &mut Command) -> Result<Self, String> {
        let mut this = Self::start(command.stdout(Stdio::null()));
        let start = Instant::now();
        while !listens(this.id(), port) {
            if let Some(status) = this.child.try_wait().unwrap() {
                return Err(format!("{command:?}: {status}\n{}", this.said()));
            }
            if start.elapsed() > PATIENCE {
                panic!("{command:?} never listens on {port}\n{}", this.said());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(this)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote as errors.
    pub(crate) fn said(&self) -> String {
        let said = fs::read(self.folder.join("said")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Waits until it has written this so many times; the test fails where it ends before.
    pub(crate) fn await_said(&mut self, text: &str, times: usize) {
        let start = Instant::now();
        while self.said().matches(text).count() < times {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{ended:?} before `{text}`\n{}",
                self.said()
            );
            assert!(
                start.elapsed() < PATIENCE,
                "never `{text}`\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends it a signal by its name: `HUP`, `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// SIGTERM, and its end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    /// SIGKILL, and its end.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// mosquitto with a file of configuration.
pub(crate) fn mosquitto(config: &Path) -> Command {
    let mut command = Command::new("/usr/sbin/mosquitto");
    command.arg("-c").arg(config);
    command
}

/// nginx with a file of configuration.
pub(crate) fn nginx(config: &Path) -> Command {
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-c").arg(config);
    command
}

/// Lines of the broker's configuration with which it says [`SUBSCRIBED`].
pub(crate) const SAYS_WHO_SUBSCRIBES: &str =
    "log_dest stderr\nlog_type error\nlog_type warning\nlog_type notice\nlog_type subscribe\n";

/// What a broker says once the subscriber hears what is published.
pub(crate) const SUBSCRIBED: &str = ": all 1 #\n";

/// Whether a process, or one of the group that it leads, listens on a TCP port.
pub(crate) fn listens(id: u32, port: u16) -> bool {
    let sockets = listening(port);
    !sockets.is_empty() && group(id).any(|id| has_one(&id, &sockets))
}

/// What listens on a TCP port, as links of descriptors name it.
fn listening(port: u16) -> Vec<String> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        for line in table.lines().skip(1) {
            let words: Vec<_> = line.split_whitespace().collect();
            // where it is, its state, its inode
            if words[1].ends_with(&format!(":{port:04X}")) && words[3] == "0A" {
                found.push(format!("socket:[{}]", words[9]));
            }
        }
    }
    found
}

/// The process, and all of its group.
fn group(leader: u32) -> impl Iterator<Item = String> {
    let leader = leader.to_string();
    let named = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
    let all = fs::read_dir("/proc")
        .unwrap()
        .filter_map(move |it| named(it).ok());
    all.filter(move |id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // behind the name, which may hold anything: state, parent, group
        let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
        *id == leader || behind.split(' ').nth(2) == Some(&leader)
    })
}

/// Whether a process has one of these sockets. One that has given up rights does not show what it
/// has: then it is believed.
fn has_one(id: &str, sockets: &[String]) -> bool {
    match fs::read_dir(format!("/proc/{id}/fd")) {
        Ok(mut entries) => entries.any(|entry| {
            let link = entry.and_then(|entry| fs::read_link(entry.path()));
            link.is_ok_and(|link| sockets.iter().any(|socket| link.as_os_str() == &**socket))
        }),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// Ports that are tried: each was free a moment before.
const TRIES: usize = 5;
