//! `/live`: legs as they change, as server-sent events.
//!
//! One poller asks ClickHouse for all who follow, and only while someone does. What it finds goes through a ring of batches: a
//! client that takes none for too long finds older ones overwritten, is told how many it has missed, and delays nobody.
//! The id of an event is a log time; a client that comes back with it gets what has changed since a little before it, so that
//! it may see a leg twice, and misses none.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use ringtrace_kit::clock::wall_ms;
use ringtrace_kit::drain::Drain;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::{Instant, sleep, timeout_at};

use super::App;
use super::list::{Item, item, shown};
use crate::ask::{Ask, Filter};
use crate::data::LEG_COLUMNS;
use crate::problem::Problem;
use crate::store::{Query, Scope, Store};

/// How often the poller asks.
const PERIOD: Duration = Duration::from_secs(1);

/// Legs of calls that were first seen longer ago are no news, in seconds.
const RECENT_S: i64 = 2 * 3_600;

/// Changes may be written so much later than their log time says, and are looked for so long, in milliseconds.
const OVERLAP_MS: i64 = 60_000;

/// Legs of one batch; more are only counted.
const MOST_IN_BATCH: usize = 5_000;

/// Batches that a client may be behind.
const RING: usize = 16;

/// Legs that a client is sent of one batch, which is a second's.
const MOST_SENT: usize = 50;

/// How often something is sent to show that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What all who follow share.
pub(crate) struct Live {
    batches: broadcast::Sender<Arc<Batch>>,
    is_polling: Arc<AtomicBool>,
    places: Arc<Semaphore>,
    most: usize,
}

/// What has changed in a second.
struct Batch {
    items: Vec<Item>,
    /// Changes in this batch and all before it.
    total: u64,
}

impl Live {
    pub(crate) fn new(most: usize) -> Self {
        Live {
            batches: broadcast::Sender::new(RING),
            is_polling: Arc::default(),
            places: Arc::new(Semaphore::new(most)),
            most,
        }
    }

    /// Follows; the poller starts with the first who does.
    fn follow(&self, store: &Store, drain: &Drain) -> broadcast::Receiver<Arc<Batch>> {
        let receiver = self.batches.subscribe();
        if !self.is_polling.swap(true, Ordering::AcqRel) {
            let poller = Poller { store: store.clone(), seen: HashMap::new(), since: wall_ms(), total: 0 };
            tokio::spawn(poll(poller, self.batches.clone(), Arc::clone(&self.is_polling), drain.clone()));
        }
        receiver
    }
}

/// Asks until nobody follows any more.
async fn poll(mut poller: Poller, batches: broadcast::Sender<Arc<Batch>>, is_polling: Arc<AtomicBool>, drain: Drain) {
    while !drain.is_started() {
        match poller.next().await {
            Ok(batch) => drop(batches.send(Arc::new(batch))),
            Err(problem) => tracing::warn!(status = problem.status(), "what has changed can't be asked for now"),
        }
        if batches.receiver_count() == 0 {
            is_polling.store(false, Ordering::Release);
            // Someone may have come between the two.
            if batches.receiver_count() == 0 || is_polling.swap(true, Ordering::AcqRel) {
                return;
            }
        }
        sleep(PERIOD).await;
    }
}

struct Poller {
    store: Store,
    /// Changes that were sent, by leg: their log times.
    seen: HashMap<(String, String, String), i64>,
    /// Newest log time so far.
    since: i64,
    total: u64,
}

impl Poller {
    async fn next(&mut self) -> Result<Batch, Problem> {
        // For all who follow: each is sent what its own scope holds.
        let everyone = Scope::of(None, &[])?;
        let found = changed_since(&self.store, &everyone, self.since - OVERLAP_MS).await?;
        let mut items = Vec::new();
        for item in found {
            let (key, at) = (key_of(&item), updated_at(&item));
            if self.seen.insert(key, at) != Some(at) {
                items.push(item);
            }
            self.since = self.since.max(at);
        }
        if self.seen.len() == items.len() {
            // The first answer is the past: its newest legs are something to look at.
            items.drain(..items.len().saturating_sub(MOST_SENT));
        }
        let oldest = self.since - OVERLAP_MS;
        self.seen.retain(|_, at| *at >= oldest);
        self.total += items.len() as u64;
        Ok(Batch { items, total: self.total })
    }
}

