//! Writing blocks to ClickHouse until they are acknowledged, and finding the rows that it will never take.

use std::sync::Weak;
use std::time::{Duration, Instant};

use clickhouse::Client;
use clickhouse::error::Error;
use rdkafka::error::KafkaError;
use ringtrace_kit::backoff::Backoff;
use ringtrace_kit::clickhouse::{Fault, fault, insert};
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;

use crate::metrics;
use crate::native::{Block, encode, rows_in};

/// Part of the service's health that ClickHouse decides.
const CLICKHOUSE: &str = "clickhouse";

/// How long a write that ClickHouse refuses, for a reason that does not pass by itself, is tried again by a linker that is to
/// end. One that runs on tries until somebody has mended it.
const REFUSALS: Duration = Duration::from_secs(60);

/// How long writes are tried again once a stop was asked for.
const DRAIN_PATIENCE: Duration = Duration::from_secs(20);

/// Most events that one flush may turn into dead letters: more are no bad events, but a table that is not as it should be.
const MOST_NOT_STORABLE: usize = 1_000;

/// Where rows go.
#[derive(Clone)]
pub enum Sink {
    /// ClickHouse.
    ClickHouse(Box<Client>),
    /// Nowhere: rows are encoded and dropped, no call was seen before. For measurements.
    Discard,
}

/// A flush that failed.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    /// Kafka did not take the transaction.
    #[error("transaction was not committed")]
    Transaction(#[from] KafkaError),
    /// Kafka took no offsets of this member and generation.
    #[error("the consumer group has gone on without this member")]
    Group(#[source] KafkaError),
    /// The number of partitions has changed, or a topic was made again.
    #[error("the number of partitions has changed, or a topic was made again")]
    Repartitioned,
    /// ClickHouse refuses the rows.
    #[error("ClickHouse refuses rows of {table}")]
    Refused {
        /// The table.
        table: &'static str,
        /// Why.
        #[source]
        source: Error,
    },
    /// ClickHouse takes the rest, but not some events.
    #[error("{} events can't be stored in ClickHouse and become dead letters", sources.len())]
    NotStorable {
        /// `topic/partition/offset` of each.
        sources: Vec<String>,
    },
}

/// See the module's text.
pub(crate) struct Writer {
    pub(crate) sink: Sink,
    pub(crate) database: String,
    pub(crate) health: Health,
    pub(crate) drain: Drain,
    /// Whether the linker ends when ClickHouse keeps refusing.
    pub(crate) gives_up: bool,
    /// Gone with the session whose rows these are.
    pub(crate) wanted: Weak<()>,
}

impl Writer {
    /// Writes blocks of a table, as one, until they are acknowledged.
    ///
    /// # Errors
    /// It will not be, or nobody waits for it any more.
    pub(crate) async fn insert(&self, blocks: &[&Block]) -> Result<(), FlushError> {
        match self.try_insert(blocks).await {
            Err(FlushError::Refused { source, .. }) if fault(&source) == Fault::Poison && has_sources(blocks) => {
                Err(self.sift(blocks, source).await)
            }
            result => result,
        }
    }

    /// The error of blocks with rows that ClickHouse will never take: names them, by trying parts. Parts that it takes are
    /// written again with the next flush, under the same keys.
    async fn sift(&self, blocks: &[&Block], first: Error) -> FlushError {
        let mut sources = Vec::new();
        let filled = blocks.iter().filter(|block| block.rows() > 0);
        let mut parts: Vec<(&Block, usize, usize)> = filled.map(|block| (*block, 0, block.rows())).collect();
        let mut last = first;
        while let Some((block, from, to)) = parts.pop() {
            match self.try_insert(&[&block.slice(from, to)]).await {
                Ok(()) => {}
                Err(FlushError::Refused { table, source }) if sources.len() >= MOST_NOT_STORABLE => {
                    return FlushError::Refused { table, source };
                }
                Err(FlushError::Refused { source, .. }) if fault(&source) == Fault::Poison => {
                    if to - from == 1 {
                        sources.extend(block.source_of(from));
                    } else {
                        let middle = from.midpoint(to);
                        parts.extend([(block, from, middle), (block, middle, to)]);
                    }
                    last = source;
                }
                Err(other) => return other,
            }
        }
        if sources.is_empty() {
            // It took them after all.
            tracing::warn!(error = &last as &dyn std::error::Error, "rows that were refused are taken now");
        }
        FlushError::NotStorable { sources }
    }

    async fn try_insert(&self, blocks: &[&Block]) -> Result<(), FlushError> {
        let filled = blocks.iter().find(|block| block.rows() > 0);
        let Some(table) = filled.map(|block| block.table) else { return Ok(()) };
        let Sink::ClickHouse(client) = &self.sink else {
            encode(blocks).for_each(drop);
            return Ok(());
        };
        let (table, statement) = (table.name, table.insert_statement(&self.database));
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let started = Instant::now();
        let mut draining_since = None;
        loop {
            let Err(error) = insert(client, &statement, encode(blocks)).await else {
                self.health.ready(CLICKHOUSE);
                return Ok(());
            };
            let kind = fault(&error);
            if self.drain.is_started() {
                draining_since.get_or_insert_with(Instant::now);
            }
            let is_late = draining_since.is_some_and(|since| since.elapsed() > DRAIN_PATIENCE);
            let is_unwanted = self.wanted.strong_count() == 0;
            // Poison in rows that have no source, images of calls, is a table that is not as it should be.
            let is_poison = kind == Fault::Poison && has_sources(blocks);
            let is_refused = kind != Fault::Transient && self.gives_up && started.elapsed() > REFUSALS;
            if is_poison || is_refused || is_unwanted || is_late {
                return Err(FlushError::Refused { table, source: error });
            }
            let rows = rows_in(blocks);
            tracing::warn!(error = &error as &dyn std::error::Error, table, rows, "write will be tried again");
            self.health.not_ready(CLICKHOUSE, format!("{table} can't be written: {error}"));
            metrics::clickhouse_retry();
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }
}

/// Whether rows of these name the records that they come from.
fn has_sources(blocks: &[&Block]) -> bool {
    blocks.first().is_some_and(|block| block.has_sources())
}
