//! Deleting rows that readers no longer see: of older versions of slices, and of passes that did not come to their pointers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use clickhouse::Row;
use serde::Deserialize;

use crate::roller::{Roller, RollupError};
use crate::statements::list;

/// How often older versions are deleted. Each deletion rewrites no part, but makes all parts of its day anew as links.
const PERIOD: Duration = Duration::from_secs(300);

/// How often rows without a pointer are looked for.
const ORPHANS_PERIOD: Duration = Duration::from_secs(1_800);

/// Versions with a newer one that has counted for a minute: a query that still reads them has noted its parts.
const SUPERSEDED: &str = "
    SELECT toString(toDate(old.first_seen)) AS day, old.version AS version
    FROM rolled_slices_rows AS old
    GLOBAL INNER JOIN (
        SELECT first_seen, max(taken_at) AS newest FROM rolled_slices_rows
        WHERE rolled_at <= now64(3, 'UTC') - toIntervalSecond(60) GROUP BY first_seen
    ) AS rolled ON old.first_seen = rolled.first_seen
    WHERE old.taken_at < newest
    ORDER BY old.first_seen, version
    LIMIT 5000";

const ORPHANS: &str = "
    SELECT DISTINCT toString(toDate(first_seen)) AS day, version FROM leg_facts_rows
    WHERE version GLOBAL NOT IN (SELECT version FROM rolled_slices_rows)
    LIMIT 5000";

#[derive(Row, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct VersionRow {
    day: String,
    version: u64,
}

/// See the module's text.
#[derive(Default)]
pub(crate) struct Sweeping {
    swept: Option<Instant>,
    looked: Option<Instant>,
    /// Versions without a pointer when it was looked last: those may have been on their way.
    orphans: BTreeSet<VersionRow>,
}

impl Sweeping {
    /// Sweeps where it is time to.
    pub(crate) async fn step(&mut self, roller: &Roller) -> Result<(), RollupError> {
        if self.swept.is_none_or(|swept| swept.elapsed() >= PERIOD) {
            roller.sweep().await?;
            self.swept = Some(Instant::now());
        }
        if self.looked.is_none_or(|looked| looked.elapsed() >= ORPHANS_PERIOD) {
            let found: BTreeSet<VersionRow> = versions(roller, ORPHANS).await?.into_iter().collect();
            let gone: Vec<VersionRow> = found.intersection(&self.orphans).cloned().collect();
            delete(roller, &gone).await?;
            self.orphans = found;
            self.looked = Some(Instant::now());
        }
        Ok(())
    }
}

impl Roller {
    /// Deletes rows of versions with a newer one that has counted for a minute.
    ///
    /// # Errors
    /// As ClickHouse says; the rest is deleted next time.
    pub async fn sweep(&self) -> Result<(), RollupError> {
        delete(self, &versions(self, SUPERSEDED).await?).await
    }
}

async fn versions(roller: &Roller, query: &str) -> Result<Vec<VersionRow>, RollupError> {
    let rows = roller.client.query(query).fetch_all::<VersionRow>().await;
    rows.map_err(|source| RollupError::ClickHouse("say which rows are superseded", source))
}

/// Rows first, then the pointers that lead to them.
async fn delete(roller: &Roller, versions: &[VersionRow]) -> Result<(), RollupError> {
    let mut days = BTreeMap::<&str, Vec<u64>>::new();
    for row in versions {
        days.entry(&row.day).or_default().push(row.version);
    }
    for (day, versions) in days {
        for table in ["leg_stats", "leg_latencies", "leg_sample", "leg_violations", "leg_facts"] {
            delete_from(roller, table, &format!("IN PARTITION '{day}'"), &versions).await?;
        }
        delete_from(roller, "rolled_slices", "", &versions).await?;
    }
    Ok(())
}

async fn delete_from(roller: &Roller, table: &str, partition: &str, versions: &[u64]) -> Result<(), RollupError> {
    let cluster = &roller.settings.cluster;
    let (local, on_cluster) =
        if cluster.is_empty() { ("rows", String::new()) } else { ("local", format!("ON CLUSTER {cluster}")) };
    let versions = list(versions);
    let statement = format!("DELETE FROM {table}_{local} {on_cluster} {partition} WHERE version IN ({versions})");
    let done = roller.client.query_raw(&statement).execute().await;
    done.map_err(|source| RollupError::ClickHouse("delete superseded rows", source))
}
