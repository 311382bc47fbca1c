//! Makes or updates the tables: numbered SQL of `schemas/clickhouse`, for one server or a cluster.

use clickhouse::Client;
use clickhouse::error::Error;

use crate::config::{ClickHouse, Retention};

/// The migrations, in order. A number is never used twice, a file that was released never changes.
const MIGRATIONS: [(u32, &str, &str); 13] = [
    (1, "events", include_str!("../../../schemas/clickhouse/0001_events.sql")),
    (2, "legs_and_calls", include_str!("../../../schemas/clickhouse/0002_legs_and_calls.sql")),
    (3, "slots", include_str!("../../../schemas/clickhouse/0003_slots.sql")),
    (4, "rules", include_str!("../../../schemas/clickhouse/0004_rules.sql")),
    (5, "slices", include_str!("../../../schemas/clickhouse/0005_slices.sql")),
    (6, "facts", include_str!("../../../schemas/clickhouse/0006_facts.sql")),
    (7, "alerts", include_str!("../../../schemas/clickhouse/0007_alerts.sql")),
    (8, "device_risk", include_str!("../../../schemas/clickhouse/0008_device_risk.sql")),
    (9, "counts", include_str!("../../../schemas/clickhouse/0009_counts.sql")),
    (10, "bucket_index", include_str!("../../../schemas/clickhouse/0010_bucket_index.sql")),
    (11, "call_index", include_str!("../../../schemas/clickhouse/0011_call_index.sql")),
    (12, "statistics", include_str!("../../../schemas/clickhouse/0012_statistics.sql")),
    (13, "merges", include_str!("../../../schemas/clickhouse/0013_merges.sql")),
];

const DATABASE: &str = "CREATE DATABASE IF NOT EXISTS {{database}} {{on_cluster}}";

const MIGRATIONS_TABLE: &str = "CREATE TABLE IF NOT EXISTS {{database}}.schema_migrations {{on_cluster}} \
    (number UInt32, name String, applied_at DateTime DEFAULT now()) \
    ENGINE = {{replicated}}ReplacingMergeTree ORDER BY number";

/// Line before a statement that only a cluster needs.
const CLUSTER_ONLY: &str = "-- cluster only";

/// Line before a statement that has been run already where a table has lost a column: `-- only while TABLE has COLUMN`.
const ONLY_WHILE: &str = "-- only while ";

/// Line before a statement that older servers don't know: `-- only where SETTING is a setting` of MergeTree tables.
const ONLY_WHERE: &str = "-- only where ";

/// Tables with a retention, its clause, and whether it is that of events.
const RETENTIONS: [(&str, &str, bool); 12] = [
    ("events", "toDateTime(log_at)", true),
    ("call_index", "last_logged", true),
    ("device_events", "toDateTime(log_at)", true),
    ("legs", "first_seen", false),
    ("calls", "first_seen", false),
    ("leg_facts", "first_seen", false),
    ("leg_stats", "first_seen", false),
    ("leg_latencies", "first_seen", false),
    ("leg_sample", "first_seen", false),
    ("leg_violations", "first_seen", false),
    ("dirty_slices", "first_seen", false),
    ("rolled_slices", "first_seen", false),
];

/// A migration that failed.
#[derive(Debug, thiserror::Error)]
#[error("ClickHouse at {url} refused {what}")]
pub struct MigrateError {
    url: String,
    what: String,
    #[source]
    source: Error,
}

/// Brings the database up to date; safe to repeat. Gives the names of the migrations that were applied.
///
/// # Errors
/// When ClickHouse can't be reached or refuses a statement; statements before it stay applied, and repeating goes on there.
pub async fn migrate(
    client: &Client,
    settings: &ClickHouse,
    retention: Retention,
) -> Result<Vec<String>, MigrateError> {
    let run = Run { client: client.clone(), settings, retention };
    run.prepare().await?;
    let newest = run.newest().await?;
    let mut applied = Vec::new();
    for (number, name, sql) in MIGRATIONS.into_iter().filter(|(number, ..)| *number > newest) {
        let name = format!("{number:04}_{name}");
        for statement in run.statements(sql) {
            if run.is_due(&statement).await? {
                run.execute(&name, &statement).await?;
            }
        }
        let done =
            format!("INSERT INTO {}.schema_migrations (number, name) VALUES ({number}, '{name}')", settings.database);
        run.execute(&name, &done).await?;
        applied.push(name);
    }
    run.retain().await?;
    Ok(applied)
}

/// All statements of all migrations as they would be run, for those who run them by hand.
pub fn statements(settings: &ClickHouse, retention: Retention) -> Vec<String> {
    let run = Run { client: Client::default(), settings, retention };
    let mut statements = vec![run.fill(DATABASE), run.fill(MIGRATIONS_TABLE)];
    for (number, name, sql) in MIGRATIONS {
        statements.extend(run.statements(sql));
        statements.push(run.done(number, &format!("{number:04}_{name}")));
    }
    statements
}

