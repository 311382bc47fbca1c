//! What people do with a call: the caller waits or gives up, somebody answers, declines, or doesn't.

use std::ops::Range;

use super::Scene;
use super::leg::first;
use crate::fleet::Platform;
use crate::incident::IncidentKind;

/// How long an app takes to notice that a call is over which only now reached it, in milliseconds.
const GHOST_MS: i64 = 1_400;

/// How long an app rings on when nobody tells it that the call is over, in milliseconds.
const RINGS_ON_MS: i64 = 6_000;

/// How long an action of CallKit may take, in milliseconds (Apple, CallKit, `CXAction.timeoutDate`; the value is an assumption).
const ACTION_MS: i64 = 10_000;

/// Why nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Cancelled,
    TimedOut,
    /// The server forgot the call.
    Vanished,
}

/// What somebody does with a call that rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Answer,
    Decline,
    /// The app can't take the call, and ends it.
    Fail,
    Ignore,
}

impl Scene<'_, '_> {
    /// The caller's device places the call, just before the server begins it.
    pub(super) fn start_outgoing(&mut self, device: usize) {
        let leg = self.add_leg(device);
        self.legs[leg].truth.role = "caller";
        self.say(leg, "call.outgoing_started", self.start - 90, |fields| fields);
        self.say(leg, "call.outgoing_connecting", self.start + 160, |fields| fields);
        self.legs[leg].truth.rang = false;
    }

    /// Plays the call for the devices of the called side.
    pub(super) fn play(&mut self, callee: Range<usize>, has_caller: bool) {
        let start = self.start;
        self.call.initiated_at = Some(start);
        self.server("call.initiated", start, |fields| fields.text("caller", "+1555010"));
        let devices = &self.stage.fleet.devices;
        let is_busy = callee.clone().any(|device| devices.get(device).is_some_and(|held| held.is_on_call(start)));
        let takes_second = self.stage.fleet.person_of(callee.start).call_waiting;
        if is_busy && !takes_second {
            self.call_is_busy();
        } else {
            for (nth, device) in callee.enumerate() {
                let leg = self.add_leg(device);
                self.announce(leg, start + 20 + 3 * nth as i64);
            }
            self.decide();
        }
        if has_caller {
            self.end_outgoing();
        }
    }

    fn call_is_busy(&mut self) {
        self.call.outcome = "busy";
        self.server("call.busy", self.start + 900, |fields| fields);
    }

    /// Legs of the called side that ring, the first one first.
    fn rung(&self) -> Vec<(usize, i64)> {
        let callees = self.legs.iter().enumerate().filter(|(_, leg)| leg.truth.role == "callee");
        let mut rung: Vec<(usize, i64)> = callees.filter_map(|(nth, leg)| Some((nth, leg.rang_at?))).collect();
        rung.sort_by_key(|(nth, at)| (*at, *nth));
        rung
    }

    fn decide(&mut self) {
        let (people, signalling) = (&self.stage.world.people, &self.stage.world.signalling);
        let rung = self.rung();
        let ring_ms = self.app().ring_s * 1_000;
        let rng = &mut self.rng;
        let cancel_at = self.start + people.patience.draw(rng);
        let timeout_at = self.start + ring_ms;
        let (over_at, over) = match () {
            () if signalling.vanishes.draw(rng) => (timeout_at, Over::Vanished),
            () if cancel_at < timeout_at => (cancel_at, Over::Cancelled),
            () => (timeout_at, Over::TimedOut),
        };
        let deed = match () {
            () if signalling.fails.draw(rng) => Deed::Fail,
            () if people.answers.draw(rng) => Deed::Answer,
            () if people.declines.draw(rng) => Deed::Decline,
            () => Deed::Ignore,
        };
        let Some((_, first_rang)) = rung.first().copied().filter(|(_, at)| *at < over_at) else {
            return self.give_up(&rung, over_at, over);
        };
        let deed_at = first_rang + people.reaction.draw(rng).max(400);
        let within = rung.iter().take_while(|(_, at)| *at + 300 <= deed_at.min(over_at)).count();
        let chosen = rung.get(rng.below(within)).copied();
        let Some((leg, _)) = chosen.filter(|_| deed != Deed::Ignore) else {
            return self.give_up(&rung, over_at, over);
        };
        // The caller gave up, and the device has not heard of it.
        let unheard_ms = signalling.to_device.draw(rng);
        if deed == Deed::Answer && over == Over::Cancelled && (over_at..over_at + unheard_ms).contains(&deed_at) {
            return self.answer_too_late(&rung, leg, over_at, deed_at);
        }
        if deed_at >= over_at {
            return self.give_up(&rung, over_at, over);
        }
        self.server("call.ringing", first_rang + 90, |fields| fields);
        match deed {
            Deed::Answer => self.answer(&rung, leg, deed_at),
            Deed::Decline => self.decline(&rung, leg, deed_at),
            Deed::Fail | Deed::Ignore => self.fail(&rung, leg, deed_at),
        }
    }

