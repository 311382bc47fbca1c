//! What every service answers over HTTP: `/livez`, `/readyz`, `/metrics`.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::drain::Drain;
use crate::health::Health;

/// The content type of Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The routes: alive (always 200), ready (503 with the reasons, one a line, otherwise; warnings change no status), metrics in
/// Prometheus' text format.
pub fn router(health: Health, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async move || readiness(&health)))
        .route("/metrics", get(async move || ([(CONTENT_TYPE, METRICS_TYPE)], metrics.render())))
}

fn readiness(health: &Health) -> (StatusCode, String) {
    let conditions = health.conditions();
    let (status, mut text) = match conditions.is_empty() {
        true => (StatusCode::OK, "ok\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
    };
    text.extend(conditions.iter().map(|(part, why)| format!("{part}: {why}\n")));
    text.extend(health.warnings().iter().map(|(part, why)| format!("warning: {part}: {why}\n")));
    (status, text)
}

/// Serves until the drain starts.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, router: Router, drain: Drain) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(async move { drain.started().await }).await
}
