//! What happens to devices beside calls: apps are opened, tokens change, networks and clocks too, and people reinstall.

use crate::call::{Head, Stage, Transport, flush_journal, lose_journal, write_of_device};
use crate::event::Fields;
use crate::fleet::{Look, Platform, Token};
use crate::rng::Rng;
use crate::world::Life;

/// How long a reinstallation takes until the app is opened, in milliseconds.
const REINSTALL_MS: i64 = 40_000;

/// A moment in the life of a device.
pub(crate) struct Moment<'m, 's> {
    stage: &'m mut Stage<'s>,
    device: usize,
    app: usize,
    at: i64,
    rng: Rng,
    on_wifi: bool,
    id: String,
}

/// Plays a moment at `at`; gives the next one.
pub(crate) fn live(stage: &mut Stage<'_>, device: usize, at: i64) -> i64 {
    let person = stage.fleet.person_of(device);
    let (app, place) = (usize::from(person.app), &stage.world.places[usize::from(person.place)]);
    let held = &mut stage.fleet.devices[device];
    let mut rng = held.rng.clone();
    let on_wifi = place.wifi.draw(&mut rng);
    let mean_ms = stage.world.life.hours_between_opens * crate::calendar::HOUR_MS as f64;
    let next = at + 1_000 + rng.exponential(mean_ms) as i64;
    let id = held.id();
    let mut moment = Moment { stage, device, app, at, rng, on_wifi, id };
    moment.play();
    let rng = moment.rng;
    stage.fleet.devices[device].rng = rng;
    next
}

