//! Passes over the slices that have changed.

use std::time::{Duration, Instant};

use clickhouse::error::Error;
use clickhouse::{Client, Row};
use ringtrace_kit::backoff::Backoff;
use ringtrace_kit::clickhouse::{client, insert_select};
use ringtrace_kit::config::ClickHouse;
use ringtrace_kit::drain::Drain;
use serde::Deserialize;

use crate::metrics;
use crate::statements::{Batch, Images, images};
use crate::sweep::Sweeping;
use crate::verify::Verifying;

/// Time from the end of a pass to the next.
const PERIOD: Duration = Duration::from_secs(2);

/// How long a pass may take. Far more than it does, unless ClickHouse has lost it.
const PATIENCE: Duration = Duration::from_secs(600);

/// Rows of `legs` and `calls` that are rolled up at once, at most, unless one slice has more: bounds ClickHouse's memory.
const ROWS_AT_ONCE: u64 = 400_000;

/// Slices that one pass takes. The rest waits for the next, the newest first.
const SLICES_AT_ONCE: u32 = 96;

/// Which slices are due. A mark is made while its rows are written, so they may become visible after it: a slice is taken
/// once more when its newest mark is `slack` old, by when they are. One that was taken a moment ago waits: at least ten seconds,
/// five times as long as it took, so that a large slice does not take all of ClickHouse, and up to half a minute when its ten
/// minutes are over, since what still comes then is little, and touches several slices.
const DUE: &str = "
    WITH now64(3, 'UTC') AS now, toIntervalSecond(20) AS slack
    SELECT toUnixTimestamp(marks.first_seen) AS slice, toUInt64(greatest(0, dateDiff('millisecond', marked, now))) AS age_ms
    FROM (SELECT first_seen, max(marked_at) AS marked FROM dirty_slices_rows GROUP BY first_seen) AS marks
    GLOBAL LEFT JOIN (
        SELECT first_seen, max(taken_at) AS taken, dateDiff('millisecond', taken, argMax(rolled_at, taken_at)) AS lasted_ms
        FROM rolled_slices_rows GROUP BY first_seen
    ) AS rolled ON marks.first_seen = rolled.first_seen
    WHERE (marked > taken OR (marked > taken - slack AND now > marked + slack))
        AND dateDiff('millisecond', taken, now) >= greatest(10000, 5 * lasted_ms,
            least(30000, intDiv(dateDiff('millisecond', marks.first_seen + toIntervalMinute(10), now), 4)))
    ORDER BY slice DESC
    LIMIT ?";

/// A pass that did not end.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// ClickHouse refuses a statement, or can't be reached.
    #[error("ClickHouse did not {0}")]
    ClickHouse(&'static str, #[source] Error),
}

/// See the module's text.
pub struct Roller {
    pub(crate) client: Client,
    pub(crate) settings: ClickHouse,
}

#[derive(Row, Deserialize)]
struct DueRow {
    slice: u32,
    age_ms: u64,
}

#[derive(Row, Deserialize)]
struct ImagesRow {
    slice: u32,
    images: u64,
    versions: u64,
}

/// Rolls up until the drain starts. While ClickHouse is away it waits; several at once do no harm.
pub async fn run(settings: &ClickHouse, drain: &Drain) {
    let roller = Roller::new(settings);
    let (mut sweeping, mut verifying) = (Sweeping::default(), Verifying::default());
    let mut backoff = Backoff::new(PERIOD, Duration::from_secs(60));
    while !drain.is_started() {
        let work = async {
            roller.pass().await?;
            sweeping.step(&roller).await?;
            verifying.step(&roller).await
        };
        let ended = tokio::select! {
            ended = tokio::time::timeout(PATIENCE, work) => ended,
            // What was not pointed to is as if it had not been written.
            () = drain.started() => return,
        };
        let wait = match ended.unwrap_or(Err(RollupError::ClickHouse("answer", Error::TimedOut))) {
            Ok(()) => {
                backoff.reset();
                PERIOD
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "roll-up will be tried again");
                metrics::error();
                backoff.next_wait()
            }
        };
        // Either ends the wait.
        let _ = tokio::time::timeout(wait, drain.started()).await;
    }
}

