//! An embedded ClickHouse of its own with all tables, the API before it, and what both have used.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use clickhouse::Client;
use ringtrace_kit::config::load;
use ringtrace_kit::migrate::migrate;
use ringtrace_rollup::Roller;

use crate::stack::{Door, Running, binary, free_port, wait_for};

/// `/proc` counts CPU time in hundredths of a second (`USER_HZ`, the same on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;

/// See the module's text.
pub struct Store {
    /// A client of its database.
    pub client: Client,
    /// Rolls up what is in it.
    pub roller: Roller,
    clickhouse: Running,
    settings: Vec<(String, String)>,
}

/// The API before it.
pub struct Api {
    /// Its address, without a scheme.
    pub address: String,
    serve: Running,
}

impl Store {
    /// Starts it and makes the tables; data is below `target/` and deleted by the next run, or in a folder that stays.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(folder: Option<PathBuf>) -> Self {
        let door = folder.map_or_else(|| Door::new("pages-clickhouse"), Door::at);
        let command = door.command();
        let command: Vec<&OsStr> = command.iter().map(AsRef::as_ref).collect();
        let clickhouse = Running::start("pages-clickhouse-log", &command, &[]);
        door.wait();
        let settings = [("RINGTRACE_CLICKHOUSE_URL", door.url()), ("RINGTRACE_RETENTION_CALLS_DAYS", "40".to_owned())];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        let settings = settings.to_vec();
        let config = load(None, settings.clone().into_iter(), &[]).expect("settings");
        let client = ringtrace_kit::clickhouse::client(&config.clickhouse);
        migrate(&client, &config.clickhouse, config.retention).await.expect("tables");
        let roller = Roller::new(&config.clickhouse);
        Store { client, roller, clickhouse, settings }
    }

    /// Starts the API.
    ///
    /// # Panics
    /// When it does not start.
    pub fn serve(&self) -> Api {
        let (address, health) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
        let mut settings = self.settings.clone();
        settings.push(("RINGTRACE_SERVE_LISTEN".to_owned(), address.clone()));
        settings.push(("RINGTRACE_HTTP_LISTEN".to_owned(), health));
        let program = binary();
        let serve = Running::start("pages-serve-log", &[program.as_os_str(), OsStr::new("serve")], &settings);
        wait_for("the API", || std::net::TcpStream::connect(&address).is_ok());
        Api { address, serve }
    }

    /// Runs a statement that gives nothing.
    ///
    /// # Panics
    /// When ClickHouse refuses it.
    pub async fn execute(&self, statement: &str) {
        self.client.query_raw(statement).execute().await.expect("ClickHouse takes the statement");
    }

    /// One line of text.
    ///
    /// # Panics
    /// When ClickHouse refuses the query, or has no line.
    pub async fn text(&self, query: &str) -> String {
        self.client.query_raw(query).fetch_one().await.expect("ClickHouse answers")
    }

    /// CPU seconds so far.
    pub fn cpu(&self) -> f64 {
        cpu(&self.clickhouse)
    }
}

impl Api {
    /// CPU seconds so far.
    pub fn cpu(&self) -> f64 {
        cpu(&self.serve)
    }
}

fn cpu(process: &Running) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("the process runs");
    // Fields after the name in parentheses, which may hold spaces: user and system time are the 12th and 13th.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}
