//! Legs, calls and some events by SQL, and the roller's own statements over them, day by day.

use ringtrace_kit::clickhouse::insert_select;
use ringtrace_rollup::Batch;

use super::Store;

const CALL: &str = include_str!("call.sql");
const TABLES: [(&str, &str); 3] = [
    ("calls_rows", include_str!("calls.sql")),
    ("legs_rows", include_str!("legs.sql")),
    ("events_rows", include_str!("events.sql")),
];

/// Legs of a call, on average, as `legs.sql` draws them.
const LEGS_PER_CALL: f64 = 1.27;

const DAY_S: u32 = 86_400;
const SLICE_S: u32 = 600;

/// Slices that are rolled up together.
const SLICES_AT_ONCE: usize = 12;

/// Fills `days` days that end at `end` (midnight, seconds since the Unix epoch) with about `legs` legs in all.
pub async fn fill(store: &Store, legs: u64, days: u32, end: u32) {
    let calls = (legs as f64 / LEGS_PER_CALL / f64::from(days)) as u64;
    for nth in 0..days {
        let day = end - (days - nth) * DAY_S;
        for (table, sql) in TABLES {
            let sql = sql.replace("{{call}}", CALL).replace("{{day}}", &day.to_string());
            let sql = sql.replace("{{first}}", &(u64::from(nth) * calls).to_string());
            insert(store, &sql.replace("{{calls}}", &calls.to_string())).await;
            if table != "events_rows" && nth + 1 < days {
                // Days that have been quiet for six hours are one part.
                store.execute(&format!("OPTIMIZE TABLE {table} PARTITION toDate(toDateTime({day}, 'UTC')) FINAL")).await;
            }
        }
        // Calls that are known an hour late are in the first slices of the next day.
        let slices = if nth + 1 < days { 144 } else { 150 };
        let slices: Vec<u32> = (0..slices).map(|slice| day + slice * SLICE_S).collect();
        for (number, slices) in slices.chunks(SLICES_AT_ONCE).enumerate() {
            let batch = Batch::new(u64::from(nth) * 1_000 + number as u64, 0, slices.to_vec());
            store.roller.roll(&batch).await.expect("ClickHouse rolls up");
        }
        println!("day {} of {days}: {:.0} CPU s of ClickHouse so far", nth + 1, store.cpu());
    }
    let sizes = "SELECT arrayStringConcat(groupArray(concat(name, ' ', toString(rows), ' rows, ', formatReadableSize(bytes))), '; ')
        FROM (SELECT table AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
            WHERE database = currentDatabase() AND active AND rows > 100 GROUP BY table ORDER BY bytes DESC)";
    println!("{}", store.text(sizes).await);
}

async fn insert(store: &Store, statement: &str) {
    insert_select(&store.client, statement).await.expect("ClickHouse takes the rows");
}
