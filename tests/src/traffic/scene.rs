//! One call in the making: who says what when, and when the log gets to know.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::START;
use super::fleet::Device;
use super::models::App;
use super::record::{Record, Topic};
use super::rng::Rng;

/// Midnight before [`START`], in milliseconds since the Unix epoch.
const MIDNIGHT: i64 = START - 8 * 3_600_000;

/// A call in the making. Times are true ones, in milliseconds since the Unix epoch; devices write them by their own clocks.
pub(super) struct Scene {
    pub(super) rng: Rng,
    pub(super) start: i64,
    call_uuid: String,
    records: Vec<Record>,
    /// When devices that are offline come back.
    offline_until: BTreeMap<String, i64>,
}

impl Scene {
    pub(super) fn new(mut rng: Rng, start: i64) -> Self {
        let call_uuid = rng.uuid();
        Scene { rng, start, call_uuid, records: Vec::new(), offline_until: BTreeMap::new() }
    }

    /// From here on what the device says reaches the log only at `until`.
    pub(super) fn take_offline(&mut self, device: &Device, until: i64) {
        self.offline_until.insert(device.id.clone(), until);
    }

    /// The signalling server, about the call as a whole.
    pub(super) fn server(&mut self, app: &App, kind: &str, at: i64, more: Value) {
        let time = if app.writes_text_times { json!(rfc3339(at)) } else { json!(at) };
        let delay = self.rng.log_normal(14, 0.6);
        self.write(app, kind, &time, at + delay, more);
    }

    /// The push gateway, about a push for a device.
    pub(super) fn gateway(&mut self, device: &Device, kind: &str, at: i64, more: Value) {
        let delay = self.rng.log_normal(18, 0.6);
        let fields = merged(json!({"device_id": device.id, "platform": device.platform}), more);
        self.write(device.app, kind, &json!(at), at + delay, fields);
    }

    /// The device itself.
    pub(super) fn on(&mut self, device: &Device, kind: &str, at: i64, more: Value) {
        let sent_at = self.offline_until.get(&device.id).map_or(at, |until| at.max(*until));
        let log_at = sent_at + self.rng.log_normal(320, 0.8);
        self.later(device, kind, at, log_at, more);
    }

    /// The device, in a record that reaches the log at `log_at`.
    pub(super) fn later(&mut self, device: &Device, kind: &str, at: i64, log_at: i64, more: Value) {
        let mut fields = merged(dimensions(device), more);
        fields["mono_ms"] = json!(device.mono_start + at - START);
        if device.writes_upper_case {
            fields["call_uuid"] = json!(self.call_uuid.to_ascii_uppercase());
        }
        self.write(device.app, kind, &json!(at - device.offset_ms), log_at, fields);
    }

    fn write(&mut self, app: &App, kind: &str, occurred_at: &Value, log_at: i64, more: Value) {
        let serial = self.records.len();
        let mut fields =
            json!({"call_uuid": self.call_uuid, "app_id": app.id, "occurred_at": occurred_at, "kind": kind});
        fields["event_id"] = json!(format!("{}-{serial:02}", self.call_uuid.get(..8).unwrap_or_default()));
        if let Some(tenant) = app.tenant {
            fields["tenant_id"] = json!(tenant);
        }
        let fields = into_fields(merged(fields, more));
        self.records.push(Record { topic: Topic::of(kind), log_at, fields });
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records
    }
}

/// What a device says of itself in every event.
pub(super) fn dimensions(device: &Device) -> Value {
    let mut fields = json!({
        "device_id": device.id, "platform": device.platform, "os_version": device.os_version, "app_version": device.app_version,
        "sdk_version": "2.1.0", "device_model": device.model, "country": device.country, "network": device.network,
        "build_channel": device.build_channel, "boot_id": device.boot_id,
    });
    if !device.carrier.is_empty() {
        fields["carrier"] = json!(device.carrier);
    }
    if device.offset_ms != 0 && device.knows_offset {
        fields["clock_offset_ms"] = json!(device.offset_ms);
    }
    fields
}

/// Fields of two objects; the second's win, and its nulls are left out.
pub(super) fn merged(mut fields: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    fields
}

/// An object's fields, in order of their names.
pub(super) fn into_fields(value: Value) -> BTreeMap<String, Value> {
    match value {
        Value::Object(fields) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

/// An RFC 3339 time within the day of the traffic.
fn rfc3339(at: i64) -> String {
    let ms = at - MIDNIGHT;
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("2026-11-01T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", ms % 1000)
}
