//! Everything in one process tree: parts that are not configured are started here.

mod parts;
mod screen;
mod summary;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use ringtrace_kit::config::{Config, Kafka};
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::{clickhouse, clock, http, kafka, migrate, telemetry};
use ringtrace_linker::{Linker, Sink};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::commands::link::on_thread;
use crate::replay::{Pace, Plan, Source, Timestamps, replay};
use parts::Engine;
use screen::Screen;

/// The bundled example traffic.
const TRAFFIC: [&[u8]; 3] = [
    include_bytes!("../../../../tests/traffic/push-events.jsonl.gz"),
    include_bytes!("../../../../tests/traffic/call-events.jsonl.gz"),
    include_bytes!("../../../../tests/traffic/device-events.jsonl.gz"),
];

/// How often the summary is shown.
const REFRESH: Duration = Duration::from_secs(2);

/// Starts the parts, and shows the summary until the drain starts.
///
/// # Errors
/// When a part can't be started, or fails.
pub async fn run(mut config: Config, data: &Path, speed: f64) -> anyhow::Result<()> {
    let drain = Drain::default();
    drain.on_signals()?;
    let engine =
        if config.is_configured("clickhouse.url") { None } else { Some(start_engine(&mut config, data).await?) };
    let client = clickhouse::client(&config.clickhouse);
    let applied = migrate::migrate(&client, &config.clickhouse, config.retention).await?;
    if !applied.is_empty() {
        println!("tables made: {}", applied.join(", "));
    }
    let broker = start_broker(&mut config).await?;
    let listen = config.http.listen.clone();
    let listener =
        TcpListener::bind(&listen).await.with_context(|| format!("http.listen = \"{listen}\" can't be bound"))?;
    println!("health and metrics: http://{}/metrics", listener.local_addr()?);
    let health = Health::default();
    let router = http::router(health.clone(), telemetry::init_metrics()?);
    let server = tokio::spawn(http::serve(listener, router, drain.clone()));
    let linker = link(&config, &health, &drain);
    let player = play(config.kafka.clone(), Pace(speed), drain.clone());
    let shown = show(&client, &config, &drain, &linker, &player).await;
    drain.start();
    println!("\nstopping: what was read is written and committed");
    let linked = linker.await?;
    player.await??;
    server.await??;
    // The broker ends after its clients, the engine after everything that writes to it.
    drop(broker);
    if let Some(engine) = engine {
        engine.stop().await?;
    }
    linked.and(shown)
}

async fn start_engine(config: &mut Config, data: &Path) -> anyhow::Result<Engine> {
    println!("starting the embedded ClickHouse, data in {} ...", data.display());
    let (engine, url) = Engine::start(data).await?;
    println!("ClickHouse: {url} (try: curl '{url}/?query=SELECT+count()+FROM+ringtrace.calls')");
    config.clickhouse.url = url;
    Ok(engine)
}

/// A broker inside this process, unless one is configured. It forgets everything at the end.
async fn start_broker(config: &mut Config) -> anyhow::Result<Option<MockCluster<'static, DefaultProducerContext>>> {
    if config.is_configured("kafka.brokers") {
        let created = kafka::create_topics(&config.kafka).await?;
        println!("Kafka: {}, topics made: {}", config.kafka.brokers, created.len());
        return Ok(None);
    }
    let cluster = MockCluster::new(1)?;
    for topic in kafka::topics(&config.kafka) {
        cluster.create_topic(&topic.name, config.kafka.partitions, 1)?;
    }
    config.kafka.brokers = cluster.bootstrap_servers();
    println!("in-process broker: {} (it forgets everything at the end)", config.kafka.brokers);
    Ok(Some(cluster))
}

fn link(config: &Config, health: &Health, drain: &Drain) -> JoinHandle<anyhow::Result<()>> {
    let sink = Sink::ClickHouse(Box::new(clickhouse::client(&config.clickhouse)));
    let (config, health) = (config.clone(), health.clone());
    let linker = Linker { config, sink, until_caught_up: false, health, drain: drain.clone() };
    tokio::spawn(on_thread(linker))
}

/// Plays the example traffic in a loop; every round of every start has calls of its own.
fn play(kafka: Kafka, pace: Pace, drain: Drain) -> JoinHandle<anyhow::Result<()>> {
    tokio::task::spawn_blocking(move || {
        let sources = TRAFFIC.map(Source::Bytes);
        let mut round = (clock::wall_ms() / 1000) as u32;
        while !drain.is_started() {
            replay(&kafka, &sources, Plan { pace, timestamps: Timestamps::New, round }, &drain)?;
            round = round.wrapping_add(1);
        }
        Ok(())
    })
}

/// Shows the summary until the drain starts or a part ends by itself.
async fn show(
    client: &::clickhouse::Client,
    config: &Config,
    drain: &Drain,
    linker: &JoinHandle<anyhow::Result<()>>,
    player: &JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut screen = Screen::new();
    while !drain.is_started() && !linker.is_finished() && !player.is_finished() {
        let summary = summary::fetch(client).await;
        screen.show(&match summary {
            Ok(summary) => summary.render(&config.clickhouse.url),
            Err(error) => format!("ClickHouse does not answer: {error}\n"),
        })?;
        // Either ends the wait.
        let _ = tokio::time::timeout(REFRESH, drain.started()).await;
    }
    Ok(())
}
