//! What Kafka and ClickHouse hold, asked beside the group's consumer.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::slots_of;
use ringtrace_kit::topics::{self, Described};
use tokio::runtime::Handle;

use super::store;
use crate::changelog::{self, Changelog, ChangelogError};
use crate::consumer::{partition_list, reader};
use crate::load::{LoadError, Stored};
use crate::run::{LinkError, Linker};
use crate::topics::{Input, Inputs, Place};
use crate::world::Log;
use crate::writer::Sink;

/// How long the brokers may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long brokers may need to tell each other of new partitions: a second is long for KRaft.
const SINKS_IN: Duration = Duration::from_secs(3);

/// How long it waits before it asks again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long offsets may stay unstable: as long as transactions of a dead owner, and a little more.
const STABLE: Duration = Duration::from_secs(60);

/// See the module's text.
pub(crate) struct LiveLog {
    kafka: Kafka,
    inputs: Inputs,
    /// One sees committed records only, the other all.
    committed: BaseConsumer,
    raw: BaseConsumer,
    /// Whether the brokers tell ids of topics.
    has_ids: bool,
    /// The input topics as they were at first.
    began: Vec<Described>,
    sink: Sink,
    runtime: Handle,
}

impl LiveLog {
    pub(super) fn start(linker: &Linker, runtime: &Handle, inputs: &Inputs) -> KafkaResult<Self> {
        let kafka = &linker.config.kafka;
        let mut log = LiveLog {
            kafka: kafka.clone(),
            inputs: inputs.clone(),
            committed: reader(kafka, "read_committed")?,
            raw: reader(kafka, "read_uncommitted")?,
            has_ids: false,
            began: Vec::new(),
            sink: linker.sink.clone(),
            runtime: runtime.clone(),
        };
        log.has_ids = topics::have_controller(log.raw.client(), TIMEOUT)?;
        log.began = log.describe()?;
        Ok(log)
    }

    /// How many slots there are: the least number of partitions of their topics. 0 while one does not exist, and once one was
    /// made again since this was begun.
    pub(super) fn slots(&self) -> KafkaResult<i32> {
        let now = self.describe()?;
        let is_same = now.iter().zip(&self.began).all(|(now, began)| now.id == began.id);
        Ok(if is_same {
            now.iter().take(Input::OF_SLOT.len()).map(|topic| topic.partitions).min().unwrap_or(0)
        } else {
            0
        })
    }

    /// Without ids where the brokers give none.
    fn describe(&self) -> KafkaResult<Vec<Described>> {
        let names = Input::ALL.map(|input| &**self.inputs.name(input));
        if self.has_ids {
            return patiently(|| topics::describe(self.raw.client(), &names, TIMEOUT));
        }
        let count = |name| {
            let metadata = self.raw.fetch_metadata(Some(name), TIMEOUT)?;
            let partitions = metadata.topics().iter().map(|topic| topic.partitions().len() as i32).sum();
            Ok(Described { id: 0, partitions })
        };
        names.into_iter().map(count).collect()
    }
}

/// Asks again while a broker starts, stops or is out of reach: a session asks after every transaction, and a connection that is
/// cut is no reason to drop its state.
fn patiently<T>(ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
    let started = Instant::now();
    loop {
        match ask() {
            Err(error) if may_pass(&error) && started.elapsed() < TIMEOUT => std::thread::park_timeout(PAUSE),
            answer => return answer,
        }
    }
}

fn may_pass(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, LeaderNotAvailable, NotLeaderForPartition};
    let code = match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    let passing = [AllBrokersDown, BrokerTransportFailure, LeaderNotAvailable, NotLeaderForPartition];
    code.is_some_and(|code| passing.contains(&code))
}

impl Log for LiveLog {
    fn committed(&self, places: &[Place]) -> KafkaResult<Vec<Option<i64>>> {
        let list = partition_list(&self.inputs, places.iter().copied());
        let committed = self.committed.committed_offsets(list, STABLE)?;
        let offset = |place: &Place| {
            let element = committed.find_partition(self.inputs.name(place.0), place.1);
            element.as_ref().map_or(Ok(()), TopicPartitionListElem::error)?;
            Ok(element.and_then(|element| element.offset().to_raw()).filter(|offset| *offset >= 0))
        };
        places.iter().map(offset).collect()
    }

    fn partitions(&self) -> Result<i32, LinkError> {
        Ok(slots_of(&self.kafka, self.raw.client())?)
    }

    fn places(&self) -> Result<Vec<Place>, LinkError> {
        let counts = Input::ALL.into_iter().zip(self.describe()?);
        let of_topic =
            |(input, topic): (Input, Described)| (0..topic.partitions).map(move |partition| (input, partition));
        Ok(counts.flat_map(of_topic).collect())
    }

    fn let_sink_in(&self) {
        std::thread::park_timeout(SINKS_IN);
    }

    fn bounds(&self, (input, partition): Place) -> KafkaResult<(i64, i64)> {
        patiently(|| self.raw.fetch_watermarks(self.inputs.name(input), partition, TIMEOUT))
    }

    fn changelog(&self, partition: i32) -> Result<Changelog, ChangelogError> {
        changelog::read(&self.committed, &self.raw, &self.kafka.calls_topic, partition)
    }

    fn stored(&self) -> Result<Stored, LoadError> {
        store::stored(&self.sink, &self.runtime)
    }
}
