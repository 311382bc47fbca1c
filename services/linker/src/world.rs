//! What the linker's logic needs of the world around it. [`crate::live`] is the real one; the simulation of the tests is
//! another, in which everything happens in one thread and in an order that a seed decides.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rdkafka::error::KafkaResult;
use ringtrace_model::CallKey;

use crate::changelog::{Changelog, ChangelogError};
use crate::consumer::Change;
use crate::flusher::Line;
use crate::load::{LoadError, Loaded, Loader, Stored, Wanted};
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

    /// Waits for the next record, no longer than `most`, and gives it to `take`. Serves rebalances, unless `most` is zero.
    ///
    /// # Errors
    /// When this member can't go on.
    fn poll<T>(&mut self, most: Duration, take: impl FnOnce(&Record<'_>) -> T) -> KafkaResult<Polled<T>>;

    /// Reads a partition from an offset.
    fn seek(&mut self, place: Place, offset: i64) -> KafkaResult<()>;

    /// Lets these partitions wait, and no others: what was fetched of them stays.
    fn hold(&mut self, places: &[Place]);

    /// Reads no more of these partitions.
    fn pause(&mut self, places: &[Place]) -> KafkaResult<()>;

    /// Reads on.
    fn resume(&mut self, places: &[Place]) -> KafkaResult<()>;

    /// Takes the next rebalance, in their order. Everything assigned is paused; what is being taken away stays
    /// this member's until it is given up.
    fn next_change(&mut self) -> Option<Change>;

    /// Lets go of partitions that are being taken away: from now on others may read them.
    fn give_up(&mut self, places: &[Place]) -> KafkaResult<()>;

    /// Whether there is a rebalance of some kind that was not taken.
    fn has_change(&self, is_kind: fn(&Change) -> bool) -> bool;

    /// Member and generation as of now.
    fn group(&self) -> Option<Self::Group>;
}

/// What is stored, beside what the group reads of it.
pub(crate) trait Log {
    /// The group's committed offsets, in the order of `places`; waits for the end of open transactions.
    fn committed(&self, places: &[Place]) -> KafkaResult<Vec<Option<i64>>>;

    /// How many partitions the call topics and the internal one have.
    ///
    /// # Errors
    /// When they differ, or the brokers don't answer.
    fn partitions(&self) -> Result<i32, LinkError>;

    /// All partitions that the group reads.
    ///
    /// # Errors
    /// When the brokers don't answer.
    fn places(&self) -> Result<Vec<Place>, LinkError>;

    /// Waits until every broker and every instance has heard that the number of partitions has changed.
    fn let_sink_in(&self);

    /// First offset of a partition, and the end of all its records.
    fn bounds(&self, place: Place) -> KafkaResult<(i64, i64)>;

    /// Reads a partition of the changelog to its end.
    fn changelog(&self, partition: i32) -> Result<Changelog, ChangelogError>;

    /// What ClickHouse holds already, of any slot.
    ///
    /// # Errors
    /// When it does not answer.
    fn stored(&self) -> Result<Stored, LoadError>;
}

/// What goes on beside the loop: clocks, the flusher, the probe, ClickHouse.
pub(crate) trait Beside: Member {
    /// What is stored.
    type Log: Log;

    /// What is stored.
    fn log(&self) -> &Self::Log;

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

    /// Checks that a transaction of the flusher does not stay open for ever.
    ///
    /// # Errors
    /// It does: only another producer can go on.
    fn check_flusher(&self) -> Result<(), LinkError>;

    /// Tells the probe which partitions to ask about, and how far they were read.
    fn tell_probe(&self, positions: ByPlace<i64>);

    /// What the probe found last.
    fn ends(&self) -> ByPlace<End>;

    /// How many slots there are by now, as far as the probe knows.
    ///
    /// # Errors
    /// When the topics don't fit together any more.
    fn slots(&self) -> Result<Option<i32>, LinkError>;

    /// Starts to load slots, beside reading: that may wait for others.
    fn load(&mut self, loader: &Loader, wanted: Wanted) -> Answer<Result<Loaded, LinkError>>;

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
pub(crate) trait World: Beside {}

impl<T: Beside> World for T {}
