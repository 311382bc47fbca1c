//! What a process writes in the simulated world: transactions, and rows.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender};

use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::BaseRecord;

use super::audit::is_poison;
use super::client::Life;
use super::cluster::Cluster;
use super::log::{Topic, Written};
use super::rows::{Row, rows_of};
use super::store::{Table, source_of};
use crate::flusher::{Flusher, Progress, SlotRow, Store, Writing, went};
use crate::native::Block;
use crate::topics::{Inputs, Positions};
use crate::transaction::{NotCommitted, Producer, Transactions};
use crate::writer::FlushError;

/// What goes on in a flusher's thread.
pub(super) struct SimFlusher {
    flusher: Flusher<SimProducer, SimStore>,
    to_write: Receiver<Box<Writing<(u64, i32)>>>,
    progress: SyncSender<Progress<(u64, i32)>>,
    writing: Option<Box<Writing<(u64, i32)>>>,
    has_ended: bool,
}

/// A flusher of a process, with a producer that ends those of the same name before it.
pub(super) fn flusher(
    cluster: &Rc<Cluster>,
    life: &Rc<Life>,
    to_write: Receiver<Box<Writing<(u64, i32)>>>,
    progress: SyncSender<Progress<(u64, i32)>>,
) -> SimFlusher {
    let epoch = cluster.fence(&life.name);
    let config = &cluster.linkers[0].config;
    let hands = || Hands { cluster: Rc::clone(cluster), life: Rc::clone(life) };
    SimFlusher {
        flusher: Flusher {
            transactions: Transactions {
                producer: SimProducer { hands: hands(), epoch, transaction: Cell::new(None) },
                kafka: config.kafka.clone(),
            },
            store: SimStore { hands: hands() },
            instance: life.name.clone(),
            inputs: Inputs::of(&config.kafka),
        },
        to_write,
        progress,
        writing: None,
        has_ended: false,
    }
}

impl SimFlusher {
    /// Takes the next step of what there is to write; false when there is nothing.
    pub(super) fn step(&mut self) -> bool {
        if self.has_ended {
            return false;
        }
        if self.writing.is_none() {
            self.writing = self.to_write.try_recv().ok();
        }
        let Some(mut writing) = self.writing.take() else { return false };
        let stepped = self.flusher.step(&mut writing);
        if stepped.is_ok() && !writing.is_done() {
            self.writing = Some(writing);
            return true;
        }
        let progress = went(writing, stepped);
        self.has_ended = matches!(progress, Progress::Failed(_));
        self.has_ended |= self.progress.send(progress).is_err();
        true
    }
}

/// How a process reaches the world.
struct Hands {
    cluster: Rc<Cluster>,
    life: Rc<Life>,
}

impl Hands {
    /// Lets the world go on; an error when this process was killed meanwhile.
    fn wait(&self) -> KafkaResult<()> {
        self.cluster.trouble();
        self.check_alive()
    }

    fn check_alive(&self) -> KafkaResult<()> {
        if self.life.is_dead.get() { Err(KafkaError::Canceled) } else { Ok(()) }
    }

    /// Kills this process, now and then.
    fn may_die(&self) -> KafkaResult<()> {
        if self.cluster.random_fault(|faults| faults.crashes, 25) {
            self.cluster.kill(&self.life);
        }
        self.check_alive()
    }
}

/// A transactional producer.
pub(super) struct SimProducer {
    hands: Hands,
    /// Of its name: a later one fences it.
    epoch: u64,
    transaction: Cell<Option<usize>>,
}

impl SimProducer {
    fn check(&self) -> KafkaResult<()> {
        self.hands.check_alive()?;
        if self.hands.cluster.is_fenced(&self.hands.life.name, self.epoch) { Err(KafkaError::Canceled) } else { Ok(()) }
    }

    fn open(&self) -> KafkaResult<usize> {
        self.check()?;
        let id = self.transaction.get().ok_or(KafkaError::Canceled)?;
        // The coordinator aborts what takes too long.
        let is_open = self.hands.cluster.state.borrow().log.transactions[id].decision.is_none();
        if is_open { Ok(id) } else { Err(KafkaError::Canceled) }
    }
}

impl Producer for SimProducer {
    type Group = (u64, i32);

    fn begin(&self) -> KafkaResult<()> {
        self.check()?;
        if let Some(last) = self.transaction.take() {
            self.hands.cluster.settle_transaction(last);
        }
        let id = self.hands.cluster.begin(&self.hands.life.name, self.epoch);
        self.transaction.set(Some(id));
        Ok(())
    }

    fn send(&self, record: BaseRecord<'_, [u8], [u8]>) -> KafkaResult<()> {
        let id = self.open()?;
        let kafka = &self.hands.cluster.linkers[0].config.kafka;
        let (topic, partition) = match record.topic {
            topic if *topic == kafka.calls_topic => (Topic::Calls, record.partition.unwrap()),
            topic if *topic == kafka.verdicts_topic => (Topic::Verdicts, 0),
            topic if *topic == kafka.dead_letters_topic => (Topic::DeadLetters, 0),
            topic => (Topic::Input(Inputs::of(kafka).find(topic).unwrap()), record.partition.unwrap()),
        };
        let written = Written {
            at: record.timestamp.unwrap_or_else(|| self.hands.cluster.state.borrow().wall_ms),
            key: record.key.map(<[u8]>::to_vec),
            value: record.payload.map(<[u8]>::to_vec),
            headers: record.headers.unwrap_or_default(),
        };
        self.hands.cluster.state.borrow_mut().append((topic, partition), written, Some(id));
        Ok(())
    }

