//! Writing a flush, in the order that loses nothing and invents nothing (design: State and recovery).
//!
//! A thread of its own: (1) `events` and `device_events` until ClickHouse acknowledges them, (2) one Kafka transaction,
//! (3) `legs` and `calls` until they are acknowledged, then `slots`.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

use rdkafka::error::KafkaError;
use serde::Serialize;

use crate::batch::Batch;
use crate::metrics;
use crate::native::Block;
use crate::slot::SlotFlush;
use crate::topics::{Input, Inputs, Place, Positions};
use crate::transaction::{Content, NotCommitted, Producer, Transactions};
use crate::writer::FlushError;

/// Everything that reading so far has changed.
pub(crate) struct Flush<G> {
    pub(crate) slots: Vec<SlotFlush>,
    pub(crate) batch: Batch,
    /// Of every partition that was read: offsets always go along, so that the transaction of an old owner is refused.
    pub(crate) positions: Positions,
    pub(crate) group: G,
    /// How many slots there were when it was read.
    pub(crate) partitions: i32,
}

/// How a flush went on.
pub(crate) enum Progress<G> {
    /// All of it is in Kafka and in ClickHouse. It comes back for its memory: the next flush of a slot fills it again.
    Done(Box<Writing<G>>),
    /// The group has refused its offsets: nothing is committed, and it may be sent again as of another generation.
    Refused(Box<Writing<G>>, KafkaError),
    /// It failed; nothing of it may be relied upon.
    Failed(FlushError),
}

/// How a session and its flusher talk: flushes to it, and how they went on back.
pub(crate) type Line<G> = (SyncSender<Box<Writing<G>>>, Receiver<Progress<G>>);

/// Where rows go.
pub(crate) trait Store {
    /// Writes the blocks of two tables until all are acknowledged.
    ///
    /// # Errors
    /// One will not be.
    fn insert(&self, one: &[&Block], other: &[&Block]) -> Result<(), FlushError>;

    /// Says where the slots are. For people: a failure is only logged, the next flush says it again.
    fn put_slots(&self, rows: Vec<SlotRow<'_>>);
}

/// Writes flushes, one after the other.
pub(crate) struct Flusher<P, S> {
    pub(crate) transactions: Transactions<P>,
    pub(crate) store: S,
    pub(crate) instance: String,
    pub(crate) inputs: Inputs,
}

/// A step of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// `events` and `device_events` are inserted and acknowledged.
    Events,
    /// One transaction.
    Transaction,
    /// `legs` and `calls` are inserted and acknowledged, then `slots`.
    Rows,
}

/// The only order that loses nothing and invents nothing.
const ORDER: [Step; 3] = [Step::Events, Step::Transaction, Step::Rows];

/// A flush that is being written.
pub(crate) struct Writing<G> {
    pub(crate) flush: Flush<G>,
    /// How many steps are taken.
    taken: usize,
}

impl<G> Writing<G> {
    pub(crate) fn of(flush: Flush<G>) -> Self {
        Writing { flush, taken: 0 }
    }

    /// Whether all steps are taken.
    pub(crate) fn is_done(&self) -> bool {
        self.taken == ORDER.len()
    }
}

fn order() -> &'static [Step; 3] {
    if planted!(TransactionFirst) {
        return &[Step::Transaction, Step::Events, Step::Rows];
    }
    planted!(RowsFirst: &[Step::Events, Step::Rows, Step::Transaction], &ORDER)
}

impl<P: Producer, S: Store> Flusher<P, S> {
    /// Runs until `flushes` ends, or a flush fails.
    pub(crate) fn run(self, flushes: &Receiver<Box<Writing<P::Group>>>, progress: &SyncSender<Progress<P::Group>>) {
        while let Ok(mut writing) = flushes.recv() {
            let written = loop {
                match self.step(&mut writing) {
                    Ok(()) if !writing.is_done() => {}
                    ended => break ended,
                }
            };
            let went = went(writing, written);
            let has_failed = matches!(went, Progress::Failed(_));
            if progress.send(went).is_err() || has_failed {
                return;
            }
        }
    }

