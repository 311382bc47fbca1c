//! Taking over a slot: where its partitions go on, and the calls that were open.

use hashbrown::HashMap;
use rdkafka::error::KafkaError;
use ringtrace_kit::rules::RulesError;
use ringtrace_model::{CallKey, Rules};

use crate::batch::call_partition;
use crate::changelog::ChangelogError;
use crate::run::LinkError;
use crate::slot::{Limits, Slot};
use crate::state::{CallRecord, Header};
use crate::topics::{Inputs, Place};
use crate::world::Log;

/// A slot that can't be taken over.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Kafka did not answer.
    #[error("positions can't be read from Kafka")]
    Kafka(#[from] KafkaError),
    /// ClickHouse did not say where the slots are.
    #[error("sequences of the slots can't be read from ClickHouse")]
    ClickHouse(#[source] clickhouse::error::Error),
    /// The changelog can't be read.
    #[error(transparent)]
    Changelog(#[from] ChangelogError),
    /// There are no rules to judge by, or others.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// Another member of the group reads these partitions by now.
    #[error("another instance has read on")]
    Outrun,
    /// The broker has deleted records that were not read yet.
    #[error(
        "{topic}/{partition}: records {from} to {to} are gone from the broker before they were read; to go on without \
         them, stop the linker, run `kafka-consumer-groups.sh --bootstrap-server BROKERS --group {group} --topic {topic}:{partition} \
         --reset-offsets --to-offset {next} --execute`, and start it again"
    )]
    Lost {
        /// Where.
        topic: String,
        /// Where.
        partition: i32,
        /// First lost offset.
        from: i64,
        /// Last lost offset.
        to: i64,
        /// First offset that is there.
        next: i64,
        /// The consumer group.
        group: String,
    },
    /// The topic is not the one that was read.
    #[error(
        "{topic}/{partition} ends at {end}, but {committed} records of it were read: the topic was made again, or a broker has \
         lost records; to go on from its start, stop the linker, run `kafka-consumer-groups.sh --bootstrap-server BROKERS \
         --group {group} --topic {topic}:{partition} --reset-offsets --to-earliest --execute`, and start it again"
    )]
    Ahead {
        /// Where.
        topic: String,
        /// Where.
        partition: i32,
        /// The committed offset.
        committed: i64,
        /// End of the partition.
        end: i64,
        /// The consumer group.
        group: String,
    },
}

/// What ClickHouse holds already, of any slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    /// Highest flush sequence.
    pub(crate) sequence: u64,
    /// Newest log time of any event, in milliseconds since the Unix epoch.
    pub(crate) newest_log_at: i64,
}

/// What was before: a new slot starts above it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    pub(crate) stored: Stored,
    /// How many slots there are now.
    pub(crate) partitions: i32,
    /// Number of the rules by which this process judges.
    pub(crate) rules: u64,
}

impl Before {
    fn new_header(self) -> Header {
        let Before { stored: Stored { sequence, newest_log_at }, partitions, rules } = self;
        Header { sequence, acknowledged: sequence, log_clock: 0, newest_log_at, partitions, rules }
    }

    /// The header to go on from: calls of slots with higher sequences may have come.
    fn raise(self, header: Header) -> Header {
        let header = Header { rules: self.rules, ..header };
        if header.partitions == self.partitions {
            return header;
        }
        Header {
            sequence: header.sequence.max(self.stored.sequence),
            newest_log_at: header.newest_log_at.max(self.stored.newest_log_at),
            partitions: self.partitions,
            ..header
        }
    }
}

/// What to load.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) slots: Vec<i32>,
    /// Everything to read from then on: the partitions of the slots, and those of devices.
    pub(crate) places: Vec<Place>,
    /// How many slots there are.
    pub(crate) partitions: i32,
    /// Number of the rules by which this process judges.
    pub(crate) rules: u64,
}

/// What was loaded.
pub(crate) struct Loaded {
    pub(crate) slots: Vec<Slot>,
    /// Where each partition goes on.
    pub(crate) positions: Vec<(Place, i64)>,
}

/// Loads slots.
#[derive(Clone)]
pub(crate) struct Loader {
    pub(crate) inputs: Inputs,
    /// The consumer group.
    pub(crate) group: String,
    pub(crate) rules: Rules,
    pub(crate) limits: Limits,
}

impl Loader {
    /// Reads slots back. Whatever an old owner has begun has ended then, one way or the other.
    ///
    /// # Errors
    /// When Kafka or ClickHouse does not answer, or has not what it should.
    pub(crate) fn load(&self, log: &impl Log, wanted: &Wanted) -> Result<Loaded, LinkError> {
        // Not what was assigned tells: the new partitions may all be another's, and every call's place changes with them.
        if log.partitions()? != wanted.partitions {
            return Err(LinkError::Repartitioned);
        }
        // Stable offsets first: no transaction of an old owner can end after them and change what the changelog says.
        let positions = self.positions(log, &wanted.places)?;
        let before = Before { stored: log.stored()?, partitions: wanted.partitions, rules: wanted.rules };
        let mut loader = SlotLoader { log, rules: self.rules, limits: self.limits, before, moved: None };
        let slots = wanted.slots.iter().map(|slot| loader.load(*slot)).collect::<Result<_, _>>()?;
        Ok(Loaded { slots, positions })
    }

