//! The rows that the linker writes, inserted by a loop that links nothing: what ClickHouse costs in any case.

use bytes::Bytes;
use ringtrace_kit::clickhouse::insert;

use super::link::Linking;
use super::{Input, Meter, To, Usage};
use crate::stack::Case;

/// Tables with the order in which their rows came, and how many of them the linker sends at a time, as far as it goes.
const TABLES: [(&str, &str, u64); 4] = [
    ("events_rows", "log_at", 100_000),
    ("device_events_rows", "log_at", 50_000),
    ("legs_rows", "version", 20_000),
    ("calls_rows", "version", 10_000),
];

/// Has a linker write its rows, reads them back, and measures inserting them into other tables of the same kind.
///
/// # Panics
/// When something is refused.
pub(super) fn measure(name: &str, case: &Case, input: &Input, meter: &Meter) -> Usage {
    let linking = Linking::prepare(case, name, To::ClickHouse);
    linking.run();
    let batches: Vec<(&str, Bytes)> = TABLES.iter().flat_map(|table| read(&linking, *table)).collect();
    let other = Linking::prepare(case, &format!("{name}-again"), To::ClickHouse);
    let before = other.rows(case);
    let work = || {
        for (table, rows) in &batches {
            let statement = format!("INSERT INTO {}.{table} FORMAT Native", other.database);
            let inserted = insert(other.client(), &statement, [rows.clone()]);
            other.runtime.block_on(inserted).expect("ClickHouse takes the rows");
        }
    };
    let usage = meter.measure_merged(work, || other.merge());
    Usage { events: input.events, rows: other.rows(case) - before, ..usage }
}

fn read(linking: &Linking, (table, order, at_once): (&'static str, &str, u64)) -> Vec<(&'static str, Bytes)> {
    let (client, database) = (linking.client(), &linking.database);
    let count = format!("SELECT count() FROM {database}.{table}");
    let rows = linking.runtime.block_on(client.query_raw(&count).fetch_one::<u64>()).expect("ClickHouse counts");
    let of_part = |nth: u64| {
        let text =
            format!("SELECT * FROM {database}.{table} ORDER BY {order} LIMIT {at_once} OFFSET {}", nth * at_once);
        // Plain columns, as the linker sends them.
        let query = client.query_raw(&text).with_setting("low_cardinality_allow_in_native_format", "0");
        let mut bytes = query.fetch_bytes("Native").expect("a format");
        (table, linking.runtime.block_on(bytes.collect()).expect("ClickHouse answers"))
    };
    (0..rows.div_ceil(at_once)).map(of_part).collect()
}