    /// Takes the next step of a flush.
    ///
    /// # Errors
    /// It failed; none of the steps after it may be taken.
    pub(crate) fn step(&self, writing: &mut Writing<P::Group>) -> Result<(), FlushError> {
        let flush = &mut writing.flush;
        match order().get(writing.taken) {
            Some(Step::Events) => timed("events", || self.write_events(flush)),
            Some(Step::Transaction) => timed("transaction", || self.commit(flush)),
            Some(Step::Rows) => timed("rows", || self.write_rows(flush)),
            None => Ok(()),
        }?;
        writing.taken += 1;
        Ok(())
    }

    fn write_events(&self, flush: &Flush<P::Group>) -> Result<(), FlushError> {
        let events: Vec<&Block> = flush.slots.iter().map(|slot| &slot.events).collect();
        self.store.insert(&events, &[&flush.batch.device_events])
    }

    fn commit(&self, flush: &mut Flush<P::Group>) -> Result<(), FlushError> {
        let content = Content {
            slots: &flush.slots,
            reroutes: &flush.batch.reroutes,
            dead_letters: &flush.batch.dead_letters,
            positions: &flush.positions,
            group: &flush.group,
            partitions: flush.partitions,
        };
        self.transactions.commit(&content).map_err(|error| match error {
            NotCommitted::Refused(error) => FlushError::Group(error),
            NotCommitted::Repartitioned => FlushError::Repartitioned,
            NotCommitted::Failed(error) => FlushError::Transaction(error),
        })?;
        flush.batch.counts.publish(&self.inputs);
        for slot in &flush.slots {
            metrics::verdicts(&slot.verdict_changes);
            metrics::negative_latencies(slot.negative_latencies);
        }
        Ok(())
    }

    fn write_rows(&self, flush: &Flush<P::Group>) -> Result<(), FlushError> {
        let legs: Vec<&Block> = flush.slots.iter().map(|slot| &slot.legs).collect();
        let calls: Vec<&Block> = flush.slots.iter().map(|slot| &slot.calls).collect();
        self.store.insert(&legs, &calls)?;
        if !flush.slots.is_empty() {
            self.store.put_slots(flush.slots.iter().map(|slot| self.slot_row(slot, &flush.positions)).collect());
        }
        Ok(())
    }

    fn slot_row(&self, slot: &SlotFlush, positions: &Positions) -> SlotRow<'_> {
        let is_of_slot = |(input, partition): &Place| Input::OF_SLOT.contains(input) && *partition == slot.partition;
        let of_slot = positions.iter().filter(|(place, _)| is_of_slot(place));
        SlotRow {
            slot: slot.partition,
            sequence: slot.header.sequence,
            log_clock: seconds(slot.header.log_clock),
            positions: of_slot
                .map(|((input, _), position)| (self.inputs.name(*input).to_string(), position.next))
                .collect(),
            open_calls: slot.open_calls,
            instance: &self.instance,
        }
    }
}

/// How a flush went on whose last step ended so.
pub(crate) fn went<G>(writing: Box<Writing<G>>, ended: Result<(), FlushError>) -> Progress<G> {
    match ended {
        Ok(()) => Progress::Done(writing),
        Err(FlushError::Group(error)) => Progress::Refused(writing, error),
        Err(error) => Progress::Failed(error),
    }
}

/// A row of `slots`, but for the time of its writing.
#[derive(Serialize)]
pub(crate) struct SlotRow<'a> {
    slot: i32,
    pub(crate) sequence: u64,
    log_clock: String,
    positions: BTreeMap<String, i64>,
    open_calls: usize,
    instance: &'a str,
}

/// Milliseconds as the decimal seconds that ClickHouse reads as a `DateTime64(3)`: with fewer digits it would look for a date.
pub(crate) fn seconds(ms: i64) -> String {
    let ms = ms.max(0);
    format!("{:010}.{:03}", ms / 1000, ms % 1000)
}

fn timed<T>(step: &'static str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    metrics::flush_step(step, started.elapsed());
    done
}
