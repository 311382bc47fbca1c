//! A VoIP push on an iOS device: PushKit, CallKit, both checks of iOS, and what they do to the app.

use super::Scene;
use super::gateway::{INCOMING, Push};
use crate::draw::Share;
use crate::event::uuid_of;
use crate::fleet::local_hour;
use crate::rng::Rng;
use crate::truth::Killed;
use crate::world::{Faults, InChina};

/// The exception of PushKit's check. Before iOS 13.4 or so it named the callback (element-ios, issue 3986).
const NEVER_POSTED: &str =
    "Killing app because it never posted an incoming call to the system after receiving a PushKit VoIP push.";
const NEVER_POSTED_BEFORE: &str =
    "Killing app because it never posted an incoming call to the system after receiving a PushKit VoIP callback.";

/// The termination code of the watchdog, 0xBAADCA11 (developer forums, thread 781211).
const WATCHDOG_CODE: i64 = 0xBAAD_CA11;

/// What the app finds when the push reaches it.
#[derive(Clone, Copy)]
struct Arrival {
    /// The push reached the device.
    delivered_at: i64,
    /// The delegate is called.
    at: i64,
    is_foreground: bool,
    is_on_call: bool,
    /// Whether iOS asks for a report.
    must_report: bool,
}

impl Scene<'_, '_> {
    /// A VoIP push reaches a device.
    pub(super) fn receive_voip(&mut self, leg: usize, push: &Push, delivered_at: i64) {
        let world = self.stage.world;
        let held = &mut self.legs[leg];
        let device = &self.stage.fleet.devices[held.device];
        let is_foreground = delivered_at < device.open_until || world.life.app_in_foreground.draw(&mut self.rng);
        let woken = is_foreground || device.is_woken(delivered_at);
        held.truth.woken = Some(woken || held.truth.woken == Some(true));
        if !woken {
            self.note_lost_wake_ups(leg);
            return;
        }
        let was_killed = device.journal.as_ref().is_some_and(|journal| journal.killed_at < delivered_at);
        let is_cold = !is_foreground && (was_killed || world.life.app_not_running.draw(&mut self.rng));
        let start = if is_cold { &world.pushkit.cold_start } else { &world.pushkit.warm_start };
        let at = delivered_at + start.draw(&mut self.rng);
        let (major, minor) = device.os_numbers(world);
        let has_call = self.legs[leg].is_ringing(at) && self.legs[leg].facts.posted;
        let is_on_call = device.is_on_call(at) || has_call;
        let says_must_report = major > 26 || major == 26 && minor >= 4;
        let is_too_old = says_must_report && at - push.sent_at > world.pushkit.too_old_ms;
        let must_report = major >= 13 && !is_foreground && !is_on_call && !is_too_old;
        let arrival = Arrival { delivered_at, at, is_foreground, is_on_call, must_report };
        self.flush_journal(self.legs[leg].device, delivered_at);
        let faults = self.app().versions[self.legs[leg].version].faults;
        if is_cold && must_report && faults.never_set_up.draw(&mut self.rng) {
            return self.kill_by_watchdog(leg, push, &arrival, Killed::NeverSetUp);
        }
        self.say(leg, "push.received", at, |fields| {
            let not_open = if is_cold { "not_running" } else { "background" };
            fields
                .text("push_id", &push.id)
                .when(push.purpose != INCOMING, |fields| fields.text("purpose", push.purpose))
                .text("app_state", if is_foreground { "foreground" } else { not_open })
                .int("active_calls", i64::from(is_on_call))
                .when(says_must_report, |fields| fields.flag("must_report", must_report))
        });
        if push.purpose == INCOMING {
            self.legs[leg].note_voip_received(at, must_report);
            self.handle(leg, push, &arrival, &faults);
        } else {
            self.handle_other(leg, push, &arrival, has_call);
        }
    }

    /// The app is not woken: which incident is to blame, if one is.
    fn note_lost_wake_ups(&mut self, leg: usize) {
        let held = &mut self.legs[leg];
        let since = self.stage.fleet.devices[held.device].not_woken_since;
        let on = self.stage.incidents.on(crate::incident::IncidentKind::LostWakeUps, since);
        held.touched |= on.filter(|(_, one)| one.from == since).fold(0, |all, (nth, _)| all | 1 << nth);
    }

