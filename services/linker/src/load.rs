//! Taking over a slot: where its partitions go on, and the calls that were open.

use hashbrown::HashMap;
use rdkafka::error::KafkaError;
use ringtrace_model::{CallKey, Rules};

use crate::batch::call_partition;
use crate::changelog::ChangelogError;
use crate::slot::{Limits, Slot};
use crate::state::{Header, StateError};
use crate::topics::{Inputs, Place};
use crate::world::{Log, World};

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
    /// An open call can't be read.
    #[error("an open call of slot {slot} can't be read")]
    State {
        /// The slot.
        slot: i32,
        /// Why.
        #[source]
        source: StateError,
    },
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
}

impl Before {
    fn new_header(self) -> Header {
        let Before { stored: Stored { sequence, newest_log_at }, partitions } = self;
        Header { sequence, acknowledged: sequence, log_clock: 0, newest_log_at, partitions }
    }

    /// The header to go on from: calls of slots with higher sequences may have come.
    fn raise(self, header: Header) -> Header {
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

/// Loads slots.
pub(crate) struct Loader {
    pub(crate) inputs: Inputs,
    /// The consumer group.
    pub(crate) group: String,
}

impl Loader {
    /// Where partitions go on: the committed offset, else the first record. Waits for the end of open transactions.
    ///
    /// # Errors
    /// When Kafka does not answer, or no longer has the record at an offset.
    pub(crate) fn positions(&self, world: &impl World, places: &[Place]) -> Result<Vec<(Place, i64)>, LoadError> {
        let committed = world.committed(places)?;
        let mut positions = Vec::with_capacity(places.len());
        for (place, offset) in places.iter().zip(committed) {
            let (low, high) = world.bounds(*place)?;
            match offset {
                Some(offset) if offset < low => return Err(self.lost(*place, offset, low)),
                Some(offset) if offset > high => return Err(self.ahead(*place, offset, high)),
                Some(offset) => positions.push((*place, offset)),
                None => positions.push((*place, low)),
            }
        }
        Ok(positions)
    }

    pub(crate) fn lost(&self, (input, partition): Place, from: i64, next: i64) -> LoadError {
        let topic = self.inputs.name(input).to_string();
        LoadError::Lost { topic, partition, from, to: next - 1, next, group: self.group.clone() }
    }

    fn ahead(&self, (input, partition): Place, committed: i64, end: i64) -> LoadError {
        let topic = self.inputs.name(input).to_string();
        LoadError::Ahead { topic, partition, committed, end, group: self.group.clone() }
    }
}

/// Open calls that the changelog has in the partition of a slot that is no longer theirs, by the slot that is.
///
/// # Errors
/// When the changelog can't be read.
pub(crate) fn moved(log: &impl Log, partitions: i32) -> Result<HashMap<i32, Vec<CallKey>>, LoadError> {
    let mut moved = HashMap::<i32, Vec<CallKey>>::new();
    for partition in 0..partitions {
        for key in log.changelog(partition)?.calls.into_keys() {
            let home = call_partition(key.call_uuid, partitions);
            if home != partition {
                moved.entry(home).or_default().push(key);
            }
        }
    }
    Ok(moved)
}

/// Reads a slot back. A new one, and one of another number of partitions, starts above what was before; true where
/// calls of other slots may have moved to it.
///
/// # Errors
/// When the changelog or a record of it can't be read.
pub(crate) fn slot(
    log: &impl Log,
    partition: i32,
    rules: Rules,
    limits: Limits,
    before: Before,
) -> Result<(Slot, bool), LoadError> {
    let changelog = log.changelog(partition)?;
    let header = changelog.header.map_or_else(|| before.new_header(), |header| before.raise(header));
    let is_new = changelog.header != Some(header);
    let mut slot = Slot::new(partition, rules, limits, header);
    for (key, record) in changelog.calls {
        if call_partition(key.call_uuid, before.partitions) == partition {
            slot.restore(&key, record).map_err(|source| LoadError::State { slot: partition, source })?;
        }
    }
    Ok((slot, is_new))
}