    /// Nobody did anything in time.
    fn give_up(&mut self, rung: &[(usize, i64)], at: i64, over: Over) {
        let (reason, server_ends_at) = match over {
            Over::Cancelled => ("remote_ended", Some(at + 40)),
            Over::TimedOut => ("unanswered", Some(at)),
            Over::Vanished => ("unanswered", None),
        };
        if over == Over::Cancelled {
            self.call.cancelled_at = Some(at);
            self.server("call.cancelled", at, |fields| fields);
        }
        if let Some(ends_at) = server_ends_at.filter(|_| over == Over::TimedOut) {
            self.call.ended_at = Some(ends_at);
            self.server("call.ended", ends_at, |fields| fields.text("end_reason", "timeout"));
        }
        let by_push = if over == Over::Cancelled { self.cancel_by_push(at) } else { Vec::new() };
        let skip = |leg: &usize| by_push.contains(leg);
        self.tell(rung, at, reason, skip, over != Over::Vanished);
        for leg in by_push {
            self.push_beside_call(leg, at + 20, "cancel");
            // Where the push does not reach it either, the app rings out.
            let rings_on = self.legs[leg].rang_at.is_some() && self.legs[leg].truth.ended_at.is_none();
            if let Some(rang) = self.legs[leg].rang_at.filter(|_| rings_on) {
                self.end(leg, rang.max(at) + RINGS_ON_MS, "remote_ended");
            }
        }
    }

    /// Legs that hear by VoIP push that the caller gave up.
    fn cancel_by_push(&mut self, at: i64) -> Vec<usize> {
        let usual = self.stage.world.gateway.cancels_by_voip_push;
        let mut by_push = Vec::new();
        for (nth, leg) in self.legs.iter_mut().enumerate() {
            if !leg.facts.announced || leg.truth.beyond_limits {
                continue;
            }
            let mut incidents = self.stage.incidents.on(IncidentKind::CancelByVoipPush, at);
            let hit = incidents.find(|(_, one)| one.is_of_app(self.app) && one.size.draw(&mut self.rng));
            if let Some((place, _)) = hit {
                leg.touched |= 1 << place;
            }
            if hit.is_some() || usual.draw(&mut self.rng) {
                by_push.push(nth);
            }
        }
        by_push
    }

    /// Tells ringing devices that the call is over; news may not reach them, and some only begin to ring then.
    fn tell(
        &mut self,
        rung: &[(usize, i64)],
        at: i64,
        reason: &'static str,
        skip: impl Fn(&usize) -> bool,
        by_server: bool,
    ) {
        let signalling = &self.stage.world.signalling;
        for (leg, rang_at) in rung.iter().copied().filter(|(leg, _)| !skip(leg)) {
            let is_lost = !by_server || signalling.lost_to_device.draw(&mut self.rng);
            let news_at = at + if is_lost { RINGS_ON_MS } else { signalling.to_device.draw(&mut self.rng) };
            let ends_at = if rang_at >= at { rang_at + GHOST_MS } else { news_at.max(rang_at + 50) };
            self.end(leg, ends_at, reason);
        }
    }

    fn answer(&mut self, rung: &[(usize, i64)], leg: usize, at: i64) {
        let world = self.stage.world;
        let faults = self.app().versions[self.legs[leg].version].faults;
        if faults.action_timeout.draw(&mut self.rng) {
            return self.time_out(rung, leg, at);
        }
        let is_ios = self.stage.fleet.devices[self.legs[leg].device].platform == Platform::Ios;
        self.note_answer(leg, at);
        self.tell(rung, at, "answered_elsewhere", |other| *other == leg, true);
        let audio_at = at + world.signalling.audio.draw(&mut self.rng);
        let is_silent = faults.no_audio.draw(&mut self.rng);
        if is_ios && !is_silent {
            self.say(leg, "call.audio_activated", audio_at, |fields| fields);
            first(&mut self.legs[leg].truth.audio_at, audio_at);
        }
        if is_ios && self.rng.next() & 7 == 0 {
            self.say(leg, "call.observed", at + 5, |fields| fields.flag("has_connected", true));
        }
        let connected_at = at + 380;
        self.call.connected_at = Some(connected_at);
        if world.signalling.loses_connection.draw(&mut self.rng) {
            self.servers_complete_at = None;
        } else {
            self.server("call.connected", connected_at, |fields| fields);
        }
        // Without audio, people hang up.
        let talk_ms = if is_silent { 14_000 } else { world.people.talk.draw(&mut self.rng).max(2_500) };
        self.talk(leg, at, at + talk_ms, is_ios && !is_silent);
    }

