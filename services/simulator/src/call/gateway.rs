//! The push gateway and the push services: what is sent, taken or refused, and when it reaches the device.

use super::Scene;
use super::leg::first;
use crate::event::{uuid_of, uuid_text};
use crate::fleet::{Channel, Device, Platform, Token};
use crate::incident::IncidentKind;
use crate::world::InChina;

/// A push that a push service took.
#[derive(Clone, Debug)]
pub(super) struct Push {
    pub(super) id: String,
    pub(super) way: Way,
    pub(super) purpose: &'static str,
    pub(super) sent_at: i64,
    pub(super) accepted_at: i64,
    /// 0 for one attempt (APNs).
    pub(super) expires_at: i64,
}

/// By which way a push goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Voip,
    Alert,
    Fcm,
    Socket,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Way::Voip => "apns_voip",
            Way::Alert => "apns_alert",
            Way::Fcm => "fcm",
            Way::Socket => "socket",
        }
    }
}

/// What a push service says to an attempt.
enum Answer {
    Accepted,
    /// Status and reason; whether to try again.
    Rejected(i64, &'static str, bool),
    /// A transport error; tried again.
    Failed(&'static str),
    Nothing,
}

/// The purpose of a push for a call.
pub(super) const INCOMING: &str = "incoming_call";

/// Attempts of a gateway that retries without end; a leg takes part with 256 (contract section 4).
const STORM: i64 = 262;

impl Scene<'_, '_> {
    /// Announces the call to a leg's device, and plays what comes of it.
    pub(super) fn announce(&mut self, leg: usize, at: i64) {
        let device = &self.stage.fleet.devices[self.legs[leg].device];
        let world = self.stage.world;
        let mut ways = Vec::with_capacity(2);
        match device.platform {
            Platform::Ios => {
                let in_china = matches!(self.legs[leg].truth.country.as_str(), "CN" | "CHN");
                let alert_instead = in_china && self.app().in_china == InChina::Alert;
                let has_no_token = device.token == Token::Missing;
                if alert_instead || has_no_token {
                    let reason = if alert_instead { "storefront_cn" } else { "no_voip_token" };
                    self.gateway(leg, "push.suppressed", at, |fields| fields.text("reason", reason));
                    ways.push(Way::Alert);
                } else {
                    ways.push(Way::Voip);
                    if self.app().alert_beside.draw(&mut self.rng) {
                        ways.push(Way::Alert);
                    }
                }
            }
            Platform::Android => ways.push(Way::Fcm),
            Platform::Desktop | Platform::Web => ways.push(Way::Socket),
        }
        if ways.first() == Some(&Way::Voip) && world.gateway.storms.draw(&mut self.rng) {
            return self.storm(leg, at);
        }
        let mut arrivals = Vec::with_capacity(2);
        for way in ways {
            let Some(push) = self.send(leg, at, way, INCOMING) else { continue };
            if way == Way::Voip && world.gateway.twice.draw(&mut self.rng) {
                let again = self.send(leg, push.sent_at + 1_500, way, INCOMING);
                arrivals.extend(again.and_then(|push| Some((self.arrival(leg, &push)?, push))));
            }
            arrivals.extend(self.arrival(leg, &push).map(|at| (at, push)));
        }
        arrivals.sort_by_key(|(at, _)| *at);
        for (at, push) in arrivals {
            first(&mut self.legs[leg].truth.delivered_at, at);
            match push.way {
                Way::Voip => self.receive_voip(leg, &push, at),
                Way::Alert => self.receive_alert(leg, &push, at),
                Way::Fcm => self.receive_fcm(leg, &push, at),
                Way::Socket => self.receive_socket(leg, &push, at),
            }
        }
    }

    /// A VoIP push for something else than an incoming call, which Apple advises against (PushKit, `PKPushType.voIP`).
    pub(super) fn push_beside_call(&mut self, leg: usize, at: i64, purpose: &'static str) {
        let Some(push) = self.send(leg, at, Way::Voip, purpose) else { return };
        if let Some(at) = self.arrival(leg, &push) {
            self.receive_voip(leg, &push, at);
        }
    }

    /// Sends a push, again where that helps. The one that was taken.
    fn send(&mut self, leg: usize, at: i64, way: Way, purpose: &'static str) -> Option<Push> {
        let world = self.stage.world;
        let is_call = purpose == INCOMING;
        let mut at = at;
        for attempt in 1..=world.gateway.attempts {
            let push = self.send_once(leg, at, way, purpose);
            match self.ask(leg, &push) {
                Answer::Accepted => {
                    if way != Way::Socket {
                        self.gateway(leg, "push.accepted", push.accepted_at, |fields| {
                            fields.text("push_id", &push.id).int("status", 200)
                        });
                        if is_call {
                            first(&mut self.legs[leg].truth.accepted_at, push.accepted_at);
                            self.legs[leg].facts.accepted |= way == Way::Voip;
                        }
                    }
                    return Some(push);
                }
                Answer::Rejected(status, reason, again) => {
                    self.gateway(leg, "push.rejected", push.accepted_at, |fields| {
                        fields.text("push_id", &push.id).int("status", status).text("reason", reason)
                    });
                    self.note_refused(leg, way, is_call);
                    if !again {
                        return None;
                    }
                }
                Answer::Failed(reason) => {
                    self.gateway(leg, "push.failed", push.accepted_at, |fields| {
                        fields.text("push_id", &push.id).text("reason", reason)
                    });
                    self.note_refused(leg, way, is_call);
                    if way == Way::Socket {
                        return None;
                    }
                }
                Answer::Nothing => return None,
            }
            at = push.accepted_at + world.gateway.retry_after_ms * i64::from(attempt);
        }
        None
    }

    fn note_refused(&mut self, leg: usize, way: Way, is_call: bool) {
        let leg = &mut self.legs[leg];
        leg.facts.refused |= way == Way::Voip && is_call;
        leg.pushes.1 += u32::from(is_call);
    }

    fn send_once(&mut self, leg: usize, at: i64, way: Way, purpose: &'static str) -> Push {
        let world = self.stage.world;
        let id = match way {
            Way::Voip | Way::Alert => uuid_text(uuid_of(self.rng.next(), self.rng.next())).to_ascii_uppercase(),
            Way::Fcm => format!("projects/app/messages/0:{:015x}", self.rng.next() >> 4),
            Way::Socket => format!("ws-{:012x}", self.rng.next() >> 16),
        };
        let answer = match way {
            Way::Voip | Way::Alert => world.apns.answer.draw(&mut self.rng),
            Way::Fcm => world.fcm.answer.draw(&mut self.rng),
            Way::Socket => 1,
        };
        let expires_at = match way {
            Way::Voip | Way::Alert if self.app().expires_s == 0 => 0,
            Way::Voip | Way::Alert => at + self.app().expires_s * 1_000,
            Way::Fcm => at + world.fcm.time_to_live_s * 1_000,
            Way::Socket => 0,
        };
        let push = Push { id, way, purpose, sent_at: at, accepted_at: at + answer, expires_at };
        let device = &self.stage.fleet.devices[self.legs[leg].device];
        let token = token_of(device);
        let is_voip = matches!(way, Way::Voip | Way::Alert);
        let is_mixed_up = is_voip && self.mixed_up(leg, at).is_some();
        let is_sandbox = (device.channel == Channel::Dev) != is_mixed_up;
        self.gateway(leg, "push.sent", at, |fields| {
            let fields = fields.text("push_id", &push.id).text("channel", way.name());
            let fields = fields.when(purpose != INCOMING, |fields| fields.text("purpose", purpose));
            match way {
                Way::Voip | Way::Alert => fields
                    .int("priority", 10)
                    .int("expires_at", expires_at)
                    .text("token", &token)
                    .when(is_sandbox, |fields| fields.text("environment", "sandbox")),
                Way::Fcm => fields.text("priority", "high").text("token", &token),
                Way::Socket => fields,
            }
        });
        let leg = &mut self.legs[leg];
        if purpose == INCOMING {
            leg.facts.announced |= way == Way::Voip;
            leg.pushes.0 += 1;
            first(&mut leg.truth.sent_at, at);
        }
        push
    }

    /// What the push service says.
    fn ask(&mut self, leg: usize, push: &Push) -> Answer {
        let world = self.stage.world;
        let rng = &mut self.rng;
        if push.way == Way::Socket {
            let gone = world.socket.not_connected.draw(rng);
            return if gone { Answer::Failed("not_connected") } else { Answer::Accepted };
        }
        if world.gateway.unanswered.draw(rng) {
            return Answer::Nothing;
        }
        if world.gateway.transport_errors.draw(rng) {
            return Answer::Failed(if rng.next() & 1 == 0 { "timeout" } else { "goaway" });
        }
        if push.way == Way::Fcm { self.ask_fcm(leg) } else { self.ask_apns(leg, push) }
    }

    fn ask_apns(&mut self, leg: usize, push: &Push) -> Answer {
        let (apns, at) = (&self.stage.world.apns, push.sent_at);
        let mixed_up = self.mixed_up(leg, at);
        let rng = &mut self.rng;
        let held = &mut self.legs[leg];
        let device = &self.stage.fleet.devices[held.device];
        for (nth, one) in self.stage.incidents.on(IncidentKind::ExpiredCertificate, at) {
            if one.is_of_app(self.app) && one.size.draw(rng) {
                held.touched |= 1 << nth;
                return Answer::Rejected(403, "ExpiredProviderToken", false);
            }
        }
        if let Some(nth) = mixed_up {
            held.touched |= 1 << nth;
            return Answer::Rejected(400, "BadDeviceToken", false);
        }
        if device.token == Token::Dead {
            let reason = if device.hash & 3 == 0 { "ExpiredToken" } else { "Unregistered" };
            return Answer::Rejected(410, reason, false);
        }
        let either = |rng: &mut crate::rng::Rng, one, other| if rng.next() & 1 == 0 { one } else { other };
        if apns.wrong_token.draw(rng) {
            Answer::Rejected(400, either(rng, "BadDeviceToken", "DeviceTokenNotForTopic"), false)
        } else if apns.wrong_topic.draw(rng) {
            Answer::Rejected(400, either(rng, "TopicDisallowed", "BadTopic"), false)
        } else if apns.throttled.draw(rng) {
            Answer::Rejected(429, "TooManyRequests", true)
        } else if apns.unavailable.draw(rng) {
            Answer::Rejected(503, "ServiceUnavailable", true)
        } else {
            Answer::Accepted
        }
    }

    /// The incident, if there is one, that has the gateway send a leg's token to the other environment.
    fn mixed_up(&self, leg: usize, at: i64) -> Option<usize> {
        let bits = self.stage.fleet.devices[self.legs[leg].device].rollout_bits;
        let mut on = self.stage.incidents.on(IncidentKind::TokenMixUp, at);
        on.find(|(_, one)| one.is_of_app(self.app) && one.size.holds(bits)).map(|(nth, _)| nth)
    }

    fn ask_fcm(&mut self, leg: usize) -> Answer {
        let fcm = &self.stage.world.fcm;
        let device = &self.stage.fleet.devices[self.legs[leg].device];
        let rng = &mut self.rng;
        if device.token == Token::Dead {
            Answer::Rejected(404, "UNREGISTERED", false)
        } else if fcm.wrong_sender.draw(rng) {
            Answer::Rejected(403, "SENDER_ID_MISMATCH", false)
        } else if fcm.quota.draw(rng) {
            Answer::Rejected(429, "QUOTA_EXCEEDED", true)
        } else if fcm.unavailable.draw(rng) {
            Answer::Rejected(503, "UNAVAILABLE", true)
        } else {
            Answer::Accepted
        }
    }

    /// When a push reaches its device; `None` where it never does.
    fn arrival(&mut self, leg: usize, push: &Push) -> Option<i64> {
        let world = self.stage.world;
        let on_wifi = self.legs[leg].network == "wifi";
        let rng = &mut self.rng;
        let (delay, is_lost) = match push.way {
            Way::Voip | Way::Alert => {
                let usual = if on_wifi { &world.apns.wifi } else { &world.apns.cellular };
                let more = if world.apns.slow.draw(rng) { world.apns.slow_by.draw(rng) } else { 0 };
                (usual.draw(rng) + more, world.apns.lost.draw(rng))
            }
            Way::Fcm => (world.fcm.delivery.draw(rng), world.fcm.lost.draw(rng)),
            Way::Socket => return Some(push.accepted_at + world.socket.delivery.draw(rng)),
        };
        let mut at = push.accepted_at + delay + self.held_up(leg, push);
        if is_lost {
            return None;
        }
        let online_at = self.online_from(leg, at);
        let expired_at = if push.expires_at == 0 { at } else { push.expires_at };
        let must_wait = online_at > at;
        at = online_at;
        // APNs makes one attempt where nothing is stored; how late that comes is what delivery takes.
        let is_expired = if push.expires_at == 0 { must_wait } else { at > expired_at };
        let comes_anyway = push.way != Way::Fcm && self.stage.world.apns.late_although_expired.draw(&mut self.rng);
        (!is_expired || comes_anyway && at < push.sent_at + 600_000).then_some(at)
    }

    /// What a slow APNs adds.
    fn held_up(&mut self, leg: usize, push: &Push) -> i64 {
        if push.way == Way::Fcm {
            return 0;
        }
        let held = &mut self.legs[leg];
        for (nth, one) in self.stage.incidents.on(IncidentKind::ApnsSlow, push.accepted_at) {
            if one.is_of_country(&held.truth.country) && one.size.draw(&mut self.rng) {
                held.touched |= 1 << nth;
                return self.stage.world.incidents.slow_by.draw(&mut self.rng);
            }
        }
        0
    }

    /// When a leg's device that is offline at `at` comes back; `at` where it is online.
    pub(super) fn online_from(&mut self, leg: usize, at: i64) -> i64 {
        let held = &mut self.legs[leg];
        let device = &self.stage.fleet.devices[held.device];
        let online_at = device.online_from(at);
        if held.network != "cellular" {
            return online_at;
        }
        let person = &self.stage.fleet.people[device.person as usize];
        let place = &self.stage.world.places[usize::from(person.place)];
        let carrier = &place.carriers[usize::from(device.carrier)];
        for (nth, one) in self.stage.incidents.on(IncidentKind::CarrierOutage, at) {
            if one.is_of_carrier(carrier) && one.size.holds(device.rollout_bits) {
                held.touched |= 1 << nth;
                // Devices find the network again one after the other.
                return online_at.max(one.until + i64::from(device.rollout_bits >> 17));
            }
        }
        online_at
    }

    /// More attempts than a leg takes part with, none of them answered.
    fn storm(&mut self, leg: usize, at: i64) {
        for nth in 0..STORM {
            self.send_once(leg, at + 40 * nth, Way::Voip, INCOMING);
        }
        self.legs[leg].truth.beyond_limits = true;
    }
}

/// A made-up token: it names the device, and changes with the installation.
fn token_of(device: &Device) -> String {
    format!("{:016x}{:04x}", device.hash, device.tokens)
}
