//! One Kafka transaction per flush: states, verdicts, dead letters, reroutes and offsets, all or nothing.

use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::BaseRecord;
use ringtrace_kit::config::Kafka;

use crate::record::Outgoing;
use crate::slot::SlotFlush;
use crate::state::HEADER_KEY;
use crate::topics::Positions;

/// What goes into a transaction.
pub(crate) struct Content<'a, G> {
    pub(crate) slots: &'a [SlotFlush],
    pub(crate) reroutes: &'a [Outgoing],
    pub(crate) dead_letters: &'a [Outgoing],
    /// Of every partition that was read.
    pub(crate) positions: &'a Positions,
    pub(crate) group: &'a G,
    /// How many slots there were when they were read.
    pub(crate) partitions: i32,
}

/// A transaction that was not committed.
#[derive(Debug)]
pub(crate) enum NotCommitted {
    /// The group takes no offsets of this member and generation. The transaction is aborted, and others may follow.
    Refused(KafkaError),
    /// Calls have other slots by now: the number of partitions has changed. The transaction is aborted.
    Repartitioned,
    /// Nothing is known of it, and the producer is done.
    Failed(KafkaError),
}

impl From<KafkaError> for NotCommitted {
    fn from(error: KafkaError) -> Self {
        NotCommitted::Failed(error)
    }
}

/// A transactional producer.
pub(crate) trait Producer {
    /// What names a member of the consumer group and its generation.
    type Group: Send + 'static;

    /// Begins a transaction.
    fn begin(&self) -> KafkaResult<()>;

    /// Sends a record; waits while the producer's queue is full.
    fn send(&self, record: BaseRecord<'_, [u8], [u8]>) -> KafkaResult<()>;

    /// Adds the offsets to the transaction. Kafka refuses them when the group has gone on without this member.
    fn send_offsets(&self, positions: &Positions, group: &Self::Group) -> Result<(), NotCommitted>;

    /// How many slots there are now; 0 when a topic is not the one any more that was read.
    fn slots(&self) -> KafkaResult<i32>;

    /// Commits.
    fn commit(&self) -> KafkaResult<()>;

    /// A producer that was fenced can't even abort, and the broker does it after the timeout.
    fn abort(&self) -> KafkaResult<()>;
}

/// Writes transactions.
pub(crate) struct Transactions<P> {
    pub(crate) producer: P,
    pub(crate) kafka: Kafka,
}

impl<P: Producer> Transactions<P> {
    /// Commits all of the content, or nothing.
    ///
    /// # Errors
    /// Nothing was committed, or nothing is known of it: then the state must be read again.
    pub(crate) fn commit(&self, content: &Content<'_, P::Group>) -> Result<(), NotCommitted> {
        self.producer.begin()?;
        if planted!(OffsetsOutside) {
            self.producer.send_offsets(content.positions, content.group)?;
            self.producer.commit()?;
            self.producer.begin()?;
        }
        let written =
            self.write(content).and_then(|()| self.check_slots(content)).and_then(|()| Ok(self.producer.commit()?));
        let Err(error) = written else { return Ok(()) };
        Err(match (self.producer.abort(), error) {
            (Err(_), NotCommitted::Refused(error)) => NotCommitted::Failed(error),
            (_, error) => error,
        })
    }

    /// With the consumer protocol nobody has to give up what it holds when partitions are added, and so others may have taken
    /// over calls of these slots already; and offsets of a topic that was deleted are those of the next of its name. They read these slots' state first, and wait for transactions that are open then:
    /// whoever asks in an open one hears of it.
    fn check_slots(&self, content: &Content<'_, P::Group>) -> Result<(), NotCommitted> {
        let is_same = planted!(PartitionsUnchecked) || self.producer.slots()? == content.partitions;
        if is_same { Ok(()) } else { Err(NotCommitted::Repartitioned) }
    }

    fn write(&self, content: &Content<'_, P::Group>) -> Result<(), NotCommitted> {
        for slot in content.slots {
            self.write_slot(slot)?;
        }
        for reroute in content.reroutes {
            self.send_outgoing(&self.kafka.internal_topic, reroute)?;
        }
        for dead_letter in content.dead_letters {
            self.send_outgoing(&self.kafka.dead_letters_topic, dead_letter)?;
        }
        planted!(OffsetsOutside: Ok(()), self.producer.send_offsets(content.positions, content.group))
    }

    fn write_slot(&self, slot: &SlotFlush) -> KafkaResult<()> {
        let topic = self.kafka.calls_topic.as_str();
        for (key, value) in slot.states.iter() {
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).key(key).partition(slot.partition);
            record.payload = value;
            self.producer.send(record)?;
        }
        for (partition, key) in &slot.left_behind {
            self.producer.send(BaseRecord::<[u8], [u8]>::to(topic).key(key).partition(*partition))?;
        }
        let header = slot.header.encode();
        let record = BaseRecord::<[u8], [u8]>::to(topic).key(HEADER_KEY).payload(&header).partition(slot.partition);
        self.producer.send(record)?;
        for (key, message) in slot.verdicts.iter() {
            let mut record = BaseRecord::<[u8], [u8]>::to(self.kafka.verdicts_topic.as_str()).key(key);
            record.payload = message;
            self.producer.send(record)?;
        }
        Ok(())
    }

    fn send_outgoing(&self, topic: &str, outgoing: &Outgoing) -> KafkaResult<()> {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).headers(outgoing.headers.clone());
        record.key = outgoing.key.as_deref();
        record.payload = outgoing.value.as_deref();
        record.partition = outgoing.partition;
        // A record without a timestamp takes the wall clock of its writing, and so does one of 0 in librdkafka.
        record.timestamp = (outgoing.timestamp >= 0).then_some(outgoing.timestamp.max(1));
        self.producer.send(record)
    }
}

/// Repeats what Kafka says may be repeated.
pub(crate) fn retried(step: impl Fn() -> KafkaResult<()>) -> KafkaResult<()> {
    let mut tries = 5;
    loop {
        match step() {
            Err(KafkaError::Transaction(error)) if error.is_retriable() && tries > 0 => tries -= 1,
            other => return other,
        }
    }
}
