//! Asking ClickHouse: limits on every question, its errors as problems, and nothing without a scope.

mod query;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clickhouse::Client;
use clickhouse::error::Error;
use ringtrace_kit::clickhouse::code;
use ringtrace_kit::config::Config;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use query::{Query, Scope, Value};

use crate::problem::Problem;

/// How long a question waits for its turn.
const TURN: Duration = Duration::from_secs(5);

/// When to try again what was refused for a moment, in seconds.
const RETRY_S: u64 = 2;

/// Rows that an answer in memory has at most.
const MOST_ROWS: u64 = 200_000;

/// What this process asks of ClickHouse at most at once, and how long and how much of it.
#[derive(Clone)]
pub(crate) struct Store {
    client: Client,
    turns: Arc<Semaphore>,
    seconds: u64,
    rows: u64,
    memory: u64,
}

impl Store {
    pub(crate) fn new(config: &Config) -> Self {
        let serve = &config.serve;
        let settings = [
            // Nothing here changes anything; and it lets ClickHouse cancel what nobody waits for.
            ("readonly", "1".to_owned()),
            ("cancel_http_readonly_queries_on_client_close", "1".to_owned()),
            ("max_execution_time", serve.query_seconds.to_string()),
            ("timeout_overflow_mode", "throw".to_owned()),
            ("max_rows_to_read", serve.query_rows.to_string()),
            ("read_overflow_mode", "throw".to_owned()),
            ("max_memory_usage", serve.query_memory_bytes.to_string()),
            ("max_result_rows", MOST_ROWS.to_string()),
            ("result_overflow_mode", "throw".to_owned()),
            ("do_not_merge_across_partitions_select_final", "1".to_owned()),
            ("output_format_json_quote_64bit_integers", "0".to_owned()),
            ("output_format_json_quote_denormals", "0".to_owned()),
            ("output_format_json_named_tuples_as_objects", "0".to_owned()),
        ];
        let client = ringtrace_kit::clickhouse::client(&config.clickhouse);
        let client = settings.into_iter().fold(client, |client, (name, value)| client.with_setting(name, value));
        Store {
            client,
            turns: Arc::new(Semaphore::new(serve.queries_at_once)),
            seconds: serve.query_seconds,
            rows: serve.query_rows,
            memory: serve.query_memory_bytes,
        }
    }

    /// All rows of a question.
    ///
    /// # Errors
    /// As ClickHouse's: a limit, a time-out, or it is away.
    pub(crate) async fn rows<T: DeserializeOwned>(&self, query: Query) -> Result<Vec<T>, Problem> {
        let _turn = self.turn().await?;
        let mut rows = Vec::new();
        let mut cursor = self.cursor(&query)?;
        let mut rest = Vec::new();
        while let Some(piece) = cursor.next().await.map_err(|error| self.problem(&error))? {
            read_lines(&mut rest, &piece, &mut rows)?;
        }
        read_lines(&mut rest, &Bytes::from_static(b"\n"), &mut rows)?;
        Ok(rows)
    }

    /// The first row of a question.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub(crate) async fn row<T: DeserializeOwned>(&self, query: Query) -> Result<Option<T>, Problem> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// The stored events of a call in a tenant that the scope sees; none otherwise.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub(crate) async fn events(
        &self,
        scope: &Scope,
        key: &ringtrace_model::CallKey,
    ) -> Result<Vec<ringtrace_linker::PastEvent>, Problem> {
        if !scope.sees(&key.tenant_id) {
            return Ok(Vec::new());
        }
        let _turn = self.turn().await?;
        ringtrace_linker::events_of(&self.client, key).await.map_err(|error| self.problem(&error))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let busy = || Problem::unavailable("too many questions are being asked of ClickHouse", RETRY_S);
        turn.ok().and_then(Result::ok).ok_or_else(busy)
    }

    fn cursor(&self, query: &Query) -> Result<clickhouse::query::BytesCursor, Problem> {
        let asked = self.client.query_raw(query.text());
        let asked =
            if query.is_counting() { asked.with_setting("use_index_for_in_with_subqueries", "0") } else { asked };
        let asked = query.values().iter().fold(asked, |asked, (name, value)| asked.param(name, value));
        asked.fetch_bytes("JSONCompactEachRow").map_err(|error| self.problem(&error))
    }

    fn problem(&self, error: &Error) -> Problem {
        let said = code(error);
        match (said, error) {
            (Some(159 | 209), _) | (None, Error::TimedOut) => Problem::too_slow(self.seconds),
            (Some(158 | 307), _) => {
                let detail = "it reads too many rows: ask for a shorter range (serve.query_rows)";
                Problem::too_large(detail, self.rows)
            }
            (Some(241), _) => {
                let detail =
                    "it needs too much memory: ask for a shorter range or fewer groups (serve.query_memory_bytes)";
                Problem::too_large(detail, self.memory)
            }
            (Some(396), _) => Problem::too_large("it has too many groups: ask for fewer, or with filters", MOST_ROWS),
            (Some(202 | 203 | 210 | 242 | 285 | 319 | 425 | 999), _)
            | (None, Error::Network(_) | Error::BadResponse(_)) => {
                tracing::warn!(error = error as &dyn std::error::Error, "ClickHouse does not answer");
                Problem::unavailable("ClickHouse is away or overloaded", RETRY_S)
            }
            (Some(60 | 81 | 47), _) => {
                tracing::error!(error = error as &dyn std::error::Error, "tables are missing or old");
                Problem::unavailable("tables are missing or old: `ringtrace migrate` makes them", 60)
            }
            _ => {
                tracing::error!(error = error as &dyn std::error::Error, "ClickHouse refuses a question");
                Problem::internal()
            }
        }
    }
}

/// Reads the whole lines of what has come so far.
fn read_lines<T: DeserializeOwned>(rest: &mut Vec<u8>, piece: &Bytes, rows: &mut Vec<T>) -> Result<(), Problem> {
    rest.extend_from_slice(piece);
    let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
    let tail = rest.split_off(end + 1);
    for line in rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let row = serde_json::from_slice(line).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a row of ClickHouse has another shape");
            Problem::internal()
        })?;
        rows.push(row);
    }
    *rest = tail;
    Ok(())
}
