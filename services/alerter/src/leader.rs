//! Which of several alerters leads: the member of a consumer group that has partition 0 of the verdicts' topic.
//!
//! Kafka gives a partition to one member at a time, and to another within about ten seconds after the first has died. Nothing
//! is read: the partitions are paused. A leader that was suspended learns at its next poll that it leads no more; until then
//! it may repeat what the new one says, under the same fingerprints.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::kafka::client_config;

/// How long the group waits for a member that says nothing.
const SESSION_MS: &str = "10000";

/// How long a member may not poll before it leads no more.
const POLL_MS: &str = "30000";

/// A term of leadership: odd numbers lead. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Leadership {
    term: Arc<AtomicU64>,
}

impl Leadership {
    /// The number of the present term; `None` where another leads.
    pub fn term(&self) -> Option<u64> {
        let term = self.term.load(Ordering::SeqCst);
        (term % 2 == 1).then_some(term)
    }

    fn set(&self, leads: bool) {
        let term = self.term.load(Ordering::SeqCst);
        if (term % 2 == 1) != leads {
            self.term.store(term + 1, Ordering::SeqCst);
            tracing::info!(leads, "leadership of the alerters");
        }
    }

    /// Takes part in the group until the drain starts. Blocks: it needs a thread of its own.
    pub fn take_part(&self, kafka: &Kafka, group: &str, drain: &Drain) {
        while !drain.is_started() {
            if let Err(error) = self.follow(kafka, group, drain) {
                self.set(false);
                tracing::warn!(group, %error, "the group of alerters can't be joined, trying again");
                std::thread::park_timeout(Duration::from_secs(2));
            }
        }
        self.set(false);
    }

    fn follow(&self, kafka: &Kafka, group: &str, drain: &Drain) -> Result<(), rdkafka::error::KafkaError> {
        let mut config = client_config(kafka);
        config.set("group.id", group).set("enable.auto.commit", "false").set("auto.offset.reset", "latest");
        config.set("group.protocol", "classic").set("partition.assignment.strategy", "range");
        config.set("session.timeout.ms", SESSION_MS).set("max.poll.interval.ms", POLL_MS);
        let context = Context { leadership: self.clone(), topic: kafka.verdicts_topic.clone() };
        let consumer: BaseConsumer<Context> = config.create_with_context(context)?;
        consumer.subscribe(&[&kafka.verdicts_topic])?;
        while !drain.is_started() {
            match consumer.poll(Duration::from_millis(200)) {
                Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_lasting) => return Err(error),
                Some(Err(error)) => tracing::debug!(%error, "group of alerters"),
                Some(Ok(_)) | None => {}
            }
            if consumer.assignment_lost() {
                self.set(false);
            }
        }
        Ok(())
    }
}

fn is_lasting(code: rdkafka::error::RDKafkaErrorCode) -> bool {
    use rdkafka::error::RDKafkaErrorCode::{Fatal, GroupAuthorizationFailed, PollExceeded, UnknownTopicOrPartition};
    matches!(code, Fatal | GroupAuthorizationFailed | PollExceeded | UnknownTopicOrPartition)
}

struct Context {
    leadership: Leadership,
    topic: String,
}

impl ClientContext for Context {}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if !matches!(rebalance, Rebalance::Assign(_)) {
            self.leadership.set(false);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            if let Err(error) = consumer.pause(partitions) {
                tracing::debug!(%error, "partitions are not paused, and what comes is dropped");
            }
            self.leadership.set(partitions.find_partition(&self.topic, 0).is_some());
        }
    }
}
