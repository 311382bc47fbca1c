//! What this instance reads: its slots, how far each partition was read, and what was read since the last flush.

use ringtrace_model::CallKey;

use crate::batch::{Batch, Routing, call_partition};
use crate::probe::End;
use crate::record::Record;
use crate::slot::{Slot, SlotFlush};
use crate::topics::{ByPlace, Input, Place, Position, Positions};

/// See the module's text.
pub(crate) struct Reading {
    pub(crate) routing: Routing,
    /// By partition index; `None` where this instance does not own the slot.
    pub(crate) slots: Vec<Option<Slot>>,
    pub(crate) positions: Positions,
    /// Offsets that the last flush carried.
    pub(crate) committed: ByPlace<i64>,
    /// First offset that was expected where a later one came, since the last flush.
    pub(crate) gaps: ByPlace<i64>,
    pub(crate) batch: Batch,
    /// Wall time, as of a moment ago.
    pub(crate) wall_ms: i64,
}

impl Reading {
    pub(crate) fn new(routing: Routing, wall_ms: i64) -> Self {
        let slots = (0..routing.partitions).map(|_| None).collect();
        Reading {
            routing,
            slots,
            positions: Positions::default(),
            committed: ByPlace::default(),
            gaps: ByPlace::default(),
            batch: Batch::default(),
            wall_ms,
        }
    }

    /// Takes a record in. False when its partition is not being read: the record has to be read again.
    pub(crate) fn take(&mut self, record: &Record<'_>) -> bool {
        let place = (record.input, record.partition);
        let Some(position) = self.positions.get_mut(&place) else { return false };
        if record.offset < position.next {
            return true;
        }
        if record.offset > position.next {
            self.gaps.entry(place).or_insert(position.next);
        }
        position.next = record.offset + 1;
        // May go back, where producers' clocks differ: what counts is that no record before this time is unread.
        position.clock = record.log_at.min(self.wall_ms);
        let slot = match record.input {
            Input::Device => None,
            _ => self.slots.get_mut(record.partition as usize).and_then(Option::as_mut),
        };
        self.batch.take(record, slot, &self.routing, self.wall_ms);
        true
    }

    /// Takes over what the broker said of the ends: a drained partition's clock follows the wall.
    pub(crate) fn observe(&mut self, ends: &ByPlace<End>) {
        for (place, position) in &mut self.positions {
            if let Some(end) = ends.get(place).filter(|end| end.is_drained_at(position.next)) {
                position.clock = position.clock.max(end.asked_at);
            }
        }
    }

    /// Lets log time of every slot go on as far as its partitions allow.
    pub(crate) fn advance(&mut self) {
        for slot in self.slots.iter_mut().flatten() {
            let of_slot = Input::OF_SLOT.map(|input| self.positions.get(&(input, slot.partition())));
            let clock = of_slot.iter().map(|position| position.map_or(0, |position| position.clock)).min();
            slot.advance(planted!(WallClock: self.wall_ms, clock.unwrap_or(0)));
        }
    }

    /// Whether the broker has said of every partition that it was drained at `at` or later.
    pub(crate) fn is_drained_since(&self, at: i64) -> bool {
        self.positions.values().all(|position| position.clock >= at)
    }

    /// Cuts the slots that have something to write, or to say.
    pub(crate) fn cut_slots(&mut self) -> Vec<SlotFlush> {
        let slots = self.slots.iter_mut().flatten();
        slots.filter(|slot| slot.has_work() || slot.is_silent()).map(Slot::cut).collect()
    }

    /// Offsets that moved since the last flush.
    pub(crate) fn moved(&self) -> Vec<(Place, i64)> {
        let moved =
            self.positions.iter().filter(|(place, position)| self.committed.get(*place) != Some(&position.next));
        moved.map(|(place, position)| (*place, position.next)).collect()
    }

    /// Notes that the offsets as they are now are handed over.
    pub(crate) fn note_committed(&mut self) {
        self.committed.extend(self.positions.iter().map(|(place, position)| (*place, position.next)));
    }

    /// Starts to read a partition at an offset.
    pub(crate) fn begin(&mut self, place: Place, next: i64) {
        self.positions.insert(place, Position { next, clock: 0 });
        self.committed.insert(place, next);
    }

    /// Whether the last flush carried everything that was read.
    pub(crate) fn is_committed(&self) -> bool {
        self.batch.is_empty() && self.moved().is_empty()
    }

    /// Reads a partition no longer; of its slot nothing is kept.
    pub(crate) fn end(&mut self, place: Place) {
        self.positions.remove(&place);
        self.committed.remove(&place);
        self.gaps.remove(&place);
        if place.0 != Input::Device
            && let Some(slot) = self.slots.get_mut(place.1 as usize)
        {
            *slot = None;
        }
    }

    /// Forgets everything that is not committed.
    pub(crate) fn forget(&mut self) {
        self.slots.iter_mut().for_each(|slot| *slot = None);
        self.positions.clear();
        self.committed.clear();
        self.gaps.clear();
        self.batch = Batch::default();
    }

    /// The slot of a call, where this instance owns it.
    pub(crate) fn slot_of(&mut self, key: &CallKey) -> Option<&mut Slot> {
        let partition = call_partition(key.call_uuid, self.routing.partitions);
        self.slots.get_mut(partition as usize).and_then(Option::as_mut)
    }

    pub(crate) fn open_calls(&self) -> usize {
        self.slots.iter().flatten().map(Slot::open_calls).sum()
    }

    /// The oldest log clock of the slots; `None` while none is known.
    pub(crate) fn oldest_clock(&self) -> Option<i64> {
        self.slots.iter().flatten().map(Slot::log_clock).filter(|clock| *clock > 0).min()
    }
}
