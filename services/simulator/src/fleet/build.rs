//! Making a fleet from the world's shares and weights.

use super::device::{Channel, Device, Platform, Token};
use super::{Fleet, Person, RolloutStep};
use crate::calendar::HOUR_MS;
use crate::draw::{Choice, Share};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::world::{App, Platforms, World};

/// The stream of random numbers that people are made with; calls and devices have others.
const STREAM: u64 = 1 << 62;

/// Streams of devices.
const DEVICE_STREAM: u64 = 1 << 61;

/// The world's weights, ready to draw from.
struct Weights {
    places: Choice,
    apps: Choice,
    versions: Vec<Choice>,
    first: Choice,
    other: Choice,
    ios: Choice,
    android: Choice,
    desktop: Choice,
    web: Choice,
    channels: Choice,
}

impl Weights {
    fn new(world: &World) -> Self {
        let of = |platforms: &Platforms| {
            Choice::new([platforms.ios, platforms.android, platforms.desktop, platforms.web].into_iter())
        };
        let (devices, channels) = (&world.devices, &world.population.build_channels);
        let others = |list: &[crate::world::OtherKind]| Choice::new(list.iter().map(|kind| kind.weight));
        Weights {
            places: Choice::new(world.places.iter().map(|place| place.weight)),
            apps: Choice::new(world.apps.iter().map(|app| app.weight)),
            versions: world.apps.iter().map(|app| Choice::new(app.versions.iter().map(|one| one.share))).collect(),
            first: of(&world.population.first_device),
            other: of(&world.population.other_device),
            ios: Choice::new(devices.ios.iter().map(|kind| kind.weight)),
            android: others(&devices.android),
            desktop: others(&devices.desktop),
            web: others(&devices.web),
            channels: Choice::new([channels.app_store, channels.testflight, channels.dev].into_iter()),
        }
    }
}

impl Fleet {
    /// As many devices as the plan asks for, give or take one person's.
    pub(crate) fn new(plan: &Plan, world: &World) -> Self {
        let weights = Weights::new(world);
        let mut rng = Rng::of(plan.seed, STREAM);
        let mut fleet = Fleet {
            people: Vec::new(),
            devices: Vec::new(),
            of_place: vec![Vec::new(); world.places.len()],
            of_app: vec![Vec::new(); world.apps.len()],
            rollouts: world.apps.iter().map(|app| steps(app, plan.start)).collect(),
        };
        while fleet.devices.len() < plan.device_count() {
            fleet.add_person(world, &weights, plan, &mut rng);
        }
        fleet
    }

    fn add_person(&mut self, world: &World, weights: &Weights, plan: &Plan, rng: &mut Rng) {
        let (app, place) = (weights.apps.draw(rng), weights.places.draw(rng));
        let number = self.people.len() as u32;
        let mut devices = 1;
        if world.population.second_device.draw(rng) {
            devices = if world.population.third_device.draw(rng) { 3 } else { 2 };
        }
        self.of_place[place].push(number);
        self.of_app[app].push(number);
        self.people.push(Person {
            app: app as u16,
            place: place as u16,
            first_device: self.devices.len() as u32,
            devices,
            call_waiting: world.population.call_waiting.draw(rng),
        });
        for nth in 0..devices {
            let platform = match if nth == 0 { weights.first.draw(rng) } else { weights.other.draw(rng) } {
                0 => Platform::Ios,
                1 => Platform::Android,
                2 => Platform::Desktop,
                _ => Platform::Web,
            };
            let mut device = new_device(world, weights, platform, plan, rng, self.devices.len() as u64);
            device.person = number;
            device.nth = nth;
            device.base_version = weights.versions[app].draw(rng) as u8;
            device.carrier = rng.below(world.places[place].carriers.len()) as u8;
            self.devices.push(device);
        }
    }
}

fn new_device(world: &World, weights: &Weights, platform: Platform, plan: &Plan, rng: &mut Rng, number: u64) -> Device {
    let (kind, models) = match platform {
        Platform::Ios => {
            let kind = weights.ios.draw(rng);
            (kind, world.devices.ios[kind].models.len())
        }
        Platform::Android => (weights.android.draw(rng), 1),
        Platform::Desktop => (weights.desktop.draw(rng), 1),
        Platform::Web => (weights.web.draw(rng), 1),
    };
    let offset = if world.clocks.right.draw(rng) { 0 } else { world.clocks.offset.draw(rng) };
    Device {
        person: 0,
        nth: 0,
        platform,
        kind: kind as u8,
        model: rng.below(models) as u8,
        base_version: 0,
        channel: match weights.channels.draw(rng) {
            0 => Channel::AppStore,
            1 => Channel::TestFlight,
            _ => Channel::Dev,
        },
        carrier: 0,
        upper_case: platform == Platform::Ios && world.population.uuid_in_upper_case.draw(rng),
        opted_out: world.telemetry.opted_out.draw(rng),
        rollout_bits: rng.bits(),
        hash: rng.next(),
        rng: Rng::of(plan.seed, DEVICE_STREAM + number),
        offset_ms: if rng.next() & 1 == 0 { offset } else { -offset },
        offset_is_estimated: world.clocks.offset_is_estimated.draw(rng),
        boot_at: plan.start - rng.between(HOUR_MS, 240 * HOUR_MS),
        boots: 0,
        token: Token::Valid,
        tokens: 0,
        offline: (0, 0),
        open_until: 0,
        on_call: (0, 0),
        strikes: 0,
        kills: 0,
        not_woken_since: i64::MAX,
        reinstalls: 0,
        said: 0,
        journal: None,
    }
}

/// The steps of an app's roll-outs, in order of time.
fn steps(app: &App, start: i64) -> Vec<RolloutStep> {
    let mut all = Vec::new();
    for rollout in &app.rollouts {
        let Some(version) = app.version(&rollout.version) else { continue };
        for (nth, share) in rollout.steps.iter().enumerate() {
            let hours = rollout.starts_h + nth as f64 * rollout.step_h;
            let from = start + (hours * HOUR_MS as f64) as i64;
            all.push(RolloutStep { from, share: Share::of(share.number()), version: version as u8 });
        }
    }
    all.sort_by_key(|step| step.from);
    all
}
