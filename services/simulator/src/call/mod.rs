//! One call in the making: what really happens, and who says what of it.
//!
//! A scene goes through a call from its start to its end at once. Truths are written down where they happen; what a
//! producer would say of them goes to the log, or on its way there (`upload`).

mod gateway;
mod ios;
mod leg;
mod others;
mod people;
mod upload;

use crate::calendar::rfc3339;
use crate::event::{Fields, uuid_of, write_hex, write_int, write_uuid};
use crate::fleet::{Fleet, Look};
use crate::incident::IncidentKind;
use crate::incidents::Incidents;
use crate::log::Log;
use crate::rng::Rng;
use crate::truth::{CallTruth, LegTruth, Truth};
use crate::world::{App, World};

use leg::Leg;
pub(crate) use upload::{Transport, flush_journal, lose_journal};

/// What scenes act on.
pub(crate) struct Stage<'s> {
    pub(crate) world: &'s World,
    pub(crate) fleet: &'s mut Fleet,
    pub(crate) incidents: &'s mut Incidents,
    pub(crate) log: &'s mut Log,
    pub(crate) truths: &'s mut Vec<Truth>,
    pub(crate) buffers: &'s mut Buffers,
}

/// Memory that scenes use again.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// Fields of what devices say, until it is sent.
    pub(crate) fields: Vec<u8>,
    /// Values of a batch.
    values: Vec<u8>,
}

/// See the module's text.
pub(crate) struct Scene<'s, 'w> {
    stage: &'s mut Stage<'w>,
    rng: Rng,
    app: usize,
    start: i64,
    uuid: u128,
    key: Vec<u8>,
    event_id: u64,
    serial: u32,
    call: CallTruth,
    /// Log time of the last thing that servers say of the call; `None` once something is lost.
    servers_complete_at: Option<i64>,
    legs: Vec<Leg>,
}

/// Plays a call from a device, where the caller has the app, to the devices of one person.
pub(crate) fn play(
    stage: &mut Stage<'_>,
    rng: Rng,
    app: usize,
    start: i64,
    callee: std::ops::Range<usize>,
    caller: Option<usize>,
) {
    let mut scene = Scene::new(stage, rng, app, start);
    if let Some(device) = caller {
        scene.start_outgoing(device);
    }
    scene.play(callee, caller.is_some());
    scene.finish();
}

/// Plays a VoIP push that announces no call.
pub(crate) fn play_data_push(stage: &mut Stage<'_>, rng: Rng, app: usize, start: i64, device: usize) {
    let mut scene = Scene::new(stage, rng, app, start);
    let leg = scene.add_leg(device);
    scene.push_beside_call(leg, start, "data");
    scene.finish();
}

impl<'s, 'w> Scene<'s, 'w> {
    fn new(stage: &'s mut Stage<'w>, mut rng: Rng, app: usize, start: i64) -> Self {
        let event_id = rng.next();
        let uuid = uuid_of(rng.next(), rng.next());
        let mut key = Vec::with_capacity(36);
        write_uuid(&mut key, uuid, false);
        stage.buffers.fields.clear();
        let held = &stage.world.apps[app];
        let call = CallTruth {
            tenant_id: held.tenant.clone(),
            app_id: held.id.clone(),
            call_uuid: uuid,
            ..CallTruth::default()
        };
        Scene {
            stage,
            rng,
            app,
            start,
            uuid,
            key,
            event_id,
            serial: 0,
            call,
            servers_complete_at: Some(start),
            legs: Vec::new(),
        }
    }

