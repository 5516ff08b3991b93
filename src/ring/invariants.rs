//! What is true of a ring at every moment, whatever its disk does. Asked by the simulation: each
//! part is asked for what stands at its fields, then follows what is true between the parts.

use super::Ring;
use super::queue::QueueEntry;

impl Ring {
    /// Panics where one of them does not hold.
    pub(super) fn check_invariants(&self) {
        self.segments
            .check_invariants(self.volume.geometry.segment_count);
        self.progress.check_invariants();
        self.queue.check_invariants();
        self.table.check_invariants();
        let next_seq = self.progress.next_seq();
        assert!(self.queue.entries().all(|entry| entry.seq < next_seq));
        let head = self.segments.newest();
        assert!(
            head.is_none_or(|head| head.first_seq < next_seq),
            "{head:?}"
        );
        assert!(
            head.is_none_or(|head| head.generation == self.active.generation || self.active.closed)
        );
        for (id, stream) in self.table.attached() {
            let open =
                |entry: &&QueueEntry| self.table.unsettled(entry.mask, entry.seq) & id.bit() != 0;
            let waiting = self.queue.waiting().filter(open).count() as u64;
            let written = self.progress.begun().of(id);
            stream.check_invariants(written, waiting);
        }
    }
}
