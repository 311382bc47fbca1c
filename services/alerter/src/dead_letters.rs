//! How many dead letters each app had lately, read from their topic: by tenant and app, as far as a record still says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::TopicPartitionList;
use ringtrace_kit::config::Kafka;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::kafka::client_config;
use ringtrace_model::DEFAULT_TENANT;
use serde_json::Value;

use crate::query::Span;

/// How far back they are read at the start, and kept, in milliseconds.
const KEPT_MS: i64 = 24 * 3_600_000;

/// How many seconds' worth of them are told apart.
const BUCKET_MS: i64 = 10_000;

/// Most apps in a bucket; records of others count as of no app.
const MOST_APPS: usize = 1_000;

const ANSWER: Duration = Duration::from_secs(10);

type Apps = BTreeMap<(String, String), u64>;

/// The counts, by ten seconds of log time. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    buckets: Arc<Mutex<VecDeque<(i64, Apps)>>>,
}

impl Tail {
    /// How many dead letters each tenant and app had in a span of log time; both are empty where records don't say.
    pub fn count(&self, span: Span) -> BTreeMap<(String, String), u64> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = Apps::new();
        for (_, apps) in buckets.iter().filter(|(at, _)| span.holds(*at)) {
            for (app, count) in apps {
                *counts.entry(app.clone()).or_default() += count;
            }
        }
        counts
    }

    fn add(&self, tenant_id: String, app_id: String, at: i64) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let start = at.div_euclid(BUCKET_MS) * BUCKET_MS;
        let place = buckets.partition_point(|(held, _)| *held < start);
        if buckets.get(place).is_none_or(|(held, _)| *held != start) {
            buckets.insert(place, (start, Apps::new()));
        }
        let newest = buckets.back().map_or(start, |(held, _)| *held);
        if let Some((_, apps)) = buckets.get_mut(place) {
            let key = (tenant_id, app_id);
            let is_known = apps.contains_key(&key) || apps.len() < MOST_APPS;
            *apps.entry(if is_known { key } else { Default::default() }).or_default() += 1;
        }
        while buckets.front().is_some_and(|(held, _)| *held < newest - KEPT_MS) {
            buckets.pop_front();
        }
    }

    /// Reads the topic from a day ago on, until the drain starts. Blocks: it needs a thread of its own.
    pub fn follow(&self, kafka: &Kafka, now: i64, drain: &Drain) {
        while !drain.is_started() {
            if let Err(error) = self.read(kafka, now, drain) {
                tracing::warn!(topic = kafka.dead_letters_topic, %error, "dead letters can't be read, trying again");
                std::thread::park_timeout(ANSWER);
            }
        }
    }

    fn read(&self, kafka: &Kafka, now: i64, drain: &Drain) -> Result<(), rdkafka::error::KafkaError> {
        let mut config = client_config(kafka);
        // A group is never joined: partitions are assigned by hand, from a time on.
        config.set("group.id", "ringtrace-alerter-dead-letters").set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create()?;
        let topic = kafka.dead_letters_topic.as_str();
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER)?;
        let mut from = TopicPartitionList::new();
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            from.add_partition_offset(topic, partition.id(), Offset::Offset(now - KEPT_MS))?;
        }
        let from = consumer.offsets_for_times(from, ANSWER)?;
        consumer.assign(&from)?;
        *self.buckets.lock().unwrap_or_else(PoisonError::into_inner) = VecDeque::new();
        while !drain.is_started() {
            let Some(record) = consumer.poll(Duration::from_millis(500)) else { continue };
            let record = record?;
            let Some(at) = record.timestamp().to_millis() else { continue };
            // A marker of a transaction or a replayed letter has no reason.
            let is_letter =
                record.headers().is_some_and(|headers| headers.iter().any(|header| header.key == "ringtrace.reason"));
            if is_letter {
                let (tenant_id, app_id) = app_of(record.payload().unwrap_or_default());
                self.add(tenant_id, app_id, at);
            }
        }
        Ok(())
    }
}

/// Tenant and app of a record that is no valid event, as far as it says.
pub fn app_of(value: &[u8]) -> (String, String) {
    let value: Value = serde_json::from_slice(value).unwrap_or_default();
    let Some(app_id) = value["app_id"].as_str().filter(|app| !app.is_empty() && app.len() <= 255) else {
        return Default::default();
    };
    let tenant_id = value["tenant_id"].as_str().filter(|tenant| tenant.len() <= 64).unwrap_or(DEFAULT_TENANT);
    (tenant_id.to_owned(), app_id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Tail, app_of};
    use crate::query::Span;

    #[test]
    fn letters_are_counted_by_app_and_time() {
        let tail = Tail::default();
        for at in [50_000, 12_000, 15_000, 3_000] {
            tail.add("default".to_owned(), "a".to_owned(), at);
        }
        let count = |from, to| tail.count(Span { from, to }).values().sum::<u64>();
        assert_eq!((count(0, 60_000), count(10_000, 20_000), count(20_000, 40_000)), (4, 2, 0));
    }

    #[test]
    fn what_a_broken_record_says_of_its_app_is_used() {
        let of = |text: &str| app_of(text.as_bytes());
        assert_eq!(of(r#"{"app_id":"a","occurred_at":"?"}"#), ("default".to_owned(), "a".to_owned()));
        assert_eq!(of(r#"{"app_id":"a","tenant_id":"t"}"#), ("t".to_owned(), "a".to_owned()));
        for text in ["", "[]", r#"{"app_id":7}"#, r#"{"tenant_id":"t"}"#, "{"] {
            assert_eq!(of(text), Default::default(), "{text}");
        }
    }
}