    /// What the app does with a push for an incoming call.
    fn handle(&mut self, leg: usize, push: &Push, arrival: &Arrival, faults: &Faults) {
        let pushkit = &self.stage.world.pushkit;
        let rng = &mut self.rng;
        if faults.crash.draw(rng) {
            let at = arrival.at + rng.between(5, 120);
            return self.kill(leg, push, at, Killed::Crash);
        }
        if faults.blocked.draw(rng) {
            if arrival.must_report {
                self.kill_by_watchdog(leg, push, arrival, Killed::Watchdog);
            }
            return;
        }
        if faults.unreported.draw(rng) {
            return self.return_without_report(leg, push, arrival);
        }
        if arrival.is_on_call {
            if pushkit.second_call_exists.draw(rng) {
                return self.refuse(leg, push, arrival.at + 20, 2);
            }
            if pushkit.second_call_ignored.draw(rng) {
                return self.return_without_report(leg, push, arrival);
            }
        } else if arrival.is_foreground && !pushkit.reports_in_foreground.draw(rng) {
            self.legs[leg].ring(arrival.at + 60);
            return self.return_without_report(leg, push, arrival);
        }
        let is_late = faults.late.draw(rng);
        let delay = if is_late { &pushkit.slow_report } else { &pushkit.report };
        let at = arrival.at + delay.draw(rng);
        let slack = pushkit.watchdog_slack.draw(rng);
        if arrival.must_report && at >= arrival.delivered_at + pushkit.watchdog_ms + slack {
            return self.kill(leg, push, arrival.delivered_at + pushkit.watchdog_ms + slack, Killed::Watchdog);
        }
        match self.refusal(leg, arrival) {
            Some(code) => self.refuse(leg, push, at, code),
            None => self.report(leg, push, at, faults),
        }
    }

    /// What the app does with any other VoIP push: it takes a ringing call back where there is one.
    fn handle_other(&mut self, leg: usize, push: &Push, arrival: &Arrival, is_ringing: bool) {
        self.return_without_report(leg, push, arrival);
        if is_ringing && push.purpose == "cancel" {
            self.end(leg, arrival.at + 40, "remote_ended");
        }
    }

    /// The delegate returns, and nothing was reported: iOS looks as soon as it has (developer forums, thread 817976).
    fn return_without_report(&mut self, leg: usize, push: &Push, arrival: &Arrival) {
        let pushkit = &self.stage.world.pushkit;
        let at = arrival.at + pushkit.early_return.draw(&mut self.rng);
        // Of a return where no report was due, an SDK had better say nothing: it may stand beside the receipt of another push,
        // and pass for a violation (contract section 4.1, line 12).
        if arrival.must_report || self.stage.world.telemetry.exempt_returns.draw(&mut self.rng) {
            self.return_from_delegate(leg, push, at, false);
            self.legs[leg].facts.returned_silently |= push.purpose == INCOMING;
        }
        if arrival.must_report {
            self.kill(leg, push, at + pushkit.assert_after_ms, Killed::PushKit);
        }
    }

    fn return_from_delegate(&mut self, leg: usize, push: &Push, at: i64, reported: bool) {
        self.say(leg, "push.handler_returned", at, |fields| {
            let is_other = push.purpose != INCOMING;
            let fields = fields.text("push_id", &push.id);
            fields.when(is_other, |fields| fields.text("purpose", push.purpose)).flag("reported", reported)
        });
    }

    /// Why the system refuses a report, as a `CXErrorCodeIncomingCallError` (Apple, CallKit).
    fn refusal(&mut self, leg: usize, arrival: &Arrival) -> Option<i64> {
        let world = self.stage.world;
        let (device, pushkit) = (&self.stage.fleet.devices[self.legs[leg].device], &world.pushkit);
        if device.os_numbers(world).0 < 10 {
            return None;
        }
        let person = &self.stage.fleet.people[device.person as usize];
        let hour = local_hour(arrival.at, world.places[usize::from(person.place)].utc_offset_min);
        let rng = &mut self.rng;
        let unknown = |rng: &mut Rng| i64::from(rng.next() & 1 == 0);
        let draw = |share: Share, rng: &mut Rng| share.draw(rng);
        if !arrival.is_foreground && draw(world.people.do_not_disturb_by_hour[hour], rng) {
            Some(3)
        } else if draw(pushkit.block_list, rng) {
            Some(4)
        } else if draw(pushkit.restricted_sharing, rng) {
            Some(5)
        } else if draw(pushkit.sensitive_participants, rng) {
            Some(7)
        } else if draw(pushkit.call_protected, rng) {
            Some(6)
        } else if draw(pushkit.uuid_exists, rng) {
            Some(2)
        } else {
            draw(pushkit.unknown_error, rng).then(|| unknown(rng))
        }
    }

