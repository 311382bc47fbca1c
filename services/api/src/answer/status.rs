//! `/status`: the server, how fresh its results are, and what the token may.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{App, freshness};
use crate::ask::Ask;
use crate::problem::Problem;

/// Answers; also while ClickHouse is away, of which freshness then says nothing.
pub(crate) async fn answer(app: Arc<App>, ask: Ask) -> Result<Value, Problem> {
    let unknown = json!({"log_clock": null, "behind_ms": null, "state": "unknown", "rolled_at": null});
    let fresh = freshness::read(&app, &ask.scope()?).await.unwrap_or(unknown);
    let limits = &app.limits;
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "freshness": fresh,
        "tenants": ask.reader.tenants().unwrap_or_default(),
        "roles": ask.reader.roles().iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "auth": if app.tokens.is_empty() { "none" } else { "token" },
        "limits": {
            "rows_per_export": limits.rows_per_export,
            "query_seconds": limits.query_seconds,
            "query_rows": limits.query_rows,
            "query_memory_bytes": limits.query_memory_bytes,
            "requests_per_minute": limits.requests_per_minute,
            "live_clients": limits.live_clients,
        },
    }))
}
