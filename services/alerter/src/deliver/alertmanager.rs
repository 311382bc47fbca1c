//! Alertmanager's API, version 2: `POST /api/v2/alerts` (prometheus/alertmanager, api/v2/openapi.yaml).

use serde_json::json;

use super::exchange::{DeliveryError, Outgoing};
use super::notice::{Notice, rfc3339};
use crate::judge::State;

/// For how long a firing alert stands without being sent again, in milliseconds: an alerter that is started anew within it
/// resolves nothing.
const STANDS_MS: i64 = 900_000;

/// For how long a resolved alert is sent again, in milliseconds, as Prometheus does.
const RESENT_MS: i64 = 900_000;

/// Whether an alert is still sent.
pub(super) fn is_current(notice: &Notice, wall: i64) -> bool {
    notice.state == State::Firing || notice.resolved_at.is_some_and(|at| wall - at < RESENT_MS)
}

/// All current alerts at once: Alertmanager knows an alert by its labels, so sending it again changes nothing.
pub(super) fn request(url: &str, notices: &[&Notice], wall: i64) -> Outgoing {
    let alerts = notices.iter().map(|notice| {
        let ends_at = match notice.state {
            State::Resolved => notice.resolved_at.unwrap_or(wall).max(notice.fired_at).min(wall),
            _ => wall + STANDS_MS,
        };
        json!({
            "labels": notice.labels,
            "annotations": notice.annotations,
            "startsAt": rfc3339(notice.fired_at.min(ends_at)),
            "endsAt": rfc3339(ends_at),
            "generatorURL": notice.link,
        })
    });
    let body = serde_json::Value::Array(alerts.collect()).to_string();
    Outgoing { url: format!("{}/api/v2/alerts", url.trim_end_matches('/')), headers: Vec::new(), body }
}

/// Alertmanager answers a success with nothing.
pub(super) fn check(body: &str) -> Result<(), DeliveryError> {
    if body.trim().is_empty() { Ok(()) } else { Err(DeliveryError::Rubbish) }
}
