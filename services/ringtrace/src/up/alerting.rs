//! Risk and alerts of what is simulated: judged, stored and shown, and told to nobody.

use std::time::Duration;

use clickhouse::Client;
use clickhouse::error::Error;
use ringtrace_alerter::dead_letters::Tail;
use ringtrace_alerter::rules::{FileError, Rules};
use ringtrace_alerter::service::Alerter;
use ringtrace_alerter::store::Store;
use ringtrace_kit::clock;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;

/// How often it is looked whether the past is linked.
const LOOK: Duration = Duration::from_millis(500);

/// The rules, without receivers: calls that nobody made wake nobody.
///
/// # Errors
/// The configured file can't be read, or is not accepted.
pub fn rules(config: &Config) -> Result<Rules, FileError> {
    let rules = Rules::of_file(&config.alert.rules)?;
    Ok(Rules { receivers: Vec::new(), ..rules })
}

/// Judges until the drain starts, from when everything before `from` (milliseconds since the Unix epoch) is linked: a linker
/// that plays a past looks like one that is late. What was missed while nothing ran is not made up for: it takes minutes
/// after a night, and nothing has happened.
///
/// # Errors
/// The configuration of Kafka is not accepted, or ClickHouse does not take where to begin.
pub async fn run(
    config: Config,
    rules: Rules,
    client: Client,
    from: i64,
    health: Health,
    drain: Drain,
) -> anyhow::Result<()> {
    while !drain.is_started() && !is_linked(&client, from).await.unwrap_or(false) {
        // Either ends the wait.
        let _ = tokio::time::timeout(LOOK, drain.started()).await;
    }
    if !drain.is_started() {
        Store::new(client, Tail::default()).write_clock(from, "", clock::wall_ms()).await?;
    }
    Ok(Alerter { config, rules, health, drain }.run().await?)
}

/// Whether every slot is past a log time.
async fn is_linked(client: &Client, from: i64) -> Result<bool, Error> {
    let text = "SELECT count() > 0 AND min(log_clock) >= fromUnixTimestamp64Milli(?) FROM slots";
    client.query(text).bind(from).fetch_one::<u8>().await.map(|past| past == 1)
}
