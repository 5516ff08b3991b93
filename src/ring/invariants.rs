//! What is true of a ring at every moment, whatever its disk does. Asked by the simulation.

use super::Ring;

impl Ring {
    /// Panics where one of them does not hold.
    pub(super) fn check_invariants(&self) {
        assert!(self.begun_seq <= self.next_seq);
        assert!(
            self.segments
                .iter()
                .map(|s| s.generation)
                .is_sorted_by(|a, b| a < b)
        );
        assert!(
            self.segments
                .iter()
                .map(|s| s.first_seq)
                .is_sorted_by(|a, b| a < b)
        );
        for (id, stream) in self.table.attached() {
            let open = |entry: &&super::queue::Entry| {
                self.table.unsettled(entry.mask, entry.seq) & id.bit() != 0
            };
            let waiting = self.queue.waiting().filter(open).count() as u64;
            assert_eq!(stream.waiting, waiting, "{id:?}");
            assert!(stream.waiting_read <= stream.waiting, "{stream:?}");
            assert!(stream.cursor_seq <= stream.read_seq, "{stream:?}");
            assert!(stream.cursor_ord <= self.cum.of(id), "{stream:?}");
            assert!(stream.read_ord >= stream.cursor_ord, "{stream:?}");
        }
    }
}
