//! One run: a program, its trackers and its destination, and what it cost.

use crate::contest::Cost;
use crate::peer::Peer;
use crate::peer::Places;
use crate::peer::Setup;
use crate::program::Outcome;
use crate::program::Program;
use crate::program::free_port;
use crate::receive::Counts;
use crate::receive::Output;
use crate::receive::Receiver;
use crate::send::Sender;
use crate::usage::Memory;
use crate::usage::Usage;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

/// What a run is.
#[derive(Clone, Debug)]
pub struct Trial {
    pub name: String,
    pub setup: Setup,
    pub count: u64,
    pub idents: u64,
    pub destinations: usize,
}

/// What it showed, for `count` messages.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    pub count: u64,
    pub usage: Usage,
    pub memory: Memory,
    pub span: Duration,
    /// Bytes of all that arrived.
    pub bytes: u64,
    pub lost: u64,
    pub doubled: u64,
    pub late: u64,
}

/// A run that goes on: program, destinations and trackers.
pub struct Running {
    pub program: Program,
    pub receivers: Vec<Receiver>,
    pub sender: Sender,
    /// The next number.
    pub next: u64,
}

/// Messages before those that are measured: buffers have grown then.
const WARM_UP: u64 = 1000;

impl Trial {
    pub fn new(name: &str, setup: Setup, count: u64) -> Self {
        Self {
            name: name.into(),
            setup,
            count,
            idents: 1,
            destinations: 1,
        }
    }

    /// Starts all, with destinations that are there.
    pub fn start(&self, folder: &Path) -> Outcome<Running> {
        let output = self.setup.output;
        let receivers = (0..self.destinations)
            .map(|_| Receiver::start(output, 0))
            .collect::<Outcome<Vec<_>>>()?;
        let ports: Vec<_> = receivers.iter().map(Receiver::port).collect();
        let places = Places {
            folder,
            port: free_port(),
            destinations: &ports,
        };
        let mut program = self.setup.start(&places)?;
        // the others connect when there is something to say
        if output == Output::Mqtt {
            program.until("it is connected", || {
                receivers.iter().all(|one| one.connections() > 0)
            })?;
        }
        let sender = Sender::connect(self.setup.input, places.port, self.idents)?;
        Ok(Running {
            program,
            receivers,
            sender,
            next: 0,
        })
    }

    /// The destination is up, and each message goes through.
    pub fn live(&self, folder: &Path) -> Outcome<Figures> {
        let mut running = self.start(folder)?;
        running.pass(WARM_UP.min(self.count / 10))?;
        running.pass(self.count)
    }

    /// Whether the program is weir.
    pub fn is_weir(&self) -> bool {
        matches!(self.setup.peer, Peer::Weir(_))
    }
}

impl Running {
    /// Sends so many messages, and waits until they have arrived everywhere.
    pub fn pass(&mut self, count: u64) -> Outcome<Figures> {
        let pid = self.program.pid();
        let before: Vec<_> = self.receivers.iter().map(Receiver::counts).collect();
        let (usage, start) = (Usage::of(pid), Instant::now());
        self.sender.send(self.next, count)?;
        self.next += count;
        for (receiver, before) in self.receivers.iter().zip(&before) {
            receiver.wait_for(before.unique + count);
        }
        let usage = Usage::of(pid) - usage;
        let after: Vec<_> = self.receivers.iter().map(Receiver::counts).collect();
        let mut figures = Figures {
            count,
            usage,
            memory: Memory::of(pid),
            ..Figures::default()
        };
        for (before, after) in before.iter().zip(&after) {
            figures.add(count, start, before, after);
        }
        Ok(figures)
    }
}

impl Figures {
    fn add(&mut self, count: u64, start: Instant, before: &Counts, after: &Counts) {
        let span = after.last.map_or(Duration::ZERO, |last| last - start);
        self.span = self.span.max(span);
        self.bytes += after.bytes - before.bytes;
        self.lost += count - (after.unique - before.unique).min(count);
        self.doubled += after.doubled - before.doubled;
        self.late += after.late - before.late;
    }

    /// Messages a second.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.span.as_secs_f64().max(1e-9)
    }
}

impl Cost for Figures {
    fn cpu_us(&self) -> f64 {
        self.usage.cpu_ns as f64 / 1e3 / self.count as f64
    }
}
