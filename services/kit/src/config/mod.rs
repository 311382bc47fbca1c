//! Configuration: defaults, then a TOML file, then the environment, then flags.

mod load;
mod settings;

use std::collections::BTreeSet;

use ringtrace_model::Rules;
use serde::Deserialize;

pub use load::{ConfigError, Override, example, load};

/// The whole configuration. What each setting is for stands in `ringtrace.example.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// `[kafka]`
    pub kafka: Kafka,
    /// `[clickhouse]`
    pub clickhouse: ClickHouse,
    /// `[rules]`
    pub rules: Rules,
    /// `[retention]`
    pub retention: Retention,
    /// `[privacy]`
    pub privacy: Privacy,
    /// `[link]`
    pub link: Link,
    /// `[serve]`
    pub serve: Serve,
    /// `[alert]`
    pub alert: Alert,
    /// `[http]`
    pub http: Http,
    /// `[log]`
    pub log: Log,
    #[serde(skip)]
    configured: BTreeSet<String>,
}

impl Config {
    /// Whether a layer other than the defaults has set a key such as `kafka.brokers`.
    pub fn is_configured(&self, key: &str) -> bool {
        self.configured.contains(key)
    }
}

/// Brokers and topics.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Kafka {
    pub brokers: String,
    pub group: String,
    pub properties: Vec<String>,
    pub push_topic: String,
    pub call_topic: String,
    pub device_topic: String,
    pub internal_topic: String,
    pub calls_topic: String,
    pub verdicts_topic: String,
    pub dead_letters_topic: String,
    pub partitions: i32,
    pub replication_factor: i32,
}

/// Where the results go.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct ClickHouse {
    pub url: String,
    pub database: String,
    pub user: String,
    pub password: Secret,
    pub cluster: String,
}

/// How long things are kept, in days.
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Retention {
    pub events_days: i64,
    pub calls_days: i64,
    pub dead_letters_days: i64,
}

/// What is personal data.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Privacy {
    pub fields: Vec<String>,
    pub key: Secret,
}

/// The linker.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Link {
    pub flush_interval_ms: u64,
    pub flush_bytes: usize,
    pub calls_in_memory: usize,
    pub settled_ms: i64,
    pub instance: String,
}

/// The API and the web application.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Serve {
    pub listen: String,
    pub tokens: Tokens,
    pub tls_certificate: String,
    pub tls_key: String,
    pub query_seconds: u64,
    pub query_rows: u64,
    pub query_memory_bytes: u64,
    pub queries_at_once: usize,
    pub rows_per_export: u64,
    pub export_seconds: u64,
    pub requests_per_minute: u32,
    pub live_clients: usize,
}

/// Who may ask, here or in a file of their own.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Tokens {
    /// The path of a TOML file with a list `tokens`.
    File(std::path::PathBuf),
    /// The list itself.
    Here(Vec<Token>),
}

/// Someone who may ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// For logs; unique.
    pub name: String,
    /// SHA-256 of the token, in hexadecimal.
    pub sha256: String,
    /// `read`, `ingest`, `admin`.
    pub roles: Vec<String>,
    /// What they may see; `*` for all.
    pub tenants: Vec<String>,
}

/// The alerter.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Alert {
    pub rules: String,
    pub group: String,
    pub interval_ms: u64,
}

/// The address of health and metrics.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Http {
    pub listen: String,
}

/// Logging.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the settings table says what each is for")]
pub struct Log {
    pub level: String,
    pub format: String,
}

/// Text that is never printed.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}
