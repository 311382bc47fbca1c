//! Calls that follow no common course.

use serde_json::json;

use super::fleet::Device;
use super::scene::Scene;

/// One more `push_id` than a leg takes part with (contract section 4), and then some.
const STORM: usize = 260;

impl Scene {
    /// The push arrives when the caller is long gone.
    pub(super) fn play_ghost(&mut self, device: &Device) {
        let at = self.start;
        self.server(device.app, "call.initiated", at, json!({}));
        let push = self.deliver(device, at + 25, json!({"expires_at": 0}));
        self.server(device.app, "call.cancelled", at + 4_000, json!({}));
        let rung_at = self.ring_with(device, &push, at + 13_500, json!({}));
        self.end_on(device, rung_at + 1_400, "remote_ended");
    }

    /// The app reports a call that no server knows: it made up the UUID.
    pub(super) fn play_orphan(&mut self, device: &Device) {
        let at = self.start;
        self.report(device, None, at, json!({}));
        let answered_at = at + self.rng.log_normal(6_000, 0.5);
        self.on(device, "call.answered", answered_at, json!({}));
        self.on(device, "call.audio_activated", answered_at + 300, json!({}));
        self.end_on(device, answered_at + 40_000, "local");
    }

    /// A gateway that retries without end: more pushes than a leg takes part with.
    pub(super) fn play_storm(&mut self, devices: &[Device]) {
        let at = self.start;
        let app = devices[0].app;
        self.server(app, "call.initiated", at, json!({}));
        for nth in 0..STORM {
            self.send(&devices[0], at + 40 * nth as i64, json!({"token": null}));
        }
        for device in &devices[1..] {
            self.ring(device, at + 30, json!({}));
        }
        self.server(app, "call.cancelled", at + 15_000, json!({}));
    }
}
