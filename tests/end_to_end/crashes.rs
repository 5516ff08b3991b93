//! `kill -9` again and again under load, on a real file: what was acknowledged arrives, in order,
//! and little of it twice.

use crate::config;
use crate::message;
use crate::mqtt;
use crate::sender::Sender;
use crate::servers::Arrivals;
use crate::servers::Cable;
use crate::servers::Mosquitto;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use std::collections::HashSet;
use std::thread::sleep;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

#[test]
fn two_hundred_crashes_lose_nothing_and_repeat_little() {
    let mut random = Random::new();
    let (broker, port) = (Mosquitto::start(), free_port());
    let cable = Cable::new(broker.port);
    let stream = mqtt("cloud", cable.port, "channels = [\"*\"]");
    let mut weir = Weir::start("crashes", &config(port, &stream));
    let (mut sender, mut away_for, mut crashes) = (
        Sender::new(port, UNANSWERED as u64, message),
        1,
        Vec::<Crash>::new(),
    );
    let mut lived = Duration::ZERO;
    for number in 0..CRASHES {
        let (under_way, start) = (sender.start(), Instant::now());
        sleep(Duration::from_millis(random.below(150) + 10));
        let life = start.elapsed();
        weir.kill();
        sender = under_way.join().unwrap();
        broker.settle(number);
        let (text, before) = (broker.text(), crashes.last().map_or(0, |last| last.bytes));
        // what has settled nothing does not owe a cursor
        if text[before..].contains("\"seq\":") {
            lived += life;
        }
        crashes.push(Crash {
            lived,
            bytes: text.len(),
        });
        away_for = turn_cable(&cable, away_for, &mut random);
        weir.restart();
    }
    if away_for > 0 {
        cable.plug();
    }
    let sent = sender.sent;
    sender.send(sent).unwrap();
    let last = format!("\"seq\":{}", sent - 1);
    eventually("the last arrives", || broker.text().contains(&last));
    Arrivals::of([broker.text()], "seq").assert_complete(sent);
    assert_few_repeats(&crashes, &broker.text());
    assert_eq!(weir.stop(), Some(0));
}

/// Pulls the cable now and then for some rounds; returns for how many more it stays so.
fn turn_cable(cable: &Cable, away_for: u64, random: &mut Random) -> u64 {
    match away_for {
        0 if random.below(6) == 0 => {
            cable.pull();
            random.below(4) + 1
        }
        0 => 0,
        1 => {
            cable.plug();
            0
        }
        more => more - 1,
    }
}

/// How long the daemon had run when it was killed, its starts and lives without an arrival left
/// out, and how much of what it had sent came out of mosquitto.
struct Crash {
    lived: Duration,
    bytes: usize,
}

/// Fails if after any crash more came twice than first arrived in the time of the cursor window
/// before it, was in flight, or was not acknowledged to the sender.
fn assert_few_repeats(crashes: &[Crash], text: &str) {
    let counts = counts(crashes, text);
    let (mut most, mut all) = (0, 0);
    for (number, crash) in crashes.iter().enumerate() {
        let mut old = crashes.iter();
        let old = old.rposition(|old| old.lived + CURSOR_WINDOW <= crash.lived);
        let fresh = counts[number].0 - old.map_or(0, |old| counts[old].0);
        let repeats = counts[number + 1].1 - counts[number].1;
        let bound = fresh + IN_FLIGHT + UNANSWERED;
        assert!(
            repeats <= bound,
            "crash {number}: {repeats} came twice, at most {bound} may"
        );
        (most, all) = (most.max(repeats), all + repeats);
    }
    let count = counts[crashes.len()].0;
    println!(
        "{count} messages, {all} of them twice, at most {most} after one of {CRASHES} crashes"
    );
}

/// How many had come by each crash, and by the end: first ones, and repeats.
fn counts(crashes: &[Crash], text: &str) -> Vec<(usize, usize)> {
    let (mut seen, mut repeats, mut from) = (HashSet::new(), 0, 0);
    let ends = crashes.iter().map(|crash| crash.bytes);
    let count = |end: usize| {
        let came = Arrivals::of([&text[from..end]], "seq");
        let known = came.first.iter().filter(|number| !seen.insert(**number));
        repeats += came.repeats + known.count();
        from = end;
        (seen.len(), repeats)
    };
    ends.chain([text.len()]).map(count).collect()
}

/// Numbers by chance; the seed is printed, and may be given.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
        let given = std::env::var("WEIR_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or(u64::from(now)) | 1;
        println!("again with WEIR_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) % bound
    }
}

const CRASHES: usize = 200;
/// Messages that the sender has without an answer at most.
const UNANSWERED: usize = 100;
/// Messages that a stream has in flight: its `window`.
const IN_FLIGHT: usize = 100;
/// How far the cursor on disk may lag is 5 s, counted from the first that is settled: on a busy
/// machine half of a life is over by then.
const CURSOR_WINDOW: Duration = Duration::from_secs(10);
