//! What Kafka and ClickHouse hold, asked beside the group's consumer.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::check_topics;
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

/// How long offsets may stay unstable: as long as transactions of a dead owner, and a little more.
const STABLE: Duration = Duration::from_secs(60);

/// See the module's text.
pub(crate) struct LiveLog {
    kafka: Kafka,
    inputs: Inputs,
    /// One sees committed records only, the other all.
    committed: BaseConsumer,
    raw: BaseConsumer,
    sink: Sink,
    runtime: Handle,
}

impl LiveLog {
    pub(super) fn start(linker: &Linker, runtime: &Handle, inputs: &Inputs) -> KafkaResult<Self> {
        let kafka = &linker.config.kafka;
        Ok(LiveLog {
            kafka: kafka.clone(),
            inputs: inputs.clone(),
            committed: reader(kafka, "read_committed")?,
            raw: reader(kafka, "read_uncommitted")?,
            sink: linker.sink.clone(),
            runtime: runtime.clone(),
        })
    }
}

impl LiveLog {
    /// How many slots there are whose partitions are all there. 0 while a topic is not.
    pub(super) fn slots(&self) -> KafkaResult<i32> {
        let mut fewest = i32::MAX;
        for input in Input::OF_SLOT {
            fewest = fewest.min(self.count(input)?);
        }
        Ok(fewest)
    }

    /// How many partitions a topic has.
    fn count(&self, input: Input) -> KafkaResult<i32> {
        let metadata = self.raw.fetch_metadata(Some(self.inputs.name(input)), TIMEOUT)?;
        Ok(metadata.topics().iter().map(|topic| topic.partitions().len() as i32).sum())
    }
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
        Ok(check_topics(&self.kafka)?)
    }

    fn places(&self) -> Result<Vec<Place>, LinkError> {
        let mut places = Vec::new();
        for input in Input::ALL {
            places.extend((0..self.count(input)?).map(|partition| (input, partition)));
        }
        Ok(places)
    }

    fn let_sink_in(&self) {
        std::thread::park_timeout(SINKS_IN);
    }

    fn bounds(&self, (input, partition): Place) -> KafkaResult<(i64, i64)> {
        self.raw.fetch_watermarks(self.inputs.name(input), partition, TIMEOUT)
    }

    fn changelog(&self, partition: i32) -> Result<Changelog, ChangelogError> {
        changelog::read(&self.committed, &self.raw, &self.kafka.calls_topic, partition)
    }

    fn stored(&self) -> Result<Stored, LoadError> {
        store::stored(&self.sink, &self.runtime)
    }
}
