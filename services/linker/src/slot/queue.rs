//! Calls in the order of their flushes: those that may come to rest, or leave.

use std::collections::VecDeque;

use super::calls::Seat;

/// Calls that were written together.
pub(super) struct Batch {
    pub(super) sequence: u64,
    /// Log clock.
    pub(super) at: i64,
    pub(super) seats: Vec<Seat>,
    /// [`Queue::rested`] has given it.
    is_rested: bool,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Queue {
    batches: VecDeque<Batch>,
    /// How many of them, from the first on, [`Queue::rested`] has given.
    rested: usize,
}

impl Queue {
    /// Puts a call that a flush has written at the end.
    pub(super) fn push(&mut self, seat: Seat, sequence: u64, at: i64) {
        match self.batches.back_mut() {
            Some(last) if (last.sequence, last.at) == (sequence, at) => last.seats.push(seat),
            _ => self.batches.push_back(Batch { sequence, at, seats: vec![seat], is_rested: false }),
        }
    }

    /// How many batches there are.
    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    /// Takes the first batch.
    pub(super) fn pop(&mut self, is_due: impl FnOnce(&Batch) -> bool) -> Option<Batch> {
        let batch = self.batches.pop_front_if(|batch| is_due(batch))?;
        self.rested -= usize::from(batch.is_rested);
        Some(batch)
    }

    /// Gives back what is left of the first batch.
    pub(super) fn give_back(&mut self, batch: Batch) {
        self.rested += usize::from(batch.is_rested);
        self.batches.push_front(batch);
    }

    /// The next batch of `until` or before, each one once.
    pub(super) fn rested(&mut self, until: i64) -> Option<&Batch> {
        let batch = self.batches.get_mut(self.rested).filter(|batch| batch.at <= until)?;
        batch.is_rested = true;
        self.rested += 1;
        Some(batch)
    }

    #[cfg(test)]
    pub(super) fn has_rested(&self, seat: Seat, sequence: u64) -> bool {
        let has = |batch: &Batch| batch.is_rested && batch.sequence == sequence && batch.seats.contains(&seat);
        self.batches.iter().any(has)
    }

    #[cfg(test)]
    pub(super) fn holds(&self, seat: Seat, sequence: u64) -> bool {
        self.batches.iter().any(|batch| batch.sequence == sequence && batch.seats.contains(&seat))
    }
}
