//! The leading alerter's look at kills that name no call.
//!
//! Nothing is remembered but where the last look ended: whether a kill has been matched is seen by the event that it became.
//! So a restart, or two alerters for a moment, repeat at most what changes nothing. A kill is looked at when what came with it
//! has had time to be linked, then for ten minutes more, since its push may come late; and once an hour for a week, since a
//! linker may have been away and then writes kills with log times long past.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clickhouse::error::Error;
use metrics::counter;
use ringtrace_model::Rules;
use tokio::sync::watch;

use super::inferred::{Inferred, event_id};
use super::matching::{Crash, blamed, settle_ms};
use super::sender::{SendError, Sender};
use crate::store::Store;

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(10);

/// How far each look goes back behind the end of the one before, in milliseconds of log time.
const OVERLAP_MS: i64 = 600_000;

/// How often a look goes back further, and how far, in milliseconds of log time.
const DEEP_EVERY_MS: i64 = 3_600_000;
const DEEP_MS: i64 = 7 * 86_400_000;

/// How many kills are matched at once: what is asked of them stays under ClickHouse's `max_query_size`.
const AT_ONCE: usize = 100;

/// Why kills were not matched.
#[derive(Debug, thiserror::Error)]
enum MatchError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Send(#[from] SendError),
}

/// See the module's text.
pub struct Matcher {
    store: Store,
    sender: Sender,
    rules: Rules,
    /// Up to which log time kills were looked at, and when a look last went back far, in milliseconds since the Unix epoch.
    looked: Option<i64>,
    deep_at: Option<i64>,
    /// Kills of the overlap that need no more looks, with their log times.
    settled: BTreeMap<(String, String, String, u64), i64>,
}

fn key(crash: &Crash) -> (String, String, String, u64) {
    (crash.tenant_id.clone(), crash.device_id.clone(), crash.event_id.clone(), crash.contents)
}

impl Matcher {
    /// Of facts in ClickHouse, judged by the contract's rules.
    pub fn new(store: Store, sender: Sender, rules: Rules) -> Matcher {
        Matcher { store, sender, rules, looked: None, deep_at: None, settled: BTreeMap::new() }
    }

    /// Matches as the log clock goes on, until nobody sets it any more.
    pub async fn run(mut self, mut clock: watch::Receiver<Option<i64>>) {
        while clock.changed().await.is_ok() {
            let now = *clock.borrow_and_update();
            if let Some(now) = now
                && let Err(error) = self.look(now).await
            {
                tracing::warn!(%error, "kills are not matched to calls, trying again");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn look(&mut self, now: i64) -> Result<(), MatchError> {
        let due = now.saturating_sub(settle_ms(&self.rules));
        if self.looked.is_some_and(|looked| due <= looked) {
            return Ok(());
        }
        let is_deep = self.deep_at.is_none_or(|at| now - at >= DEEP_EVERY_MS);
        let mut from = match self.looked {
            Some(looked) if !is_deep => looked - OVERLAP_MS,
            _ => due - DEEP_MS,
        };
        loop {
            let page = self.store.crashes(from, due, AT_ONCE).await?;
            for some in page.chunks(AT_ONCE) {
                self.settle(some).await?;
            }
            match page.last() {
                Some(last) if page.len() >= AT_ONCE => from = last.log_at,
                _ => break,
            }
        }
        self.looked = Some(due);
        if is_deep {
            self.deep_at = Some(now);
        }
        self.settled.retain(|_, log_at| *log_at > due - OVERLAP_MS);
        Ok(())
    }

    /// Makes evidence of those that can be matched. The others are looked at again.
    async fn settle(&mut self, crashes: &[Crash]) -> Result<(), MatchError> {
        let open: Vec<&Crash> = crashes.iter().filter(|crash| !self.settled.contains_key(&key(crash))).collect();
        if open.is_empty() {
            return Ok(());
        }
        let pushes = self.store.pushes_before(&open).await?;
        let ids = |crash: &Crash| {
            let near = pushes.iter().filter(|push| push.is_of(crash));
            near.map(|push| (push.tenant_id.clone(), push.call_uuid.clone(), event_id(crash, &push.call_uuid)))
                .collect::<Vec<_>>()
        };
        let asked: Vec<_> = open.iter().flat_map(|crash| ids(crash)).collect();
        let made = self.store.events_there(&asked).await?;
        let (mut settled, mut inferred) = (Vec::new(), BTreeMap::new());
        for crash in open {
            let push = match is_made(&made, &ids(crash)) {
                true => None,
                false => match blamed(crash, &pushes, &self.rules) {
                    Some(push) => Some(push).filter(|push| !push.is_confirmed),
                    None => continue,
                },
            };
            if let Some(push) = push {
                inferred.insert(event_id(crash, &push.call_uuid), Inferred::of(crash, push));
            }
            settled.push((key(crash), crash.log_at));
        }
        let inferred: Vec<Inferred> = inferred.into_values().collect();
        self.sender.send(&inferred).await?;
        counter!("ringtrace_inferred_kills_total").increment(inferred.len() as u64);
        self.settled.extend(settled);
        Ok(())
    }
}

fn is_made(made: &BTreeSet<String>, ids: &[(String, String, String)]) -> bool {
    ids.iter().any(|(_, _, id)| made.contains(id))
}
