//! Asking the broker where the partitions end, so that the log clock of a drained partition can follow the wall clock.
//!
//! A thread of its own, with a consumer that belongs to no group: the questions block. A partition is drained when its
//! position is at its end, or when all that lies between the two are markers of transactions, which are no records.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Message, Offset, TopicPartitionList};
use ringtrace_kit::clock::wall_ms;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::{TopicError, slots_of};

use crate::topics::{ByPlace, Inputs, Place};

/// How often all partitions are asked about.
const PERIOD: Duration = Duration::from_millis(250);

/// How often the topics themselves are looked at.
const TOPICS_PERIOD: Duration = Duration::from_secs(5);

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the broker said of a partition's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Wall time before the question, in milliseconds since the Unix epoch.
    pub(crate) asked_at: i64,
    /// The smallest offset from which on there is no record.
    pub(crate) drained_from: i64,
    /// The end of the partition's committed records, markers included.
    pub(crate) end: i64,
    /// How far it had been read at `asked_at`.
    pub(crate) position: i64,
    /// An open transaction of some producer hides records that come after its first.
    pub(crate) is_hiding: bool,
}

impl End {
    /// Whether a reader at `position` has read everything that was there at `asked_at`.
    pub(crate) fn is_drained_at(&self, position: i64) -> bool {
        position >= self.drained_from && !self.is_hiding
    }
}

/// The consumers that ask; they belong to no group.
pub(crate) struct Readers {
    /// Sees committed records only.
    pub(crate) committed: BaseConsumer,
    /// Sees all records.
    pub(crate) raw: BaseConsumer,
}

/// What the linker and the probe tell each other.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    positions: Mutex<ByPlace<i64>>,
    ends: Mutex<ByPlace<End>>,
    slots: Mutex<Option<Result<i32, TopicError>>>,
}

impl Shared {
    /// Tells the probe which partitions to ask about, and how far they were read.
    pub(crate) fn set_positions(&self, positions: ByPlace<i64>) {
        *self.positions.lock().unwrap_or_else(PoisonError::into_inner) = positions;
    }

    /// What the broker said last.
    pub(crate) fn ends(&self) -> ByPlace<End> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many slots there are, when the brokers were asked since the last call.
    pub(crate) fn take_slots(&self) -> Option<Result<i32, TopicError>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set_slots(&self, slots: Result<i32, TopicError>) {
        *self.slots.lock().unwrap_or_else(PoisonError::into_inner) = Some(slots);
    }

    fn positions(&self) -> ByPlace<i64> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs until the other end of `stop` is dropped.
pub(crate) fn run(readers: &Readers, kafka: &Kafka, inputs: &Inputs, shared: &Arc<Shared>, stop: &Receiver<()>) {
    let asker = Asker { readers, inputs };
    let mut before = ByPlace::default();
    let mut topics_seen = Instant::now();
    while stop.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        if topics_seen.elapsed() >= TOPICS_PERIOD {
            topics_seen = Instant::now();
            match slots_of(kafka, readers.raw.client()) {
                // That they are away is told otherwise.
                Err(TopicError::Unreachable { .. }) => {}
                slots => shared.set_slots(slots),
            }
        }
        let positions = shared.positions();
        let ends = ask(&asker, &positions, &before, &shared.ends());
        *shared.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        before = positions;
    }
}

/// What the probe asks the broker.
pub(crate) trait Broker {
    /// Wall time in milliseconds since the Unix epoch.
    fn wall_ms(&self) -> i64;
    /// Where the committed records of partitions end, and where all of their records do. What the broker does not say is left out.
    fn ends(&self, places: &[Place]) -> ByPlace<(i64, i64)>;
    /// Offset of the first committed record at or after an offset; `None` when there is none.
    fn first_record(&self, place: Place, from: i64) -> KafkaResult<Option<i64>>;
}

