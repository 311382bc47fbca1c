//! A day of legs, calls and some events by SQL, the roller's own statements over it, and the days before as its copies.

use std::time::Duration;

use ringtrace_kit::clickhouse::insert_select;

use super::Store;

const CALL: &str = include_str!("call.sql");
const DRAWN: [(&str, &str); 3] = [
    ("calls_rows", include_str!("calls.sql")),
    ("legs_rows", include_str!("legs.sql")),
    ("events_rows", include_str!("events.sql")),
];

/// Tables that are copied from day to day. The pointers are last: rows count from then on.
const COPIED: [&str; 9] = [
    "calls_rows",
    "legs_rows",
    "events_rows",
    "leg_facts_rows",
    "leg_stats_rows",
    "leg_latencies_rows",
    "leg_sample_rows",
    "leg_violations_rows",
    "rolled_slices_rows",
];

/// Legs of a call, on average, as `legs.sql` draws them.
const LEGS_PER_CALL: f64 = 1.27;

const DAY_S: u32 = 86_400;

/// Fills `days` days that end at `end` (midnight, seconds since the Unix epoch) with about `legs` legs in all.
///
/// # Panics
/// When ClickHouse refuses a statement.
pub async fn fill(store: &Store, legs: u64, days: u32, end: u32) {
    let day = end - DAY_S;
    let calls = (legs as f64 / LEGS_PER_CALL / f64::from(days)) as u64;
    for (table, sql) in DRAWN {
        let sql = sql.replace("{{call}}", CALL).replace("{{day}}", &day.to_string());
        insert(store, &sql.replace("{{calls}}", &calls.to_string())).await;
        merge(store, table, day).await;
    }
    // A slice is due until it was taken so long after its newest mark.
    tokio::time::sleep(Duration::from_secs(21)).await;
    while store.roller.pass().await.expect("ClickHouse rolls up") > 0 {}
    println!("one day: {:.0} CPU s of ClickHouse", store.cpu());
    for earlier in 1..days {
        for table in COPIED {
            copy(store, table, day, earlier).await;
        }
    }
    // The copies are rolled up.
    store.execute("TRUNCATE TABLE dirty_slices_rows").await;
    println!("{days} days: {:.0} CPU s of ClickHouse", store.cpu());
}

/// What the tables hold, and how large they are on disk.
pub async fn sizes(store: &Store) -> String {
    let query = "SELECT arrayStringConcat(groupArray(concat(name, ' ', toString(rows), ' rows, ', formatReadableSize(bytes))), '; ')
        FROM (SELECT table AS name, sum(p.rows) AS rows, sum(p.bytes_on_disk) AS bytes FROM system.parts AS p
            WHERE database = currentDatabase() AND active AND p.rows > 100 GROUP BY table ORDER BY bytes DESC)";
    store.text(query).await
}

/// Copies the rows of a day so many days back: moments move, calls and versions get other names, all else stays. Rows come in
/// the table's order, in one block, so that the copy is one part.
async fn copy(store: &Store, table: &str, day: u32, earlier: u32) {
    let columns = format!(
        "SELECT arrayStringConcat(groupArray(name), ', '), arrayStringConcat(groupArray(multiIf(
                type LIKE '%Date%', concat(name, ' - toIntervalDay({earlier})'),
                name = 'call_uuid', 'reinterpret(bitXor(reinterpretAsUInt128(call_uuid), toUInt128({earlier})), \\'UUID\\')',
                name = 'version' AND table NOT IN ('legs_rows', 'calls_rows'), 'cityHash64(version, {earlier})',
                name)), ', ')
        FROM (SELECT name, type, table FROM system.columns
            WHERE database = currentDatabase() AND table = '{table}' AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')
            ORDER BY position)"
    );
    let (names, values): (String, String) =
        store.client.query(&columns).fetch_one().await.expect("tables have columns");
    insert(
        store,
        &format!(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {table}
            WHERE first_seen >= toDateTime({day}, 'UTC') AND first_seen < toDateTime({day} + {DAY_S}, 'UTC')
            SETTINGS max_partitions_per_insert_block = 0, max_threads = 1, max_insert_threads = 1,
                min_insert_block_size_rows = 10000000, min_insert_block_size_bytes = 0"
        ),
    )
    .await;
}

/// Days that have been quiet for six hours are one part.
async fn merge(store: &Store, table: &str, day: u32) {
    let partition = store.text(&format!("SELECT toString(toDate(toDateTime({day}, 'UTC')))")).await;
    store.execute(&format!("OPTIMIZE TABLE {table} PARTITION '{partition}' FINAL")).await;
}

async fn insert(store: &Store, statement: &str) {
    insert_select(&store.client, statement).await.expect("ClickHouse takes the rows");
}
