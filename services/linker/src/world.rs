//! What the linker's logic needs of the world around it. [`crate::live`] is the real one; the simulation of the tests is
//! another, in which everything happens in one thread and in an order that a seed decides.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rdkafka::error::KafkaResult;
use ringtrace_model::CallKey;

use crate::changelog::{Changelog, ChangelogError};
use crate::consumer::Change;
use crate::flusher::Line;
use crate::load::{LoadError, Stored};
use crate::lookup::{Answer, Histories};
use crate::probe::End;
use crate::record::Record;
use crate::run::LinkError;
use crate::topics::{ByPlace, Place};

/// What a look at the consumer gave.
pub(crate) enum Polled<T> {
    /// A record, and what was made of it.
    Record(T),
    /// Something else: there may be more.
    Event,
    /// There is nothing to read at the moment.
    Nothing,
}

/// The member of the consumer group.
pub(crate) trait Member {
    /// What a transaction names this member and its generation by.
    type Group: Send + 'static;

    /// Waits for the next record, no longer than `most`, and gives it to `take`. Serves rebalances.
    ///
    /// # Errors
    /// When this member can't go on.
    fn poll<T>(&mut self, most: Duration, take: impl FnOnce(&Record<'_>) -> T) -> KafkaResult<Polled<T>>;

    /// Reads a partition from an offset.
    fn seek(&mut self, place: Place, offset: i64) -> KafkaResult<()>;

    /// Reads no more of these partitions.
    fn pause(&mut self, places: &[Place]) -> KafkaResult<()>;

    /// Reads on.
    fn resume(&mut self, places: &[Place]) -> KafkaResult<()>;

    /// Takes the rebalances since the last call, in order. Everything assigned is paused.
    fn take_changes(&mut self) -> Vec<Change>;

    /// Whether there are rebalances that were not taken.
    fn has_changes(&self) -> bool;

    /// Member and generation as of now.
    fn group(&self) -> Option<Self::Group>;

    /// Committed offsets, in the order of `places`; waits for the end of open transactions.
    fn committed(&self, places: &[Place]) -> KafkaResult<Vec<Option<i64>>>;
}

/// The log, beside what the group reads of it.
pub(crate) trait Log {
    /// How many partitions the call topics and the internal one have.
    ///
    /// # Errors
    /// When they differ, or the brokers don't answer.
    fn partitions(&self) -> Result<i32, LinkError>;

    /// First offset of a partition, and the end of all its records.
    fn bounds(&self, place: Place) -> KafkaResult<(i64, i64)>;

    /// Where the committed records of a partition end.
    fn committed_end(&self, place: Place) -> KafkaResult<i64>;

    /// Reads a partition of the changelog to its end.
    fn changelog(&self, partition: i32) -> Result<Changelog, ChangelogError>;
}

/// What goes on beside the loop: clocks, the flusher, the probe, ClickHouse.
pub(crate) trait Beside: Member {
    /// Time that only goes on.
    fn now(&self) -> Instant;

    /// Wall time in milliseconds since the Unix epoch.
    fn wall_ms(&self) -> i64;

    /// Waits for a flush or an answer, no longer than `most`.
    fn wait<T>(&mut self, receiver: &Receiver<T>, most: Duration) -> Result<T, RecvTimeoutError>;

    /// Starts what writes flushes. It ends by itself after a flush that failed.
    ///
    /// # Errors
    /// When Kafka does not give it a producer.
    fn start_flusher(&mut self) -> Result<Line<Self::Group>, LinkError>;

    /// Tells the probe which partitions to ask about, and how far they were read.
    fn tell_probe(&self, positions: ByPlace<i64>);

    /// What the probe found last.
    fn ends(&self) -> ByPlace<End>;

    /// What ClickHouse holds already, of any slot.
    ///
    /// # Errors
    /// When it does not answer.
    fn stored(&self) -> Result<Stored, LoadError>;

    /// The stored rules by which this process judges, and the newest that it knows of.
    fn rules(&self) -> RulesNumbers;

    /// Starts to ask for the histories of calls.
    fn histories(&mut self, keys: Vec<CallKey>) -> Answer<Histories>;

    /// Starts to check calls that were taken for new: gives all of their keys, and the histories of those that are not.
    fn check(&mut self, calls: Vec<(CallKey, i64)>) -> Answer<(Vec<CallKey>, Histories)>;
}

/// Numbers of stored rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RulesNumbers {
    /// By which this process judges.
    pub(crate) own: u64,
    /// That were stored last.
    pub(crate) newest: u64,
}

/// All of it.
pub(crate) trait World: Member + Log + Beside {}

impl<T: Member + Log + Beside> World for T {}
