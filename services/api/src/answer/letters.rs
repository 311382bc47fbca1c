//! `/dead-letters`: records that were not linked, and why. Read from Kafka, the newest of each partition, and kept for a moment,
//! so that many who ask cost one reading. Never values or keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringtrace_kit::config::Kafka;
use ringtrace_linker::letters::{Letter, LetterError, read_newest};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::App;
use crate::ask::Ask;
use crate::problem::Problem;

/// Newest letters of a partition that are read.
const MOST_READ: i64 = 20_000;

/// Letters that are kept; the others are only counted.
const MOST_KEPT: usize = 2_000;

/// How long what was read serves.
const KEPT: Duration = Duration::from_secs(15);

/// How long Kafka may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long reading may take; what has come by then is shown.
const READING: Duration = Duration::from_secs(4);

/// When to ask again where Kafka is away, in seconds.
const RETRY_S: u64 = 15;

/// What was read last, and when; `None` where Kafka did not answer.
#[derive(Default)]
pub(crate) struct Letters(Mutex<Option<(Instant, Option<Arc<Found>>)>>);

/// Letters of the topic.
pub(crate) struct Found {
    by_reason: BTreeMap<String, u64>,
    /// The newest first.
    newest: Vec<Letter>,
    truncated: bool,
}

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    if ask.reader.tenants().is_some() {
        let detail = "what is no valid event has no tenant: dead letters are for tokens that see all tenants";
        return Err(Problem::forbidden(detail));
    }
    let found = read(&app).await.ok_or_else(|| Problem::unavailable("Kafka does not answer", RETRY_S))?;
    let limit = usize::try_from(ask.int("limit", 50)).unwrap_or(50);
    Ok(found.json(ask.get("reason"), limit))
}

/// The letters; `None` where Kafka does not answer.
pub(super) async fn read(app: &App) -> Option<Arc<Found>> {
    let mut held = app.letters.0.lock().await;
    if let Some((at, found)) = held.as_ref().filter(|(at, _)| at.elapsed() < KEPT) {
        let _fresh = at;
        return found.clone();
    }
    let kafka = app.kafka.clone();
    let reading = tokio::task::spawn_blocking(move || find(&kafka));
    let found = match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(Ok(found))) => Some(Arc::new(found)),
        Ok(Ok(Err(error))) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "dead letters can't be read");
            None
        }
        _ => None,
    };
    *held = Some((Instant::now(), found.clone()));
    found
}

fn find(kafka: &Kafka) -> Result<Found, LetterError> {
    let mut found = Found { by_reason: BTreeMap::new(), newest: Vec::new(), truncated: false };
    found.truncated = read_newest(kafka, MOST_READ, READING, |letter| {
        *found.by_reason.entry(letter.reason.clone()).or_default() += 1;
        found.newest.push(letter.without_value());
        if found.newest.len() >= MOST_KEPT * 2 {
            keep_newest(&mut found.newest);
        }
    })?;
    keep_newest(&mut found.newest);
    Ok(found)
}

fn keep_newest(letters: &mut Vec<Letter>) {
    letters.sort_by_key(|letter| std::cmp::Reverse((letter.dead_at, letter.position)));
    letters.truncate(MOST_KEPT);
}

impl Found {
    /// Counts by reason, and some letters.
    pub(super) fn json(&self, reason: Option<&str>, limit: usize) -> Value {
        let total = self.by_reason.iter().map(|(reason, count)| json!({"reason": reason, "count": count}));
        let wanted = || self.newest.iter().filter(|letter| reason.is_none_or(|reason| letter.reason == reason));
        let item = |letter: &Letter| {
            json!({
                "position": letter.position,
                "at": letter.dead_at,
                "reason": letter.reason,
                "detail": letter.detail,
                "source": letter.source,
            })
        };
        json!({
            "total_by_reason": total.collect::<Vec<_>>(),
            "items": wanted().take(limit).map(item).collect::<Vec<_>>(),
            "truncated": self.truncated || wanted().count() > limit,
        })
    }
}