    fn app(&self) -> &'w App {
        &self.stage.world.apps[self.app]
    }

    /// The signalling server, about the call as a whole.
    fn server(&mut self, kind: &'static str, at: i64, write: impl FnOnce(Fields<'_>) -> Fields<'_>) {
        let log_at = at + self.stage.world.signalling.delay.draw(&mut self.rng);
        self.servers_complete_at = self.servers_complete_at.map(|held| held.max(log_at));
        let head = self.head(kind);
        let text_times = self.app().text_times;
        self.stage.log.add(log_at, kind, &self.key, |out| {
            write(head.write(out, at, text_times)).close();
        });
    }

    /// The push gateway, about a push for a leg.
    fn gateway(&mut self, leg: usize, kind: &'static str, at: i64, write: impl FnOnce(Fields<'_>) -> Fields<'_>) {
        let log_at = at + self.stage.world.gateway.delay.draw(&mut self.rng);
        let head = self.head(kind);
        let leg = &mut self.legs[leg];
        leg.complete_at = leg.complete_at.map(|held| held.max(log_at));
        let platform = self.stage.fleet.devices[leg.device].platform;
        self.stage.log.add(log_at, kind, &self.key, |out| {
            let fields = head.write(out, at, false);
            write(fields.text("device_id", &leg.truth.device_id).text("platform", platform.name())).close();
        });
    }

    /// A device, in something that its SDK will send.
    fn say(&mut self, leg: usize, kind: &'static str, at: i64, write: impl FnOnce(Fields<'_>) -> Fields<'_>) {
        let buffer = &mut self.stage.buffers.fields;
        let from = buffer.len();
        write(Fields(buffer));
        let to = buffer.len();
        self.serial += 1;
        let serial = self.serial;
        let leg = &mut self.legs[leg];
        let under_own_uuid = leg.truth.reported_as.is_some() && kind.starts_with("call.");
        leg.said.push(leg::Said { at, kind, serial, from, to, under_own_uuid });
    }

    fn head(&mut self, kind: &'static str) -> Head<'w> {
        self.serial += 1;
        Head {
            event_id: self.event_id,
            serial: self.serial,
            kind,
            app: self.app(),
            call_uuid: Some((self.uuid, false)),
        }
    }

    /// Brings a device into the call.
    fn add_leg(&mut self, device: usize) -> usize {
        let (fleet, world) = (&self.stage.fleet, self.stage.world);
        let (held, person) = (&fleet.devices[device], fleet.person_of(device));
        let place = &world.places[usize::from(person.place)];
        let version = fleet.version(device, self.start);
        let app = &world.apps[self.app];
        let on_wifi = place.wifi.draw(&mut self.rng);
        let mut leg = Leg {
            device,
            version,
            network: if on_wifi || !held.platform_has_carrier() { "wifi" } else { "cellular" },
            complete_at: Some(self.start),
            truth: Box::new(LegTruth {
                tenant_id: app.tenant.clone(),
                app_id: app.id.clone(),
                call_uuid: self.uuid,
                device_id: held.id(),
                role: "callee",
                platform: held.platform.name(),
                app_version: app.versions[version].name.clone(),
                country: place.country.clone(),
                clock_error_ms: held.clock_error_ms(),
                ..LegTruth::default()
            }),
            ..Leg::default()
        };
        for (nth, bug) in self.stage.incidents.on(IncidentKind::ClockBug, self.start) {
            let is_of_version = bug.is_of_app(self.app) && bug.is_of_version(&app.versions[version].name);
            if is_of_version && bug.size.holds(held.rollout_bits) {
                leg.clock_bug_ms = world.incidents.clock_bug_by_ms;
                leg.truth.clock_error_ms += leg.clock_bug_ms;
                leg.touched |= 1 << nth;
            }
        }
        for (nth, release) in self.stage.incidents.on(IncidentKind::BrokenRelease, self.start) {
            if release.is_of_app(self.app) && release.is_of_version(&app.versions[version].name) {
                leg.touched |= 1 << nth;
            }
        }
        self.legs.push(leg);
        self.legs.len() - 1
    }
}

/// The beginning of an event.
#[derive(Clone, Copy)]
pub(crate) struct Head<'w> {
    pub(crate) event_id: u64,
    pub(crate) serial: u32,
    pub(crate) kind: &'static str,
    pub(crate) app: &'w App,
    /// With whether it is in upper case.
    pub(crate) call_uuid: Option<(u128, bool)>,
}

impl Head<'_> {
    /// Writes it; `occurred_at` is on the producer's clock.
    pub(crate) fn write<'o>(&self, out: &'o mut Vec<u8>, occurred_at: i64, as_text: bool) -> Fields<'o> {
        out.extend_from_slice(b"{\"event_id\":\"");
        write_hex(out, self.event_id, 16);
        out.push(b'-');
        write_int(out, i64::from(self.serial));
        out.push(b'"');
        let fields = Fields(out).text("kind", self.kind);
        let fields = match as_text {
            true => fields.text("occurred_at", &rfc3339(occurred_at)),
            false => fields.int("occurred_at", occurred_at),
        };
        let fields = fields.text("app_id", &self.app.id);
        let fields = fields.when(self.app.tenant != "default", |fields| fields.text("tenant_id", &self.app.tenant));
        match self.call_uuid {
            Some((uuid, upper_case)) => fields.uuid("call_uuid", uuid, upper_case),
            None => fields,
        }
    }
}

/// Writes an event of a device: its head, what it says of itself, and its own fields.
pub(crate) fn write_of_device(
    out: &mut Vec<u8>,
    head: &Head<'_>,
    device: &crate::fleet::Device,
    look: &Look<'_>,
    at: i64,
    own: &[u8],
) {
    let fields = head.write(out, at - device.offset_ms + look.clock_bug_ms, false);
    device.write_dimensions(fields, look).int("mono_ms", at - device.boot_at).raw(own).close();
}
