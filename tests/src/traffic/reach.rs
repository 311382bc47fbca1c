//! How a call reaches a device, or fails to.

use serde_json::{Value, json};

use super::fleet::Device;
use super::scene::Scene;

/// What becomes of the push for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Rings,
    /// Status and reason of the push service, which refuses every attempt.
    Refused(u16, &'static str),
    /// Refused or unanswered at first, taken at the second attempt.
    Retried(Option<(u16, &'static str)>),
    /// The push service can't be reached.
    Unsent(&'static str),
    /// Taken, and never heard of again.
    Lost,
    /// Sent, and nothing more.
    Unanswered,
    Suppressed(&'static str),
    /// An ordinary push instead of a voip push.
    Alert,
    /// The app was open and shows the call itself.
    Foreground,
    /// The device was on another call.
    OnCall,
    /// The system itself said that no report is needed.
    NotAsked,
    Late,
    Expired,
    Twice,
    ReportedLate,
    /// Domain and code with which the system refuses the report.
    Failed(&'static str, i64),
    /// The report reached the system; its event is missing.
    EventMissing,
    WrongUuid,
    /// All went well; what the device said after the receipt reaches the log minutes later.
    Stalled,
    /// The handler returned, and nothing was reported.
    Forgotten,
    /// Nothing is known after the receipt.
    Silent,
    /// PushKit killed the app, as the handler returned.
    Killed,
    /// The watchdog killed the app, after 7 seconds.
    Watchdog,
    /// As before, but which call it was is only inferred.
    KillInferred,
    /// FCM lowered the priority.
    Lowered,
    /// A voip push that carries data, and no call.
    Data,
}

const NEVER_POSTED: &str =
    "Killing app because it never posted an incoming call to the system after receiving a PushKit VoIP push.";

/// The termination code 0xBAADCA11.
const WATCHDOG_CODE: u32 = 0xBAAD_CA11;

impl Scene {
    /// Plays what a push does from `at` on. When the device began to ring, if it did.
    pub(super) fn reach(&mut self, device: &Device, reach: Reach, at: i64) -> Option<i64> {
        match reach {
            Reach::Rings => Some(self.ring(device, at, json!({}))),
            Reach::Lowered => Some(self.ring(device, at, json!({"priority": "normal"}))),
            Reach::Foreground | Reach::OnCall | Reach::NotAsked => self.exempt(device, reach, at),
            Reach::Late | Reach::Expired | Reach::Twice | Reach::Retried(_) => Some(self.odd_push(device, reach, at)),
            Reach::ReportedLate | Reach::EventMissing | Reach::WrongUuid | Reach::Stalled | Reach::Failed(..) => {
                self.odd_report(device, reach, at)
            }
            Reach::Forgotten | Reach::Silent | Reach::Killed | Reach::Watchdog | Reach::KillInferred => {
                self.never_report(device, reach, at);
                None
            }
            _ => {
                self.fail_to_send(device, reach, at);
                None
            }
        }
    }

    fn exempt(&mut self, device: &Device, reach: Reach, at: i64) -> Option<i64> {
        let push = self.deliver(device, at, json!({}));
        let arrival = self.arrival(device, &push);
        let mut fields = match reach {
            Reach::OnCall => json!({"app_state": "background", "active_calls": 1}),
            Reach::Foreground => json!({"app_state": "foreground"}),
            _ => json!({}),
        };
        if device.knows_must_report() {
            fields["must_report"] = json!(false);
        }
        self.receive(device, &push, arrival, fields);
        (reach == Reach::Foreground).then_some(arrival + 60)
    }

    fn odd_push(&mut self, device: &Device, reach: Reach, at: i64) -> i64 {
        match reach {
            Reach::Twice => {
                self.ring(device, at, json!({}));
                let again = self.deliver(device, at + 1_500, json!({}));
                let arrival = self.arrival(device, &again);
                self.receive(device, &again, arrival, json!({}));
                arrival
            }
            Reach::Retried(refusal) => {
                let first = self.send(device, at, json!({}));
                match refusal {
                    Some((status, reason)) => self.refuse(device, &first, status, reason),
                    None => self.gateway(
                        device,
                        "push.failed",
                        first.answered_at,
                        json!({"push_id": first.id, "reason": "goaway"}),
                    ),
                }
                self.ring(device, first.answered_at + 1_000, json!({}))
            }
            _ => {
                let expires_at = if reach == Reach::Expired { at + 5_000 } else { 0 };
                let push = self.deliver(device, at, json!({"expires_at": expires_at}));
                let arrival = push.sent_at + 10_500 + self.rng.log_normal(4_000, 0.6);
                self.ring_with(device, &push, arrival, json!({}))
            }
        }
    }

    fn odd_report(&mut self, device: &Device, reach: Reach, at: i64) -> Option<i64> {
        let push = self.deliver(device, at, json!({}));
        let arrival = self.arrival(device, &push);
        self.receive(device, &push, arrival, json!({}));
        let reported_at = arrival + self.report_delay(device);
        match reach {
            Reach::ReportedLate => {
                let late_at = arrival + 7_000 + self.rng.log_normal(900, 0.9);
                self.report(device, Some(&push), late_at, json!({}));
                return Some(late_at);
            }
            Reach::WrongUuid => {
                let wrong = self.rng.uuid();
                self.report(device, Some(&push), reported_at, json!({"reported_uuid": wrong}));
            }
            Reach::Stalled => {
                let until = arrival + 60_000 + self.rng.log_normal(80_000, 0.5);
                self.take_offline(device, until);
                self.report(device, Some(&push), reported_at, json!({}));
            }
            Reach::Failed(domain, code) => {
                let fields = json!({"push_id": push.id, "error_domain": domain, "error_code": code});
                self.on(device, "call.report_failed", reported_at, fields);
                return None;
            }
            _ => {}
        }
        Some(reported_at)
    }

    fn never_report(&mut self, device: &Device, reach: Reach, at: i64) {
        let push = self.deliver(device, at, json!({}));
        let arrival = self.arrival(device, &push);
        self.receive(device, &push, arrival, json!({}));
        let (killed_at, fields): (i64, Value) = match reach {
            Reach::Forgotten => return self.return_from_handler(device, &push, arrival + 210, false),
            Reach::Silent => return,
            Reach::Killed => (arrival + 230, json!({"exception_reason": NEVER_POSTED})),
            Reach::Watchdog => {
                (arrival + 7_350, json!({"termination_namespace": "FRONTBOARD", "termination_code": WATCHDOG_CODE}))
            }
            _ => (
                arrival + 7_400,
                json!({"termination_namespace": "FRONTBOARD", "termination_code": WATCHDOG_CODE, "inferred": true}),
            ),
        };
        // The journal is read at the next launch.
        let launched_at = killed_at + self.rng.log_normal(95_000, 0.5);
        self.later(device, "app.terminated", killed_at, launched_at, fields);
    }

    fn fail_to_send(&mut self, device: &Device, reach: Reach, at: i64) {
        match reach {
            Reach::Refused(status, reason) => {
                let push = self.send(device, at, json!({}));
                self.refuse(device, &push, status, reason);
            }
            Reach::Unsent(reason) => {
                let push = self.send(device, at, json!({}));
                self.gateway(device, "push.failed", at + 5_000, json!({"push_id": push.id, "reason": reason}));
            }
            Reach::Suppressed(reason) => self.gateway(device, "push.suppressed", at, json!({"reason": reason})),
            Reach::Alert => {
                self.gateway(device, "push.suppressed", at, json!({"reason": "storefront_cn"}));
                let push = self.deliver(device, at + 2, json!({"channel": "apns_alert"}));
                let arrival = self.arrival(device, &push);
                self.receive(device, &push, arrival, json!({"channel": "apns_alert", "app_state": "background"}));
            }
            Reach::Data => {
                let push = self.deliver(device, at, json!({"purpose": "data"}));
                let arrival = self.arrival(device, &push);
                self.receive(device, &push, arrival, json!({"purpose": "data"}));
            }
            Reach::Lost => drop(self.deliver(device, at, json!({}))),
            _ => drop(self.send(device, at, json!({}))),
        }
    }
}
