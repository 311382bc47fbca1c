//! `ringtrace migrate` and `ringtrace check`: tables and topics.

use std::process::ExitCode;

use anyhow::Context;
use ringtrace_kit::config::Config;
use ringtrace_kit::rules::{self, Difference, Settled, THEN_RELINK};
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
    /// Store the settings of [rules] though others are stored: linkers with those stop, and history stays as they have judged
    /// it until it is linked again
    #[arg(long)]
    accept_rules: bool,
}

/// Makes or updates the tables, and makes the topics that are missing. Safe to repeat.
pub fn run(args: &Args) -> ExitCode {
    service::run(&args.settings, async |config| {
        if args.print {
            let statements = migrate::statements(&config.clickhouse, config.retention);
            statements.iter().for_each(|statement| println!("{statement};\n"));
            println!("{};\n", rules::statement(&config.clickhouse.database, 1, &config.rules));
            return Ok(());
        }
        make(&config, args.accept_rules).await
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
async fn make(config: &Config, accepts_rules: bool) -> anyhow::Result<()> {
    let client = clickhouse::client(&config.clickhouse);
    let applied = migrate::migrate(&client, &config.clickhouse, config.retention).await?;
    say("tables", &applied);
    let created = kafka::create_topics(&config.kafka).await?;
    say("topics", &created);
    let slots = kafka::check_topics(&config.kafka)?;
    println!("slots: {slots}");
    say_rules(&rules::settle(&client, &config.clickhouse.database, &config.rules, accepts_rules).await?);
    Ok(())
}

/// Says which rules hold now, and what has changed.
pub fn say_rules(settled: &Settled) {
    match settled {
        Settled::Same(number) => println!("rules: {number}, nothing to do"),
        Settled::First(number) => println!("rules: {number}"),
        Settled::Changed { number, differences } => {
            for Difference { name, stored, here } in &differences.0 {
                let before = stored.map_or_else(|| "none".to_owned(), |stored| stored.to_string());
                println!("rules: {name} {before} -> {here}");
            }
            println!("rules: {number}; linkers with other settings stop, and {THEN_RELINK}");
        }
    }
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
    let served = ringtrace_api::check(config).await?;
    println!("serve.listen {}: {}", config.serve.listen, served.describe());
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
    println!("rules: {}, as stored", rules::agreed(&client, &config.rules).await?);
    Ok(())
}
