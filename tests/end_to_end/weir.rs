//! The real daemon in a folder of its own.

#[path = "../support/ports.rs"]
pub(crate) mod ports;
#[allow(dead_code, reason = "not every test that shares this wants all of it")]
#[path = "../support/program.rs"]
pub(crate) mod program;
#[allow(dead_code, reason = "not every test that shares this wants all of it")]
#[path = "../support/web.rs"]
pub(crate) mod web;

pub(crate) use ports::free_port;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// A folder that goes when the test ends well.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = root.join(format!("{name}-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.0));
        }
    }
}

/// `weir run` with its configuration.
pub(crate) struct Weir {
    child: Child,
    pub(crate) folder: Folder,
}

impl Weir {
    /// Starts it and waits until it is ready. `@` in the configuration is its folder.
    pub(crate) fn start(name: &str, config: &str) -> Self {
        Self::start_with(name, config, |_, _| ())
    }

    /// The same, its command and its folder prepared by the test.
    pub(crate) fn start_with(
        name: &str,
        config: &str,
        prepare: impl FnOnce(&mut Command, &Folder),
    ) -> Self {
        let folder = Folder::new(name);
        let place = folder.join("").display().to_string();
        folder.write("weir.toml", &config.replace("@/", &place));
        let mut command = Self::command(&folder);
        prepare(&mut command, &folder);
        let child = command.spawn().unwrap();
        let mut weir = Self { child, folder };
        weir.await_ready();
        weir
    }

    fn command(folder: &Folder) -> Command {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.arg("-c").arg(folder.join("weir.toml")).arg("run");
        command.stdout(Stdio::null()).stderr(log);
        command
    }

    /// Power goes, as far as one process can show it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.await_signal();
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().unwrap().code()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let kill = Command::new("kill").args([name, &pid]).status();
        assert!(kill.unwrap().success());
    }

    /// Writes another configuration and has it read, until it runs or was found wrong.
    pub(crate) fn reload(&self, config: &str) {
        let heard = || {
            let log = self.log();
            let count = |text| log.matches(text).count();
            count("weir is ready") + count("the old one goes on") + count("was read again")
        };
        let before = heard();
        self.reload_unheard(config);
        eventually("the configuration is read", || heard() > before);
    }

    /// The same, where nothing of it is heard on standard error.
    pub(crate) fn reload_unheard(&self, config: &str) {
        let place = self.folder.join("").display().to_string();
        self.folder
            .write("weir.toml", &config.replace("@/", &place));
        self.signal("-HUP");
    }

    pub(crate) fn restart(&mut self) {
        self.restart_with(|_, _| ());
    }

    /// The same, its command prepared by the test.
    pub(crate) fn restart_with(&mut self, prepare: impl FnOnce(&mut Command, &Folder)) {
        fs::rename(self.folder.join("log"), self.folder.join("log.before")).unwrap();
        assert!(self.gets_ready_with(prepare), "it ended: {}", self.log());
    }

    /// Starts it again, its command prepared by the test; whether it gets ready before it ends.
    pub(crate) fn gets_ready_with(&mut self, prepare: impl FnOnce(&mut Command, &Folder)) -> bool {
        fs::write(self.folder.join("log"), "").unwrap();
        let mut command = Self::command(&self.folder);
        prepare(&mut command, &self.folder);
        self.child = command.spawn().unwrap();
        let mut ended = None;
        eventually("it is ready, or ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some() || self.log().contains("weir is ready")
        });
        ended.is_none()
    }

    /// Waits for its end; the signal that ended it.
    pub(crate) fn await_signal(&mut self) -> Option<i32> {
        let mut ended = None;
        eventually("it ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.and_then(|status| status.signal())
    }

    fn await_ready(&mut self) {
        eventually("weir is ready", || {
            let ended = self.child.try_wait().unwrap();
            let ready = self.log().contains("weir is ready");
            assert!(ready || ended.is_none(), "it ended: {ended:?}");
            ready
        });
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn await_log(&self, text: &str) {
        eventually(&format!("`{text}` in the log"), || {
            self.log().contains(text)
        });
    }

    /// Names of its threads, the working one first.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap();
        let mut names: Vec<_> = tasks
            .map(|task| name(task.unwrap()).trim().to_owned())
            .collect();
        names.sort_by_key(|name| name != "weir");
        names
    }

    /// What it holds of its own: `RssAnon`, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("RssAnon:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Bytes that it made the kernel write to disks, whole pages.
    pub(crate) fn written(&self) -> u64 {
        let counts = fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap();
        let mut lines = counts.lines();
        let bytes = lines.find_map(|line| line.strip_prefix("write_bytes: "));
        bytes.unwrap().parse().unwrap()
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- the daemon's log\n{}", self.log());
        }
    }
}

/// A JSON lines client that keeps count of what is acknowledged.
pub(crate) struct Lines {
    socket: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Lines {
    pub(crate) fn connect(port: u16) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let answers = BufReader::new(socket.try_clone().unwrap());
        Self { socket, answers }
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.socket
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads answers until `count` messages are acknowledged.
    pub(crate) fn await_acked(&mut self, count: u64) {
        loop {
            let answer = self.answer();
            let acked = answer
                .strip_prefix("{\"acked\":")
                .and_then(|rest| rest.strip_suffix('}'));
            let acked: u64 = acked
                .unwrap_or_else(|| panic!("not acked: {answer}"))
                .parse()
                .unwrap();
            if acked >= count {
                return assert_eq!(acked, count);
            }
        }
    }
}

/// Sends one line over a Unix socket and returns the answer.
pub(crate) fn ask_unix(path: &Path, line: &str) -> String {
    let mut socket = UnixStream::connect(path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(socket).read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

/// Waits until something holds; the test fails when it does not for too long.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How long anything may take on a busy machine before a test calls it never.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A report of a truck, told from others by its `seq`.
pub(crate) fn message(number: u64) -> String {
    format!(
        "{{\"ident\":\"352093081234567\",\"timestamp\":{},\"position.latitude\":54.6872,\
         \"position.longitude\":25.2797,\"position.speed\":{},\"din\":1,\"seq\":{number}}}",
        1_763_900_000 + number,
        number % 110
    )
}
