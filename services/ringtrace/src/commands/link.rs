//! `ringtrace link`: Kafka -> model -> ClickHouse.

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::{clickhouse, http, telemetry};
use ringtrace_linker::{Linker, Sink};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::service::{self, Settings};

/// Read events from Kafka, link them to calls, write the results to ClickHouse.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Read to the end as it is now, let log time go on to the wall clock, write everything, and exit
    #[arg(long)]
    until_caught_up: bool,
}

/// Links until SIGTERM or SIGINT, or until caught up.
pub fn run(args: &Args) -> ExitCode {
    service::run(&args.settings, async |config| link(config, args.until_caught_up).await)
}

async fn link(config: Config, until_caught_up: bool) -> anyhow::Result<()> {
    let listen = config.http.listen.clone();
    let listener =
        TcpListener::bind(&listen).await.with_context(|| format!("http.listen = \"{listen}\" can't be bound"))?;
    let metrics = telemetry::init_metrics()?;
    let (drain, health) = (Drain::default(), Health::default());
    drain.on_signals()?;
    let address = listener.local_addr()?;
    tracing::info!(brokers = config.kafka.brokers, clickhouse = config.clickhouse.url, %address, "linking");
    if config.privacy.key.expose().is_empty() {
        tracing::warn!("privacy.key is not set: hashes of personal data can be guessed");
    }
    let server = tokio::spawn(http::serve(listener, http::router(health.clone(), metrics), drain.clone()));
    let sink = Sink::ClickHouse(Box::new(clickhouse::client(&config.clickhouse)));
    let linker = Linker { config, sink, until_caught_up, health, drain: drain.clone() };
    let linked = on_thread(linker).await;
    drain.start();
    server.await??;
    linked
}

/// Runs the linker on a thread of its own, and waits for it.
///
/// # Errors
/// As [`Linker::run`].
pub async fn on_thread(linker: Linker) -> anyhow::Result<()> {
    let (done, result) = tokio::sync::oneshot::channel();
    let runtime = Handle::current();
    // Nobody waits for the result any more only when the process ends.
    let work = move || drop(done.send(linker.run(&runtime)));
    std::thread::Builder::new().name("linker".to_owned()).spawn(work)?;
    result.await.map_err(|_| anyhow!("the linker's thread panicked, which is a defect of Ringtrace"))??;
    Ok(())
}
