//! What is counted of a stage: valgrind collects while [`counted`] runs, and only then.

/// Counts rounds of work of one stage; what it takes to make them ready is not counted.
pub(crate) struct Counter {
    /// Rounds that are still left out: tables fill, buffers grow.
    cold: u32,
    counts: bool,
    messages: u64,
}

impl Counter {
    pub(crate) fn new() -> Self {
        Self {
            cold: COLD,
            counts: false,
            messages: 0,
        }
    }

    /// One round of so many messages.
    pub(crate) fn round<R>(&mut self, messages: u64, work: impl FnOnce() -> R) -> R {
        self.begin(messages);
        self.part(work)
    }

    /// A round of so many messages begins, the work of which comes in parts.
    pub(crate) fn begin(&mut self, messages: u64) {
        self.counts = self.cold == 0;
        self.cold = self.cold.saturating_sub(1);
        if self.counts {
            self.messages += messages;
        }
    }

    /// Part of the work of a round.
    pub(crate) fn part<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let (mut work, mut done) = (Some(work), None);
        let mut run = || done = work.take().map(|work| work());
        match self.counts {
            true => counted(&mut run),
            false => run(),
        }
        done.expect("it ran")
    }

    /// How many messages were counted.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }
}

/// Has a name of its own in the program, which nothing else there ends with.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

/// What valgrind is told to collect in.
pub(crate) const COUNTED: &str = "*weir_counts::counter::counted*";

/// Rounds before the first that is counted.
const COLD: u32 = 10;
