//! The simulation: seconds pass, calls start, devices live, and what has reached the log comes out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::calendar::{DAY_MS, HOUR_MS};
use crate::call::{Buffers, Head, Stage, lose_journal, play, play_data_push};
use crate::draw::Choice;
use crate::fleet::{Fleet, Platform};
use crate::incident::{IncidentError, IncidentKind};
use crate::incidents::Incidents;
use crate::life::live;
use crate::log::{Bucket, Log, Record};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::truth::{DeviceTruth, Truth};
use crate::world::World;

/// One step, in milliseconds.
const SECOND_MS: i64 = 1_000;

/// How long the hours of the places stay as they are: some zones are half an hour off.
const HOURS_STAND_MS: i64 = HOUR_MS / 2;

/// A caller's device says that it calls so many milliseconds before the server begins the call.
const DIAL_MS: i64 = 90;

/// The stream of random numbers that calls arrive by.
const ARRIVALS: u64 = 1 << 60;

/// See the module's text. Memory is bounded by the number of devices, and by what is on its way to the log.
pub struct Simulator {
    world: World,
    plan: Plan,
    fleet: Fleet,
    incidents: Incidents,
    log: Log,
    truths: Vec<Truth>,
    buffers: Buffers,
    arrivals: Rng,
    calls: u64,
    /// The second that comes next.
    now: i64,
    /// In microseconds since the Unix epoch.
    next_call_us: i64,
    next_status: i64,
    life: BinaryHeap<Reverse<(i64, u32)>>,
    places: (Choice, f64),
    places_until: i64,
    /// The second that came last.
    bucket: Bucket,
}

/// What reached the log in a second, and what is known to be true since.
#[derive(Clone, Copy)]
pub struct Second<'a> {
    /// When it starts, in milliseconds since the Unix epoch.
    pub from: i64,
    bucket: &'a Bucket,
    /// Truths, about calls that this second or an earlier one saw.
    pub truths: &'a [Truth],
}

impl<'a> Second<'a> {
    /// The records, in order of log time.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.bucket.records()
    }
}

impl Simulator {
    /// A world as it is at the plan's start.
    ///
    /// # Errors
    /// Incidents that name what the world does not have.
    pub fn new(mut world: World, plan: Plan) -> Result<Self, IncidentError> {
        let incidents = Incidents::new(&plan, &mut world)?;
        let fleet = Fleet::new(&plan, &world);
        let mut arrivals = Rng::of(plan.seed, ARRIVALS);
        let mean_ms = world.life.hours_between_opens * HOUR_MS as f64;
        let devices = 0..fleet.devices.len() as u32;
        let first = |device| Reverse((plan.start + arrivals.exponential(mean_ms) as i64, device));
        let life = devices.map(first).collect();
        let mut simulator = Simulator {
            now: plan.start.div_euclid(SECOND_MS) * SECOND_MS,
            next_call_us: plan.start * 1_000,
            next_status: plan.start,
            places: fleet.places_at(&world, plan.start),
            places_until: plan.start,
            life,
            arrivals,
            calls: 0,
            truths: Vec::new(),
            buffers: Buffers::default(),
            log: Log::default(),
            bucket: Bucket::default(),
            world,
            plan,
            fleet,
            incidents,
        };
        simulator.schedule_call();
        Ok(simulator)
    }

