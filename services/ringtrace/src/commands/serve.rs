//! `ringtrace serve`: the JSON API and the web application.

use std::process::ExitCode;

use anyhow::Context;
use ringtrace_api::{Server, make_token};
use ringtrace_kit::config::{ClickHouse, Config};
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::{clickhouse, http, telemetry};
use tokio::net::TcpListener;

use super::service::{self, Settings};

/// Part of health: whether ClickHouse answers.
const CLICKHOUSE: &str = "clickhouse";

/// How often ClickHouse is asked whether it is there.
const PROBE: std::time::Duration = std::time::Duration::from_secs(5);

/// Answer questions over HTTP: the JSON API below /api/v1, and the web application.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Address of the API and the web application [serve.listen]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Print a new token, and the line for serve.tokens by which it is known; do nothing else
    #[arg(long, value_name = "NAME")]
    make_token: Option<String>,
    /// What the new token may do
    #[arg(long, value_name = "ROLES", value_delimiter = ',', default_value = "read", requires = "make_token")]
    roles: Vec<String>,
    /// Whose rows it may see; * for all
    #[arg(long, value_name = "TENANTS", value_delimiter = ',', default_value = "*", requires = "make_token")]
    tenants: Vec<String>,
}

/// Serves until SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    if let Some(name) = &args.make_token {
        return service::finish(print_token(name, &args.roles, &args.tenants));
    }
    service::run(&args.settings, async |mut config| {
        if let Some(listen) = &args.listen {
            config.serve.listen.clone_from(listen);
        }
        serve(config).await
    })
}

/// The token goes to standard error, what is to be kept of it to standard output.
fn print_token(name: &str, roles: &[String], tenants: &[String]) -> anyhow::Result<()> {
    let (token, sha256) = make_token()?;
    eprintln!("token (shown this once): {token}");
    println!("[[tokens]]\nname = {name:?}\nsha256 = {sha256:?}\nroles = {roles:?}\ntenants = {tenants:?}");
    Ok(())
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let drain = Drain::default();
    drain.on_signals()?;
    let server = Server::bind(&config, drain.clone()).await?;
    let listen = config.http.listen.clone();
    let listener =
        TcpListener::bind(&listen).await.with_context(|| format!("http.listen = \"{listen}\" can't be bound"))?;
    let (metrics, health) = (telemetry::init_metrics()?, Health::default());
    if !server.has_web() {
        health.warn(
            "web",
            Some("this binary was built without the web application: `make web`, then build again".to_owned()),
        );
    }
    tracing::info!(url = server.url(), clickhouse = config.clickhouse.url, health = %listener.local_addr()?, "serving");
    let roller = tokio::spawn(roll_up(config.clickhouse.clone(), drain.clone()));
    let probe = tokio::spawn(watch_clickhouse(config.clone(), health.clone(), drain.clone()));
    let inside = tokio::spawn(http::serve(listener, http::router(health, metrics), drain.clone()));
    server.serve().await;
    roller.await?;
    probe.await?;
    inside.await??;
    Ok(())
}

/// Keeps what dashboards read equal to what is stored, until the drain starts.
pub async fn roll_up(settings: ClickHouse, drain: Drain) {
    ringtrace_rollup::describe();
    ringtrace_rollup::run(&settings, &drain).await;
}

/// Says whether ClickHouse answers, until the drain starts.
async fn watch_clickhouse(config: Config, health: Health, drain: Drain) {
    let client = clickhouse::client(&config.clickhouse);
    while !drain.is_started() {
        let asked = tokio::time::timeout(PROBE, client.query("SELECT 1").fetch_one::<u8>()).await;
        match asked {
            Ok(Ok(_)) => health.ready(CLICKHOUSE),
            Ok(Err(error)) => health.not_ready(CLICKHOUSE, error.to_string()),
            Err(_) => health.not_ready(CLICKHOUSE, "does not answer"),
        }
        // Either ends the wait.
        let _ = tokio::time::timeout(PROBE, drain.started()).await;
    }
}
