//! The file that a stream appends to, in a folder of its own.

use crate::world::World;
use crate::world::number_of;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use weir::clock::Clock;
use weir::net::Connection;
use weir::net::FileConnection;
use weir::net::FileSeries;
use weir::net::LineFile;
use weir::net::Rotation;
use weir::stream::DeliveryError;
use weir::stream::Link;
use weir::stream::LinkContext;
use weir::stream::file::File;
use weir::stream::file::FileLink;
use weir::stream::rejects;
use weir::stream::render::MessageView;
use weir::stream::settings::Transform;

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("weir-file-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> PathBuf {
        self.0.join("log.json")
    }

    /// The numbers of the messages in a file.
    fn numbers(&self, name: &str) -> Vec<u64> {
        let text = std::fs::read_to_string(self.0.join(name)).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines()
            .map(|line| number_of(&serde_json::from_str(line).unwrap()))
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A file, and what the daemon's loop has of it.
struct Output {
    settings: File,
    connection: Connection,
}

impl Output {
    fn new(path: &Path, max_size: Option<u64>, keep: u32) -> Self {
        let rotation = Rotation {
            max_size,
            every: None,
            keep: Some(keep),
        };
        let path = path.to_owned();
        let files = FileSeries::new(path.clone(), rotation);
        let connection = FileConnection::new(files, Clock::new());
        Self {
            settings: File { path, rotation },
            connection: Connection::File(Box::new(connection)),
        }
    }

    /// Writes all that waits, as the daemon does in its turns; whether the last batch was taken.
    fn deliver(&mut self, world: &mut World) -> bool {
        let transform = Transform::default();
        let mut link = FileLink::new(&self.settings, MessageView::new(&transform));
        let (mut out, mut input) = (Vec::new(), Vec::new());
        loop {
            world.serve();
            link.send(&mut turn(world, &mut out)).unwrap();
            if out.is_empty() {
                return link.is_ready();
            }
            self.connection.try_write(&mut out).unwrap();
            assert!(self.connection.has_answered());
            self.connection.try_read(&mut input).unwrap();
            let used = link.receive(&input, &mut turn(world, &mut out)).unwrap();
            assert_eq!(input.drain(..used).len(), used);
            assert!(input.is_empty() && !self.connection.has_answered());
        }
    }
}

fn turn<'a>(world: &'a mut World, out: &'a mut Vec<u8>) -> LinkContext<'a> {
    LinkContext {
        now: world.now,
        engine: &mut world.engine,
        out,
        random: 0,
    }
}

#[test]
fn what_is_given_up_is_kept_with_its_reason_in_two_files_of_a_bounded_size() {
    let (folder, mut world) = (Folder::new(), World::new());
    let mut file = LineFile::new(folder.path(), Some(1_000), 1);
    world.append_many(100);
    for n in 0..100 {
        let seq = world.engine.next(world.now).unwrap().seq;
        let now = world.now;
        if n % 5 == 0 {
            world.engine.accepted(0, &[seq], now);
        } else {
            let error = DeliveryError::new(400, "no \"good\"");
            world.engine.refused(0, &[seq], &error, now, 0);
        }
        let lines = rejects::take_lines(&mut world.engine);
        if !lines.is_empty() {
            file.append(&lines).unwrap();
        }
    }
    assert_eq!(world.counters().given_up, 80);
    assert_eq!(folder.names(), ["log.json", "log.json.1"]);
    let read = |name| std::fs::read_to_string(folder.0.join(name)).unwrap();
    let (new, old) = (read("log.json"), read("log.json.1"));
    assert!(new.len() <= 1_000 && old.len() <= 1_000 && old.len() > 800);
    let last: serde_json::Value = serde_json::from_str(new.lines().last().unwrap()).unwrap();
    assert_eq!(last["reason"], "no \"good\"");
    assert_eq!(number_of(&last["message"]), 99);
}

#[test]
fn rejects_that_cannot_be_written_name_their_file_and_what_is_wrong_with_it() {
    let (folder, mut world) = (Folder::new(), World::new());
    let mut file = LineFile::new(folder.0.join("missing/rejects"), Some(1_000), 1);
    world.append_many(1);
    let seq = world.engine.next(world.now).unwrap().seq;
    let (error, now) = (DeliveryError::new(400, "no"), world.now);
    world.engine.refused(0, &[seq], &error, now, 0);
    let lines = rejects::take_lines(&mut world.engine);
    let told = file.append(&lines).unwrap_err().to_string();
    let expected = "missing/rejects`: there is no folder `";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn each_message_is_a_line_and_accepted_once_it_is_written() {
    let (folder, mut world) = (Folder::new(), World::new());
    let mut file = Output::new(&folder.path(), None, 0);
    assert!(!file.deliver(&mut world));
    world.append_many(150);
    assert!(file.deliver(&mut world));
    assert_eq!(folder.numbers("log.json"), (0..150).collect::<Vec<_>>());
    assert_eq!(world.counters().accepted, 150);
    world.append_many(2);
    let mut file = Output::new(&folder.path(), None, 0);
    file.deliver(&mut world);
    assert_eq!(folder.numbers("log.json").len(), 152);
}

#[test]
fn a_file_that_would_grow_too_large_is_set_aside() {
    let (folder, mut world) = (Folder::new(), World::new());
    let mut file = Output::new(&folder.path(), Some(1000), 2);
    for _ in 0..40 {
        world.append_many(1);
        file.deliver(&mut world);
    }
    assert_eq!(folder.names(), ["log.json", "log.json.1", "log.json.2"]);
    let mut all = folder.numbers("log.json.2");
    all.extend(folder.numbers("log.json.1"));
    all.extend(folder.numbers("log.json"));
    assert_eq!(all, (40 - all.len() as u64..40).collect::<Vec<_>>());
    for name in folder.names() {
        assert!(std::fs::metadata(folder.0.join(name)).unwrap().len() <= 1000);
    }
    world.append_many(30);
    file.deliver(&mut world);
    assert!(
        std::fs::metadata(folder.path()).unwrap().len() <= 1000,
        "a batch is no longer"
    );
}

#[test]
fn without_files_to_keep_the_old_one_goes() {
    let (folder, mut world) = (Folder::new(), World::new());
    let mut file = Output::new(&folder.path(), Some(300), 0);
    for _ in 0..9 {
        world.append_many(1);
        file.deliver(&mut world);
    }
    assert_eq!(folder.names(), ["log.json"]);
    assert_eq!(folder.numbers("log.json").last(), Some(&8));
}

#[test]
fn a_torn_last_line_is_ended_when_the_file_is_opened() {
    let (folder, mut world) = (Folder::new(), World::new());
    std::fs::write(folder.path(), "{\"n\":7}\n{\"n\"").unwrap();
    world.append_many(1);
    Output::new(&folder.path(), None, 0).deliver(&mut world);
    let text = std::fs::read_to_string(folder.path()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["{\"n\":7}", "{\"n\""]);
    assert_eq!(number_of(&serde_json::from_str(lines[2]).unwrap()), 0);
}

#[test]
fn a_file_that_was_moved_away_is_made_anew() {
    let (folder, mut world) = (Folder::new(), World::new());
    let mut file = Output::new(&folder.path(), None, 0);
    world.append_many(1);
    file.deliver(&mut world);
    std::fs::rename(folder.path(), folder.0.join("moved")).unwrap();
    world.append_many(1);
    file.deliver(&mut world);
    assert_eq!(folder.numbers("moved"), [0]);
    assert_eq!(folder.numbers("log.json"), [1]);
}

#[test]
fn where_nothing_can_be_written_the_messages_wait() {
    let (folder, mut world) = (Folder::new(), World::new());
    let inside = folder.0.join("missing");
    let mut file = Output::new(&inside.join("log.json"), None, 0);
    world.append_many(2);
    assert!(!file.deliver(&mut world));
    assert_eq!(world.counters().backlog, 2);
    let told = format!("{:?}", world.events());
    assert!(
        told.contains("missing/log.json`: there is no folder `"),
        "{told}"
    );
    std::fs::create_dir(&inside).unwrap();
    world.wait();
    file.deliver(&mut world);
    assert_eq!(world.counters().accepted, 2);
}

#[test]
fn what_is_no_regular_file_is_left_alone() {
    let mut world = World::new();
    world.append_many(1);
    Output::new(Path::new("/dev/null"), None, 0).deliver(&mut world);
    assert_eq!(world.counters().backlog, 1);
    assert!(format!("{:?}", world.events()).contains("not a regular file"));
}

/// Rejects are written by the same means.
#[test]
fn others_than_its_group_do_not_read_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, mut world) = (Folder::new(), World::new());
    world.append_many(1);
    Output::new(&folder.path(), None, 0).deliver(&mut world);
    let mode = std::fs::metadata(folder.path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!((mode & 0o600, mode & 0o137), (0o600, 0), "{mode:o}");
}