    fn send_offsets(&self, positions: &Positions, group: &(u64, i32)) -> Result<(), NotCommitted> {
        self.hands.wait()?;
        let id = self.open()?;
        if positions.is_empty() {
            // The broker is not even asked.
            return Ok(());
        }
        let mut state = self.hands.cluster.state.borrow_mut();
        if !state.group.accepts(*group) {
            return Err(NotCommitted::Refused(KafkaError::Canceled));
        }
        let offsets = positions.iter().map(|(place, position)| (*place, position.next)).collect();
        state.log.transactions[id].partitions = state.group.partitions;
        state.log.transactions[id].offsets = Some(offsets);
        Ok(())
    }

    fn slots(&self) -> KafkaResult<i32> {
        self.hands.wait()?;
        Ok(self.hands.cluster.state.borrow().group.partitions)
    }

    fn commit(&self) -> KafkaResult<()> {
        self.hands.wait()?;
        self.hands.may_die()?;
        let id = self.open()?;
        let cluster = &self.hands.cluster;
        let fails = cluster.random_fault(|faults| faults.commits, 20);
        let is_lost = fails && cluster.random(|random| random.one_in(2));
        if fails && !is_lost {
            return Err(KafkaError::Canceled);
        }
        cluster.decide(id, true);
        self.hands.may_die()?;
        // Committed, but this producer never hears of it.
        if is_lost { Err(KafkaError::Canceled) } else { Ok(()) }
    }

    fn abort(&self) -> KafkaResult<()> {
        let id = self.open()?;
        if self.hands.cluster.random(|random| random.one_in(4)) {
            return Err(KafkaError::Canceled);
        }
        self.hands.cluster.decide(id, false);
        Ok(())
    }
}

/// The client of the simulated ClickHouse.
struct SimStore {
    hands: Hands,
}

impl SimStore {
    /// Writes until it is acknowledged: rows may arrive in part, twice, or much later.
    fn write(&self, blocks: &[&Block]) -> Result<(), FlushError> {
        let rows = rows_of(blocks);
        let Some(name) = blocks.first().map(|block| block.table.name).filter(|_| !rows.is_empty()) else {
            return Ok(());
        };
        let table = Table::named(name);
        let given_up = || FlushError::Refused { table: name, source: clickhouse::error::Error::TimedOut };
        let cluster = &self.hands.cluster;
        loop {
            self.hands.wait().and_then(|()| self.hands.may_die()).map_err(|_| given_up())?;
            if !cluster.random_fault(|faults| faults.writes, 3) {
                break;
            }
            let fate = cluster.random(|random| random.below(5));
            match fate {
                // It does not arrive.
                0 => {}
                // It arrives in part.
                1 => {
                    let some = cluster.random(|random| random.below(rows.len() + 1));
                    self.arrive(table, &rows[..some])?;
                }
                // It arrives, but the acknowledgement is lost.
                2 => self.arrive(table, &rows)?,
                // It arrives when nobody waits for it any more.
                _ => {
                    self.check(table, &rows)?;
                    cluster.state.borrow_mut().store.late.push((table, rows.clone()));
                }
            }
            self.hands.may_die().map_err(|_| given_up())?;
        }
        self.arrive(table, &rows)
    }

    fn check(&self, table: Table, rows: &[Row]) -> Result<(), FlushError> {
        if matches!(table, Table::Legs | Table::Calls) {
            self.hands.cluster.check(|state| state.audit.check_images(table, rows));
            return Ok(());
        }
        let poisoned = rows.iter().filter(|row| is_poison(row[2].text()));
        let sources: Vec<String> = poisoned.map(|row| source_of(table, row).to_owned()).collect();
        if sources.is_empty() { Ok(()) } else { Err(FlushError::NotStorable { sources }) }
    }

    fn arrive(&self, table: Table, rows: &[Row]) -> Result<(), FlushError> {
        let checked = self.check(table, rows);
        let taken = |row: &&Row| checked.is_ok() || !is_poison(row[2].text());
        let rows: Vec<Row> = rows.iter().filter(taken).cloned().collect();
        let mut state = self.hands.cluster.state.borrow_mut();
        state.tell(|| format!("{} writes {} rows to {table:?}", self.hands.life.name, rows.len()));
        state.store.insert(table, &rows);
        checked
    }
}

impl Store for SimStore {
    fn insert(&self, one: &[&Block], other: &[&Block]) -> Result<(), FlushError> {
        let is_swapped = self.hands.cluster.random(|random| random.one_in(2));
        let (first, second) = if is_swapped { (other, one) } else { (one, other) };
        // Both are on their way at the same time: one is written though the other fails.
        let written = self.write(first);
        if self.hands.check_alive().is_err() {
            return written;
        }
        written.and(self.write(second))
    }

    fn put_slots(&self, rows: Vec<SlotRow<'_>>) {
        if self.hands.wait().is_err() {
            return;
        }
        let highest = rows.iter().map(|row| row.sequence).max().unwrap_or(0);
        let mut state = self.hands.cluster.state.borrow_mut();
        state.store.slots_sequence = state.store.slots_sequence.max(highest);
    }
}
