//! Reading the dead-letter topic to its end as it is now, from its beginning or its newest records.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::client_config;

use super::{Letter, LetterError, Position};

/// How long the brokers may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Hands every letter to `take`, partition by partition in order of their offsets.
///
/// # Errors
/// The topic is not there, or the brokers don't answer.
pub fn read(kafka: &Kafka, mut take: impl FnMut(Letter)) -> Result<(), LetterError> {
    let consumer = consumer(kafka)?;
    for partition in 0..partitions(&consumer, kafka)? {
        let from = Position { partition, offset: 0 };
        read_from(&consumer, kafka, from, Offset::Beginning, |letter| {
            take(letter);
            true
        })?;
    }
    Ok(())
}

/// The letter at a position.
///
/// # Errors
/// There is none, or the brokers don't answer.
pub fn find(kafka: &Kafka, position: Position) -> Result<Letter, LetterError> {
    let consumer = consumer(kafka)?;
    let mut found = None;
    if position.partition < partitions(&consumer, kafka)? {
        read_from(&consumer, kafka, position, Offset::Offset(position.offset), |letter| {
            found = Some(letter);
            false
        })?;
    }
    let is_it = |letter: &Letter| letter.position == position;
    found.filter(is_it).ok_or(LetterError::None { position })
}

fn consumer(kafka: &Kafka) -> Result<BaseConsumer, LetterError> {
    let mut config = client_config(kafka);
    // It never joins a group; librdkafka asks for a name all the same.
    config.set("group.id", format!("{}-dead-letters", kafka.group)).set("enable.auto.commit", "false");
    config.set("enable.partition.eof", "true").set("isolation.level", "read_committed");
    config.set("allow.auto.create.topics", "false").set("auto.offset.reset", "earliest");
    Ok(config.create()?)
}

fn partitions(consumer: &BaseConsumer, kafka: &Kafka) -> Result<i32, LetterError> {
    let topic = &kafka.dead_letters_topic;
    let unreachable = |source| LetterError::Unreachable { brokers: kafka.brokers.clone(), source };
    let metadata = consumer.fetch_metadata(None, SILENCE).map_err(unreachable)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let found = found.ok_or_else(|| LetterError::Missing { topic: topic.clone() })?;
    Ok(i32::try_from(found.partitions().len()).unwrap_or(i32::MAX))
}

/// Hands the newest letters to `take`, up to `most` of each partition, all partitions at once; whether there are older ones.
/// Ends at the latest after `patience`, with what has come.
///
/// # Errors
/// The topic is not there, or the brokers don't answer.
pub fn read_newest(
    kafka: &Kafka,
    most: i64,
    patience: Duration,
    mut take: impl FnMut(Letter),
) -> Result<bool, LetterError> {
    let deadline = Instant::now() + patience;
    let consumer = consumer(kafka)?;
    let mut assignment = TopicPartitionList::new();
    let mut open = BTreeSet::new();
    let mut has_older = false;
    for partition in 0..partitions(&consumer, kafka)? {
        let (first, end) = consumer.fetch_watermarks(&kafka.dead_letters_topic, partition, patience)?;
        let from = first.max(end - most);
        has_older |= from > first;
        if from < end {
            assignment.add_partition_offset(&kafka.dead_letters_topic, partition, Offset::Offset(from))?;
            open.insert(partition);
        }
    }
    consumer.assign(&assignment)?;
    while !open.is_empty() && Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => take(Letter::of(&message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(open.remove(&partition)),
            Some(Err(_)) | None => {}
        }
    }
    Ok(has_older || !open.is_empty())
}

/// Reads a partition until its end, or until `take` has had enough.
fn read_from(
    consumer: &BaseConsumer,
    kafka: &Kafka,
    from: Position,
    offset: Offset,
    mut take: impl FnMut(Letter) -> bool,
) -> Result<(), LetterError> {
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&kafka.dead_letters_topic, from.partition, offset)?;
    consumer.assign(&assignment)?;
    let mut deadline = Instant::now() + SILENCE;
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                deadline = Instant::now() + SILENCE;
                if !take(Letter::of(&message)) {
                    return Ok(());
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) if partition == from.partition => return Ok(()),
            Some(Err(error)) if Instant::now() > deadline => return Err(error.into()),
            None if Instant::now() > deadline => {
                return Err(LetterError::Silent {
                    topic: kafka.dead_letters_topic.clone(),
                    seconds: SILENCE.as_secs(),
                });
            }
            Some(Err(_)) | None => {}
        }
    }
}
