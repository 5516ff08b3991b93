//! Part `api`: what a thousand requests a second to the API cost a tracker that waits for each
//! acknowledgement. Stretches with requests and without take turns in one run.

use crate::options::Options;
use crate::peer::Peer;
use crate::peer::Setup;
use crate::program::Outcome;
use crate::program::PATIENCE;
use crate::receive::Output;
use crate::report::Bound;
use crate::report::Report;
use crate::send::Input;
use crate::send::text;
use crate::table::Table;
use crate::table::median;
use crate::table::quantile;
use crate::table::short;
use crate::trial::Trial;
use crate::usage::Usage;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// Messages a second of the tracker.
const MESSAGES: u64 = 100;

/// Requests a second.
const REQUESTS: u64 = 1000;

/// Stretches of each kind, of half a second each.
const STRETCHES: u64 = 20;

/// Messages of a stretch.
const OF_STRETCH: u64 = MESSAGES / 2;

/// Seconds of each kind.
const SECONDS: f64 = (STRETCHES * OF_STRETCH / MESSAGES) as f64;

/// What is asked, in turn.
const PATHS: [&str; 6] = [
    "/streams",
    "/streams/out%200",
    "/channels",
    "/devices",
    "/ring",
    "/metrics",
];

/// Of one kind of stretch.
#[derive(Default)]
struct Waits {
    seconds: Vec<f64>,
    cpu_ns: u64,
    answers: u64,
}

pub fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let setup = Setup::new(Peer::Weir(options.weir()), Input::Lines, Output::Mqtt);
    let folder = options.run_folder();
    let mut running = Trial::new("weir", setup, 0).start(&folder)?;
    let pid = running.program.pid();
    running.pass(MESSAGES)?;
    let (mut quiet, mut asked) = (Waits::default(), Waits::default());
    for stretch in 0..STRETCHES * 2 {
        let waits = if stretch % 2 == 0 {
            &mut quiet
        } else {
            &mut asked
        };
        let (usage, first, over) = (Usage::of(pid), running.next, AtomicBool::new(false));
        let sender = &mut running.sender;
        let (took, answers) = thread::scope(|scope| {
            let asking = (stretch % 2 == 1).then(|| scope.spawn(|| ask(&folder, &over)));
            let took = sender.send_each(first, OF_STRETCH, MESSAGES);
            over.store(true, Ordering::Relaxed);
            let answers = asking.map_or(Ok(Ok(0)), |asking| asking.join());
            (took, answers)
        });
        let took: Vec<_> = took?.iter().map(Duration::as_secs_f64).collect();
        waits.answers += answers.map_err(|_| "the requests broke off")??;
        waits.cpu_ns += (Usage::of(pid) - usage).cpu_ns;
        waits.seconds.extend(took);
        running.next += OF_STRETCH;
    }
    running.receivers[0].wait_for(running.next);
    let lost = running.next - running.receivers[0].unique().min(running.next);
    say(report, &quiet, &asked, lost);
    Ok(())
}

fn say(report: &mut Report, quiet: &Waits, asked: &Waits, lost: u64) {
    let columns = [
        "a tracker that waits for each answer",
        "median us",
        "p95 us",
        "ms of processor/s",
        "requests/s",
    ];
    let title = "100 messages a second, JSON lines to MQTT, beside requests to the API.";
    let mut table = Table::new(title, &columns);
    for (name, waits) in [("without requests", quiet), ("with requests", asked)] {
        let at = |part| short(quantile(waits.seconds.iter().copied(), part) * 1e6);
        table.rows.push(vec![
            name.into(),
            at(0.5),
            at(0.95),
            short(waits.cpu_ns as f64 / 1e6 / SECONDS),
            short(waits.answers as f64 / SECONDS),
        ]);
    }
    report.table("api", &table);
    let middle = |waits: &Waits| median(waits.seconds.iter().copied());
    let slower = middle(asked) / middle(quiet);
    let promise = "median time to the acknowledgement with requests, of that without";
    report.judge(promise, slower, Bound::AtMost(1.1));
    let rate = asked.answers as f64 / SECONDS;
    let enough = Bound::AtLeast(REQUESTS as f64 * 0.9);
    report.judge("requests answered a second", rate, enough);
    report.judge("beside requests, lost", lost as f64, Bound::AtMost(0.0));
}

/// Asks at a steady rate over one connection, until it is over; how many answers came.
fn ask(folder: &Path, over: &AtomicBool) -> Outcome<u64> {
    let mut stream = UnixStream::connect(folder.join("api")).map_err(text)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
    let (mut unread, start, mut count) = (vec![], Instant::now(), 0);
    while !over.load(Ordering::Relaxed) {
        let due = start + Duration::from_secs_f64(count as f64 / REQUESTS as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let path = PATHS[count as usize % PATHS.len()];
        let request = format!("GET {path} HTTP/1.1\r\nHost: weir\r\n\r\n");
        stream.write_all(request.as_bytes()).map_err(text)?;
        answer(&mut stream, &mut unread)?;
        count += 1;
    }
    Ok(count)
}

/// Reads one answer to its end; it has to be 200.
fn answer(stream: &mut UnixStream, unread: &mut Vec<u8>) -> Outcome<()> {
    let mut bytes = [0; 64 << 10];
    loop {
        let end = unread.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&unread[..end]).to_ascii_lowercase();
            let len = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .and_then(|len| len.trim().parse::<usize>().ok())
                .ok_or_else(|| format!("no length: {head}"))?;
            if !head.starts_with("http/1.1 200") {
                return Err(head);
            }
            if unread.len() >= end + 4 + len {
                unread.drain(..end + 4 + len);
                return Ok(());
            }
        }
        match stream.read(&mut bytes).map_err(text)? {
            0 => return Err("the API closed the connection".into()),
            len => unread.extend_from_slice(&bytes[..len]),
        }
    }
}
