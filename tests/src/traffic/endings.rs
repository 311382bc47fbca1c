//! How a call ends, on the devices that rang and on the server.

use serde_json::{Value, json};

use super::fleet::Device;
use super::models::App;
use super::scene::Scene;

/// What the people on both sides do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Answered,
    /// Answered, and audio never starts.
    NoAudio,
    /// Answered, just after the caller gave up.
    AnsweredTooLate,
    Declined,
    RingsOut,
    /// The server's own end, while the devices say nothing.
    TimesOut,
    Cancelled,
    /// The caller gives up, and the server says so by a voip push.
    CancelledByPush,
    Busy,
    Fails,
    /// The app doesn't perform the answer in time.
    ActionTimesOut,
    /// Nobody says anything more.
    Vanishes,
}

impl Scene {
    /// Plays the end of a call, given the devices that rang and since when.
    pub(super) fn end(&mut self, app: &App, rang: &[(&Device, i64)], ending: Ending) {
        let Some(&(first, rung_at)) = rang.first() else { return self.end_unheard(app, ending) };
        let reaction_at = rung_at + self.rng.log_normal(5_500, 0.6).clamp(400, 29_000);
        match ending {
            Ending::Answered | Ending::NoAudio | Ending::AnsweredTooLate => self.talk(app, rang, reaction_at, ending),
            Ending::Declined => {
                self.on(first, "call.declined", reaction_at, json!({}));
                self.server(app, "call.ended", reaction_at + 60, json!({"end_reason": "remote_ended"}));
                self.end_others(rang, reaction_at + 250, "declined_elsewhere");
            }
            Ending::RingsOut => {
                let at = rung_at + 30_000;
                self.server(app, "call.ended", at, json!({"end_reason": "timeout"}));
                rang.iter().for_each(|(device, _)| self.end_on(device, at + 120, "unanswered"));
            }
            Ending::Cancelled | Ending::CancelledByPush => {
                self.server(app, "call.cancelled", reaction_at, json!({}));
                if ending == Ending::CancelledByPush && first.is_ios() {
                    self.push_cancel(first, reaction_at);
                }
                rang.iter().for_each(|(device, _)| self.end_on(device, reaction_at + 300, "remote_ended"));
            }
            Ending::Fails => {
                self.end_on(first, reaction_at, "failed");
                self.server(app, "call.ended", reaction_at + 90, json!({"end_reason": "failed"}));
            }
            Ending::ActionTimesOut => {
                self.on(first, "call.action_timed_out", reaction_at + 10_000, json!({"action": "answer"}));
                self.on(first, "call.transaction_failed", reaction_at + 10_020, json!({"error_code": 4}));
                self.end_on(first, reaction_at + 10_050, "failed");
            }
            Ending::TimesOut | Ending::Busy | Ending::Vanishes => self.end_unheard(app, ending),
        }
    }

    fn talk(&mut self, app: &App, rang: &[(&Device, i64)], at: i64, ending: Ending) {
        // Who answers is any of the devices that rang.
        let chosen = self.rng.below(rang.len());
        let (device, rung_at) = rang[chosen];
        let at = at.max(rung_at + 300);
        if ending == Ending::AnsweredTooLate {
            self.server(app, "call.cancelled", at - 250, json!({}));
        }
        self.on(device, "call.answered", at, json!({}));
        let others: Vec<(&Device, i64)> = rang.iter().copied().filter(|(other, _)| other.id != device.id).collect();
        self.end_all(&others, at + 280, "answered_elsewhere");
        if ending == Ending::AnsweredTooLate {
            return self.end_on(device, at + 900, "remote_ended");
        }
        if device.is_ios() && ending == Ending::Answered {
            let audio_at = at + self.rng.log_normal(210, 0.5).min(8_000);
            self.on(device, "call.audio_activated", audio_at, json!({}));
        }
        self.server(app, "call.connected", at + 380, json!({}));
        let talk_ms =
            if ending == Ending::NoAudio { 14_000 } else { self.rng.log_normal(75_000, 1.0).clamp(2_500, 900_000) };
        self.mention(device, at + talk_ms / 2);
        let ended_by = self.rng.pick(&["local", "remote_ended"]);
        self.end_on(device, at + talk_ms, ended_by);
        self.server(app, "call.ended", at + talk_ms + 70, json!({"end_reason": "remote_ended"}));
    }

    /// Things of the timeline, now and then.
    fn mention(&mut self, device: &Device, at: i64) {
        if self.rng.in_thousand(40) {
            self.on(device, "call.muted", at, json!({"on": true}));
            self.on(device, "call.muted", at + 900, json!({"on": false}));
        } else if self.rng.in_thousand(25) {
            self.on(device, "call.held", at, json!({"on": true}));
        }
    }

    fn end_unheard(&mut self, app: &App, ending: Ending) {
        let at = self.start + 31_000;
        match ending {
            Ending::Busy => self.server(app, "call.busy", self.start + 900, json!({})),
            Ending::Cancelled | Ending::CancelledByPush => {
                let at = self.start + self.rng.log_normal(12_000, 0.5);
                self.server(app, "call.cancelled", at, json!({}));
            }
            Ending::Fails => self.server(app, "call.ended", at, json!({"end_reason": "failed"})),
            Ending::Vanishes => {}
            _ => self.server(app, "call.ended", at, json!({"end_reason": "timeout"})),
        }
    }

    /// What Apple advises against: a voip push that asks for no call (PushKit, `PKPushType.voIP`).
    fn push_cancel(&mut self, device: &Device, at: i64) {
        let push = self.deliver(device, at + 20, json!({"purpose": "cancel"}));
        let arrival = self.arrival(device, &push);
        self.receive(device, &push, arrival, json!({"purpose": "cancel", "active_calls": 1}));
    }

    fn end_others(&mut self, rang: &[(&Device, i64)], at: i64, reason: &str) {
        self.end_all(rang.get(1..).unwrap_or_default(), at, reason);
    }

    /// Ends on devices; one in five says nothing.
    fn end_all(&mut self, devices: &[(&Device, i64)], at: i64, reason: &str) {
        for (device, _) in devices {
            if self.rng.in_thousand(800) {
                self.end_on(device, at, reason);
            }
        }
    }

    /// A device's own end, in the words of its platform.
    pub(super) fn end_on(&mut self, device: &Device, at: i64, reason: &str) {
        let fields = match device.platform {
            "android" => telecom_end(reason),
            "ios" => callkit_end(reason),
            _ => json!({"end_reason": reason}),
        };
        self.on(device, "call.ended", at, fields);
    }
}

/// `CXCallEndedReason` as a raw value; CallKit has none for an end by the user.
fn callkit_end(reason: &str) -> Value {
    let words = ["failed", "remote_ended", "unanswered", "answered_elsewhere", "declined_elsewhere"];
    match words.iter().position(|word| *word == reason) {
        Some(place) => json!({"end_reason": place + 1}),
        None => json!({"end_reason": reason}),
    }
}

/// `android.telecom.DisconnectCause`, where it has one.
fn telecom_end(reason: &str) -> Value {
    match reason {
        "local" => json!({"disconnect_cause": 2}),
        "remote_ended" => json!({"disconnect_cause": 3}),
        "unanswered" => json!({"disconnect_cause": 5}),
        "answered_elsewhere" => json!({"disconnect_cause": 11}),
        _ => json!({"end_reason": reason}),
    }
}