    fn note_answer(&mut self, leg: usize, at: i64) {
        self.say(leg, "call.answered", at, |fields| fields);
        let held = &mut self.legs[leg];
        first(&mut held.truth.answered_at, at);
        held.own_outcome = Some("answered");
        first(&mut self.call.answered_at, at);
    }

    fn talk(&mut self, leg: usize, from: i64, until: i64, has_audio: bool) {
        if self.stage.world.people.mentions.draw(&mut self.rng) {
            self.mention(leg, (from + until) / 2, until);
        }
        if has_audio {
            self.say(leg, "call.audio_deactivated", until + 60, |fields| fields);
        }
        let by_callee = self.rng.next() & 1 == 0;
        self.end(leg, until, if by_callee { "local" } else { "remote_ended" });
        let server_at = until + 70;
        self.call.ended_at = Some(server_at);
        self.server("call.ended", server_at, |fields| fields.text("end_reason", "remote_ended"));
        let callers = self.legs.iter().filter(|leg| leg.truth.role == "caller").map(|leg| leg.device);
        for device in callers.chain([self.legs[leg].device]) {
            let held = &mut self.stage.fleet.devices[device];
            held.on_call = (from, until);
        }
    }

    /// Things of the timeline.
    fn mention(&mut self, leg: usize, at: i64, until: i64) {
        let kind = match self.rng.below(5) {
            0 => "call.muted",
            1 => "call.held",
            2 => "call.grouped",
            3 => return self.say(leg, "call.dtmf", at, |fields| fields.text("digits", "1")),
            _ => return self.say(leg, "call.updated", at, |fields| fields.flag("video", true)),
        };
        self.say(leg, kind, at, |fields| fields.flag("on", true));
        let off_at = at + 4_000;
        if off_at < until {
            self.say(leg, kind, off_at, |fields| fields.flag("on", false));
        }
    }

    fn answer_too_late(&mut self, rung: &[(usize, i64)], leg: usize, cancelled_at: i64, at: i64) {
        self.call.cancelled_at = Some(cancelled_at);
        self.server("call.cancelled", cancelled_at, |fields| fields);
        self.note_answer(leg, at);
        self.end(leg, at + 900, "remote_ended");
        self.tell(rung, cancelled_at, "remote_ended", |other| *other == leg, true);
    }

    fn decline(&mut self, rung: &[(usize, i64)], leg: usize, at: i64) {
        self.say(leg, "call.declined", at, |fields| fields);
        let held = &mut self.legs[leg];
        first(&mut held.truth.declined_at, at);
        held.own_outcome = Some("declined");
        if self.stage.fleet.devices[held.device].platform == Platform::Android {
            let device = &self.stage.fleet.devices[held.device];
            let shown = (at + 5 - device.offset_ms + held.clock_bug_ms, self.serial + 1);
            held.note_end(at + 5, shown, None);
            self.say(leg, "call.ended", at + 5, |fields| fields.int("disconnect_cause", 6));
        }
        self.call.ended_at = Some(at + 60);
        self.server("call.ended", at + 60, |fields| fields.text("end_reason", "declined_elsewhere"));
        self.tell(rung, at, "declined_elsewhere", |other| *other == leg, true);
    }

    /// The app can't set the call up.
    fn fail(&mut self, rung: &[(usize, i64)], leg: usize, at: i64) {
        self.end(leg, at, "failed");
        self.call.ended_at = Some(at + 90);
        self.server("call.ended", at + 90, |fields| fields.text("end_reason", "failed"));
        self.tell(rung, at, "failed", |other| *other == leg, true);
    }

    /// The app does not fulfil the answer in time.
    fn time_out(&mut self, rung: &[(usize, i64)], leg: usize, at: i64) {
        let at = at + ACTION_MS;
        if self.stage.fleet.devices[self.legs[leg].device].platform == Platform::Ios {
            self.say(leg, "call.action_timed_out", at, |fields| fields.text("action", "answer"));
            self.say(leg, "call.transaction_failed", at + 20, |fields| fields.int("error_code", 4));
        }
        self.fail(rung, leg, at + 50);
    }

