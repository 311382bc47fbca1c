//! `ringtrace migrate` and `ringtrace check`: tables and topics.

use std::process::ExitCode;

use anyhow::Context;
use ringtrace_kit::config::Config;
use ringtrace_kit::{clickhouse, kafka, migrate};

use super::service::{self, Settings};

/// Settings of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    settings: Settings,
}

/// Settings of `migrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Print the SQL of all tables, for one server or for [clickhouse.cluster], and do nothing
    #[arg(long)]
    print: bool,
}

/// Makes or updates the tables, and makes the topics that are missing. Safe to repeat.
pub fn run(args: &Args) -> ExitCode {
    service::run(&args.settings, async |config| {
        if args.print {
            let statements = migrate::statements(&config.clickhouse, config.retention);
            statements.iter().for_each(|statement| println!("{statement};\n"));
            return Ok(());
        }
        make(&config).await
    })
}

/// Checks the configuration, and whether Kafka and ClickHouse are there and as they must be.
pub fn check(args: &CheckArgs) -> ExitCode {
    service::run(&args.settings, async |config| examine(&config).await)
}

/// Makes what is missing, and says what it made.
///
/// # Errors
/// When ClickHouse or Kafka can't be reached or refuses.
pub async fn make(config: &Config) -> anyhow::Result<()> {
    let client = clickhouse::client(&config.clickhouse);
    let applied = migrate::migrate(&client, &config.clickhouse, config.retention).await?;
    say("tables", &applied);
    let created = kafka::create_topics(&config.kafka).await?;
    say("topics", &created);
    let slots = kafka::check_topics(&config.kafka)?;
    println!("slots: {slots}");
    Ok(())
}

fn say(what: &str, made: &[String]) {
    if made.is_empty() {
        println!("{what}: nothing to do");
    } else {
        println!("{what}: {}", made.join(", "));
    }
}

async fn examine(config: &Config) -> anyhow::Result<()> {
    println!("configuration: ok");
    let slots = kafka::check_topics(&config.kafka)?;
    println!("kafka {}: ok, {slots} slots", config.kafka.brokers);
    let client = clickhouse::client(&config.clickhouse);
    let url = &config.clickhouse.url;
    let version: String = client.query("SELECT version()").fetch_one().await.with_context(|| {
        format!("ClickHouse at {url} does not answer: are clickhouse.url, user and password right?")
    })?;
    let newest = migrate::pending(&client, &config.clickhouse, config.retention).await;
    let pending = newest.with_context(|| format!("tables at {url} are missing: `ringtrace migrate` creates them"))?;
    anyhow::ensure!(pending.is_empty(), "tables at {url} are old: `ringtrace migrate` applies {}", pending.join(", "));
    println!("clickhouse {url}: ok, version {version}, tables up to date");
    Ok(())
}