/// Asks about partitions that were read up to some positions. `before` is where they were read to when `last` was found: what the
/// broker does not answer stays as it was, so that the clock of the partition stands still.
pub(crate) fn ask(
    broker: &impl Broker,
    positions: &ByPlace<i64>,
    before: &ByPlace<i64>,
    last: &ByPlace<End>,
) -> ByPlace<End> {
    let asked_at = broker.wall_ms();
    let places: Vec<Place> = positions.keys().copied().collect();
    let mut ends: ByPlace<End> =
        last.iter().filter(|(place, _)| positions.contains_key(*place)).map(|(place, end)| (*place, *end)).collect();
    for (place, (end, raw_end)) in broker.ends(&places) {
        let Some(&position) = positions.get(&place) else { continue };
        let is_known = ends.get(&place).is_some_and(|last| last.end == end && last.drained_from <= position);
        let mut only_markers = position < end && is_known;
        // Only a position that does not move is worth the fetch: while it moves, records are coming.
        if position < end && !is_known && before.get(&place) == Some(&position) {
            match broker.first_record(place, position) {
                Ok(first) => only_markers = first.is_none_or(|at| at >= end),
                Err(error) => {
                    tracing::debug!(%error, partition = place.1, "broker did not say what a partition ends with");
                    continue;
                }
            }
        }
        let drained_from = if only_markers { position } else { end };
        // Whoever reads up to the end later on must know as well.
        let is_hiding = raw_end > end;
        ends.insert(place, End { asked_at, drained_from, end, position, is_hiding });
    }
    ends
}

/// The consumers that ask, and what the topics are called.
pub(crate) struct Asker<'a> {
    pub(crate) readers: &'a Readers,
    pub(crate) inputs: &'a Inputs,
}

impl Broker for Asker<'_> {
    fn wall_ms(&self) -> i64 {
        wall_ms()
    }

    fn ends(&self, places: &[Place]) -> ByPlace<(i64, i64)> {
        // In this order what comes meanwhile may look hidden, and never drained.
        let committed = self.ends_of(&self.readers.committed, places);
        let raw = self.ends_of(&self.readers.raw, places);
        committed.into_iter().filter_map(|(place, end)| Some((place, (end, *raw.get(&place)?)))).collect()
    }

    fn first_record(&self, (input, partition): Place, from: i64) -> KafkaResult<Option<i64>> {
        first_record(&self.readers.committed, self.inputs.name(input), partition, from)
    }
}

impl Asker<'_> {
    /// One question for all partitions. Where a broker or a leader is away, none of them is answered, and each is asked about alone.
    fn ends_of(&self, consumer: &BaseConsumer, places: &[Place]) -> ByPlace<i64> {
        self.list_ends(consumer, places).unwrap_or_else(|error| {
            tracing::debug!(%error, "brokers did not say where partitions end");
            let alone = places.chunks(1).filter_map(|place| self.list_ends(consumer, place).ok());
            alone.flatten().collect()
        })
    }

    /// To librdkafka the end is a time like others: a watermark would be two questions for each partition.
    fn list_ends(&self, consumer: &BaseConsumer, places: &[Place]) -> KafkaResult<ByPlace<i64>> {
        if places.is_empty() {
            return Ok(ByPlace::default());
        }
        let mut asked = TopicPartitionList::with_capacity(places.len());
        for (input, partition) in places {
            asked.add_partition_offset(self.inputs.name(*input), *partition, Offset::End)?;
        }
        let answered = consumer.offsets_for_times(asked, TIMEOUT)?;
        let end_of = |element: &TopicPartitionListElem<'_>| match (element.error(), element.offset()) {
            (Ok(()), Offset::Offset(end)) => Some(((self.inputs.find(element.topic())?, element.partition()), end)),
            _ => None,
        };
        Ok(answered.elements().iter().filter_map(end_of).collect())
    }
}

/// Offset of the first record at or after an offset; `None` when there is none.
fn first_record(consumer: &BaseConsumer, topic: &str, partition: i32, from: i64) -> KafkaResult<Option<i64>> {
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, Offset::Offset(from))?;
    consumer.assign(&assignment)?;
    let deadline = Instant::now() + TIMEOUT;
    let found = loop {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => break Ok(Some(message.offset())),
            Some(Err(KafkaError::PartitionEOF(_))) => break Ok(None),
            Some(Err(error)) => break Err(error),
            // Unknown is as good as a record: the clock waits.
            None if Instant::now() > deadline => break Ok(Some(from)),
            None => {}
        }
    };
    consumer.unassign()?;
    found
}
