//! Many daemons, each with a channel and a stream, and who feeds them.

use crate::asking;
use crate::weir::Weir;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::time::Instant;

pub(crate) struct Crowd(Vec<Daemon>);

struct Daemon {
    weir: Weir,
    ident: String,
}

impl Crowd {
    /// All with this stream, named `cloud`.
    pub(crate) fn start(count: usize, stream: &str) -> Self {
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\nfull = \"refuse\"\n\
             [log]\nlevel = \"warn\"\n[api]\nlisten = \"unix:@/api\"\n\
             [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"unix:@/in\"\n{stream}"
        );
        let start = |number| Daemon {
            weir: Weir::start("fleet", &config),
            ident: format!("gw-{number}"),
        };
        Self((0..count).map(start).collect())
    }

    /// So many rounds of [`EACH`] messages to every daemon, numbered on and on, until they are
    /// safe there; how many that were.
    pub(crate) fn send(&self, rounds: Range<u64>) -> u64 {
        let mut lines: Vec<_> = self.0.iter().map(|it| Feeder::new(&it.weir)).collect();
        let mut count = 0;
        for round in rounds {
            for (daemon, feeder) in self.0.iter().zip(&mut lines) {
                feeder.send(&daemon.ident, round * EACH..(round + 1) * EACH);
            }
            count += EACH;
            lines
                .iter_mut()
                .for_each(|feeder| feeder.await_acked(count));
        }
        count * self.0.len() as u64
    }

    /// Until nothing waits any more. One after the other: who asks all again and again is in the
    /// way of the broker.
    pub(crate) fn await_delivered(&self) {
        let start = Instant::now();
        for daemon in &self.0 {
            while asking::count(&daemon.weir, "cloud", "backlog") > 0 {
                assert!(
                    start.elapsed() < PATIENCE,
                    "never delivered: {}",
                    daemon.ident
                );
                std::thread::sleep(Duration::from_millis(500));
            }
        }
    }

    /// One of the stream's counters, of all daemons.
    pub(crate) fn sum(&self, key: &str) -> u64 {
        let of = |it: &Daemon| asking::count(&it.weir, "cloud", key);
        self.0.iter().map(of).sum()
    }
}

/// A program on a gateway.
struct Feeder {
    socket: UnixStream,
    answers: BufReader<UnixStream>,
}

impl Feeder {
    fn new(weir: &Weir) -> Self {
        let socket = UnixStream::connect(weir.folder.join("in")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let answers = BufReader::new(socket.try_clone().unwrap());
        Self { socket, answers }
    }

    fn send(&mut self, ident: &str, numbers: Range<u64>) {
        let mut lines = String::new();
        for n in numbers {
            lines += &format!(
                "{{\"ident\":\"{ident}\",\"timestamp\":1700000000,\"position.latitude\":54.6872,\
                 \"position.longitude\":25.2797,\"position.speed\":{},\"n\":{n}}}\n",
                n % 110
            );
        }
        self.socket.write_all(lines.as_bytes()).unwrap();
    }

    fn await_acked(&mut self, count: u64) {
        let expected = format!("{{\"acked\":{count}}}\n");
        let mut line = String::new();
        while line != expected {
            line.clear();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "closed");
            assert!(line.starts_with("{\"acked\":"), "{line}");
        }
    }
}

/// Messages of one round.
const EACH: u64 = 100;

/// With a broker that is busy and a ring that is full.
const PATIENCE: Duration = Duration::from_mins(8);
