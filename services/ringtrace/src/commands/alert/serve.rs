//! The running alerter.

use std::path::Path;

use anyhow::Context;
use ringtrace_alerter::rules::{Rules, RulesError};
use ringtrace_alerter::service::Alerter;
use ringtrace_kit::config::Config;
use ringtrace_kit::drain::Drain;
use ringtrace_kit::health::Health;
use ringtrace_kit::{http, telemetry};
use tokio::net::TcpListener;

use super::read_rules;

/// Evaluates rules and delivers alerts until SIGTERM or SIGINT.
///
/// # Errors
/// The rules are not accepted, or the address of health and metrics can't be bound.
pub async fn serve(config: Config, rules: Option<&Path>) -> anyhow::Result<()> {
    let configured = (!config.alert.rules.is_empty()).then(|| Path::new(&config.alert.rules));
    let rules = match rules.or(configured) {
        Some(path) => read_rules(path)?,
        None => Rules::parse("")?,
    };
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
    error.downcast_ref::<RulesError>().is_some()
}
