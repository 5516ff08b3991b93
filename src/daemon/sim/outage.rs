//! A day's outage, in virtual time: what it writes into the log and into the file of events, and
//! that it is still to be seen after an hour of health.

use super::destination::Destination;
use super::destination::Kind;
use super::destination::Mood;
use super::network;
use super::network::Network;
use super::oracle::Oracle;
use super::oracle::Truth;
use super::plan;
use super::time;
use super::trace;
use super::world::date;
use crate::api::Control;
use crate::api::Line;
use crate::api::NOT_DELIVERED;
use crate::api::Origin;
use crate::api::Page;
use crate::api::STARTED;
use crate::clock::Clock;
use crate::daemon::Daemon;
use crate::daemon::conditions::Watch;
use crate::daemon::events_file::Sync;
use crate::ring::Ring;
use crate::ring::sim::disk::Disk;
use crate::ring::sim::random::Random;
use crate::stream::engine::Tally;
use smol::LocalExecutor;
use smol::Task;
use std::cell::RefCell;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// A gateway whose time goes as it is told.
struct Gateway {
    daemon: Daemon,
    executor: Rc<LocalExecutor<'static>>,
    tasks: Vec<Task<()>>,
    network: network::Shared,
    t: Duration,
}

impl Gateway {
    /// With a destination of that mood; what it keeps is in `folder`.
    fn start(folder: &Path, mood: Mood, at: Duration) -> Self {
        time::set(at, date(at), true);
        let ring = folder.join("ring");
        let text = format!(
            "[ring]\nfile = \"{}\"\n[api]\nlisten = \"off\"\n\
             [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:5027\"\n\
             [[stream]]\nname = \"cloud\"\ntype = \"http\"\nurl = \"http://127.0.0.1:{}/\"\n\
             channels = [\"in\"]\n",
            ring.display(),
            network::PORT
        );
        let (_, promised) = plan::draw(&mut Random::new(1), false);
        let oracle = Oracle::new(promised.into_iter().map(Truth::new).collect());
        let mut destination = Destination::new(0, Kind::Http, Random::new(2));
        destination.mood = mood;
        let network = Network::new(vec![destination], oracle, Random::new(3));
        let network = Rc::new(RefCell::new(network));
        network.borrow_mut().t = at;
        network::enter(Some(Rc::clone(&network)));
        let clock = Clock::new();
        let config = plan::read(&text);
        let disk = Box::new(Disk::new(8192 + (4 << 20), 512, Random::new(4)));
        let mut settings = config.ring.settings.clone();
        settings.size = 8192 + (4 << 20);
        let (ring, _) = Ring::open(disk, settings, clock.now(), 7).unwrap();
        let daemon = Daemon::new(config, clock, ring).keeping_events();
        daemon.note_start();
        let executor = Rc::new(LocalExecutor::new());
        let mut tasks = daemon.keep_working(&executor);
        let sums = daemon.clone().keep_summing_up(Duration::from_mins(15));
        tasks.push(executor.spawn(sums));
        let watching = daemon.clone().keep_watching(Watch::begin(&daemon));
        tasks.push(executor.spawn(watching));
        tasks.push(executor.spawn(daemon.clone().keep_writing_events()));
        Self {
            daemon,
            executor,
            tasks,
            network,
            t: at,
        }
    }

    /// Lives until `end`; each `step` something happens.
    fn live(&mut self, end: Duration, step: Duration, mut act: impl FnMut(&Daemon)) {
        let mut next_act = self.t + step;
        while self.t < end {
            while self.executor.try_tick() {}
            let event = self.network.borrow().next_event();
            let next = [event, time::due(), Some(next_act)]
                .into_iter()
                .flatten()
                .min();
            self.t = next.unwrap().max(self.t);
            self.network.borrow_mut().t = self.t;
            time::set(self.t, date(self.t), true);
            time::wake();
            loop {
                let event = self.network.borrow_mut().take_event();
                let Some(event) = event else { break };
                self.network.borrow_mut().happen(event);
            }
            if self.t >= next_act {
                act(&self.daemon);
                next_act += step;
            }
        }
    }

    fn append(daemon: &Daemon) {
        let stream = &daemon.all_streams()[0];
        let body = format!("{{\"ident\":\"a\",\"text\":\"{}\"}}", "x".repeat(250));
        daemon
            .shared
            .ring
            .append(stream.id.mask(), daemon.shared.now(), body.as_bytes())
            .unwrap();
    }

