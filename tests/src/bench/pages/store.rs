//! An embedded ClickHouse of its own with all tables, and what it has used.

use std::ffi::OsStr;
use std::fs;

use clickhouse::Client;
use ringtrace_kit::config::{Config, load};
use ringtrace_kit::migrate::migrate;
use ringtrace_rollup::Roller;

use crate::stack::{Door, Running};

/// `/proc` counts CPU time in hundredths of a second (`USER_HZ`, the same on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;

/// See the module's text.
pub struct Store {
    /// A client of its database.
    pub client: Client,
    /// Rolls up what is in it.
    pub roller: Roller,
    /// Its settings.
    pub config: Config,
    /// Its address, without a scheme.
    pub listen: String,
    server: Running,
}

impl Store {
    /// Starts it, with its data below `target/`, and makes the tables.
    pub async fn start() -> Self {
        let door = Door::new("pages-clickhouse");
        let command = door.command();
        let command: Vec<&OsStr> = command.iter().map(AsRef::as_ref).collect();
        let server = Running::start("pages-clickhouse-log", &command, &[]);
        door.wait();
        let settings = [("RINGTRACE_CLICKHOUSE_URL", door.url()), ("RINGTRACE_RETENTION_CALLS_DAYS", "40".to_owned())];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        let config = load(None, settings, &[]).expect("settings");
        let client = ringtrace_kit::clickhouse::client(&config.clickhouse);
        migrate(&client, &config.clickhouse, config.retention).await.expect("tables");
        let roller = Roller::new(&config.clickhouse);
        Store { client, roller, config, listen: door.listen(), server }
    }

    /// Runs a statement that gives nothing.
    pub async fn execute(&self, statement: &str) {
        self.client.query_raw(statement).execute().await.expect("ClickHouse takes the statement");
    }

    /// One line of text.
    pub async fn text(&self, query: &str) -> String {
        self.client.query_raw(query).fetch_one().await.expect("ClickHouse answers")
    }

    /// CPU seconds of the server so far.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.server.id())).expect("the server runs");
        // Fields after the name in parentheses, which may hold spaces: user and system time are the 12th and 13th.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        ticks / TICKS_PER_SECOND
    }
}
