//! What streams with `every` leave out, decided where messages come in: one that is left out never
//! has the stream's bit in the ring, so no restart and no hand can bring it after its successor.

use crate::clock::Now;
use crate::ring::StreamId;
use crate::ring::StreamSet;
use crate::stream::selection::Arrival;
use crate::stream::selection::ArrivalThinner;
use crate::stream::settings::Settings;
use crate::thinning::Mark;
use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;

/// The thinning of one stream.
#[derive(Debug)]
pub(super) struct Thinned {
    stream: StreamId,
    thinner: RefCell<ArrivalThinner>,
    /// Messages that were left out.
    count: Cell<u64>,
}

/// That of all streams that thin.
#[derive(Debug, Default)]
pub(super) struct AllThinned(Vec<Rc<Thinned>>);

/// What was decided of one message.
#[derive(Debug)]
pub(super) struct Decision {
    /// The streams that it is for; of those that wanted it, not those that leave it out.
    pub(super) mask: StreamSet,
    passes: Vec<(Rc<Thinned>, Mark)>,
    left_out: Vec<Rc<Thinned>>,
}

impl Thinned {
    /// None: the stream leaves nothing out.
    pub(super) fn new(stream: StreamId, settings: &Settings) -> Option<Rc<Self>> {
        let thinner = ArrivalThinner::new(settings)?;
        Some(Rc::new(Self {
            stream,
            thinner: RefCell::new(thinner),
            count: Cell::default(),
        }))
    }

    pub(super) fn count(&self) -> u64 {
        self.count.get()
    }

    /// Goes on where one before ended.
    pub(super) fn continue_from(&self, before: &Self) {
        self.count.set(before.count.get());
        let (mut own, mut other) = (self.thinner.borrow_mut(), before.thinner.borrow_mut());
        own.continue_from(&mut other);
    }
}

impl AllThinned {
    pub(super) fn new(all: impl Iterator<Item = Rc<Thinned>>) -> Self {
        Self(all.collect())
    }

    /// Decides of a message that comes now, and that the streams of `mask` want.
    pub(super) fn decide(&self, mask: StreamSet, body: &[u8], now: Now) -> Decision {
        let (mut left, mut passes, mut left_out) = (mask, Vec::new(), Vec::new());
        let wants = |thinned: &&Rc<Thinned>| mask.has(thinned.stream);
        for thinned in self.0.iter().filter(wants) {
            match thinned.thinner.borrow().judge(body, now) {
                Arrival::Passes(mark) => passes.push((Rc::clone(thinned), mark)),
                Arrival::LeftOut => {
                    left = left.without(thinned.stream.mask());
                    left_out.push(Rc::clone(thinned));
                }
                Arrival::Filtered => {}
            }
        }
        Decision {
            mask: left,
            passes,
            left_out,
        }
    }
}

impl Decision {
    /// The message was taken: it is in the ring, unless all leave it out.
    pub(super) fn taken(self, body: &[u8]) {
        for (thinned, mark) in self.passes {
            thinned.thinner.borrow_mut().passed(body, mark);
        }
        for thinned in self.left_out {
            thinned.count.set(thinned.count.get() + 1);
        }
    }
}
