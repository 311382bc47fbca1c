//! The linker in this process, on the shared input, with state topics and a database of its own.

use ringtrace_kit::config::{Config, load};
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::kafka::create_topics;
use ringtrace_kit::{clickhouse, migrate, rules};
use ringtrace_linker::{Linker, Sink};
use tokio::runtime::Runtime;

use super::Input;
use super::usage::Counts;
use crate::stack::{Case, stack};

/// Where rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Nowhere.
    Discard,
    /// The embedded ClickHouse.
    ClickHouse,
}

/// A linker that has read nothing yet.
pub struct Linking {
    linker: Linker,
    pub(super) runtime: Runtime,
    pub(super) database: String,
}

impl Linking {
    /// Makes its topics, and its tables where it writes any.
    pub fn prepare(case: &Case, name: &str, to: To) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let config = config(case, name);
        runtime.block_on(create_topics(&config.kafka)).expect("topics");
        let database = config.clickhouse.database.clone();
        let sink = match to {
            To::Discard => Sink::Discard,
            To::ClickHouse => {
                let client = clickhouse::client(&config.clickhouse);
                let migrated = migrate::migrate(&client, &config.clickhouse, config.retention);
                runtime.block_on(migrated).expect("tables");
                let settled = rules::settle(&client, &config.clickhouse.database, &config.rules, false);
                runtime.block_on(settled).expect("rules");
                Sink::ClickHouse(Box::new(client))
            }
        };
        let linker = Linker { config, sink, until_caught_up: true, health: Health::default(), drain: Drain::default() };
        Linking { linker, runtime, database }
    }

    /// Links everything.
    ///
    /// # Panics
    /// When the linker fails.
    pub fn run(&self) {
        self.linker.run(self.runtime.handle()).expect("the linker ends by itself");
    }

    /// Makes one part of each partition of its tables.
    pub(super) fn merge(&self) {
        if let Sink::ClickHouse(client) = &self.linker.sink {
            self.runtime.block_on(merge(client, &self.database));
        }
    }

    /// The client of the tables.
    ///
    /// # Panics
    /// Where rows are dropped.
    pub(super) fn client(&self) -> &::clickhouse::Client {
        match &self.linker.sink {
            Sink::ClickHouse(client) => client,
            Sink::Discard => panic!("rows are dropped"),
        }
    }

    /// Rows that ClickHouse has taken so far, of all tables; 0 where none are written.
    pub fn rows(&self, case: &Case) -> i64 {
        match self.linker.sink {
            Sink::Discard => 0,
            Sink::ClickHouse(_) => case.number("SELECT sum(value) FROM system.events WHERE event = 'InsertedRows'"),
        }
    }

    /// Checks that all of the input was processed, once.
    ///
    /// # Panics
    /// When it was not.
    pub fn check(&self, case: &Case, input: &Input, before: Counts, after: Counts) {
        assert_eq!(after.restarts, before.restarts, "the linker has not started again");
        let reroutes = after.reroutes - before.reroutes;
        assert_eq!(after.records - before.records - reroutes, input.events, "every record was committed once");
        if let Sink::Discard = self.linker.sink {
            return;
        }
        let expected = [("events", &input.of_calls.len()), ("device_events", &input.of_devices.len())];
        for (view, expected) in expected.into_iter().chain([("legs", &input.legs.len())]) {
            let rows = case.number(&format!("SELECT count() FROM {}.{view}", self.database));
            assert_eq!(rows, *expected as i64, "{view}");
        }
    }
}

/// Makes one part of each partition of a database's tables: what ClickHouse does in the end, whatever it got to meanwhile.
///
/// # Panics
/// When ClickHouse refuses.
pub(super) async fn merge(client: &::clickhouse::Client, database: &str) {
    let tables = client
        .query("SELECT name FROM system.tables WHERE database = ? AND engine LIKE '%MergeTree' AND total_rows > 0");
    let tables = tables.bind(database).fetch_all::<String>().await.expect("ClickHouse lists tables");
    for table in tables {
        let merged = client.query_raw(&format!("OPTIMIZE TABLE {database}.{table} FINAL")).execute().await;
        merged.expect("ClickHouse merges");
    }
}

fn config(case: &Case, name: &str) -> Config {
    let own = |topic: &str| format!("{name}.{topic}");
    let environment = [
        ("KAFKA_BROKERS", case.brokers().to_owned()),
        ("KAFKA_GROUP", name.to_owned()),
        ("KAFKA_PUSH_TOPIC", case.topic("push-events")),
        ("KAFKA_CALL_TOPIC", case.topic("call-events")),
        ("KAFKA_DEVICE_TOPIC", case.topic("device-events")),
        ("KAFKA_INTERNAL_TOPIC", own("ringtrace.internal")),
        ("KAFKA_CALLS_TOPIC", own("ringtrace.calls")),
        ("KAFKA_VERDICTS_TOPIC", own("ringtrace.verdicts")),
        ("KAFKA_DEAD_LETTERS_TOPIC", own("ringtrace.dead-letters")),
        ("CLICKHOUSE_URL", stack().clickhouse_url.clone()),
        ("CLICKHOUSE_DATABASE", name.replace('-', "_")),
        ("PRIVACY_KEY", "bench".to_owned()),
        // The input is a year old.
        ("RETENTION_EVENTS_DAYS", "3650".to_owned()),
        ("RETENTION_CALLS_DAYS", "3650".to_owned()),
        ("LINK_INSTANCE", name.to_owned()),
    ];
    let environment = environment.into_iter().map(|(key, value)| (format!("RINGTRACE_{key}"), value));
    load(None, environment, &[]).expect("the configuration is accepted")
}
