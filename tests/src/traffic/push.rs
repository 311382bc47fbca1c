//! A push on its way: sent, answered by the push service, received, reported.

use serde_json::{Value, json};

use super::fleet::Device;
use super::models::MEET;
use super::scene::{Scene, merged};

/// A push, and when it was where.
pub(super) struct Push {
    pub(super) id: String,
    pub(super) sent_at: i64,
    /// When the push service answered, or would have.
    pub(super) answered_at: i64,
}

impl Scene {
    /// The channel that the gateway takes for a device.
    fn channel(device: &Device) -> &'static str {
        match device.platform {
            "ios" => "apns_voip",
            "android" => "fcm",
            _ => "socket",
        }
    }

    /// Sends a push for the incoming call; `more` changes fields.
    pub(super) fn send(&mut self, device: &Device, at: i64, more: Value) -> Push {
        let id = if device.is_ios() {
            self.rng.uuid().to_ascii_uppercase()
        } else {
            format!("{}/{:012x}", device.platform, self.rng.next() >> 16)
        };
        let mut fields = json!({"push_id": id, "channel": Self::channel(device)});
        match device.platform {
            "ios" => {
                fields["priority"] = json!(10);
                fields["expires_at"] = json!(if device.app == &MEET { 0 } else { at + 45_000 });
                fields["token"] = json!(format!("fake-token-{}", device.id));
            }
            "android" => fields["priority"] = json!("high"),
            _ => {}
        }
        if device.build_channel == "dev" {
            fields["environment"] = json!("sandbox");
        }
        self.gateway(device, "push.sent", at, merged(fields, more));
        let answered_at = at + self.rng.log_normal(42, 0.5);
        Push { id, sent_at: at, answered_at }
    }

    /// The push service takes it.
    pub(super) fn accept(&mut self, device: &Device, push: &Push) {
        let fields = json!({"push_id": push.id, "status": 200});
        self.gateway(device, "push.accepted", push.answered_at, fields);
    }

    /// The push service refuses it.
    pub(super) fn refuse(&mut self, device: &Device, push: &Push, status: u16, reason: &str) {
        let fields = json!({"push_id": push.id, "status": status, "reason": reason});
        self.gateway(device, "push.rejected", push.answered_at, fields);
    }

    /// Sends a push that the push service takes.
    pub(super) fn deliver(&mut self, device: &Device, at: i64, more: Value) -> Push {
        let push = self.send(device, at, more);
        if device.platform != "desktop" {
            self.accept(device, &push);
        }
        push
    }

    /// When a push reaches its device, as a rule.
    pub(super) fn arrival(&mut self, device: &Device, push: &Push) -> i64 {
        let (median_ms, sigma) = match (device.platform, device.network) {
            ("ios", "wifi") => (290, 0.55),
            ("ios", _) => (430, 0.65),
            ("android", _) => (540, 0.75),
            _ => (70, 0.4),
        };
        push.answered_at + self.rng.log_normal(median_ms, sigma).min(9_000)
    }

    /// The app gets the push; `more` changes fields.
    pub(super) fn receive(&mut self, device: &Device, push: &Push, at: i64, more: Value) {
        let mut fields =
            json!({"push_id": push.id, "app_state": self.rng.weighted(&[(70, "not_running"), (30, "background")])});
        if device.is_ios() {
            fields["active_calls"] = json!(0);
        }
        if device.knows_must_report() {
            fields["must_report"] = json!(true);
        }
        if device.platform == "android" {
            fields["priority"] = json!("high");
            fields["original_priority"] = json!("high");
        }
        self.on(device, "push.received", at, merged(fields, more));
    }

    /// The PushKit delegate returns.
    pub(super) fn return_from_handler(&mut self, device: &Device, push: &Push, at: i64, reported: bool) {
        self.on(device, "push.handler_returned", at, json!({"push_id": push.id, "reported": reported}));
    }

    /// The app reports the call to the system; `more` changes fields.
    pub(super) fn report(&mut self, device: &Device, push: Option<&Push>, at: i64, more: Value) {
        let call_ui = match device.platform {
            "ios" if device.is_in_china() && device.app_version != "8.0.2" => "live_communication_kit",
            "ios" => "callkit",
            "android" => "telecom",
            _ => "custom",
        };
        let fields = json!({"push_id": push.map(|push| &push.id), "call_ui": call_ui});
        self.on(device, "call.reported", at, merged(json!({}), merged(fields, more)));
    }

    /// How long an app takes from a push to its report.
    pub(super) fn report_delay(&mut self, device: &Device) -> i64 {
        let median_ms = if device.is_ios() { 48 } else { 95 };
        self.rng.log_normal(median_ms, 0.8).clamp(4, 4_500)
    }

    /// A push that does what it should: it arrives, and the app reports its call. When it reported.
    pub(super) fn ring(&mut self, device: &Device, at: i64, received: Value) -> i64 {
        let push = self.deliver(device, at, json!({}));
        let arrival = self.arrival(device, &push);
        self.ring_with(device, &push, arrival, received)
    }

    /// A push arrives at `at`, and the app reports its call. When it reported.
    pub(super) fn ring_with(&mut self, device: &Device, push: &Push, at: i64, received: Value) -> i64 {
        self.receive(device, push, at, received);
        let reported_at = at + self.report_delay(device);
        self.report(device, Some(push), reported_at, json!({}));
        if device.is_ios() && self.rng.in_thousand(250) {
            self.return_from_handler(device, push, reported_at + 3, true);
        }
        reported_at
    }
}