/// The migrations that [`migrate`] would apply.
///
/// # Errors
/// When ClickHouse can't be reached, or was never migrated.
pub async fn pending(
    client: &Client,
    settings: &ClickHouse,
    retention: Retention,
) -> Result<Vec<String>, MigrateError> {
    let newest = Run { client: client.clone(), settings, retention }.newest().await?;
    let pending = MIGRATIONS.iter().filter(|(number, ..)| *number > newest);
    Ok(pending.map(|(number, name, _)| format!("{number:04}_{name}")).collect())
}

struct Run<'a> {
    client: Client,
    settings: &'a ClickHouse,
    retention: Retention,
}

impl Run<'_> {
    async fn prepare(&self) -> Result<(), MigrateError> {
        let create = self.fill(DATABASE);
        // The database may not be there yet: this one statement goes without it.
        let bare = self.client.clone().with_database("default");
        bare.query_raw(&create).execute().await.map_err(|source| self.error("the database", source))?;
        self.execute("the table of migrations", &self.fill(MIGRATIONS_TABLE)).await
    }

    fn done(&self, number: u32, name: &str) -> String {
        format!("INSERT INTO {}.schema_migrations (number, name) VALUES ({number}, '{name}')", self.settings.database)
    }

    async fn newest(&self) -> Result<u32, MigrateError> {
        let query = format!("SELECT max(number) FROM {}.schema_migrations", self.settings.database);
        self.client.query_raw(&query).fetch_one().await.map_err(|source| self.error("the list of migrations", source))
    }

    /// Whether a statement with a condition is still to be run. A migration that was broken off is begun again.
    async fn is_due(&self, statement: &str) -> Result<bool, MigrateError> {
        let Some((what, query)) = statement.lines().find_map(|line| self.condition(line)) else { return Ok(true) };
        let found: u64 = self.client.query_raw(&query).fetch_one().await.map_err(|source| self.error(what, source))?;
        Ok(found > 0)
    }

    /// The query of a line that is a condition: what it counts has to be there.
    fn condition(&self, line: &str) -> Option<(&'static str, String)> {
        if let Some((setting, _)) = line.strip_prefix(ONLY_WHERE).and_then(|rest| rest.split_once(" is a setting")) {
            let query = format!("SELECT count() FROM system.merge_tree_settings WHERE name = '{setting}'");
            return Some(("the list of settings", query));
        }
        let (table, column) = line.strip_prefix(ONLY_WHILE)?.split_once(" has ")?;
        let query = format!(
            "SELECT count() FROM system.columns WHERE database = '{}' AND table = '{table}' AND name = '{column}'",
            self.settings.database
        );
        Some(("the list of columns", query))
    }

    /// Follows a retention that was changed after the tables were made.
    async fn retain(&self) -> Result<(), MigrateError> {
        for (table, since, is_events) in RETENTIONS {
            let days = if is_events { self.retention.events_days } else { self.retention.calls_days };
            let table = self.fill(&format!("{table}_{{{{local}}}}"));
            let query = format!(
                "SELECT count() FROM system.tables WHERE database = '{}' AND name = '{table}' AND \
                 position(create_table_query, 'toIntervalDay({days})') = 0",
                self.settings.database
            );
            let differs: u64 = self
                .client
                .query_raw(&query)
                .fetch_one()
                .await
                .map_err(|source| self.error("the list of tables", source))?;
            if differs > 0 {
                let change = format!(
                    "ALTER TABLE {{{{database}}}}.{table} {{{{on_cluster}}}} MODIFY TTL {since} + toIntervalDay({days})"
                );
                self.execute("the retention", &self.fill(&change)).await?;
            }
        }
        Ok(())
    }

    fn statements(&self, sql: &str) -> Vec<String> {
        let statements = sql.split(";\n").map(str::trim).filter(|statement| !statement.is_empty());
        let wanted =
            statements.filter(|statement| !self.settings.cluster.is_empty() || !statement.contains(CLUSTER_ONLY));
        wanted.map(|statement| self.fill(statement)).collect()
    }

    fn fill(&self, sql: &str) -> String {
        let cluster = &self.settings.cluster;
        let is_cluster = !cluster.is_empty();
        let on_cluster = if is_cluster { format!("ON CLUSTER {cluster}") } else { String::new() };
        sql.replace("{{database}}", &self.settings.database)
            .replace("{{local}}", if is_cluster { "local" } else { "rows" })
            .replace("{{on_cluster}}", &on_cluster)
            .replace("{{replicated}}", if is_cluster { "Replicated" } else { "" })
            .replace("{{cluster}}", cluster)
            .replace("{{global}}", if is_cluster { "GLOBAL" } else { "" })
            .replace("{{events_days}}", &self.retention.events_days.to_string())
            .replace("{{calls_days}}", &self.retention.calls_days.to_string())
    }

    async fn execute(&self, what: &str, statement: &str) -> Result<(), MigrateError> {
        self.client.query_raw(statement).execute().await.map_err(|source| self.error(what, source))
    }

    fn error(&self, what: &str, source: Error) -> MigrateError {
        MigrateError { url: self.settings.url.clone(), what: what.to_owned(), source }
    }
}