/// Legs that changed at a log time or later, the earliest first.
async fn changed_since(store: &Store, scope: &Scope, since: i64) -> Result<Vec<Item>, Problem> {
    let text = format!(
        "SELECT {} FROM @legs_now AND first_seen >= toDateTime({{recent:Int64}}) \
         AND updated_at >= fromUnixTimestamp64Milli({{since:Int64}}) ORDER BY updated_at DESC LIMIT {MOST_IN_BATCH}",
        shown(&LEG_COLUMNS)
    );
    let query = Query::new(scope, &text)?;
    let rows: Vec<Vec<Value>> =
        store.rows(query.with_ints([("recent", wall_ms() / 1_000 - RECENT_S), ("since", since)])).await?;
    Ok(rows.into_iter().rev().map(|row| item(&LEG_COLUMNS, row)).collect())
}

fn key_of(item: &Item) -> (String, String, String) {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("tenant_id"), text("call_uuid"), text("device_id"))
}

fn updated_at(item: &Item) -> i64 {
    item.get("updated_at").and_then(Value::as_i64).unwrap_or_default()
}

/// Answers.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Response, Problem> {
    let most = app.live.most;
    let full = |_| Problem::unavailable(format!("{most} follow already (serve.live_clients)"), 30);
    let place = Arc::clone(&app.live.places).try_acquire_owned().map_err(full)?;
    metrics::gauge!("ringtrace_http_live_clients").increment(1);
    let place = Place { _permit: place };
    let (scope, filter) = (ask.scope()?, ask.filter());
    // Followed first, so that nothing is between what is made up for and what comes.
    let batches = app.live.follow(&app.store, &app.drain);
    let follower = Follower { batches, scope, filter, total: None, drain: app.drain.clone(), _place: place };
    let mut hello = "retry: 2000\nevent: hello\ndata: {}\n\n".to_owned();
    if let Some(since) = ask.last_event_id.as_deref().and_then(|id| id.parse::<i64>().ok()) {
        let missed = changed_since(&app.store, &follower.scope, since - OVERLAP_MS).await?;
        hello += &follower.write(&missed, 0, MOST_IN_BATCH);
    }
    let begin = stream::iter([Ok::<_, Infallible>(Bytes::from(hello))]);
    let rest = stream::unfold(follower, |mut follower| async { Some((Ok(follower.next().await?), follower)) });
    let body = Body::from_stream(futures_util::StreamExt::chain(begin, rest));
    Ok(([(CONTENT_TYPE, "text/event-stream")], body).into_response())
}

/// A place among those who follow.
struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("ringtrace_http_live_clients").decrement(1);
    }
}

/// One who follows.
struct Follower {
    batches: broadcast::Receiver<Arc<Batch>>,
    scope: Scope,
    filter: Filter,
    /// Changes of all batches that were taken, and of those before them.
    total: Option<u64>,
    drain: Drain,
    _place: Place,
}

impl Follower {
    /// What to send next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            let received = tokio::select! {
                () = self.drain.started() => return None,
                received = timeout_at(heartbeat, self.batches.recv()) => received,
            };
            let batch = match received {
                Err(_) => return Some(Bytes::from_static(b": alive\n\n")),
                Ok(Err(RecvError::Closed)) => return None,
                // The next one says how many changes were in those that were overwritten.
                Ok(Err(RecvError::Lagged(_))) => continue,
                Ok(Ok(batch)) => batch,
            };
            let before = batch.total - batch.items.len() as u64;
            let missed = self.total.map_or(0, |total| before.saturating_sub(total));
            self.total = Some(batch.total);
            let text = self.write(&batch.items, missed, MOST_SENT);
            if !text.is_empty() {
                return Some(text.into());
            }
        }
    }

    /// Events of the newest `most` legs that are wanted, and how many were skipped.
    fn write(&self, items: &[Item], missed: u64, most: usize) -> String {
        let is_seen = |item: &&Item| self.scope.sees(item.get("tenant_id").and_then(Value::as_str).unwrap_or_default());
        let wanted: Vec<&Item> = items.iter().filter(is_seen).filter(|item| self.filter.takes(item)).collect();
        let skipped = wanted.len().saturating_sub(most);
        let mut text = String::new();
        for item in wanted.iter().skip(skipped) {
            let data = serde_json::to_string(item).unwrap_or_default();
            text += &format!("id: {}\nevent: leg\ndata: {data}\n\n", updated_at(item));
        }
        match missed + skipped as u64 {
            0 => text,
            count => text + &format!("event: skipped\ndata: {{\"count\":{count}}}\n\n"),
        }
    }
}
