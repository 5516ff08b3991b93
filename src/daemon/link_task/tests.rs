//! The loop over a file: what a simulated network does not show.

use super::Connected;
use super::LinkTask;
use super::Next;
use super::Probe;
use super::probe::task;
use super::try_destination;
use crate::clock::Clock;
use crate::daemon::traffic::Tap;
use crate::net::Target;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::NetworkEndpoint;
use crate::stream::Open;
use crate::stream::TlsUse;
use crate::stream::file::File;
use crate::stream::http::Http;
use crate::stream::settings::Delivery;
use crate::stream::settings::Settings;
use smol::future::block_on;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("weir-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("log.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn to_file(path: &Path) -> Settings {
    let second = Duration::from_secs(1);
    let settings = Settings::new("copy", File::new(path));
    Settings {
        delivery: Delivery {
            timeout: second,
            retry_max: second,
            ..settings.delivery
        },
        ..settings
    }
}

/// One turn of a task with one message, and what follows.
fn one_turn(path: &Path) -> (LinkTask, Next) {
    let mut task = task(to_file(path), Probe::Deliver, Clock::new()).unwrap();
    let stream = Rc::clone(&task.stream);
    let connection = block_on(task.connect(&stream)).unwrap();
    let mut connected = Connected::new(
        connection,
        task.link(&stream),
        (Tap::new(&task.shared), String::new()),
    );
    // as before a connection is made; what is read in a turn is due in the next
    task.exchange(task.shared.now());
    let next = task.turn(&mut connected).unwrap();
    assert!(connected.out.is_empty());
    (task, next)
}

#[test]
fn what_a_turn_writes_to_a_file_it_settles_so_that_no_stop_has_it_written_twice() {
    let folder = Folder::new("turn");
    let (task, next) = one_turn(&folder.file());
    let counters = task.shared.ring.counters(task.stream.id);
    assert_eq!((counters.accepted, counters.backlog), (1, 0));
    assert!(matches!(next, Next::Again));
    assert!(task.stream.shown.connected.get());
    assert_eq!(
        task.stream.shown.bytes.get(),
        (0, 0),
        "no network has seen them"
    );
}

#[test]
fn a_file_that_cannot_be_written_has_its_stream_wait_and_say_why() {
    let folder = Folder::new("missing");
    let (task, _) = one_turn(&folder.0.join("missing/log.json"));
    let counters = task.shared.ring.counters(task.stream.id);
    assert_eq!((counters.accepted, counters.backlog), (0, 1));
    assert!(!task.stream.shown.connected.get());
    assert!(task.stream.shown.next_try.get().is_some());
    let error = task.stream.last_error(&task.shared).unwrap();
    assert!(error.contains("there is no folder"), "{error}");
}

#[test]
fn a_file_is_probed_by_its_folder_or_by_a_line() {
    let folder = Folder::new("probe");
    let probe = |path: &Path, probe| {
        let tried = try_destination(to_file(path), probe, Clock::new());
        block_on(tried)
    };
    let shown = folder.file().display().to_string();
    let told = probe(&folder.file(), Probe::Connect).unwrap();
    assert_eq!(told, format!("{shown}: its folder is there"));
    assert!(!folder.file().exists());
    let told = probe(&folder.file(), Probe::Deliver).unwrap();
    assert_eq!(told, format!("{shown}: took a test message"));
    let text = std::fs::read_to_string(folder.file()).unwrap();
    assert!(text.contains("weir-check") && text.lines().count() == 1);
    let missing = folder.0.join("missing/log.json");
    let error = probe(&missing, Probe::Deliver).unwrap_err();
    assert!(error.ends_with("there is no such folder"), "{error}");
    let error = probe(Path::new("/dev/null"), Probe::Deliver).unwrap_err();
    assert_eq!(error, "/dev/null: `/dev/null`: not a regular file");
}

/// A destination that nobody answers at, beside one that knows why.
#[derive(Debug, PartialEq)]
struct Silent {
    here: Target,
    there: Http,
}

static SILENT: Kind = Kind::new("silent", |_| None);

impl Destination for Silent {
    fn kind(&self) -> &'static Kind {
        &SILENT
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(false, "https://");
        Endpoint::Network(NetworkEndpoint::new(&self.here, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        self.there.link(open)
    }

    fn inquiry(&self) -> Option<Rc<dyn Destination>> {
        Some(Rc::new(self.there.clone()))
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the far end is another program")]
fn of_what_fails_is_told_what_another_knows_of_it() {
    let listen = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, there) = (listen(), listen());
    let target = |listener: &std::net::TcpListener| Target {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
    };
    let silent = Silent {
        here: target(&here),
        there: Http::new(target(&there)),
    };
    drop(here);
    std::thread::spawn(move || {
        use std::io::Read;
        use std::io::Write;
        let (mut socket, _) = there.accept().unwrap();
        assert!(socket.read(&mut [0; 4096]).unwrap() > 0);
        let answer = b"HTTP/1.1 404 X\r\nContent-Length: 6\r\n\r\nnobody";
        socket.write_all(answer).unwrap();
    });
    let settings = Settings::new("cloud", silent);
    let tried = block_on(try_destination(settings, Probe::Connect, Clock::new()));
    let why = tried.unwrap_err();
    assert!(why.contains("refused"), "{why}");
    assert!(why.contains(" says: 404 Not Found: nobody"), "{why}");
}