impl Roller {
    /// A roller of the tables of a database.
    pub fn new(settings: &ClickHouse) -> Self {
        // Versions of a row are of one partition: it follows from the key.
        let client = client(settings).with_setting("do_not_merge_across_partitions_select_final", "1");
        Roller { client: client.with_setting("join_use_nulls", "0"), settings: settings.clone() }
    }

    /// Rolls up the slices that are due; gives how many.
    ///
    /// # Errors
    /// As ClickHouse says. What is done stays, the rest is due again.
    pub async fn pass(&self) -> Result<usize, RollupError> {
        let started = Instant::now();
        // Before anything else is read: what comes after this time makes the slice due again.
        let (taken_at, pass) = self.begin().await?;
        let due = self.client.query(DUE).bind(SLICES_AT_ONCE).fetch_all::<DueRow>().await;
        let due = due.map_err(|source| RollupError::ClickHouse("say which slices are due", source))?;
        metrics::lag(due.iter().map(|row| row.age_ms).max().unwrap_or_default());
        let slices: Vec<u32> = due.iter().map(|row| row.slice).collect();
        for (number, batch) in self.batches(&slices, taken_at).await?.into_iter().enumerate() {
            self.roll(&Batch { pass: pass.wrapping_add(number as u64), ..batch }).await?;
        }
        metrics::pass(slices.len(), started.elapsed());
        Ok(slices.len())
    }

    /// Writes the rows of a batch, and points to them.
    ///
    /// # Errors
    /// As ClickHouse says; without pointers nothing has changed for readers.
    pub async fn roll(&self, batch: &Batch) -> Result<(), RollupError> {
        self.insert("write leg_facts", &batch.facts()).await?;
        self.insert("write leg_stats", &batch.stats()).await?;
        self.insert("write leg_latencies", &batch.latencies()).await?;
        self.insert("write leg_sample", &batch.sample()).await?;
        self.insert("write leg_violations", &batch.violations()).await?;
        self.insert("write rolled_slices", &batch.pointers()).await
    }

    pub(crate) async fn insert(&self, what: &'static str, statement: &str) -> Result<(), RollupError> {
        insert_select(&self.client, statement).await.map_err(|source| RollupError::ClickHouse(what, source))
    }

    async fn begin(&self) -> Result<(i64, u64), RollupError> {
        let query = self.client.query("SELECT toUnixTimestamp64Milli(now64(3, 'UTC')), rand64()");
        query.fetch_one().await.map_err(|source| RollupError::ClickHouse("say what time it is", source))
    }

    /// Slices in batches of bounded size, with what `legs` and `calls` have of each. Counted before the rows are read: what
    /// comes in between makes the count differ from then on, and is found.
    async fn batches(&self, slices: &[u32], taken_at: i64) -> Result<Vec<Batch>, RollupError> {
        if slices.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.client.query(&images(slices)).fetch_all::<ImagesRow>().await;
        let rows = rows.map_err(|source| RollupError::ClickHouse("count the rows of slices", source))?;
        let mut batches: Vec<(u64, Batch)> = Vec::new();
        for slice in slices {
            let found = rows.iter().find(|row| row.slice == *slice);
            let images =
                found.map_or_else(Images::default, |row| Images { images: row.images, versions: row.versions });
            if batches.last().is_none_or(|(rows, _)| rows + images.images > ROWS_AT_ONCE) {
                batches.push((0, Batch::new(0, taken_at, Vec::new())));
            }
            if let Some((rows, batch)) = batches.last_mut() {
                *rows += images.images;
                batch.slices.push(*slice);
                batch.images.push(images);
            }
        }
        Ok(batches.into_iter().map(|(_, batch)| batch).collect())
    }
}
