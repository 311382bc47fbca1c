//! Everything in one process tree: parts that are not configured are started here.

mod alerting;
mod parts;
mod progress;
mod screen;
mod summary;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use ringtrace_api::{ServeError, Server};
use ringtrace_kit::config::{Config, Kafka};
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::rules::Settled;
use ringtrace_kit::{clickhouse, clock, http, kafka, migrate, rules, telemetry};
use ringtrace_linker::{Linker, Sink};
use ringtrace_simulator::{Plan, Simulator};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::commands::link::on_thread;
use crate::commands::migrate::say_rules;
use crate::commands::serve::roll_up;
use crate::commands::simulate::WorldArgs;
use crate::sending::Pace;
use crate::simulate::{Output, Play, Progress, Topics};
use parts::Engine;
use screen::Screen;

/// How much of the past is played at once, in milliseconds: the first summary is not empty.
const PAST_MS: i64 = 15 * 60 * 1000;

/// Calls that start in a second, unless asked for otherwise.
const CALLS_PER_SECOND: f64 = 4.0;

/// How many records may be ahead of what the linker has committed. librdkafka's in-process broker drops old records of a
/// partition above 5 MB or 100,000; this many and a thousand more, of 450 bytes, fit even if all were in one.
const MOST_AHEAD: u64 = 9_000;

/// How often the summary is shown.
const REFRESH: Duration = Duration::from_secs(2);

/// Starts the parts, and shows the summary until the drain starts.
///
/// # Errors
/// When a part can't be started, or fails.
pub async fn run(mut config: Config, data: &Path, world: &WorldArgs) -> anyhow::Result<()> {
    let started_at = clock::wall_ms();
    let simulator = simulator(world)?;
    let alert_rules = alerting::rules(&config)?;
    let drain = Drain::default();
    drain.on_signals()?;
    let engine =
        if config.is_configured("clickhouse.url") { None } else { Some(start_engine(&mut config, data).await?) };
    let client = clickhouse::client(&config.clickhouse);
    let applied = migrate::migrate(&client, &config.clickhouse, config.retention).await?;
    if !applied.is_empty() {
        println!("tables made: {}", applied.join(", "));
    }
    // Who has an engine of their own changes settings for themselves alone.
    let settled = rules::settle(&client, &config.clickhouse.database, &config.rules, engine.is_some()).await?;
    if !matches!(settled, Settled::Same(_)) {
        say_rules(&settled);
    }
    let broker = start_broker(&mut config).await?;
    let listen = config.http.listen.clone();
    let listener =
        TcpListener::bind(&listen).await.with_context(|| format!("http.listen = \"{listen}\" can't be bound"))?;
    println!("health and metrics: http://{}/metrics", listener.local_addr()?);
    let server = bind_server(&mut config, &drain).await?;
    // The usual range of a day would show a quarter of an hour at its end.
    let url = format!("{}/?from=now-1h", server.url());
    println!("web application and API: {url}");
    let served = tokio::spawn(server.serve());
    let rolled = tokio::spawn(roll_up(config.clickhouse.clone(), drain.clone()));
    let health = Health::default();
    let metrics = telemetry::init_metrics()?;
    let linked = progress::of(metrics.clone());
    let router = http::router(health.clone(), metrics);
    let inside = tokio::spawn(http::serve(listener, router, drain.clone()));
    let linker = link(&config, &health, &drain);
    let alerted = alerting::run(config.clone(), alert_rules, client.clone(), started_at, health, drain.clone());
    let alerted = tokio::spawn(alerted);
    let player = play(config.kafka.clone(), simulator, linked, drain.clone());
    let shown = show(&client, &config, &url, &drain, &linker, &player).await;
    drain.start();
    println!("\nstopping: what was read is written and committed");
    // It leaves its group and writes before what it talks to ends.
    alerted.await??;
    let linked = linker.await?;
    player.await??;
    inside.await??;
    served.await?;
    rolled.await?;
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

/// The server, on another port where the usual one is taken and none is configured.
async fn bind_server(config: &mut Config, drain: &Drain) -> Result<Server, ServeError> {
    match Server::bind(config, drain.clone()).await {
        Err(ServeError::Bind { .. }) if !config.is_configured("serve.listen") => {
            "127.0.0.1:0".clone_into(&mut config.serve.listen);
            Server::bind(config, drain.clone()).await
        }
        bound => bound,
    }
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

/// The world of a start: every start has calls of its own, unless asked for a seed.
fn simulator(world: &WorldArgs) -> anyhow::Result<Simulator> {
    let now = clock::wall_ms();
    let plan = Plan {
        seed: now as u64,
        start: now - PAST_MS,
        length_ms: None,
        calls_per_second: CALLS_PER_SECOND,
        ..Plan::default()
    };
    world.build(&plan).map_err(|(error, _)| error)
}

/// Plays the past at once and then goes with the time, never further ahead of the linker than the broker holds.
fn play(kafka: Kafka, simulator: Simulator, linked: Progress, drain: Drain) -> JoinHandle<anyhow::Result<()>> {
    tokio::task::spawn_blocking(move || {
        let topics = Topics::new(&kafka, false)?.ahead_by(MOST_AHEAD, linked);
        let output = Output::Kafka(Box::new(topics));
        let due_from = clock::wall_ms();
        let mut play = Play { simulator, output, pace: Pace(1.0), due_from, truth: None, report: None };
        play.run(&drain).map(drop)
    })
}

/// Shows the summary until the drain starts or a part ends by itself.
async fn show(
    client: &::clickhouse::Client,
    config: &Config,
    url: &str,
    drain: &Drain,
    linker: &JoinHandle<anyhow::Result<()>>,
    player: &JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut screen = Screen::new();
    while !drain.is_started() && !linker.is_finished() && !player.is_finished() {
        let summary = summary::fetch(client).await;
        screen.show(&match summary {
            Ok(summary) => summary.render(url, &config.clickhouse.url),
            Err(error) => format!("ClickHouse does not answer: {error}\n"),
        })?;
        // Either ends the wait.
        let _ = tokio::time::timeout(REFRESH, drain.started()).await;
    }
    Ok(())
}