    fn logs(&self) -> Vec<Line> {
        let page = Page {
            count: 10_000,
            after: 0,
        };
        self.daemon.logs(Origin::All, page).unwrap()
    }

    /// Bytes written to the file, and how often.
    fn worn(&self) -> (u64, u64) {
        let file = self.daemon.shared.journals.file.borrow();
        file.as_ref().unwrap().worn.get()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.tasks.clear();
        while self.executor.try_tick() {}
        network::enter(None);
        time::end();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("weir-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn events(&self) -> u64 {
        let file = self.0.join("ring.events.log");
        file.metadata().map_or(0, |found| found.len())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

fn outage(lines: &[Line]) -> &Line {
    let mut all = lines.iter().rev();
    let found = all.find(|line| line.name == "cloud" && line.event.event_code == NOT_DELIVERED);
    found.unwrap()
}

#[test]
fn a_day_away_is_few_lines_and_few_bytes_and_is_seen_after_an_hour_of_health() {
    let folder = Folder::new("outage");
    trace::listen();
    let mut gateway = Gateway::start(&folder.0, Mood::Refusing, HOUR);
    // more than the ring holds: it drops in the end
    gateway.live(25 * HOUR, 5 * SECOND, Gateway::append);
    let said = trace::heard();
    println!(
        "a day away: {} lines, worn {:?}, {} bytes",
        said.len(),
        gateway.worn(),
        folder.events()
    );
    assert!(
        said.iter().any(|line| line.contains("not connected")),
        "{said:?}"
    );
    assert!(
        said.iter().any(|line| line.contains("dropping")),
        "{said:?}"
    );
    assert!(said.len() < 100, "{}: {said:#?}", said.len());
    let (bytes, writes) = gateway.worn();
    assert!(bytes < 64 << 10 && writes < 100, "{bytes} in {writes}");
    let tally = Tally {
        accepted: 1,
        answers: 1,
        ..Tally::default()
    };
    gateway.live(26 * HOUR, SECOND, |daemon| {
        daemon.all_streams()[0].note_sent(&daemon.shared, &tally);
    });
    let lines = gateway.logs();
    let away = &outage(&lines).event;
    assert!(away.count > 200 && away.duration > 82_800.0, "{away:?}");
    // and so it is after a cut of the power
    drop(gateway);
    let gateway = Gateway::start(&folder.0, Mood::Refusing, 27 * HOUR);
    let lines = gateway.logs();
    let kept = &outage(&lines).event;
    assert!(kept.count >= 128 && kept.reason == away.reason, "{kept:?}");
    assert!(kept.timestamp_valid && kept.timestamp <= away.timestamp);
    assert!(lines.is_sorted_by_key(|line| line.event.id));
    let start = lines.last().unwrap();
    assert_eq!(start.event.event_code, STARTED);
    assert!(start.event.id > away.id);
    let reason = start.event.reason.as_deref().unwrap();
    assert!(reason.ends_with("it crashed or was killed"), "{reason}");
}

#[test]
fn an_ordinary_day_writes_little() {
    let folder = Folder::new("ordinary");
    let mut gateway = Gateway::start(&folder.0, Mood::Refusing, HOUR);
    let stream = gateway.daemon.all_streams()[0].clone();
    // a gateway on the road: no network for some minutes, each hour
    gateway.live(25 * HOUR, HOUR, |daemon| {
        let lost = crate::api::CONNECTION_LOST;
        let text = Some("mqtts://broker.example.com:8883: no answer within 30 s");
        stream.note(&daemon.shared, lost, Some(-2), text);
        for _ in 0..5 {
            let text = Some("mqtts://broker.example.com:8883: network is unreachable");
            stream.note(&daemon.shared, NOT_DELIVERED, Some(-1), text);
        }
        stream.note(&daemon.shared, crate::api::CONNECTED, None, None);
    });
    gateway.daemon.note_stop("by SIGTERM");
    gateway.daemon.write_events(Sync::Now);
    println!("an ordinary day: worn {:?}", gateway.worn());
    let (bytes, writes) = gateway.worn();
    assert!(bytes < 24 << 10 && writes < 40, "{bytes} in {writes}");
    drop(gateway);
    let gateway = Gateway::start(&folder.0, Mood::Refusing, 26 * HOUR);
    let last = gateway.logs().pop().unwrap();
    let version = format!("weir {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        last.event.reason.as_deref(),
        Some(version.as_str()),
        "it was told to end"
    );
}
