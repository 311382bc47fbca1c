//! The rows of flushes in ClickHouse, and what it says of them to a new slot.

use std::time::Duration;

use ringtrace_kit::clickhouse::{code, insert};
use ringtrace_kit::clock::wall_ms;
use serde::Serialize;
use tokio::runtime::Handle;

use crate::flusher::{SlotRow, Store, seconds};
use crate::load::{LoadError, Stored};
use crate::native::Block;
use crate::writer::{FlushError, Sink, Writer};

/// ClickHouse's code for a table that does not exist.
const UNKNOWN_TABLE: u32 = 60;

/// The newest log time is read off the parts' metadata.
const STORED: &str = "
    SELECT greatest(ifNull((SELECT max(sequence) FROM slots_rows), toUInt64(0)),
            ifNull((SELECT max(version) FROM legs_rows), toUInt64(0)), ifNull((SELECT max(version) FROM calls_rows), toUInt64(0))),
        count(), toUnixTimestamp64Milli(max(log_at)) FROM events_rows";

/// How long ClickHouse may take to say so.
const ANSWER: Duration = Duration::from_secs(30);

/// See the module's text.
pub(crate) struct ClickHouseStore {
    pub(crate) writer: Writer,
    pub(crate) runtime: Handle,
}

#[derive(Serialize)]
struct WrittenRow<'a> {
    #[serde(flatten)]
    row: SlotRow<'a>,
    written_at: &'a str,
}

impl Store for ClickHouseStore {
    fn insert(&self, one: &[&Block], other: &[&Block]) -> Result<(), FlushError> {
        let both = async { tokio::join!(self.writer.insert(one), self.writer.insert(other)) };
        let (first, second) = self.runtime.block_on(both);
        first.and(second)
    }

    fn put_slots(&self, rows: Vec<SlotRow<'_>>) {
        let Sink::ClickHouse(client) = &self.writer.sink else { return };
        let written_at = seconds(wall_ms());
        let mut lines = Vec::new();
        for row in rows {
            lines.extend(serde_json::to_vec(&WrittenRow { row, written_at: &written_at }).unwrap_or_default());
            lines.push(b'\n');
        }
        let statement = format!("INSERT INTO {}.slots_rows FORMAT JSONEachRow", self.writer.database);
        if let Err(error) = self.runtime.block_on(insert(client, &statement, [lines.into()])) {
            tracing::warn!(error = &error as &dyn std::error::Error, "positions of the slots were not written");
        }
    }
}

/// What ClickHouse holds already.
///
/// # Errors
/// When it does not answer.
pub(crate) fn stored(sink: &Sink, runtime: &Handle) -> Result<Stored, LoadError> {
    let Sink::ClickHouse(client) = sink else { return Ok(Stored { sequence: 0, newest_log_at: i64::MIN }) };
    let query = client.query(STORED).fetch_one::<(u64, u64, i64)>();
    let answer = runtime.block_on(async { tokio::time::timeout(ANSWER, query).await });
    let answer = answer.unwrap_or(Err(clickhouse::error::Error::TimedOut));
    let (sequence, events, newest_log_at) = answer.map_err(|error| {
        if code(&error) == Some(UNKNOWN_TABLE) {
            tracing::error!("tables are missing: `ringtrace migrate` creates them");
        }
        LoadError::ClickHouse(error)
    })?;
    Ok(Stored { sequence, newest_log_at: if events == 0 { i64::MIN } else { newest_log_at } })
}