    /// When the next second starts, in milliseconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Lets a second pass; `None` at the end of the plan.
    pub fn next_second(&mut self) -> Option<Second<'_>> {
        if self.now >= self.plan.end() {
            return None;
        }
        let (from, until) = (self.now, self.now + SECOND_MS);
        self.truths.clear();
        self.lose_wake_ups(until);
        loop {
            let call = self.next_call_us.div_euclid(1_000);
            let life = self.life.peek().map_or(i64::MAX, |Reverse((at, _))| *at);
            let next = call.min(life).min(self.next_status);
            if next >= until {
                break;
            }
            if next == self.next_status {
                self.tell_credentials();
            } else if next == life {
                self.live();
            } else {
                self.call();
            }
        }
        let taken = self.log.take(from);
        let last = std::mem::replace(&mut self.bucket, taken);
        self.log.recycle(last);
        self.now = until;
        Some(Second { from, bucket: &self.bucket, truths: &self.truths })
    }

    /// The truths that are left at the end: legs whose journals were never sent, devices, incidents.
    pub fn finish(mut self) -> Vec<Truth> {
        let mut truths = Vec::new();
        for device in &mut self.fleet.devices {
            lose_journal(device.journal.take(), &mut truths);
        }
        for device in &self.fleet.devices {
            let app = usize::from(self.fleet.people[device.person as usize].app);
            truths.push(Truth::Device(DeviceTruth {
                device_id: device.id(),
                app_id: self.world.apps[app].id.clone(),
                platform: device.platform.name(),
                strikes: device.strikes,
                kills: device.kills,
                not_woken_since: (device.not_woken_since != i64::MAX).then_some(device.not_woken_since),
                reinstalls: u32::from(device.reinstalls),
            }));
        }
        truths.extend(self.incidents.truths(&self.world));
        truths
    }

    fn stage(&mut self) -> Stage<'_> {
        Stage {
            world: &self.world,
            fleet: &mut self.fleet,
            incidents: &mut self.incidents,
            log: &mut self.log,
            truths: &mut self.truths,
            buffers: &mut self.buffers,
        }
    }

    /// Calls come independently of each other, as many as the hours of their places bring.
    fn schedule_call(&mut self) {
        let at = self.next_call_us.div_euclid(1_000);
        if at >= self.places_until {
            self.places = self.fleet.places_at(&self.world, at);
            self.places_until = (at.div_euclid(HOURS_STAND_MS) + 1) * HOURS_STAND_MS;
        }
        let rate = self.plan.calls_per_second * self.places.1;
        let gap_us = if rate > 0.0 { self.arrivals.exponential(1e6 / rate) } else { f64::INFINITY };
        // Where nobody calls, look again when the hours have changed.
        let quiet_us = (self.places_until - at) as f64 * 1_000.0;
        self.next_call_us += gap_us.min(quiet_us.max(1.0)).max(1.0) as i64;
    }

    fn call(&mut self) {
        let at = self.next_call_us.div_euclid(1_000);
        self.schedule_call();
        self.calls += 1;
        let mut rng = Rng::of(self.plan.seed, self.calls);
        let place = self.places.0.draw(&mut rng);
        let Some(callee) = self.fleet.person_of_place(place, &mut rng) else { return };
        let person = &self.fleet.people[callee];
        let (app, devices) = (usize::from(person.app), person.devices());
        if self.world.gateway.data_pushes.draw(&mut rng) && self.fleet.devices[devices.start].platform == Platform::Ios
        {
            return play_data_push(&mut self.stage(), rng, app, at, devices.start);
        }
        let caller = self.fleet.other_of_app(app, callee, &mut rng);
        let has_app = self.world.population.caller_has_app.draw(&mut rng);
        let device = caller.filter(|_| has_app).map(|caller| self.fleet.people[caller].devices().start);
        let device = device.filter(|device| !self.fleet.devices[*device].is_on_call(at));
        play(&mut self.stage(), rng, app, at + DIAL_MS, devices, device);
    }

    fn live(&mut self) {
        let Some(Reverse((at, device))) = self.life.pop() else { return };
        let next = live(&mut self.stage(), device as usize, at);
        self.life.push(Reverse((next, device)));
    }

    /// Wake-ups that an incident takes away.
    fn lose_wake_ups(&mut self, until: i64) {
        let from = self.now;
        for nth in 0..self.incidents.0.len() {
            let one = &self.incidents.0[nth];
            if one.kind != IncidentKind::LostWakeUps || one.from < from || one.from >= until {
                continue;
            }
            let one = one.clone();
            let limit = self.world.pushkit.strikes_until_not_woken;
            for device in &mut self.fleet.devices {
                let person = &self.fleet.people[device.person as usize];
                let country = &self.world.places[usize::from(person.place)].country;
                let fits = one.is_of_app(usize::from(person.app)) && one.is_of_country(country);
                if device.platform == Platform::Ios && fits && one.size.holds(device.rollout_bits) {
                    device.not_woken_since = device.not_woken_since.min(one.from);
                    device.strikes = device.strikes.max(limit);
                    self.incidents.count(1 << nth);
                }
            }
        }
    }

    /// What a watcher says of the credentials of every app.
    fn tell_credentials(&mut self) {
        let at = self.next_status;
        let credentials = &self.world.credentials;
        let every_ms = (credentials.status_every_h * HOUR_MS as f64) as i64;
        self.next_status = at + every_ms.max(60_000);
        let kind = "credential.status";
        for (nth, app) in self.world.apps.iter().enumerate() {
            let days = credentials.expire_in_days - (at - self.plan.start) / DAY_MS;
            let expired = self.incidents.on(IncidentKind::ExpiredCertificate, at).any(|(_, one)| one.is_of_app(nth));
            let head = Head {
                event_id: self.plan.seed.rotate_left(32) ^ at as u64,
                serial: nth as u32,
                kind,
                app,
                call_uuid: None,
            };
            self.log.add(at + 40, kind, b"", |out| {
                let fields = head.write(out, at, app.text_times).text("credential", "apns_key");
                fields.int("expires_in_days", if expired { 0 } else { days }).close();
            });
        }
    }
}
