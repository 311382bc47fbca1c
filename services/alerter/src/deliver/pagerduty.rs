//! PagerDuty's Events API, version 2 (PagerDuty, Send an Alert Event).

use serde_json::{Value, json};

use super::exchange::{DeliveryError, Outgoing};
use super::notice::{Notice, rfc3339};
use crate::judge::State;
use crate::rules::Severity;

/// A trigger or a resolve. The deduplication key is the fingerprint: telling twice pages once.
pub(super) fn request(url: &str, routing_key: &str, notice: &Notice) -> Outgoing {
    let is_resolved = notice.state == State::Resolved;
    let mut body = json!({
        "routing_key": routing_key,
        "dedup_key": notice.fingerprint,
        "event_action": if is_resolved { "resolve" } else { "trigger" },
    });
    if !is_resolved {
        // PagerDuty takes 1,024 characters.
        let summary: String =
            format!("{}: {}", notice.title(), notice.annotation("summary")).chars().take(1_000).collect();
        let links = notice.examples().filter(|example| example.starts_with("http"));
        let links = links.map(|example| json!({ "href": example, "text": "call" }));
        let dashboard = (!notice.link.is_empty()).then(|| json!({ "href": notice.link, "text": "dashboard" }));
        body["payload"] = json!({
            "summary": summary,
            "source": "ringtrace",
            "severity": if notice.severity == Severity::Page { "critical" } else { "warning" },
            "timestamp": rfc3339(notice.fired_at),
            "component": notice.labels.get("app_id"),
            "class": notice.labels.get("alertname"),
            "custom_details": { "labels": notice.labels, "annotations": notice.annotations },
        });
        body["links"] = Value::Array(dashboard.into_iter().chain(links).collect());
        body["client"] = json!("Ringtrace");
    }
    Outgoing { url: url.to_owned(), headers: Vec::new(), body: body.to_string() }
}

/// PagerDuty answers a success with a JSON object whose `status` is `success`.
pub(super) fn check(body: &str) -> Result<(), DeliveryError> {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    if answer["status"] == "success" { Ok(()) } else { Err(DeliveryError::Rubbish) }
}
