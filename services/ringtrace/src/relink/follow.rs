//! Waiting until the owners of slots have served requests, and ClickHouse has acknowledged the rows.
//!
//! A slot's row in `slots` is written last in each flush: a position in it is committed, and what came of the records before
//! it is in ClickHouse.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clickhouse::{Client, Row};
use ringtrace_kit::drain::Drain;
use ringtrace_linker::Request;
use serde::Deserialize;

use super::Limits;
use super::requests::Requests;

/// How often to look.
const LOOK: Duration = Duration::from_millis(200);

/// How long slots may stand still before that is said.
const SILENCE: Duration = Duration::from_secs(10);

/// How long they may stand still before they are asked once more: what a linker has written last may not have arrived.
const NUDGE: Duration = Duration::from_secs(30);

#[derive(Row, Deserialize)]
struct SlotRow {
    slot: u32,
    position: i64,
}

/// See the module's text.
pub struct Follower<'a> {
    pub client: &'a Client,
    pub requests: &'a Requests,
    pub rules: u64,
    pub limits: Limits,
    pub drain: &'a Drain,
}

impl Follower<'_> {
    /// Sends requests, and waits until they are served.
    ///
    /// # Errors
    /// They can't be sent, nobody serves them, or a stop was asked for.
    pub async fn ask(&self, requests: impl IntoIterator<Item = (i32, Request)>) -> anyhow::Result<()> {
        let targets = tokio::task::block_in_place(|| self.requests.send(requests))?;
        let wait = Duration::from_millis(self.limits.wait_ms);
        let (mut moved, mut nudged, mut has_said) = (Instant::now(), Instant::now(), false);
        let mut last = BTreeMap::new();
        loop {
            let positions = self.positions().await?;
            let is_served = |(slot, target): &(&i32, &i64)| positions.get(*slot).is_some_and(|at| at >= *target);
            let missing: Vec<i32> = targets.iter().filter(|target| !is_served(target)).map(|(slot, _)| *slot).collect();
            if missing.is_empty() {
                return Ok(());
            }
            if positions != last {
                (moved, nudged, has_said, last) = (Instant::now(), Instant::now(), false, positions);
            }
            if self.drain.is_started() {
                bail!("stopped; what was asked for is done all the same, and repeating it changes nothing more");
            }
            if moved.elapsed() >= wait {
                bail!("{}; the requests are kept in {} until one does", idle(&missing), self.requests.topic);
            }
            if moved.elapsed() >= SILENCE && !has_said {
                eprintln!("{}; waiting up to {} s", idle(&missing), wait.as_secs());
                has_said = true;
            }
            if nudged.elapsed() >= NUDGE {
                nudged = Instant::now();
                let again = missing.iter().map(|slot| (*slot, Request { rules: self.rules, calls: Vec::new() }));
                tokio::task::block_in_place(|| self.requests.send(again))?;
            }
            let _ = tokio::time::timeout(LOOK, self.drain.started()).await;
        }
    }

    /// How far each slot is in the topic of requests.
    async fn positions(&self) -> anyhow::Result<BTreeMap<i32, i64>> {
        let query = self.client.query("SELECT slot, positions[?] AS position FROM slots").bind(&self.requests.topic);
        let rows = query.fetch_all::<SlotRow>().await.context("ClickHouse does not say how far the slots are")?;
        Ok(rows.into_iter().filter_map(|row| Some((i32::try_from(row.slot).ok()?, row.position))).collect())
    }
}

/// Says which slots nobody serves.
fn idle(slots: &[i32]) -> String {
    let names = slots.iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let more = if slots.len() > 10 { ", ..." } else { "" };
    format!("no linker serves the requests to slots {names}{more}: is `ringtrace link` running, with the stored rules?")
}