    /// Where partitions go on: the committed offset, else the first record. Waits for the end of open transactions.
    ///
    /// # Errors
    /// When Kafka does not answer, or no longer has the record at an offset.
    fn positions(&self, log: &impl Log, places: &[Place]) -> Result<Vec<(Place, i64)>, LoadError> {
        let committed = log.committed(places)?;
        let mut positions = Vec::with_capacity(places.len());
        for (place, offset) in places.iter().zip(committed) {
            let (low, high) = log.bounds(*place)?;
            match offset {
                Some(offset) if offset < low => return Err(self.gone(log, *place, offset, low)),
                Some(offset) if offset > high => return Err(self.ahead(*place, offset, high)),
                Some(offset) => positions.push((*place, offset)),
                None => positions.push((*place, low)),
            }
        }
        Ok(positions)
    }

    /// Records before `next` are gone. Where the group has committed them meanwhile, another member has read them, they had
    /// done their work, and this one is late; else they are lost.
    pub(crate) fn gone(&self, log: &impl Log, place: Place, from: i64, next: i64) -> LoadError {
        match log.committed(&[place]) {
            Err(error) => error.into(),
            Ok(committed) if committed.iter().flatten().any(|offset| *offset >= next) => LoadError::Outrun,
            Ok(_) => self.lost(place, from, next),
        }
    }

    fn lost(&self, (input, partition): Place, from: i64, next: i64) -> LoadError {
        let topic = self.inputs.name(input).to_string();
        LoadError::Lost { topic, partition, from, to: next - 1, next, group: self.group.clone() }
    }

    fn ahead(&self, (input, partition): Place, committed: i64, end: i64) -> LoadError {
        let topic = self.inputs.name(input).to_string();
        LoadError::Ahead { topic, partition, committed, end, group: self.group.clone() }
    }
}

/// What the changelog holds in partitions of slots that are no longer a call's own, since the number of partitions has
/// changed.
#[derive(Default)]
pub(crate) struct Moved {
    /// Highest flush sequence of any slot. ClickHouse may not know it yet.
    sequence: u64,
    /// A slot was last written when there was another number of them.
    has_grown: bool,
    /// By the slot that is their own now.
    calls: HashMap<i32, Vec<MovedCall>>,
}

/// An open call, as another slot has left it.
pub(crate) struct MovedCall {
    pub(crate) key: CallKey,
    pub(crate) record: Box<[u8]>,
    /// Flush sequence that wrote it; 0 where another version has.
    sequence: u64,
    /// Partition of the changelog that holds it.
    pub(crate) from: i32,
    /// Highest sequence of that slot whose rows ClickHouse has acknowledged.
    pub(crate) acknowledged: u64,
}

impl Moved {
    /// Reads all of the changelog.
    ///
    /// # Errors
    /// When it can't be read.
    fn read(log: &impl Log, partitions: i32) -> Result<Self, LoadError> {
        let mut moved = Moved::default();
        for from in 0..partitions {
            let changelog = log.changelog(from)?;
            moved.has_grown |= changelog.header.is_some_and(|header| header.partitions != partitions);
            let header = changelog.header.unwrap_or_default();
            moved.sequence = moved.sequence.max(header.sequence);
            for (key, record) in changelog.calls {
                let home = call_partition(key.call_uuid, partitions);
                if home != from {
                    let sequence = CallRecord::decode(&record).map_or(0, |record| record.sequence);
                    let call = MovedCall { key, record, sequence, from, acknowledged: header.acknowledged };
                    moved.calls.entry(home).or_default().push(call);
                }
            }
        }
        Ok(moved)
    }
}

/// Reads slots back, one after the other.
struct SlotLoader<'w, L> {
    log: &'w L,
    rules: Rules,
    limits: Limits,
    before: Before,
    /// Read once, and only where the number of partitions has changed, or nothing was there before.
    moved: Option<Moved>,
}

impl<L: Log> SlotLoader<'_, L> {
    /// Reads a slot back. A new one, and one of another number of partitions, starts above what was before, and takes over
    /// the calls that have moved to it.
    ///
    /// # Errors
    /// When the changelog can't be read.
    fn load(&mut self, partition: i32) -> Result<Slot, LoadError> {
        let changelog = planted!(ChangelogUnread: Default::default(), self.log.changelog(partition)?);
        let Before { partitions, rules, .. } = self.before;
        let judged_by = changelog.header.map(|header| header.rules);
        if let Some(stored) = judged_by.filter(|judged_by| *judged_by > rules) {
            return Err(RulesError::Newer { stored, own: rules }.into());
        }
        if changelog.header.is_none_or(|header| header.partitions != partitions) && self.moved.is_none() {
            let mut moved = Moved::read(self.log, partitions)?;
            if moved.has_grown {
                self.log.let_sink_in();
                moved = Moved::read(self.log, partitions)?;
            }
            self.before.stored.sequence = self.before.stored.sequence.max(moved.sequence);
            self.moved = Some(moved);
        }
        let header = changelog.header.map_or_else(|| self.before.new_header(), |header| self.before.raise(header));
        let is_new = changelog.header.map(|header| Header { rules, ..header }) != Some(header);
        let mut slot = Slot::new(partition, self.rules, self.limits, header);
        // Open calls were judged, and their timers set, by other rules.
        slot.judges_again = judged_by.is_some_and(|judged_by| judged_by != rules);
        for (key, record) in changelog.calls {
            if call_partition(key.call_uuid, partitions) == partition {
                slot.restore(key, record);
            }
        }
        let moved = self.moved.as_mut().filter(|_| is_new).and_then(|moved| moved.calls.remove(&partition));
        let mut moved = moved.unwrap_or_default();
        moved.sort_by_key(|call| std::cmp::Reverse(call.sequence));
        moved.into_iter().for_each(|call| slot.adopt(call));
        tracing::info!(slot = partition, open_calls = slot.open_calls(), log_clock = slot.log_clock(), "slot loaded");
        Ok(slot)
    }
}
