//! A call on Android (FCM and Telecom), on desktops and in browsers (the app's own connection).

use super::Scene;
use super::gateway::Push;
use super::leg::first;
use crate::fleet::Platform;

/// `ForegroundServiceStartNotAllowedException` and `onCreateIncomingConnectionFailed` have no codes: SDKs make one up.
const ANDROID_ERROR: i64 = 1;

impl Scene<'_, '_> {
    /// A message reaches an Android app.
    pub(super) fn receive_fcm(&mut self, leg: usize, push: &Push, delivered_at: i64) {
        let world = self.stage.world;
        let rng = &mut self.rng;
        let device = &self.stage.fleet.devices[self.legs[leg].device];
        let is_lowered = world.devices.android[usize::from(device.kind)].lowered.draw(rng);
        let is_foreground = delivered_at < device.open_until || world.life.app_in_foreground.draw(rng);
        let is_cold = !is_foreground && world.life.app_not_running.draw(rng);
        let start = if is_cold { &world.pushkit.cold_start } else { &world.pushkit.warm_start };
        let doze = if is_lowered && world.fcm.dozing.draw(rng) { world.fcm.doze_by.draw(rng) } else { 0 };
        let at = delivered_at + doze + start.draw(rng);
        let report_at = at + world.telecom.report.draw(rng);
        let is_blocked = !is_foreground && world.telecom.service_blocked.draw(rng);
        let is_refused = world.telecom.refused.draw(rng);
        self.flush_journal(self.legs[leg].device, delivered_at);
        self.say(leg, "push.received", at, |fields| {
            let not_open = if is_cold { "not_running" } else { "background" };
            let state = if is_foreground { "foreground" } else { not_open };
            let fields = fields.text("push_id", &push.id).text("app_state", state);
            fields.text("priority", if is_lowered { "normal" } else { "high" }).text("original_priority", "high")
        });
        self.legs[leg].note_received(at);
        if is_blocked || is_refused {
            let domain = if is_blocked { "foreground_service" } else { "telecom" };
            self.say(leg, "call.report_failed", report_at, |fields| {
                fields.text("push_id", &push.id).text("error_domain", domain).int("error_code", ANDROID_ERROR)
            });
            let held = &mut self.legs[leg];
            first(&mut held.facts.attempted_at, report_at);
            held.truth.report_error = Some(ANDROID_ERROR);
            return;
        }
        self.say(leg, "call.reported", report_at, |fields| {
            fields.text("push_id", &push.id).text("call_ui", "telecom").text("handle", "sip:fictional@example.org")
        });
        self.legs[leg].note_reported(report_at);
    }

    /// An invitation reaches a desktop app or a browser.
    pub(super) fn receive_socket(&mut self, leg: usize, push: &Push, at: i64) {
        let report_at = at + self.stage.world.socket.report.draw(&mut self.rng);
        self.say(leg, "push.received", at, |fields| fields.text("push_id", &push.id).text("channel", "socket"));
        self.legs[leg].note_received(at);
        self.say(leg, "call.reported", report_at, |fields| fields.text("push_id", &push.id).text("call_ui", "custom"));
        self.legs[leg].note_reported(report_at);
    }

    /// Ends the call on a device, in the words of its platform.
    pub(super) fn end(&mut self, leg: usize, at: i64, reason: &'static str) {
        let held = &mut self.legs[leg];
        if held.truth.ended_at.is_some_and(|ended| ended <= at) {
            return;
        }
        let device = &self.stage.fleet.devices[held.device];
        let platform = device.platform;
        let is_cause = platform == Platform::Android && telecom_cause(reason).is_some();
        let shown = (at - device.offset_ms + held.clock_bug_ms, self.serial + 1);
        held.note_end(at, shown, (!is_cause).then_some(reason));
        if held.own_outcome.is_none() {
            held.own_outcome = match reason {
                "remote_ended" => Some("cancelled"),
                "failed" | "unanswered" | "answered_elsewhere" | "declined_elsewhere" => Some(reason),
                // Of Telecom's causes, an end by the user counts as declined (contract section 4.2).
                _ => (platform == Platform::Android).then_some("declined"),
            };
        }
        self.say(leg, "call.ended", at, |fields| {
            let callkit = ["failed", "remote_ended", "unanswered", "answered_elsewhere", "declined_elsewhere"];
            match (platform, callkit.iter().position(|word| *word == reason), telecom_cause(reason)) {
                // CXCallEndedReason has raw values; it has none for an end by the user.
                (Platform::Ios, Some(place), _) => fields.int("end_reason", place as i64 + 1),
                (Platform::Android, _, Some(cause)) => fields.int("disconnect_cause", cause),
                _ => fields.text("end_reason", reason),
            }
        });
    }
}

/// The `android.telecom.DisconnectCause` of an end, where it has one.
fn telecom_cause(reason: &str) -> Option<i64> {
    match reason {
        "local" => Some(2),
        "remote_ended" => Some(3),
        "unanswered" => Some(5),
        "answered_elsewhere" => Some(11),
        _ => None,
    }
}
