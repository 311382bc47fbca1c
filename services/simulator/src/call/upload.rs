//! How telemetry of devices reaches the log: in batches, late, twice, from a journal, or never.

use super::leg::{Leg, Said};
use super::{Head, Scene, Stage, write_of_device};
use crate::event::write_uuid;
use crate::fleet::{Device, Fleet, Journal, Look};
use crate::incident::IncidentKind;
use crate::incidents::{Incidents, Touched};
use crate::log::Log;
use crate::rng::Rng;
use crate::truth::Truth;
use crate::world::World;

/// What happens within so many milliseconds goes in one batch.
const BATCH_MS: i64 = 1_000;

/// What happened so shortly before a kill may not have been sent, in milliseconds.
const UNSENT_MS: i64 = 400;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Upload {
    /// Log time; `None` where it is lost.
    pub(crate) log_at: Option<i64>,
    /// Log time of a second copy.
    pub(crate) again_at: Option<i64>,
    /// Incidents that had a part in it.
    pub(crate) touched: Touched,
}

/// The collector of telemetry, and the way there.
pub(crate) struct Transport<'t> {
    pub(crate) world: &'t World,
    pub(crate) incidents: &'t Incidents,
}

impl Transport<'_> {
    /// What becomes of a batch that a device of an app would send at `at`, and can send from `online_at` on.
    pub(crate) fn upload(&self, device: &Device, app: usize, online_at: i64, rng: &mut Rng) -> Upload {
        let telemetry = &self.world.telemetry;
        let mut upload = Upload::default();
        if device.opted_out || telemetry.lost.draw(rng) {
            return upload;
        }
        let mut at = online_at;
        if telemetry.late.draw(rng) {
            at += telemetry.late_by.draw(rng);
        }
        for (nth, one) in self.incidents.on(IncidentKind::TelemetryOutage, at) {
            if one.is_of_app(app) {
                upload.touched |= 1 << nth;
                if one.size.draw(rng) {
                    return upload;
                }
                at = at.max(one.until);
            }
        }
        let log_at = at + telemetry.delay.draw(rng).max(1);
        upload.log_at = Some(log_at);
        upload.again_at = telemetry.twice.draw(rng).then(|| log_at + telemetry.twice_after.draw(rng).max(1));
        upload
    }
}

/// Sends what a device's journal holds, when the app runs again at `at`.
pub(crate) fn flush_journal(
    (world, fleet, incidents): (&World, &mut Fleet, &mut Incidents),
    log: &mut Log,
    truths: &mut Vec<Truth>,
    rng: &mut Rng,
    (device, at): (usize, i64),
) {
    let app = usize::from(fleet.person_of(device).app);
    let held = &mut fleet.devices[device];
    let Some(journal) = held.journal.take_if(|journal| journal.killed_at < at) else { return };
    let online_at = held.online_from(at);
    let upload = Transport { world, incidents }.upload(held, app, online_at, rng);
    let copies = upload.log_at.into_iter().chain(upload.again_at);
    for log_at in copies {
        for (nth, (kind, key, value)) in (0..).zip(&journal.records) {
            log.add(log_at + nth, kind, key, |out| out.extend_from_slice(value));
        }
    }
    let sent_at = upload.log_at.map(|log_at| log_at + journal.records.len() as i64);
    for mut leg in journal.legs {
        leg.complete_at = leg.complete_at.zip(sent_at).map(|(held, sent)| held.max(sent));
        truths.push(Truth::Leg(Box::new(leg)));
    }
}

impl Stage<'_> {
    pub(super) fn flush_journal(&mut self, device: usize, at: i64, rng: &mut Rng) {
        let world = (self.world, &mut *self.fleet, &mut *self.incidents);
        flush_journal(world, self.log, self.truths, rng, (device, at));
    }
}

impl Scene<'_, '_> {
    pub(super) fn flush_journal(&mut self, device: usize, at: i64) {
        self.stage.flush_journal(device, at, &mut self.rng);
    }

    /// The end of the scene: outcomes, and everything that devices said on its way.
    pub(super) fn finish(&mut self) {
        self.settle();
        for leg in 0..self.legs.len() {
            self.send_all(leg);
        }
        let complete_at = self.servers_complete_at;
        for mut leg in std::mem::take(&mut self.legs) {
            leg.truth.incidents = self.stage.incidents.count(leg.touched);
            if leg.truth.reported_as.is_some() {
                leg.complete_at = None;
            }
            leg.truth.complete_at = leg.complete_at;
            let device = &mut self.stage.fleet.devices[leg.device];
            leg.truth.strikes = device.strikes;
            leg.truth.not_woken_since = (device.not_woken_since != i64::MAX).then_some(device.not_woken_since);
            match device.journal.as_mut().filter(|_| leg.truth.killed_at.is_some()) {
                Some(journal) => journal.legs.push(*leg.truth),
                None => self.stage.truths.push(Truth::Leg(leg.truth)),
            }
        }
        let call = Box::new(std::mem::take(&mut self.call));
        self.stage.truths.push(Truth::Call(Box::new(crate::truth::CallTruth { complete_at, ..*call })));
    }