    /// The caller's device learns what came of it.
    fn end_outgoing(&mut self) {
        let Some(leg) = self.legs.iter().position(|leg| leg.truth.role == "caller") else { return };
        if let Some(at) = self.call.connected_at {
            self.say(leg, "call.outgoing_connected", at + 120, |fields| fields);
        }
        let cancelled = self.call.cancelled_at.map(|at| (at - 40, "local"));
        let ended = self.call.ended_at.map(|at| (at + 150, "remote_ended"));
        if let Some((at, reason)) = cancelled.or(ended) {
            self.end(leg, at, reason);
        }
    }

    /// The outcomes of the legs and of the call, by what happened (contract section 4.2).
    pub(super) fn settle(&mut self) {
        let own = |legs: &[super::Leg], word| {
            legs.iter().any(|leg| leg.truth.role == "callee" && leg.own_outcome == Some(word))
        };
        let (answered, declined) = (own(&self.legs, "answered"), own(&self.legs, "declined"));
        let is_busy = self.call.outcome == "busy";
        let legs_end = self.legs.iter().filter(|leg| leg.truth.role == "callee").filter_map(|leg| leg.truth.ended_at);
        // The server's end, and where it has none the first of the devices'.
        let server_ended = self.call.ended_at.is_some();
        let first_end = legs_end.min();
        let timed_out = if server_ended { self.server_timed_out() } else { self.devices_rang_out() };
        for leg in &mut self.legs {
            let (verdict, evidence) = leg.facts.verdict();
            leg.truth.verdict = verdict;
            leg.truth.evidence = evidence;
            let is_unreachable =
                matches!(verdict, "rejected" | "no_receipt" | "unreported") || !leg.facts.announced && leg.is_refused();
            leg.truth.outcome = match leg.own_outcome {
                Some(own) => own,
                None if answered => "answered_elsewhere",
                None if declined => "declined_elsewhere",
                None if is_busy => "busy",
                None if self.call.cancelled_at.is_some() => "cancelled",
                None if verdict == "filtered" => "filtered",
                None if timed_out => "unanswered",
                None if is_unreachable => "unreachable",
                None => "unknown",
            };
        }
        self.call.ended_by_server = server_ended;
        if !server_ended {
            self.call.ended_at = first_end;
        }
        self.call.outcome = self.call_outcome(timed_out);
        for leg in self.legs.iter_mut().filter(|leg| leg.truth.role == "caller") {
            leg.truth.outcome = self.call.outcome;
            leg.truth.verdict = "not_applicable";
            leg.truth.evidence = None;
        }
        self.call.legs = self.legs.iter().filter(|leg| leg.truth.role == "callee").count() as u32;
    }

    fn server_timed_out(&self) -> bool {
        self.call.ended_at == Some(self.start + self.app().ring_s * 1_000)
    }

    /// Without a word of the server, the first end that a device wrote counts.
    fn devices_rang_out(&self) -> bool {
        let callees = self.legs.iter().filter(|leg| leg.truth.role == "callee");
        // Of two at one time, the one with the smaller id as a text.
        let first = callees.filter_map(|leg| leg.written_end).min_by_key(|(at, serial, _)| (*at, serial.to_string()));
        first.is_some_and(|(_, _, word)| word == Some("unanswered"))
    }

    fn call_outcome(&self, timed_out: bool) -> &'static str {
        let callees = || self.legs.iter().filter(|leg| leg.truth.role == "callee");
        let has = |word| callees().any(|leg| leg.truth.outcome == word);
        let has_own = |word| callees().any(|leg| leg.own_outcome == Some(word));
        match () {
            () if has("answered") || has_own("answered_elsewhere") || self.call.connected_at.is_some() => "answered",
            () if has("declined") || has_own("declined_elsewhere") => "declined",
            () if self.call.outcome == "busy" => "busy",
            () if has("cancelled") || self.call.cancelled_at.is_some() => "cancelled",
            () if has("filtered") => "filtered",
            () if has("failed") || self.failed() => "failed",
            () if has("unanswered") || timed_out => "unanswered",
            () if callees().next().is_some() && callees().all(|leg| leg.truth.outcome == "unreachable") => {
                "unreachable"
            }
            () => "unknown",
        }
    }

    fn failed(&self) -> bool {
        self.legs.iter().any(|leg| leg.own_outcome == Some("failed"))
    }
}
