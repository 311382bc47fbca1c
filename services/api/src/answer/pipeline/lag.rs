//! How many records each slot has not read yet, as Kafka says.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use ringtrace_kit::config::Kafka;
use ringtrace_kit::kafka::client_config;

use crate::answer::App;

/// How long Kafka may take for all of them, and for one partition.
const PATIENCE: Duration = Duration::from_secs(3);
const ONE: Duration = Duration::from_secs(1);

/// A slot, which is a partition, and the next offset of each topic.
type Positions = (i32, BTreeMap<String, i64>);

/// The lag of each slot; `None` where Kafka does not say.
pub(super) async fn of_slots(app: &App, slots: Vec<Positions>) -> Vec<Option<i64>> {
    let (kafka, count) = (app.kafka.clone(), slots.len());
    let asked = tokio::task::spawn_blocking(move || ask(&kafka, &slots));
    let answer = tokio::time::timeout(PATIENCE + ONE, asked).await;
    answer.ok().and_then(Result::ok).unwrap_or_else(|| vec![None; count])
}

fn ask(kafka: &Kafka, slots: &[Positions]) -> Vec<Option<i64>> {
    let deadline = Instant::now() + PATIENCE;
    let consumer: Result<BaseConsumer, _> =
        client_config(kafka).set("group.id", format!("{}-lag", kafka.group)).create();
    let Ok(consumer) = consumer else { return vec![None; slots.len()] };
    let lag = |partition: i32, topic: &str, position: i64| {
        if Instant::now() > deadline {
            return None;
        }
        let (_, end) = consumer.fetch_watermarks(topic, partition, ONE).ok()?;
        Some((end - position).max(0))
    };
    let of_slot = |(partition, positions): &Positions| {
        positions.iter().map(|(topic, position)| lag(*partition, topic, *position)).sum()
    };
    slots.iter().map(of_slot).collect()
}
