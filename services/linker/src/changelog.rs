//! Reading a slot's state back from its partition of the changelog.

use std::time::{Duration, Instant};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use ringtrace_model::CallKey;

use crate::state::{HEADER_KEY, Header, StateError, decode_key};

/// How long the changelog may stand still before reading it is given up.
/// The broker ends transactions of a dead owner after their timeout of 30 s, and looks for them every 10 s.
const STALL: Duration = Duration::from_secs(90);

/// A changelog that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ChangelogError {
    /// Kafka refused or could not be reached.
    #[error("state changelog can't be read from Kafka")]
    Kafka(#[from] KafkaError),
    /// A record can't be read.
    #[error("state changelog has a record at offset {offset} that can't be read")]
    Record {
        /// The record's offset.
        offset: i64,
        /// Why.
        #[source]
        source: StateError,
    },
    /// A transaction of the partition's last owner did not end in time.
    #[error("state changelog has an open transaction that did not end within {} s", STALL.as_secs())]
    OpenTransaction,
}

/// What a changelog partition holds.
#[derive(Debug, Default)]
pub(crate) struct Changelog {
    pub(crate) header: Option<Header>,
    /// Records of open calls as they were written: most are replaced by a later one.
    pub(crate) calls: HashMap<CallKey, Box<[u8]>, FixedState>,
}

impl Changelog {
    /// Takes in the next record of the partition.
    ///
    /// # Errors
    /// The key or the header can't be read.
    pub(crate) fn take(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        if key == HEADER_KEY {
            self.header = value.map(Header::decode).transpose()?;
            return Ok(());
        }
        let key = decode_key(key)?;
        match value {
            Some(value) => self.calls.insert(key, value.into()),
            None => self.calls.remove(&key),
        };
        Ok(())
    }
}

/// Reads a partition of the changelog to its end. `committed` reads committed records only, `raw` all of them.
///
/// The end is the end of *all* records as of now: a transaction that the last owner has decided, and whose markers are still
/// on their way, is waited for. The caller has fetched stable group offsets before, so no later one can follow.
pub(crate) fn read(
    committed: &BaseConsumer,
    raw: &BaseConsumer,
    topic: &str,
    partition: i32,
) -> Result<Changelog, ChangelogError> {
    let timeout = Duration::from_secs(10);
    let (first, end) = raw.fetch_watermarks(topic, partition, timeout)?;
    if first == end {
        return Ok(Changelog::default());
    }
    let deadline = Instant::now() + STALL;
    while committed.fetch_watermarks(topic, partition, timeout)?.1 < end {
        if Instant::now() > deadline {
            return Err(ChangelogError::OpenTransaction);
        }
        // The consumer's own queue is idle: this only paces the question.
        let _ = committed.poll(Duration::from_millis(20));
    }
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
    committed.assign(&assignment)?;
    let changelog = read_assigned(committed);
    committed.unassign()?;
    changelog
}

fn read_assigned(consumer: &BaseConsumer) -> Result<Changelog, ChangelogError> {
    let mut changelog = Changelog::default();
    let mut deadline = Instant::now() + STALL;
    loop {
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => {
                deadline = Instant::now() + STALL;
                let record = changelog.take(message.key().unwrap_or_default(), message.payload());
                record.map_err(|source| ChangelogError::Record { offset: message.offset(), source })?;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(changelog),
            Some(Err(error)) if Instant::now() > deadline => return Err(error.into()),
            None if Instant::now() > deadline => return Err(ChangelogError::OpenTransaction),
            Some(Err(_)) | None => {}
        }
    }
}
