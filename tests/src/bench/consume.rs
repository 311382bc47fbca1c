//! Consumers that do less than the linker.

use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use ringtrace_linker::CONSUMER_SETTINGS;

use super::Input;
use crate::stack::{Case, INPUT_TOPICS, PATIENCE};

/// Reads all of the input, and lets `take` see each value and its log time.
///
/// # Panics
/// When it can't be read in time, or is not what was written.
pub(super) fn all(case: &Case, group: &str, input: &Input, take: impl Fn(&[u8], i64)) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", case.brokers()).set("group.id", group);
    for (name, value) in [("partition.assignment.strategy", "range")].into_iter().chain(CONSUMER_SETTINGS) {
        config.set(name, value);
    }
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let topics = INPUT_TOPICS.map(|topic| case.topic(topic));
    consumer.subscribe(&topics.each_ref().map(String::as_str)).expect("a subscription");
    let (mut events, mut bytes) = (0, 0);
    let mut deadline = Instant::now() + PATIENCE;
    while events < input.events {
        let Some(message) = consumer.poll(Duration::from_millis(20)) else {
            assert!(Instant::now() < deadline, "{group} has read {events} events");
            continue;
        };
        let message = message.expect("a record");
        let value = message.payload().unwrap_or_default();
        events += 1;
        bytes += value.len() as u64;
        take(value, message.timestamp().to_millis().unwrap_or(-1));
        if events % 100_000 == 0 {
            deadline = Instant::now() + PATIENCE;
        }
    }
    assert_eq!(bytes, input.value_bytes, "{group} has read what was written");
}
