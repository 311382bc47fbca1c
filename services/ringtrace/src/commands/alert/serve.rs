//! The running alerter.

use anyhow::Context;
use ringtrace_alerter::rules::{FileError, Rules};
use ringtrace_alerter::service::Alerter;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::{http, telemetry};
use tokio::net::TcpListener;

/// Evaluates rules and delivers alerts until SIGTERM or SIGINT.
///
/// # Errors
/// The rules are not accepted, or the address of health and metrics can't be bound.
pub async fn serve(config: Config, rules: Option<&str>) -> anyhow::Result<()> {
    let rules = Rules::of_file(rules.unwrap_or(&config.alert.rules))?;
    let listen = config.http.listen.clone();
    let listener =
        TcpListener::bind(&listen).await.with_context(|| format!("http.listen = \"{listen}\" can't be bound"))?;
    let metrics = telemetry::init_metrics()?;
    let (drain, health) = (Drain::default(), Health::default());
    drain.on_signals()?;
    let address = listener.local_addr()?;
    let receivers: Vec<&str> = rules.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    tracing::info!(rules = rules.rules.len(), receivers = receivers.join(","), %address, "alerting");
    if receivers.is_empty() {
        tracing::warn!("no receiver is configured: alerts are stored and shown, but nobody is told");
    }
    let server = tokio::spawn(http::serve(listener, http::router(health.clone(), metrics), drain.clone()));
    let ran = Alerter { config, rules, health, drain: drain.clone() }.run().await;
    drain.start();
    server.await??;
    Ok(ran?)
}

/// Whether an error is one of the rules file.
pub fn is_of_rules(error: &anyhow::Error) -> bool {
    error.downcast_ref::<FileError>().is_some()
}