impl<'s> Moment<'_, 's> {
    fn play(&mut self) {
        let life = &self.stage.world.life;
        let held = &self.stage.fleet.devices[self.device];
        let is_mobile = matches!(held.platform, Platform::Ios | Platform::Android);
        let again = if held.is_woken(self.at) { life.reinstalls } else { life.reinstalls_when_not_woken };
        if is_mobile && again.draw(&mut self.rng) {
            self.reinstall();
        } else if life.opened_by_hand.draw(&mut self.rng) {
            self.open("user");
        } else {
            let queued = self.rng.below(4) as i64;
            self.say("sdk.heartbeat", 0, |fields| fields.int("queued_events", queued));
        }
        if is_mobile {
            self.change(life);
        }
    }

    fn reinstall(&mut self) {
        let journal = self.stage.fleet.devices[self.device].reinstall();
        lose_journal(journal, self.stage.truths);
        self.id = self.stage.fleet.devices[self.device].id();
        self.at += REINSTALL_MS;
        self.open("user");
        self.update_token();
    }

    fn open(&mut self, reason: &'static str) {
        let world = self.stage.world;
        let open_ms = world.life.open_for.draw(&mut self.rng);
        let (device, at) = (self.device, self.at);
        let parts = (world, &mut *self.stage.fleet, &mut *self.stage.incidents);
        flush_journal(parts, self.stage.log, self.stage.truths, &mut self.rng, (device, at));
        self.stage.fleet.devices[device].open_until = at + open_ms;
        self.say("app.launched", 0, |fields| fields.text("reason", reason));
        if self.stage.fleet.devices[device].token != Token::Valid || world.life.token_changes.draw(&mut self.rng) {
            self.stage.fleet.devices[device].tokens += 1;
            self.update_token();
        }
        if world.life.permission_snapshots.draw(&mut self.rng) {
            let denied = self.rng.below(10) == 0;
            self.say("permission.snapshot", 400, |fields| {
                fields.text("notifications", if denied { "denied" } else { "authorized" }).text("microphone", "granted")
            });
        }
        let is_ios = self.stage.fleet.devices[device].platform == Platform::Ios;
        if is_ios && world.life.call_directory.draw(&mut self.rng) {
            let entries = self.rng.below(4_000) as i64;
            self.say("call_directory.status", 500, |fields| fields.flag("enabled", true).int("entries", entries));
        }
        if is_ios && world.life.provider_resets.draw(&mut self.rng) {
            self.say("provider.reset", 600, |fields| fields);
        }
    }

    fn update_token(&mut self) {
        let held = &mut self.stage.fleet.devices[self.device];
        held.token = Token::Valid;
        let token = format!("{:016x}{:04x}", held.hash, held.tokens);
        self.say("token.updated", 300, |fields| fields.text("token", &token));
    }

    /// Things that just happen.
    fn change(&mut self, life: &Life) {
        let world = self.stage.world;
        let rng = &mut self.rng;
        let held = &mut self.stage.fleet.devices[self.device];
        if life.offline.draw(rng) {
            let from = self.at + 20_000;
            held.offline = (from, from + life.offline_for.draw(rng));
        }
        if life.reboots.draw(rng) && !held.is_on_call(self.at) {
            held.boots += 1;
            held.boot_at = self.at - 40_000;
        }
        if world.clocks.jumps.draw(rng) {
            let jump = world.clocks.jump.draw(rng);
            held.offset_ms = if rng.next() & 1 == 0 { jump } else { -jump };
            held.offset_is_estimated = world.clocks.offset_is_estimated.draw(rng);
        }
        if life.token_dies.draw(rng) {
            let is_known = rng.next() & 1 == 0;
            held.token = if is_known { Token::Missing } else { Token::Dead };
            if is_known {
                self.token_invalidated();
            }
        }
        if life.network_changes.draw(&mut self.rng) {
            // A kind that the contract does not name: SDKs are ahead of servers.
            self.say("network.changed", 200, |fields| fields.text("from", "wifi").text("to", "cellular"));
        }
        if life.crashes.draw(&mut self.rng) {
            self.say("app.terminated", 100, |fields| {
                fields.text("termination_namespace", "SIGNAL").int("termination_code", 11)
            });
        }
    }

    /// The gateway's registry strikes a token out.
    fn token_invalidated(&mut self) {
        let log_at = self.at + self.stage.world.gateway.delay.draw(&mut self.rng);
        let head = self.head("token.invalidated");
        let held = &self.stage.fleet.devices[self.device];
        let token = format!("{:016x}{:04x}", held.hash, held.tokens);
        let (at, platform) = (self.at, held.platform.name());
        self.stage.log.add(log_at, "token.invalidated", self.id.as_bytes(), |out| {
            let fields = head.write(out, at, false).text("device_id", &self.id);
            fields.text("platform", platform).text("token", &token).close();
        });
    }

    fn head(&mut self, kind: &'static str) -> Head<'s> {
        let held = &mut self.stage.fleet.devices[self.device];
        held.said += 1;
        let app = &self.stage.world.apps[self.app];
        Head { event_id: held.hash, serial: held.said, kind, app, call_uuid: None }
    }

    /// The device says something; it is sent by itself.
    fn say(&mut self, kind: &'static str, after_ms: i64, write: impl FnOnce(Fields<'_>) -> Fields<'_>) {
        let world = self.stage.world;
        let at = self.at + after_ms;
        let head = self.head(kind);
        let version = self.stage.fleet.version(self.device, at);
        let person = self.stage.fleet.person_of(self.device);
        let held = &self.stage.fleet.devices[self.device];
        let transport = Transport { world, incidents: self.stage.incidents };
        let upload = transport.upload(held, self.app, held.online_from(at), &mut self.rng);
        let version = &head.app.versions[version];
        let look = Look {
            world,
            place: &world.places[usize::from(person.place)],
            id: &self.id,
            version: (&version.name, &version.sdk),
            network: if self.on_wifi { "wifi" } else { "cellular" },
            clock_bug_ms: 0,
        };
        let own = &mut self.stage.buffers.fields;
        own.clear();
        write(Fields(own));
        for log_at in upload.log_at.into_iter().chain(upload.again_at) {
            let write = |out: &mut Vec<u8>| write_of_device(out, &head, held, &look, at, own);
            self.stage.log.add(log_at, kind, self.id.as_bytes(), write);
        }
    }
}
