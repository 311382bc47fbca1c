//! Writing a flush, in the order that loses nothing and invents nothing (design: State and recovery).
//!
//! A thread of its own: (1) `events` and `device_events` until ClickHouse acknowledges them, (2) one Kafka transaction,
//! (3) `legs` and `calls` until they are acknowledged, then `slots`.

use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use ringtrace_kit::clickhouse::insert;
use ringtrace_kit::clock::wall_ms;
use serde::Serialize;
use tokio::runtime::Handle;

use crate::batch::Batch;
use crate::metrics;
use crate::native::Block;
use crate::slot::SlotFlush;
use crate::tables::{CALLS, EVENTS, LEGS};
use crate::topics::{Input, Inputs, Place, Positions};
use crate::transaction::{Content, Transactions};
use crate::writer::{FlushError, Sink, Writer};

/// Everything that reading so far has changed.
pub(crate) struct Flush {
    pub(crate) slots: Vec<SlotFlush>,
    pub(crate) batch: Batch,
    pub(crate) positions: Positions,
    pub(crate) offsets: TopicPartitionList,
    pub(crate) group: ConsumerGroupMetadata,
}

/// How a flush went on.
pub(crate) enum Progress {
    /// All of it is in Kafka and in ClickHouse: partition and sequence of each slot.
    Done(Vec<(i32, u64)>),
    /// It failed; nothing of it may be relied upon.
    Failed(FlushError),
}

/// Writes flushes, one after the other.
pub(crate) struct Flusher {
    pub(crate) transactions: Transactions,
    pub(crate) writer: Writer,
    pub(crate) instance: String,
    pub(crate) inputs: Inputs,
    pub(crate) runtime: Handle,
}

impl Flusher {
    /// Runs until `flushes` ends, or a flush fails.
    pub(crate) fn run(self, flushes: &Receiver<Flush>, progress: &SyncSender<Progress>) {
        while let Ok(flush) = flushes.recv() {
            let result = self.write(flush);
            let failed = result.is_err();
            let sent = progress.send(result.map_or_else(Progress::Failed, Progress::Done));
            if failed || sent.is_err() {
                return;
            }
        }
    }

    fn write(&self, mut flush: Flush) -> Result<Vec<(i32, u64)>, FlushError> {
        let events = merge(&mut flush.slots, &EVENTS, |slot| &mut slot.events);
        timed("events", || self.insert_both(&events, &flush.batch.device_events))?;
        let content = Content {
            slots: &flush.slots,
            reroutes: std::mem::take(&mut flush.batch.reroutes),
            dead_letters: std::mem::take(&mut flush.batch.dead_letters),
            offsets: &flush.offsets,
            group: &flush.group,
        };
        timed("transaction", || self.transactions.commit(&content))?;
        flush.batch.counts.publish();
        for slot in &flush.slots {
            metrics::verdicts(&slot.verdict_changes);
            metrics::negative_latencies(slot.negative_latencies);
        }
        let legs = merge(&mut flush.slots, &LEGS, |slot| &mut slot.legs);
        let calls = merge(&mut flush.slots, &CALLS, |slot| &mut slot.calls);
        timed("rows", || self.insert_both(&legs, &calls))?;
        self.write_slots(&flush);
        Ok(flush.slots.iter().map(|slot| (slot.partition, slot.header.sequence)).collect())
    }

    fn insert_both(&self, one: &Block, other: &Block) -> Result<(), FlushError> {
        let (first, second) =
            self.runtime.block_on(async { tokio::join!(self.writer.insert(one), self.writer.insert(other)) });
        first.and(second)
    }

    /// Says where the slots are. For people: a failure is only logged, the next flush says it again.
    fn write_slots(&self, flush: &Flush) {
        let Sink::ClickHouse(client) = &self.writer.sink else { return };
        if flush.slots.is_empty() {
            return;
        }
        let rows: Vec<u8> = flush.slots.iter().flat_map(|slot| self.slot_row(slot, &flush.positions)).collect();
        let statement = format!("INSERT INTO {}.slots_rows FORMAT JSONEachRow", self.writer.database);
        if let Err(error) = self.runtime.block_on(insert(client, &statement, rows.into())) {
            tracing::warn!(error = &error as &dyn std::error::Error, "positions of the slots were not written");
        }
    }

    fn slot_row(&self, slot: &SlotFlush, positions: &Positions) -> Vec<u8> {
        let is_of_slot = |(input, partition): &Place| Input::OF_SLOT.contains(input) && *partition == slot.partition;
        let of_slot = positions.iter().filter(|(place, _)| is_of_slot(place));
        let row = SlotRow {
            slot: slot.partition,
            sequence: slot.header.sequence,
            log_clock: seconds(slot.header.log_clock),
            positions: of_slot
                .map(|((input, _), position)| (self.inputs.name(*input).to_string(), position.next))
                .collect(),
            open_calls: slot.open_calls,
            instance: &self.instance,
            written_at: seconds(wall_ms()),
        };
        let mut json = serde_json::to_vec(&row).unwrap_or_default();
        json.push(b'\n');
        json
    }
}

/// A row of `slots`.
#[derive(Serialize)]
struct SlotRow<'a> {
    slot: i32,
    sequence: u64,
    log_clock: String,
    positions: std::collections::BTreeMap<String, i64>,
    open_calls: usize,
    instance: &'a str,
    written_at: String,
}

/// Milliseconds as the decimal seconds that ClickHouse reads as a `DateTime64(3)`.
fn seconds(ms: i64) -> String {
    let ms = ms.max(0);
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn merge(
    slots: &mut [SlotFlush],
    table: &'static crate::native::Table,
    part: impl Fn(&mut SlotFlush) -> &mut Block,
) -> Block {
    let mut merged = Block::new(table);
    for slot in slots {
        merged.append(std::mem::replace(part(slot), Block::new(table)));
    }
    merged
}

fn timed<T>(step: &'static str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    metrics::flush_step(step, started.elapsed());
    done
}
