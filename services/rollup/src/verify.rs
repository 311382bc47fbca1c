//! The safety net: slices that have changed though no mark says so are marked.
//!
//! A mark can only be missing where an insert took longer than the slack between its mark and its rows (a server under heavy
//! load), or where a mark was lost with its server. Counts and sums of versions differ then.

use std::time::{Duration, Instant};

use clickhouse::Row;
use serde::Deserialize;

use crate::metrics;
use crate::roller::{RollupError, Roller};
use crate::statements::list;

/// How often the newest two days are compared, and one older day, in turn.
const PERIOD: Duration = Duration::from_secs(600);

/// Days that are compared in turn: the longest retention that is worth it.
const DAYS: u32 = 40;

/// Slices that differ from what was rolled up, and whose marks are too old to be on their way.
const CHANGED: &str = "
    WITH now64(3, 'UTC') AS now, toDateTime(toStartOfDay(now), 'UTC') AS today, toIntervalDay(?) AS back,
        images AS (
            SELECT first_seen, count() AS images, sum(version) AS versions
            FROM (
                SELECT first_seen, version FROM legs_rows FINAL
                WHERE first_seen >= today - back AND first_seen < today - back + toIntervalDay(?)
                UNION ALL
                SELECT first_seen, version FROM calls_rows FINAL
                WHERE first_seen >= today - back AND first_seen < today - back + toIntervalDay(?)
            )
            GROUP BY first_seen
        )
    SELECT toUnixTimestamp(images.first_seen) AS slice
    FROM images
    GLOBAL LEFT JOIN (
        SELECT first_seen, argMax(rows.images, taken_at) AS images, argMax(rows.versions, taken_at) AS versions
        FROM rolled_slices_rows AS rows GROUP BY first_seen
    ) AS rolled ON images.first_seen = rolled.first_seen
    GLOBAL LEFT JOIN (SELECT first_seen, max(marked_at) AS marked FROM dirty_slices_rows GROUP BY first_seen) AS marks
        ON images.first_seen = marks.first_seen
    WHERE (images.images != rolled.images OR images.versions != rolled.versions) AND marked < now - toIntervalSecond(120)";

#[derive(Row, Deserialize)]
struct SliceRow {
    slice: u32,
}

/// See the module's text.
#[derive(Default)]
pub(crate) struct Verifying {
    last: Option<Instant>,
    turn: u32,
}

impl Verifying {
    /// Compares where it is time to.
    pub(crate) async fn step(&mut self, roller: &Roller) -> Result<(), RollupError> {
        if self.last.is_some_and(|last| last.elapsed() < PERIOD) {
            return Ok(());
        }
        roller.verify(1, 2).await?;
        roller.verify(self.turn % DAYS + 2, 1).await?;
        self.turn = self.turn.wrapping_add(1);
        self.last = Some(Instant::now());
        Ok(())
    }
}

impl Roller {
    /// Marks slices that have changed without a mark, of `days` days (UTC) from `back` days ago on; gives how many.
    ///
    /// # Errors
    /// As ClickHouse says.
    pub async fn verify(&self, back: u32, days: u32) -> Result<usize, RollupError> {
        let rows = self.client.query(CHANGED).bind(back).bind(days).bind(days).fetch_all::<SliceRow>().await;
        let rows = rows.map_err(|source| RollupError::ClickHouse("compare slices", source))?;
        if rows.is_empty() {
            return Ok(0);
        }
        tracing::warn!(slices = rows.len(), "slices had changed without a mark, they are rolled up again");
        metrics::unmarked(rows.len());
        let slices = list(&rows.iter().map(|row| row.slice).collect::<Vec<_>>());
        let statement = format!(
            "INSERT INTO dirty_slices_rows (first_seen, marked_at)
            SELECT toDateTime(arrayJoin([{slices}]), 'UTC'), now64(3, 'UTC')"
        );
        self.insert("mark slices", &statement).await?;
        Ok(rows.len())
    }
}