    /// The system refuses the report. An SDK says no more of the delegate then: that it had reported would pass for
    /// success (contract section 4.1, line 7).
    fn refuse(&mut self, leg: usize, push: &Push, at: i64, code: i64) {
        self.say(leg, "call.report_failed", at, |fields| {
            fields.text("push_id", &push.id).text("error_domain", "incoming_call").int("error_code", code)
        });
        let held = &mut self.legs[leg];
        super::leg::first(&mut held.facts.attempted_at, at);
        held.truth.report_error = Some(code);
        held.facts.filtered |= matches!(code, 3 | 4 | 5 | 7);
        // "Already exists": the system has a call.
        held.facts.posted |= code == 2;
    }

    fn report(&mut self, leg: usize, push: &Push, at: i64, faults: &Faults) {
        let world = self.stage.world;
        let rng = &mut self.rng;
        let held = &mut self.legs[leg];
        let device = &self.stage.fleet.devices[held.device];
        let wrong_uuid = faults.wrong_uuid.draw(rng).then(|| uuid_of(rng.next(), rng.next()));
        if faults.own_uuid.draw(rng) && held.truth.reported_as.is_none() {
            held.truth.reported_as = Some(uuid_of(rng.next(), rng.next()));
        }
        let in_china = matches!(held.truth.country.as_str(), "CN" | "CHN");
        let uses_callkit = !in_china || faults.callkit_in_china.draw(rng);
        let call_ui = match self.app_in_china() {
            _ if device.os_numbers(world).0 < 10 => "custom",
            InChina::LiveCommunicationKit if !uses_callkit => "live_communication_kit",
            _ => "callkit",
        };
        let upper_case = device.upper_case;
        self.say(leg, "call.reported", at, |fields| {
            let fields = fields.text("push_id", &push.id).text("call_ui", call_ui);
            let fields = fields.text("handle", "sip:fictional@example.org");
            match wrong_uuid {
                Some(uuid) => fields.uuid("reported_uuid", uuid, upper_case),
                None => fields,
            }
        });
        self.legs[leg].note_reported(at);
        let returned_at = at + world.pushkit.return_after.draw(&mut self.rng);
        self.return_from_delegate(leg, push, returned_at, true);
    }

    fn app_in_china(&self) -> InChina {
        self.stage.world.apps[self.app].in_china
    }

    fn kill_by_watchdog(&mut self, leg: usize, push: &Push, arrival: &Arrival, killed: Killed) {
        let pushkit = &self.stage.world.pushkit;
        let at = arrival.delivered_at + pushkit.watchdog_ms + pushkit.watchdog_slack.draw(&mut self.rng);
        self.kill(leg, push, at, killed);
    }

    /// The app is ended. Its journal tells at the next launch.
    fn kill(&mut self, leg: usize, push: &Push, at: i64, killed: Killed) {
        let limit = self.stage.world.pushkit.strikes_until_not_woken;
        let held = &mut self.legs[leg];
        let device = &mut self.stage.fleet.devices[held.device];
        device.strike(killed, at, limit);
        let is_old = device.os_numbers(self.stage.world).0 < 15;
        // A later kill of the same leg changes nothing about how it is judged.
        held.facts.killed = match held.facts.killed {
            Some(Killed::PushKit | Killed::Watchdog) => held.facts.killed,
            _ => Some(killed),
        };
        held.truth.killed = Some(killed);
        held.truth.killed_at = Some(at);
        self.say(leg, "app.terminated", at, |fields| {
            let reason = if is_old { NEVER_POSTED_BEFORE } else { NEVER_POSTED };
            let fields = fields.text("push_id", &push.id);
            match killed {
                Killed::PushKit => fields.text("exception_reason", reason),
                Killed::Watchdog | Killed::NeverSetUp => fields
                    .text("termination_namespace", "FRONTBOARD")
                    .int("termination_code", WATCHDOG_CODE)
                    .when(killed == Killed::NeverSetUp, |fields| fields.flag("inferred", true)),
                Killed::Crash => fields.text("termination_namespace", "SIGNAL").int("termination_code", 11),
            }
        });
    }

    /// An ordinary push on an iOS device: a notification, which a service extension acknowledges.
    pub(super) fn receive_alert(&mut self, leg: usize, push: &Push, delivered_at: i64) {
        let at = delivered_at + self.stage.world.pushkit.warm_start.draw(&mut self.rng);
        self.say(leg, "push.received", at, |fields| {
            fields.text("push_id", &push.id).text("channel", "apns_alert").text("app_state", "background")
        });
        let held = &mut self.legs[leg];
        held.note_received(at);
        if !held.facts.announced {
            // Without CallKit it rings only as a notification does.
            held.ring(at);
        }
    }
}
