//! What devices and servers say beside calls, and kinds that nobody knows yet.

use serde_json::{Value, json};

use super::fleet::{Device, Fleet};
use super::models::APPS;
use super::record::{Record, Topic};
use super::rng::Rng;
use super::scene::{dimensions, into_fields, merged};
use super::{SPAN_MS, START};

/// How many records of devices there are beside calls.
const DEVICE_RECORDS: usize = 900;

/// Adds records beside the calls.
pub(super) fn play_background(fleet: &Fleet, rng: &mut Rng, records: &mut Vec<Record>) {
    for nth in 0..DEVICE_RECORDS {
        let device = fleet.device(rng);
        let at = START + rng.between(0, SPAN_MS);
        let (kind, more) = of_device(device, rng);
        let fields = merged(dimensions(device), more);
        let log_at = at + rng.log_normal(900, 0.9);
        records.push(record(nth, device.app.id, device.app.tenant, kind, (at - device.offset_ms, log_at), fields));
    }
    for nth in 0..6 {
        let app = rng.weighted(APPS);
        let at = START + nth * SPAN_MS / 6;
        let fields = json!({"credential": "apns_key", "expires_in_days": 41});
        records.push(record(
            DEVICE_RECORDS + nth as usize,
            app.id,
            app.tenant,
            "credential.status",
            (at, at + 40),
            fields,
        ));
    }
}

fn record(nth: usize, app: &str, tenant: Option<&str>, kind: &str, (at, log_at): (i64, i64), fields: Value) -> Record {
    let own = json!({"event_id": format!("bg-{nth:04}"), "kind": kind, "occurred_at": at, "app_id": app, "tenant_id": tenant});
    Record { topic: Topic::of(kind), log_at, fields: into_fields(merged(merged(json!({}), own), fields)) }
}

fn of_device(device: &Device, rng: &mut Rng) -> (&'static str, Value) {
    let kind = rng.weighted(&[
        (600, "sdk.heartbeat"),
        (200, "app.launched"),
        (60, "permission.snapshot"),
        (50, "token.updated"),
        (20, "token.invalidated"),
        (20, "provider.reset"),
        (20, "call_directory.status"),
        (10, "app.terminated"),
        (20, "network.changed"),
    ]);
    let more = match kind {
        "sdk.heartbeat" => json!({"queued_events": rng.below(4)}),
        "app.launched" => json!({"reason": rng.pick(&["user", "voip_push", "background_fetch"])}),
        "permission.snapshot" => json!({"notifications": rng.pick(&["authorized", "denied"]), "microphone": "granted"}),
        "token.updated" | "token.invalidated" => json!({"token": format!("fake-token-{}", device.id)}),
        "call_directory.status" => json!({"enabled": true}),
        // No call and no kill by CallKit: stored only.
        "app.terminated" => json!({"termination_namespace": "SIGNAL", "termination_code": 11}),
        "network.changed" => json!({"from": "wifi", "to": "cellular"}),
        _ => json!({}),
    };
    (kind, more)
}
