//! Which messages are on their way in one channel, and what the broker said of them.

use super::method::Answer;
use super::method::MULTIPLE;
use crate::ring::Seq;
use crate::stream::DeliveryError;
use crate::stream::opening::Opening;
use std::collections::VecDeque;

/// The publishes of one channel that have no answer.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// By tag: in the order in which they were sent.
    unanswered: VecDeque<Sent>,
    /// Publishes so far: the broker counts them as well, from 1.
    count: u64,
    /// How many may be unanswered.
    pub(super) opening: Opening,
}

/// A publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    tag: u64,
    pub(super) seq: Seq,
    /// That no queue got it. An acknowledgement follows all the same.
    pub(super) returned: Option<DeliveryError>,
}

impl Window {
    /// A message is on its way.
    pub(super) fn insert(&mut self, seq: Seq) {
        self.count += 1;
        self.unanswered.push_back(Sent {
            tag: self.count,
            seq,
            returned: None,
        });
    }

    /// The first publish of this message that did not come back yet has come back; whether there
    /// is one.
    pub(super) fn came_back(&mut self, seq: Seq, why: DeliveryError) -> bool {
        let mut sent = self.unanswered.iter_mut();
        let found = sent.find(|sent| sent.seq == seq && sent.returned.is_none());
        found.map(|sent| sent.returned = Some(why)).is_some()
    }

    /// Those that an answer is of, in order; none: it came twice.
    pub(super) fn complete(&mut self, answer: Answer) -> Vec<Sent> {
        let all = &mut self.unanswered;
        if answer.bits & MULTIPLE == 0 {
            let found = all.binary_search_by_key(&answer.tag, |sent| sent.tag);
            let sent = found.ok().and_then(|at| all.remove(at));
            return sent.into_iter().collect();
        }
        // zero is all that are there (AMQP 0-9-1, 1.8.3.13)
        let last = match answer.tag {
            0 => u64::MAX,
            tag => tag,
        };
        let count = all.partition_point(|sent| sent.tag <= last);
        all.drain(..count).collect()
    }

    /// Those that have no answer, in order.
    pub(super) fn messages(&self) -> impl Iterator<Item = Seq> {
        self.unanswered.iter().map(|sent| sent.seq)
    }

    /// Whether one more may go.
    pub(super) fn has_room(&self) -> bool {
        self.opening.has_room(self.unanswered.len())
    }

    /// Whether all have their answer.
    pub(super) fn is_empty(&self) -> bool {
        self.unanswered.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_of_one_or_of_all_up_to_it() {
        let answered = |tag, bits| {
            let mut window = Window::default();
            (11..=15).for_each(|seq| window.insert(Seq(seq)));
            assert_eq!(window.complete(Answer { tag: 2, bits: 0 }).len(), 1);
            let sent = window.complete(Answer { tag, bits });
            sent.iter().map(|sent| sent.seq.0).collect::<Vec<_>>()
        };
        for (tag, bits, expected) in [
            (1, 0, &[11][..]),
            (1, MULTIPLE, &[11]),
            (4, MULTIPLE, &[11, 13, 14]),
            (0, MULTIPLE, &[11, 13, 14, 15]),
            (2, 0, &[]),
            (2, MULTIPLE, &[11]),
            (0, 0, &[]),
            (9, 0, &[]),
            (u64::MAX, MULTIPLE, &[11, 13, 14, 15]),
        ] {
            assert_eq!(answered(tag, bits), expected, "{tag} {bits}");
        }
    }

    #[test]
    fn what_came_back_stays_so_under_an_answer_that_is_of_many() {
        let mut window = Window::default();
        for seq in [7, 8, 7] {
            window.insert(Seq(seq));
        }
        let why = || DeliveryError::new(312, "NO_ROUTE");
        assert!(window.came_back(Seq(7), why()) && !window.came_back(Seq(9), why()));
        let sent = window.complete(Answer { tag: 3, bits: 1 });
        let returned: Vec<_> = sent.iter().map(|sent| sent.returned.is_some()).collect();
        assert_eq!(returned, [true, false, false]);
    }
}
