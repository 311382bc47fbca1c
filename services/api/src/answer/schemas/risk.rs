//! Schemas of risk and alerts.

use serde_json::{Map, Value, json};

use super::{Schemas, exactly, flag, int, list, object, of, or_null, text, time, words};
use crate::answer::{alerts, risk};

pub(super) fn schemas() -> Schemas {
    let mut all = risks();
    all.extend(alert_schemas());
    all
}

fn risks() -> Schemas {
    let app_level = || words(&risk::app_levels());
    let step = object([("at", time()), ("level", app_level()), ("reason", text())]);
    let app = object([
        ("tenant_id", text()),
        ("app_id", text()),
        ("app_version", text()),
        ("os_major", text()),
        ("level", app_level()),
        ("since", time()),
        ("reason", text()),
        ("required", int()),
        ("violations", int()),
        ("confirmed", int()),
        ("log_clock", time()),
        ("trend", list(&step)),
    ]);
    let device = object([
        ("tenant_id", text()),
        ("app_id", text()),
        ("device_id", text()),
        ("level", words(&risk::device_levels())),
        ("since", time()),
        ("strikes", int()),
        ("last_strike_at", or_null(&time())),
        ("silent", int()),
        ("silent_since", or_null(&time())),
        ("suspected_at", or_null(&time())),
        ("call_uuid", or_null(&text())),
        ("reason", text()),
        ("log_clock", time()),
    ]);
    let app_count = object([("level", app_level()), ("apps", int())]);
    let device_count = object([("level", words(&risk::device_levels())), ("devices", int())]);
    vec![
        ("AppRisk", app),
        (
            "AppRisks",
            object([
                ("from", time()),
                ("to", time()),
                ("levels", list(&app_count)),
                ("items", list(&of("AppRisk"))),
                ("truncated", flag()),
                ("alerter", of("Alerter")),
            ]),
        ),
        ("DeviceRisk", device),
        (
            "DeviceRisks",
            object([
                ("levels", list(&device_count)),
                ("items", list(&of("DeviceRisk"))),
                ("next_cursor", or_null(&text())),
                ("alerter", of("Alerter")),
            ]),
        ),
        ("Alerter", or_null(&object([("log_clock", time()), ("written_at", time())]))),
    ]
}

fn alert_schemas() -> Schemas {
    let mut alert = episode();
    alert.insert("state".to_owned(), words(&["pending", "firing"]));
    alert.insert("since".to_owned(), time());
    alert.insert("fired_at".to_owned(), or_null(&time()));
    alert.insert("muted".to_owned(), flag());
    alert.insert("held_back_by".to_owned(), list(&text()));
    alert.insert("holds_back".to_owned(), list(&text()));
    vec![
        ("Alert", exactly(&alert)),
        (
            "Alerts",
            object([
                ("firing", int()),
                ("items", list(&of("Alert"))),
                ("truncated", flag()),
                ("alerter", of("Alerter")),
            ]),
        ),
        ("Episode", exactly(&episode())),
        ("Episodes", object([("items", list(&of("Episode"))), ("next_cursor", or_null(&text()))])),
    ]
}

fn episode() -> Map<String, Value> {
    let example = object([("call_uuid", text()), ("device_id", or_null(&text())), ("at", time())]);
    let delivery = object([("receiver", text()), ("state", words(&["owed", "firing", "resolved"])), ("at", time())]);
    let properties = [
        ("fingerprint", text()),
        ("rule", text()),
        ("severity", words(&alerts::severities())),
        ("labels", json!({"type": "object", "additionalProperties": {"type": "string"}})),
        ("state", words(&["firing", "resolved"])),
        ("fired_at", time()),
        ("resolved_at", or_null(&time())),
        ("summary", text()),
        ("found_late_ms", int()),
        ("examples", list(&example)),
        ("runbook", or_null(&text())),
        ("page", text()),
        ("deliveries", list(&delivery)),
    ];
    properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}