    /// Sends a leg's events in batches; what a kill kept back goes to the journal.
    fn send_all(&mut self, leg: usize) {
        self.legs[leg].said.sort_by_key(|said| said.at);
        let said = std::mem::take(&mut self.legs[leg].said);
        let killed_at = self.legs[leg].truth.killed_at;
        let unsent = killed_at.is_some() && self.stage.world.telemetry.unsent_at_kill.draw(&mut self.rng);
        let is_kept = |one: &Said| {
            let just_before = killed_at.is_some_and(|at| (at - UNSENT_MS..=at).contains(&one.at));
            one.kind == "app.terminated" || unsent && just_before
        };
        let (kept, sent): (Vec<Said>, Vec<Said>) = said.into_iter().partition(is_kept);
        let receipt_first = self.stage.world.telemetry.receipt_first.draw(&mut self.rng);
        let mut rest = sent.as_slice();
        while let Some(head) = rest.first() {
            let is_alone = head.kind == "push.received" && receipt_first;
            let until = if is_alone { head.at + 1 } else { head.at + BATCH_MS };
            let (batch, others) = rest.split_at(rest.iter().take_while(|one| one.at < until).count());
            self.send_batch(leg, batch);
            rest = others;
        }
        if let Some(at) = killed_at {
            self.keep(leg, &kept, at);
        }
    }

    fn send_batch(&mut self, leg: usize, batch: &[Said]) {
        let at = batch.last().map_or(self.start, |one| one.at);
        let online_at = self.online_from(leg, at);
        let device = self.legs[leg].device;
        let transport = Transport { world: self.stage.world, incidents: self.stage.incidents };
        let upload = transport.upload(&self.stage.fleet.devices[device], self.app, online_at, &mut self.rng);
        let held = &mut self.legs[leg];
        held.touched |= upload.touched;
        let Some(log_at) = upload.log_at else {
            held.complete_at = None;
            return;
        };
        let last_at = log_at + batch.len() as i64;
        held.complete_at = held.complete_at.map(|complete| complete.max(last_at));
        let mut values = std::mem::take(&mut self.stage.buffers.values);
        for (nth, one) in (0..).zip(batch) {
            values.clear();
            let key = self.write(leg, one, &mut values);
            for log_at in [Some(log_at), upload.again_at].into_iter().flatten() {
                self.stage.log.add(log_at + nth, one.kind, &key, |out| out.extend_from_slice(&values));
            }
        }
        self.stage.buffers.values = values;
    }

    /// Puts what was not sent before a kill into the device's journal, and what a crash reporter will say beside it.
    fn keep(&mut self, leg: usize, kept: &[Said], killed_at: i64) {
        let mut records = Vec::with_capacity(kept.len());
        for one in kept {
            let mut value = Vec::new();
            let key = self.write(leg, one, &mut value);
            records.push((one.kind, key, value));
        }
        let telemetry = &self.stage.world.telemetry;
        if let Some(kill) = kept.iter().find(|one| one.kind == "app.terminated")
            && telemetry.crash_reporter.draw(&mut self.rng)
        {
            let infers = telemetry.crash_reporter_infers.draw(&mut self.rng);
            records.push(self.crash_report(leg, kill, infers));
        }
        let device = &mut self.stage.fleet.devices[self.legs[leg].device];
        let journal = device.journal.get_or_insert_default();
        journal.killed_at = journal.killed_at.max(killed_at);
        journal.records.extend(records);
    }

    /// A crash reporter saw a kill too. It knows no call, and at best infers which one it was.
    fn crash_report(&mut self, leg: usize, kill: &Said, infers: bool) -> (&'static str, Vec<u8>, Vec<u8>) {
        let mut own = self.stage.buffers.fields.get(kill.from..kill.to).unwrap_or_default().to_vec();
        let fields = crate::event::Fields(&mut own).text("reporter", "crash_reporter");
        fields.when(infers, |fields| fields.flag("inferred", true));
        self.serial += 1;
        let held = &self.legs[leg];
        let call_uuid = infers.then_some((self.uuid, false));
        let head = Head { event_id: self.event_id, serial: self.serial, kind: kill.kind, app: self.app(), call_uuid };
        let mut value = Vec::new();
        let (device, look) = self.look(held);
        write_of_device(&mut value, &head, device, &look, kill.at, &own);
        (kill.kind, held.truth.device_id.clone().into_bytes(), value)
    }

    /// Writes an event of a device; gives its key.
    fn write(&mut self, leg: usize, one: &Said, out: &mut Vec<u8>) -> Vec<u8> {
        let held = &self.legs[leg];
        let (device, look) = self.look(held);
        let is_of_call = one.kind.starts_with("push.") || one.kind.starts_with("call.");
        let uuid = held.truth.reported_as.filter(|_| one.under_own_uuid).unwrap_or(self.uuid);
        let names_call = is_of_call || one.kind == "app.terminated";
        let head = Head {
            event_id: self.event_id,
            serial: one.serial,
            kind: one.kind,
            app: self.app(),
            call_uuid: names_call.then_some((uuid, device.upper_case)),
        };
        let own = self.stage.buffers.fields.get(one.from..one.to).unwrap_or_default();
        write_of_device(out, &head, device, &look, one.at, own);
        if is_of_call {
            let mut key = Vec::with_capacity(36);
            write_uuid(&mut key, uuid, false);
            key
        } else {
            held.truth.device_id.clone().into_bytes()
        }
    }

    fn look<'a>(&'a self, leg: &'a Leg) -> (&'a Device, Look<'a>) {
        let world = self.stage.world;
        let device = &self.stage.fleet.devices[leg.device];
        let place = &world.places[usize::from(self.stage.fleet.people[device.person as usize].place)];
        let app = &world.apps[self.app];
        let version = &app.versions[leg.version];
        let look = Look {
            world,
            place,
            id: &leg.truth.device_id,
            version: (&version.name, &version.sdk),
            network: leg.network,
            clock_bug_ms: leg.clock_bug_ms,
        };
        (device, look)
    }
}

/// The end of everything that a journal held, because the app was installed anew or the simulation ends.
pub(crate) fn lose_journal(journal: Option<Box<Journal>>, truths: &mut Vec<Truth>) {
    for mut leg in journal.into_iter().flat_map(|journal| journal.legs) {
        leg.complete_at = None;
        truths.push(Truth::Leg(Box::new(leg)));
    }
}
